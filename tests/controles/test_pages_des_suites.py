"""Les pages des suites : le calcul avant d’appliquer, la raison près de son champ, rien à qui contrôle."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agrements.choix import EtatAgrement
from agrements.models import Agrement
from comptes.choix import Role
from comptes.models import Fonction
from controles.actions import contradictoire
from controles.choix import Etat
from controles.models import Controle
from tests.controles.test_suites import constater, lire, signer, suite_agc
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


def adresse(nom: str, *args: int) -> str:
    return reverse(f"controles:{nom}", args=args)


def test_le_technicien_lit_le_calcul_puis_applique(bureau, entrer):
    controle = bureau.mener(Etat.SUITES)
    suite = suite_agc(controle)
    client = entrer(bureau.technicien)
    page = lire(client.get(adresse("suites", controle.pk)))
    appliquer = adresse("appliquer_suite", controle.pk, suite.pk)
    assert appliquer in page
    assert suite.explication["phrases"][0].replace("\u00a0", " ").replace("\u202f", " ") in page
    page = lire(client.get(appliquer))
    assert "Comment le nouveau montant est calculé" in page
    page = lire(client.post(appliquer, follow=True))
    assert "Le droit est revu" in page
    assert appliquer not in page
    assert "il n’y a plus à décider" in lire(client.get(appliquer, follow=True))


def test_ecarter_sans_raison_se_dit_pres_du_champ(bureau, entrer):
    controle = bureau.mener(Etat.SUITES)
    ecarter = adresse("ecarter_suite", controle.pk, suite_agc(controle).pk)
    client = entrer(bureau.technicien)
    reponse = client.post(ecarter, {"motif": "  "})
    assert reponse.status_code == 422
    assert "Dites pourquoi" in lire(reponse)
    assert "Écartée le" in lire(client.post(ecarter, {"motif": "Sans incidence."}, follow=True))


def test_la_structure_lit_ses_suites_une_fois_le_rapport_ouvert_sans_geste(bureau, entrer):
    controle = bureau.mener(Etat.A_CONCLURE)
    client = entrer(bureau.direction)
    assert client.get(adresse("suites", controle.pk)).status_code == 404
    bureau.conclure(controle)
    contradictoire.signer(Controle.objects.get(pk=controle.pk), par=bureau.controleur)
    assert "Ouvrez d’abord le rapport définitif" in lire(client.get(adresse("suites", controle.pk), follow=True))
    contradictoire.lire_le_rapport(Controle.objects.get(pk=controle.pk), par=bureau.direction)
    page = lire(client.get(adresse("suites", controle.pk)))
    assert "La Caf n’a pas encore décidé" in page
    assert "/appliquer/" not in page
    assert "Suspendre" not in page
    etranger = habiliter(StructureFactory(), Role.DIRECTION)
    assert entrer(etranger).get(adresse("suites", controle.pk)).status_code == 404


def test_qui_controle_ne_voit_ni_bouton_ni_page_pour_liquider(bureau, entrer):
    controle = bureau.mener(Etat.SUITES)
    suite = suite_agc(controle)
    Fonction.objects.create(utilisateur=bureau.controleur, role=Role.RESPONSABLE, debut=date(2020, 1, 1))
    client = entrer(bureau.controleur)
    assert "/appliquer/" not in lire(client.get(adresse("suites", controle.pk)))
    reponse = client.post(adresse("appliquer_suite", controle.pk, suite.pk))
    assert reponse.status_code == 403
    assert "ne liquide pas" in lire(reponse)


def test_le_responsable_suspend_reprend_et_saisit_l_agrement_par_les_pages(bureau, entrer):
    controle = bureau.mener(Etat.SUITES)
    Agrement.objects.update(etat=EtatAgrement.EN_COURS)
    client = entrer(bureau.responsable)
    suspendre, reprendre = adresse("suspendre_versements", controle.pk), adresse("reprendre_versements", controle.pk)
    assert client.post(suspendre, {"motif": "x"}).status_code == 422
    assert client.post(suspendre, {"motif": "x", "droits_choisis": ["zéro"]}).status_code == 422
    droit = bureau.caisse.droit()
    client.post(suspendre, {"motif": "Refus de pièces.", "droits_choisis": [droit.pk]})
    droit.refresh_from_db()
    assert droit.suspendu_le is not None
    assert client.post(reprendre, {"motif": ""}).status_code == 422
    client.post(reprendre, {"motif": "Pièces reçues."})
    droit.refresh_from_db()
    assert droit.suspendu_le is None
    client = entrer(bureau.controleur)
    saisir = adresse("saisir_agrement", controle.pk)
    assert "La charte n’est pas affichée." in lire(client.get(saisir))
    agrement = Agrement.objects.get()
    assert client.post(saisir, {"agrement": agrement.pk, "motif": ""}).status_code == 422
    page = lire(client.post(saisir, {"agrement": agrement.pk, "motif": "Charte absente."}, follow=True))
    assert "Procédure sur l’agrément" in page
    assert entrer(bureau.technicien).get(suspendre).status_code == 403


def compter(client, chemin: str) -> int:
    client.get(chemin)
    with CaptureQueriesContext(connection) as capture:
        assert client.get(chemin).status_code == 200
    return len(capture)


def test_la_page_des_suites_coute_autant_a_une_et_a_deux_suites(bureau, entrer):
    """Le salaire du référent ne touche que les familles ; celui du pilotage touche les deux droits."""
    couts = []
    for code, combien in (("64.referent", 1), ("64.pilotage", 2)):
        controle = bureau.mener(Etat.EN_COURS)
        constater(bureau, controle, code, bureau.point(controle, code).declare - 500)
        controle = signer(bureau, controle)
        assert controle.suites.count() == combien
        couts.append(compter(entrer(bureau.technicien), adresse("suites", controle.pk)))
    assert couts[0] == couts[1] <= 30
