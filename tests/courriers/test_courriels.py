"""Le courriel lui-même : deux mises en forme, un identifiant stable, aucune décision, et des pannes qui se comptent."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import structlog.testing
from django.conf import settings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone

from courriers import envoi
from courriers.actions import poster, prevenir
from courriers.choix import EtatEnvoi
from courriers.horloge import vider_la_boite_d_envoi
from courriers.models import ESSAIS_MAX, Envoi
from tests.fabriques.comptes import UtilisateurFactory

pytestmark = pytest.mark.django_db

MODELES = sorted((Path(settings.BASE_DIR) / "templates").glob("*/courriels/*.*"))
CONTEXTE = {"prenom": "Ève", "numero": "AVS-2026-00001", "structure": "L’Îlot <& Cie>", "chemin": "/dossiers/1/"}


def deposer(cle: str = "essai", **changements) -> Envoi:
    with transaction.atomic():
        return poster(
            **{
                "cle": cle, "destinataire": f"{cle}@exemple.invalid", "sujet": "Du nouveau",
                "gabarit": "agrements/courriels/du_nouveau", "contexte": CONTEXTE,
            } | changements
        )  # fmt: skip


@pytest.mark.parametrize("modele", MODELES, ids=lambda chemin: chemin.stem)
def test_aucun_courriel_ne_porte_de_decision(modele):
    texte = modele.read_text(encoding="utf-8").lower()
    variables = set(re.findall(r"{{\s*([a-z_]+)", texte))
    assert not variables & {"motivation", "reserves", "sens", "decision", "avis", "debut", "fin", "montant", "texte"}
    for mot in ("refus", "agréé", "ajourn", "favorable", "réserve", "accordé", "rejet"):
        assert mot not in texte


def test_le_courriel_est_rendu_au_moment_de_poster_en_texte_et_mis_en_forme(settings):
    settings.PORTAIL_ADRESSE = "https://portail.exemple.invalid"
    pose = deposer()
    settings.PORTAIL_ADRESSE = "https://ailleurs.invalid"
    envoi.envoyer(pose.pk)
    [courriel] = mail.outbox
    [(html, genre)] = [(a.content, a.mimetype) for a in courriel.alternatives]
    assert "L’Îlot <& Cie>" in courriel.body
    assert genre == "text/html"
    assert "L’Îlot &lt;&amp; Cie&gt;" in html
    assert 'href="https://portail.exemple.invalid/dossiers/1/"' in html
    assert "ailleurs" not in html + courriel.body


def test_l_identifiant_du_courriel_ne_change_pas_d_un_essai_a_l_autre():
    pose = deposer()
    entetes = [envoi.courriel(Envoi.objects.get(pk=pose.pk)).message() for _ in range(2)]
    assert entetes[0]["Message-ID"] == entetes[1]["Message-ID"] != ""
    assert entetes[0]["Auto-Submitted"] == "auto-generated"


def test_un_sujet_trop_long_ou_piege_ne_fait_pas_echouer_le_geste():
    assert len(deposer(sujet="é" * 500).sujet) == 200
    assert deposer("nul", sujet="a\x00b").sujet == "ab"


def test_une_panne_inconnue_compte_et_s_ecrit_sans_arreter_les_autres(monkeypatch):
    fautif, sain = deposer("fautif"), deposer("sain")
    vrai = EmailBackend.send_messages

    def trebucher(self, messages):
        if "fautif@exemple.invalid" in messages[0].to:
            raise RuntimeError("inattendu")
        return vrai(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", trebucher)
    vider_la_boite_d_envoi()
    fautif.refresh_from_db()
    sain.refresh_from_db()
    assert (fautif.etat, fautif.essais) == (EtatEnvoi.A_ENVOYER, 1)
    assert sain.etat == EtatEnvoi.ENVOYE


def test_un_courriel_qui_tue_son_worker_finit_abandonne_avec_une_alerte(monkeypatch):
    """Un worker tué ne laisse que l’essai compté : au-delà de huit, le balayage abandonne et le dit."""
    pose = deposer()
    Envoi.objects.filter(pk=pose.pk).update(essais=ESSAIS_MAX, prochain_essai_le=timezone.now() - timedelta(minutes=1))
    with structlog.testing.capture_logs() as journal:
        vider_la_boite_d_envoi()
        vider_la_boite_d_envoi()
    pose.refresh_from_db()
    assert pose.etat == EtatEnvoi.ABANDONNE
    assert [(ligne["event"], ligne["log_level"]) for ligne in journal] == [("courriel_abandonne", "error")]
    assert mail.outbox == []


@pytest.mark.parametrize("lien", ["https://ailleurs.invalid/", "//ailleurs.invalid/", "/\\ailleurs", "javascript:x"])
def test_une_nouvelle_ne_mene_jamais_hors_du_portail(lien):
    with pytest.raises(ValueError, match="dans le portail"):
        prevenir(cle="x", destinataire=UtilisateurFactory(), texte="x", lien=lien)


def test_une_nouvelle_trop_longue_se_termine_par_des_points():
    nouvelle = prevenir(cle="x", destinataire=UtilisateurFactory(), texte="é" * 400)
    assert (len(nouvelle.texte), nouvelle.texte[-1]) == (300, "…")
