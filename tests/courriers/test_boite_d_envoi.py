"""La boîte d’envoi : rien avant l’écriture du geste, rien deux fois, rien de perdu quand tout tombe."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from config.celery import app
from courriers.actions import poster
from courriers.choix import EtatEnvoi
from courriers.horloge import vider_la_boite_d_envoi
from courriers.models import Envoi
from courriers.tasks import envoyer
from tests.fabriques.comptes import UtilisateurFactory
from tests.fabriques.courses import ensemble

ecrit_pour_de_bon = pytest.mark.django_db(transaction=True)


def deposer(cle: str = "essai", **changements) -> Envoi:
    """Poste sans faire partir : dans la transaction du test, l’envoi attend l’écriture."""
    arguments = {
        "cle": cle,
        "destinataire": f"{cle}@exemple.invalid",
        "sujet": "Du nouveau sur votre dossier",
        "gabarit": "agrements/courriels/du_nouveau",
        "contexte": {
            "prenom": "Ève",
            "numero": "AVS-2026-00001",
            "structure": "L'Îlot & Cie",
            "chemin": "/dossiers/1/",
        },
    } | changements
    with transaction.atomic():
        return poster(**arguments)


@pytest.fixture
def courtier_mort(monkeypatch):
    """Une vraie mise en file vers une adresse où personne n’écoute."""
    avant = {nom: getattr(app.conf, nom) for nom in ("task_always_eager", "broker_url")}
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    app.conf.update(task_always_eager=False, broker_url="redis://127.0.0.1:1/0")
    yield
    app.conf.update(avant)


@pytest.fixture
def messagerie_en_panne(monkeypatch):
    def refuser(self, messages):
        raise ConnectionRefusedError("messagerie arrêtée")

    monkeypatch.setattr(EmailBackend, "send_messages", refuser)


@ecrit_pour_de_bon
def test_poster_hors_transaction_est_refuse():
    with pytest.raises(RuntimeError, match="transaction"):
        poster(cle="seul", destinataire="a@exemple.invalid", sujet="x", gabarit="x", contexte={})
    assert not Envoi.objects.exists()


@ecrit_pour_de_bon
def test_un_geste_annule_n_ecrit_ni_n_envoie_rien():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        deposer()
        raise ZeroDivisionError
    assert not Envoi.objects.exists()
    assert mail.outbox == []


@ecrit_pour_de_bon
def test_un_geste_ecrit_envoie_un_courriel_et_un_seul():
    deposer()
    deposer()
    vider_la_boite_d_envoi()

    assert [courriel.to for courriel in mail.outbox] == [["essai@exemple.invalid"]]
    seul = Envoi.objects.get()
    assert seul.etat == EtatEnvoi.ENVOYE
    assert seul.envoye_le is not None
    assert seul.essais == 1


@ecrit_pour_de_bon
def test_rien_ne_part_tant_que_le_geste_n_est_pas_ecrit():
    with transaction.atomic():
        deposer()
        assert mail.outbox == []
    assert len(mail.outbox) == 1


@ecrit_pour_de_bon
def test_une_personne_est_jointe_a_son_courriel():
    personne = UtilisateurFactory(courriel="direction@exemple.invalid")
    deposer(destinataire=personne)
    assert mail.outbox[0].to == ["direction@exemple.invalid"]


@ecrit_pour_de_bon
def test_le_texte_se_lit_tel_quel_et_son_lien_mene_au_portail(settings):
    settings.PORTAIL_ADRESSE = "https://portail.exemple.invalid/"
    deposer()
    courriel = mail.outbox[0]
    assert "L'Îlot & Cie" in courriel.body
    assert "https://portail.exemple.invalid/dossiers/1/" in courriel.body


@ecrit_pour_de_bon
def test_un_sujet_sur_plusieurs_lignes_ne_glisse_pas_d_en_tete():
    deposer(sujet="Du nouveau\r\nBcc: tous@exemple.invalid")
    courriel = mail.outbox[0]
    assert courriel.subject == "Du nouveau Bcc: tous@exemple.invalid"
    assert courriel.recipients() == ["essai@exemple.invalid"]


@ecrit_pour_de_bon
@pytest.mark.usefixtures("courtier_mort")
def test_un_courtier_vraiment_mort_laisse_repondre_et_le_balayage_envoie():
    deposer()
    assert mail.outbox == []
    assert Envoi.objects.get().etat == EtatEnvoi.A_ENVOYER

    vider_la_boite_d_envoi()
    assert len(mail.outbox) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("messagerie_en_panne")
def test_une_messagerie_en_panne_se_reessaie_de_plus_en_plus_tard_puis_s_abandonne():
    courriel = deposer()
    reculs: list[timedelta] = []
    while courriel.etat == EtatEnvoi.A_ENVOYER:
        assert len(reculs) < 20, "les essais ne sont pas bornés"
        Envoi.objects.update(prochain_essai_le=timezone.now())
        avant = timezone.now()
        vider_la_boite_d_envoi()
        courriel.refresh_from_db()
        reculs.append(courriel.prochain_essai_le - avant)
        assert courriel.essais == len(reculs)

    assert courriel.etat == EtatEnvoi.ABANDONNE
    assert courriel.envoye_le is None
    assert len(reculs) >= 5
    attendus = reculs[:-1]
    assert all(tot < tard for tot, tard in pairwise(attendus))
    assert sum(attendus, timedelta()) > timedelta(hours=1), "une panne d’une heure ne doit rien perdre"


@pytest.mark.django_db
def test_un_courriel_abandonne_ne_repart_pas_tout_seul():
    courriel = deposer()
    Envoi.objects.update(etat=EtatEnvoi.ABANDONNE)
    envoyer(courriel.pk)
    Envoi.objects.update(prochain_essai_le=timezone.now())
    vider_la_boite_d_envoi()
    assert mail.outbox == []


@pytest.mark.django_db
def test_le_balayage_attend_l_heure_du_prochain_essai():
    courriel = deposer()
    Envoi.objects.update(prochain_essai_le=timezone.now() + timedelta(minutes=3))
    vider_la_boite_d_envoi()
    assert mail.outbox == []

    Envoi.objects.update(prochain_essai_le=timezone.now() - timedelta(seconds=1))
    vider_la_boite_d_envoi()
    assert len(mail.outbox) == 1
    envoyer(courriel.pk)
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_une_adresse_refusee_n_arrete_pas_les_suivantes(monkeypatch):
    envoyer_vraiment = EmailBackend.send_messages

    def refuser_la_premiere(self, messages):
        if "premiere@exemple.invalid" in messages[0].to:
            raise ConnectionResetError("refusée")
        return envoyer_vraiment(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", refuser_la_premiere)
    deposer("premiere")
    deposer("deuxieme")
    vider_la_boite_d_envoi()

    assert [courriel.to for courriel in mail.outbox] == [["deuxieme@exemple.invalid"]]
    assert Envoi.objects.get(cle="premiere").essais == 1


@ecrit_pour_de_bon
def test_deux_workers_au_meme_instant_n_envoient_qu_un_courriel(monkeypatch):
    with monkeypatch.context() as sans_envoi:
        sans_envoi.setattr("courriers.actions.mettre_en_file", lambda *_: None)
        courriel = deposer()
    envoyer_vraiment = EmailBackend.send_messages

    def prendre_son_temps(self, messages):
        with connection.cursor() as curseur:
            curseur.execute("SELECT pg_sleep(0.3)")
        return envoyer_vraiment(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", prendre_son_temps)

    assert not [r for r in ensemble(*[partial(envoyer, courriel.pk)] * 2) if isinstance(r, Exception)]
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_la_base_refuse_un_envoi_dit_envoye_sans_date():
    deposer()
    with pytest.raises(IntegrityError), transaction.atomic():
        Envoi.objects.update(etat=EtatEnvoi.ENVOYE)
