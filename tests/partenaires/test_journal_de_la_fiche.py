"""Le journal de la fiche : toute la vie d’une structure, et à chacun ce qu’il a le droit d’en lire."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agrements.actions import agrements as vie
from agrements.choix import Etat
from comptes.choix import Role
from financements.actions import paiements
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.financements import Caisse

pytestmark = pytest.mark.django_db


def lire(client, structure, **parametres) -> str:
    return client.get(structure.get_absolute_url(), {"onglet": "journal", **parametres}).content.decode()


def test_la_caf_y_lit_projets_agrements_et_argent(entrer):
    caisse = Caisse()
    caisse.baremes()
    caisse.declarer()
    paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien)
    caisse.entendre(caisse.agrement)
    vie.retirer(caisse.agrement, par=caisse.responsable, motif="Activité arrêtée.")
    client = entrer(caisse.technicien)
    page = lire(client, caisse.structure) + lire(client, caisse.structure, page=2)
    for texte in (
        "Agrément : retrait",
        "Activité arrêtée.",
        "Droit AGC 2027",
        "Déclaration : ",
        "Projet visé",
        "Premier acompte AGC 2027 proposé :",
    ):
        assert texte in page
    assert "61\u202f056,00\u00a0€" in page


def test_la_structure_n_y_devine_pas_une_decision_pas_encore_lue(entrer):
    theatre = Theatre()
    theatre.mener(Etat.REFUSE)
    page = lire(entrer(theatre.direction), theatre.structure)
    assert "Participation insuffisante" not in page
    assert "efus" not in page.split('<ul class="journal">')[1].split("</ul>")[0]


def test_un_brouillon_ne_se_lit_pas_du_cote_de_la_caf(entrer):
    theatre = Theatre()
    dossier = theatre.mener(Etat.EN_PREPARATION)
    assert dossier.numero not in lire(entrer(agent(Role.CHARGE_CONSEIL)), theatre.structure)
    assert dossier.numero in lire(entrer(theatre.direction), theatre.structure)


def test_le_journal_coute_autant_quel_que_soit_le_nombre_de_lignes(entrer):
    def requetes(theatre: Theatre) -> int:
        client = entrer(theatre.responsable)
        lire(client, theatre.structure)
        with CaptureQueriesContext(
            connection,
        ) as journal:
            lire(client, theatre.structure)
        return len(journal)

    peu, beaucoup = Theatre(), Theatre()
    peu.mener(Etat.DEPOSE)
    beaucoup.mener(Etat.AGREE)
    assert requetes(peu) == requetes(beaucoup)
