"""Les nouvelles dans le portail : à chacun les siennes, lues une fois, comptées juste."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.choix import Role
from courriers.actions import prevenir
from courriers.models import Notification
from tests.fabriques.comptes import UtilisateurFactory, agent

pytestmark = pytest.mark.django_db

LISTE = reverse("courriers:notifications")


@pytest.fixture
def charge():
    return agent(Role.CHARGE_CONSEIL)


def apprendre(
    personne, rang: int = 1, *, texte: str = "Un dossier vous attend.", lien: str = "/espace/"
) -> Notification:
    return prevenir(cle=f"nouvelle-{personne.pk}-{rang}", destinataire=personne, texte=texte, lien=lien)


def test_une_meme_nouvelle_ne_se_dit_qu_une_fois(charge):
    assert apprendre(charge).pk == apprendre(charge, texte="Autrement dit.").pk
    assert Notification.objects.get().texte == "Un dossier vous attend."


@pytest.mark.django_db(transaction=True)
def test_une_nouvelle_hors_transaction_est_refusee_et_un_geste_annule_n_en_laisse_pas():
    personne = UtilisateurFactory()
    with pytest.raises(RuntimeError, match="transaction"):
        apprendre(personne)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        apprendre(personne)
        raise ZeroDivisionError
    assert not Notification.objects.exists()


def test_chacun_ne_voit_que_les_siennes(entrer, charge):
    apprendre(charge, texte="Pour le chargé de conseil.")
    apprendre(agent(Role.RESPONSABLE), texte="Pour la responsable.")
    page = entrer(charge).get(LISTE).content.decode()
    assert "Pour le chargé de conseil." in page
    assert "Pour la responsable." not in page


def test_lire_mene_a_l_objet_et_garde_la_date_de_la_premiere_lecture(entrer, charge):
    nouvelle, client = apprendre(charge), entrer(charge)
    adresse = reverse("courriers:lire", args=[nouvelle.pk])

    reponse = client.post(adresse)
    assert (reponse.status_code, reponse.headers["Location"]) == (302, "/espace/")
    nouvelle.refresh_from_db()
    premiere = nouvelle.lue_le
    assert premiere is not None

    client.post(adresse)
    nouvelle.refresh_from_db()
    assert nouvelle.lue_le == premiere


def test_une_nouvelle_sans_lien_ramene_a_la_liste(entrer, charge):
    nouvelle = apprendre(charge, lien="")
    assert entrer(charge).post(reverse("courriers:lire", args=[nouvelle.pk])).headers["Location"] == LISTE


def test_la_nouvelle_d_une_autre_personne_n_existe_pas(entrer, charge):
    autre = apprendre(agent(Role.RESPONSABLE))
    assert entrer(charge).post(reverse("courriers:lire", args=[autre.pk])).status_code == 404
    autre.refresh_from_db()
    assert autre.lue_le is None


def test_ouvrir_un_lien_ou_la_liste_ne_marque_rien_comme_lu(entrer, charge):
    nouvelle, client = apprendre(charge), entrer(charge)
    assert client.get(LISTE).status_code == 200
    assert client.get(reverse("courriers:lire", args=[nouvelle.pk])).status_code == 405
    assert client.get(reverse("courriers:tout_lire")).status_code == 405
    nouvelle.refresh_from_db()
    assert nouvelle.lue_le is None


def test_tout_marquer_lu_ne_touche_qu_aux_siennes(entrer, charge):
    autre = apprendre(agent(Role.RESPONSABLE))
    for rang in range(3):
        apprendre(charge, rang)
    client = entrer(charge)
    assert "Tout marquer comme lu" in client.get(LISTE).content.decode()

    assert client.post(reverse("courriers:tout_lire")).headers["Location"] == LISTE
    assert not charge.notifications.filter(lue_le__isnull=True).exists()
    assert "Tout marquer comme lu" not in client.get(LISTE).content.decode()
    autre.refresh_from_db()
    assert autre.lue_le is None


def test_vingt_cinq_par_page_les_plus_recentes_d_abord(entrer, charge):
    for rang in range(27):
        apprendre(charge, rang, texte=f"Nouvelle numéro {rang:02}.")
    client = entrer(charge)
    premiere, seconde = client.get(LISTE), client.get(LISTE, {"page": 2})
    assert [n.texte for n in premiere.context["page"]][:1] == ["Nouvelle numéro 26."]
    assert (len(premiere.context["page"]), len(seconde.context["page"])) == (25, 2)


@pytest.mark.parametrize("page", ["abc", "-1", "0", "9999", "", "1; DROP TABLE", "\x00"])
def test_une_page_fantaisiste_rend_une_page(entrer, charge, page):
    apprendre(charge)
    assert entrer(charge).get(LISTE, {"page": page}).status_code == 200


def test_une_liste_vide_dit_ce_qui_s_y_affichera(entrer, charge):
    assert "Rien de nouveau" in entrer(charge).get(LISTE).content.decode()


def test_un_texte_piege_se_montre_sans_s_executer(entrer, charge):
    apprendre(charge, texte="<script>alert(1)</script> & Cie")
    page = entrer(charge).get(LISTE).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Cie" in page


def test_trente_nouvelles_ne_demandent_pas_plus_de_requetes_qu_une(entrer, charge):
    client = entrer(charge)
    comptes = []
    for cible in (1, 30):
        for rang in range(Notification.objects.count(), cible):
            apprendre(charge, rang)
        client.get(LISTE)
        with CaptureQueriesContext(connection) as requetes:
            client.get(LISTE)
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1]


def test_sans_connexion_on_va_se_connecter(client):
    reponse = client.get(LISTE)
    assert reponse.status_code == 302
    assert reponse.headers["Location"].startswith("/connexion/")
