"""Qui peut quel geste sur un contrôle. Contrôler, valider, liquider et sanctionner sont quatre personnes."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone

from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from controles.choix import Geste
from controles.cycle import CYCLE, SUR_PLACE
from controles.models import Controle, PlanControle, Recommandation, ReglesControle, Sanction, SuiteFinanciere
from financements.droits import suit
from partenaires.droits import instruit
from partenaires.interlocuteurs import charge_de
from partenaires.models import roles_dans_la_structure
from socle.droits import PERMIS, Verdict, refus

type Regle = Callable[[Utilisateur, Controle], Verdict]


def _de_la_structure(*roles: Role, sinon: str) -> Regle:
    def regle(utilisateur: Utilisateur, controle: Controle) -> Verdict:
        tenus = roles_dans_la_structure(utilisateur, controle.structure_id)
        return PERMIS if tenus.intersection(roles) else refus(sinon)

    return regle


def _controle(utilisateur: Utilisateur, controle: Controle) -> Verdict:
    """Le contrôleur de ce contrôle, et lui seul."""
    if not utilisateur.tient(Role.CONTROLEUR):
        return refus("Ce geste revient au contrôleur.")
    if controle.controleur_id != utilisateur.pk:
        return refus(f"Ce contrôle est confié à {controle.controleur} : demandez au responsable de vous le confier.")
    return PERMIS


def tranche(utilisateur: Utilisateur) -> Verdict:
    """Le responsable, s’il n’est pas contrôleur : celui qui programme ou contrôle n’arbitre pas son propre travail."""
    if not utilisateur.tient(Role.RESPONSABLE):
        return refus("Ce geste revient au responsable.")
    if utilisateur.tient(Role.CONTROLEUR):
        return refus("Vous êtes aussi contrôleur : ce geste revient à un responsable qui ne contrôle pas.")
    return PERMIS


def _tranche(utilisateur: Utilisateur, controle: Controle) -> Verdict:
    return tranche(utilisateur)


def _affecte(utilisateur: Utilisateur, controle: Controle) -> Verdict:
    return PERMIS if utilisateur.tient(Role.RESPONSABLE) else refus("Ce geste revient au responsable.")


def _liquide(utilisateur: Utilisateur, controle: Controle) -> Verdict:
    if utilisateur.tient(Role.CONTROLEUR) or utilisateur.pk == controle.controleur_id:
        return refus("Qui contrôle ne liquide pas : cette suite revient au technicien conseil ou au responsable.")
    return suit(utilisateur, controle.structure)


_repond = _de_la_structure(*ROLES_PARTENAIRE, sinon="Seule l’équipe de la structure répond.")
_dirige = _de_la_structure(
    Role.DIRECTION, Role.REPRESENTANT_LEGAL, sinon="Ce geste revient à la direction ou au représentant légal."
)

REGLES: dict[str, Regle] = {
    Geste.PREPARER: _controle,
    Geste.NOTIFIER: _controle,
    Geste.REPORTER: _controle,
    Geste.DEMANDER_PIECES: _controle,
    Geste.COMMENCER: _controle,
    Geste.SAISIR: _controle,
    Geste.EMETTRE: _controle,
    Geste.PROLONGER: _controle,
    Geste.CONCLURE: _controle,
    Geste.SIGNER: _controle,
    Geste.PROPOSER_SANCTION: _controle,
    Geste.CLORE: _controle,
    Geste.ANNULER: _tranche,
    Geste.AUTORISER_INOPINE: _tranche,
    Geste.AFFECTER: _affecte,
    Geste.SUSPENDRE_VERSEMENTS: _tranche,
    Geste.REPRENDRE_VERSEMENTS: _tranche,
    Geste.DECIDER_SUITE: _liquide,
    Geste.DECIDER_SANCTION: _tranche,
    Geste.SAISIR_AGREMENT: _controle,  # le responsable, lui, décide de la procédure
    Geste.REMETTRE: _repond,
    Geste.LIRE: _repond,
    Geste.REPONDRE: _repond,
    Geste.RENVOYER: _dirige,
    Geste.OBSERVER_SANCTION: _dirige,
}


def peut(geste: str, utilisateur: Utilisateur, controle: Controle) -> Verdict:
    """La personne a-t-elle ce droit, quel que soit l’état du contrôle ? Peut coûter une requête."""
    return REGLES[geste](utilisateur, controle)


def gestes_possibles(utilisateur: Utilisateur, controle: Controle) -> set[str]:
    """Le droit et l’état : ce qui décide de montrer un bouton."""
    possibles = set()
    for geste in REGLES:
        depuis = CYCLE[geste].depuis if geste in CYCLE else SUR_PLACE[geste]
        if controle.etat in depuis and peut(geste, utilisateur, controle):
            possibles.add(str(geste))
    return possibles


def lit_les_constats(utilisateur: Utilisateur, controle: Controle) -> Verdict:
    """Contrôleur et responsable, toujours ; les autres, une fois le rapport provisoire notifié."""
    if utilisateur.tient(Role.CONTROLEUR, Role.RESPONSABLE) or controle.provisoire_le is not None:
        return PERMIS
    return refus("Le rapport de ce contrôle n’est pas encore notifié à la structure.")


def a_ouvert(controle: Controle) -> bool:
    """La structure a ouvert le rapport qui vaut : ses constats se montrent."""
    if controle.definitif_le is not None:
        return controle.definitif_lu_le is not None
    return controle.provisoire_lu_le is not None


def peut_decider_de_la_suite(utilisateur: Utilisateur, suite: SuiteFinanciere) -> Verdict:
    if utilisateur.pk == suite.controleur_id:
        return refus("Qui contrôle ne liquide pas : un liquidateur décide de cette suite.")
    return _liquide(utilisateur, suite.controle)


def peut_decider_de_la_sanction(utilisateur: Utilisateur, sanction: Sanction) -> Verdict:
    if utilisateur.pk == sanction.proposee_par_id:
        return refus("Qui propose une sanction ne la décide pas.")
    return tranche(utilisateur)


def peut_suivre(utilisateur: Utilisateur, recommandation: Recommandation) -> Verdict:
    """Le chargé de conseil du secteur, son suppléant, ou le responsable (domaine E.1)."""
    charge = charge_de(recommandation.structure, timezone.localdate())
    return instruit(utilisateur, charge, "Cette structure est suivie")


def peut_preparer_le_plan(utilisateur: Utilisateur) -> Verdict:
    if utilisateur.tient(Role.CONTROLEUR):
        return PERMIS
    return refus("Le plan se prépare par un contrôleur.")


def peut_valider_le_plan(utilisateur: Utilisateur, plan: PlanControle) -> Verdict:
    if utilisateur.pk == plan.prepare_par_id:
        return refus("Vous avez préparé ce plan : un autre responsable le valide.")
    return tranche(utilisateur)


def peut_regler(utilisateur: Utilisateur) -> Verdict:
    if utilisateur.tient(Role.ADMINISTRATEUR, Role.RESPONSABLE):
        return PERMIS
    return refus("Les règles du contrôle reviennent à l’administrateur fonctionnel ou au responsable.")


def peut_publier(utilisateur: Utilisateur, regles: ReglesControle) -> Verdict:
    """Quatre yeux : qui a écrit les règles ne les publie pas."""
    if not (verdict := peut_regler(utilisateur)):
        return verdict
    if regles.saisie_par_id == utilisateur.pk:
        return refus("Vous avez écrit ces règles : un collègue les vérifie et les publie.")
    return PERMIS
