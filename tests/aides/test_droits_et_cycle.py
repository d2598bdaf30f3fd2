"""Qui peut quoi sur une demande, et ce qui peut lui arriver : les tables disent tout, et rien d’autre."""

from __future__ import annotations

import pytest

from accueil.management.commands.decrire_droits import QUI_AIDE
from aides.choix import FAMILLES, GESTES_FAITS, LIBELLES_PARTENAIRE, Etat, Geste
from aides.cycle import CYCLE, SUR_PLACE
from aides.droits import REGLES, peut
from comptes.choix import ROLES_CAF, Role
from socle.etats import MotifManquant, TransitionInterdite, arrivee
from tests.fabriques.aides import Guichet
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import habiliter


@pytest.mark.parametrize("geste", CYCLE)
@pytest.mark.parametrize("etat", Etat)
def test_chaque_geste_depuis_chaque_etat_suit_la_table(geste, etat):
    transition = CYCLE[geste]
    if etat not in transition.depuis:
        with pytest.raises(TransitionInterdite):
            arrivee(CYCLE, geste, etat, "raison")
        return
    assert arrivee(CYCLE, geste, etat, "raison") == transition.vers
    if transition.motif_exige:
        with pytest.raises(MotifManquant):
            arrivee(CYCLE, geste, etat, " ")


def test_un_etat_final_ne_mene_nulle_part():
    sorties = {etat for transition in CYCLE.values() for etat in transition.depuis}
    assert set(Etat) - sorties == {Etat.REFUSEE, Etat.IRRECEVABLE, Etat.RETIREE, Etat.SOLDEE, Etat.CADUQUE}


def test_chaque_etat_et_chaque_geste_se_disent():
    assert set(LIBELLES_PARTENAIRE) == set(FAMILLES) == set(Etat)
    assert set(GESTES_FAITS) == set(Geste) - {Geste.REDIGER}
    assert set(REGLES) == set(CYCLE) | set(SUR_PLACE)


@pytest.mark.django_db
def test_chaque_geste_revient_a_ses_roles_et_a_eux_seuls():
    guichet = Guichet()
    version = guichet.dispositif()
    demande = guichet.mener(version, Etat.DEPOSEE)
    personnes = {role: agent(role) for role in ROLES_CAF} | {
        Role.DIRECTION: guichet.direction,
        Role.REPRESENTANT_LEGAL: guichet.president,
        Role.SAISIE: habiliter(guichet.structure, Role.SAISIE),
        Role.CHARGE_CONSEIL: guichet.charge,
        Role.TECHNICIEN_CONSEIL: guichet.technicien,
    }
    for geste in REGLES:
        tiennent = {role for role, personne in personnes.items() if peut(geste, personne, demande)}
        assert tiennent == set(QUI_AIDE[geste]), geste
    assert not peut(Geste.PROPOSER, agent(Role.CHARGE_CONSEIL), demande)
    assert not peut(Geste.VERSER, agent(Role.TECHNICIEN_CONSEIL), demande)
