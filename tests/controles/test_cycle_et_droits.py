"""Qui peut quoi sur un contrôle, et ce qui peut lui arriver : les tables disent tout, et rien d’autre."""

from __future__ import annotations

import pytest

from accueil.management.commands.decrire_droits import QUI_CONTROLE
from comptes.choix import ROLES_CAF, Role
from controles.choix import FAMILLES, GESTES_FAITS, LIBELLES_PARTENAIRE, Etat, Geste
from controles.cycle import CYCLE, SUR_PLACE
from controles.droits import REGLES, peut
from partenaires.models import AffectationGestionnaire
from socle.etats import MotifManquant, TransitionInterdite, arrivee
from tests.fabriques.comptes import agent
from tests.fabriques.controles import Bureau


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
    assert set(Etat) - sorties == {Etat.CLOS, Etat.ANNULE}


def test_chaque_etat_et_chaque_geste_se_disent():
    assert set(LIBELLES_PARTENAIRE) == set(FAMILLES) == set(Etat)
    assert set(GESTES_FAITS) == set(Geste)
    assert set(REGLES) == (set(CYCLE) | set(SUR_PLACE)) - {Geste.CONSTATER_SILENCE}


@pytest.mark.django_db
def test_chaque_geste_revient_a_ses_roles_et_a_eux_seuls():
    bureau = Bureau()
    controle = bureau.mener(Etat.NOTIFIE)
    personnes = {role: agent(role) for role in ROLES_CAF} | {
        Role.DIRECTION: bureau.direction,
        Role.REPRESENTANT_LEGAL: bureau.president,
        Role.SAISIE: bureau.caisse.saisie,
        Role.TECHNICIEN_CONSEIL: bureau.technicien,
        Role.CONTROLEUR: bureau.controleur,
    }
    for geste in REGLES:
        tiennent = {role for role, personne in personnes.items() if peut(geste, personne, controle)}
        assert tiennent == set(QUI_CONTROLE[geste]), geste


@pytest.mark.django_db
def test_qui_tient_deux_roles_n_arbitre_pas_son_propre_travail():
    bureau = Bureau()
    controle = bureau.mener(Etat.NOTIFIE)
    double = agent(Role.CONTROLEUR, Role.RESPONSABLE, Role.TECHNICIEN_CONSEIL)
    AffectationGestionnaire.objects.filter(gestionnaire=controle.structure.gestionnaire).update(agent=double)
    for geste in (Geste.AUTORISER_INOPINE, Geste.DECIDER_SUITE, Geste.DECIDER_SANCTION, Geste.SAISIR):
        assert not peut(geste, double, controle), geste
    assert not peut(Geste.SAISIR, agent(Role.CONTROLEUR), controle)
