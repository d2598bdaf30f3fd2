"""Ce que les lettres et les nouvelles portent : durée, échéance et signataire, dates en toutes lettres."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from agrements import actes
from agrements.choix import Etat
from comptes.choix import Role
from courriers.models import Notification
from documents.gabarits import GABARITS
from documents.models import Acte, NatureActe
from socle.dates import MOIS, en_duree, en_jour
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent


@pytest.fixture
def theatre(db):
    return Theatre()


def contexte(nature):
    return Acte.objects.filter(nature=nature).latest("pk").contexte


@pytest.mark.parametrize(
    ("debut", "fin", "attendu"),
    [
        (date(2027, 1, 1), date(2030, 12, 31), "4\u00a0ans"),
        (date(2027, 1, 1), date(2027, 12, 31), "1\u00a0an"),
        (date(2027, 1, 1), date(2028, 6, 30), "1\u00a0an et 6\u00a0mois"),
        (date(2027, 3, 15), date(2029, 3, 14), "2\u00a0ans"),
        (date(2027, 3, 15), date(2029, 3, 13), "1\u00a0an et 11\u00a0mois"),
        (date(2028, 2, 29), date(2029, 2, 28), "1\u00a0an"),
        (date(2027, 1, 1), date(2027, 1, 15), ""),
        (date(2027, 1, 15), date(2027, 1, 1), ""),
    ],
)
def test_une_duree_se_dit_en_ans_et_en_mois(debut, fin, attendu):
    assert en_duree(debut, fin) == attendu


def test_la_notification_d_agrement_dit_la_duree_et_qui_signe(theatre):
    theatre.mener(Etat.AGREE)
    lettre = contexte(NatureActe.NOTIFICATION)
    assert lettre["duree"] == "4\u00a0ans"
    assert lettre["signataire"] == theatre.responsable.get_full_name()
    assert lettre["signataire_qualite"] == "responsable de l’action sociale"


def test_un_refus_n_a_pas_de_duree_et_deux_responsables_laissent_la_delegation(theatre):
    agent(Role.RESPONSABLE)
    theatre.mener(Etat.REFUSE)
    lettre = contexte(NatureActe.NOTIFICATION)
    assert not lettre.get("duree")
    assert not lettre.get("signataire")


def test_l_accuse_dit_avant_quand_l_instruction_s_acheve(theatre):
    dossier = theatre.mener(Etat.DEPOSE)
    assert contexte(NatureActe.ACCUSE_RECEPTION)["reponse_avant"] == en_jour(dossier.echeance_le)
    attendue = timezone.localdate() + timedelta(days=dossier.regime.referentiel.delais["instruction_jours"])
    assert dossier.echeance_le == attendue


def test_seules_les_mentions_que_le_gabarit_prevoit_sont_fournies(theatre, monkeypatch):
    assert actes._prevues("demande_complements", {"duree": "4 ans", "signataire": "X", "signataire_qualite": ""}) == {
        "signataire": "X"
    }
    for gabarit in GABARITS:
        assert set(actes._prevues(gabarit, dict.fromkeys(["duree", "reponse_avant", "signataire"], "x"))) <= (
            GABARITS[gabarit].cles
        )


def test_les_nouvelles_disent_les_dates_en_toutes_lettres(theatre):
    dossier = theatre.mener(Etat.INCOMPLET)
    textes = list(Notification.objects.values_list("texte", flat=True))
    jour = " ".join(en_jour(timezone.localdate()).split())
    limite = " ".join(en_jour(dossier.echeance_le).split())
    assert any(f"est déposé le {jour}" in texte for texte in textes)
    assert any(f"a déposé son dossier {dossier.numero} le {jour}" in texte for texte in textes)
    assert any(f"compléments sur le dossier {dossier.numero} pour le {limite}" in texte for texte in textes)
    assert not any(re.search(r"\d{2}/\d{2}/\d{4}|\d{4}-\d{2}-\d{2}", texte) for texte in textes)
    assert limite.split()[1] in MOIS
