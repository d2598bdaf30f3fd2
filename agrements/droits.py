"""Qui peut faire quel geste sur quel dossier. Les boutons, les vues et les actions lisent la même réponse."""

from __future__ import annotations

from collections.abc import Callable

from agrements.choix import Geste, GesteAgrement
from agrements.cycle import CYCLE, SUR_PLACE
from agrements.models import Agrement, Dossier, ProcedureAgrement
from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from partenaires.droits import instruit
from partenaires.models import roles_dans_la_structure
from socle.droits import PERMIS, Verdict, refus

type Regle = Callable[[Utilisateur, Dossier], Verdict]


def _de_la_structure(*roles: Role, sinon: str) -> Regle:
    def regle(utilisateur: Utilisateur, dossier: Dossier) -> Verdict:
        tenus = roles_dans_la_structure(utilisateur, dossier.structure_id)
        return PERMIS if tenus.intersection(roles) else refus(sinon)

    return regle


def _redige(utilisateur: Utilisateur, dossier: Dossier) -> Verdict:
    if roles_dans_la_structure(utilisateur, dossier.structure_id) & ROLES_PARTENAIRE:
        return PERMIS
    return refus("Seule l’équipe de la structure rédige son projet.")


def _instruit(utilisateur: Utilisateur, dossier: Dossier) -> Verdict:
    return instruit(utilisateur, dossier.charge, "Ce dossier est suivi")


def _tient(*roles: Role, sinon: str) -> Regle:
    def regle(utilisateur: Utilisateur, dossier: Dossier) -> Verdict:
        return PERMIS if utilisateur.tient(*roles) else refus(sinon)

    return regle


_vise = _de_la_structure(Role.REPRESENTANT_LEGAL, sinon="Le visa revient au représentant légal.")
_dirige = _de_la_structure(
    Role.DIRECTION, Role.REPRESENTANT_LEGAL, sinon="Ce geste revient à la direction ou au représentant légal."
)
_tient_la_seance = _tient(Role.SECRETARIAT, sinon="Ce geste revient au secrétariat des instances.")

REGLES: dict[str, Regle] = {
    Geste.REDIGER: _redige,
    Geste.JOINDRE: _redige,
    Geste.DEMANDER_VISA: _dirige,
    Geste.REPRENDRE: _dirige,
    Geste.VISER: _vise,
    Geste.REFUSER_VISA: _vise,
    Geste.DEPOSER: _dirige,
    Geste.RETIRER: _dirige,
    Geste.RENVOYER: _dirige,
    Geste.DECLARER_COMPLET: _instruit,
    Geste.PREPARER_REMARQUE: _instruit,
    Geste.DEMANDER_COMPLEMENTS: _instruit,
    Geste.DECLARER_IRRECEVABLE: _instruit,
    Geste.EVALUER: _instruit,
    Geste.RENDRE_AVIS: _instruit,
    Geste.REPRENDRE_INSTRUCTION: _instruit,
    Geste.AFFECTER: _tient(Role.RESPONSABLE, sinon="Seul le responsable change le chargé de conseil d’un dossier."),
    Geste.INSCRIRE_CAS: _tient_la_seance,
    Geste.RETIRER_CAS: _tient_la_seance,
    Geste.RENDRE_AVIS_CAS: _tient_la_seance,
    Geste.INSCRIRE_CA: _tient_la_seance,
    Geste.RETIRER_CA: _tient_la_seance,
    Geste.AGREER: _tient_la_seance,
    Geste.AGREER_RESERVES: _tient_la_seance,
    Geste.AJOURNER: _tient_la_seance,
    Geste.REFUSER: _tient_la_seance,
    Geste.LIRE_NOTIFICATION: _redige,
}

type RegleAgrement = Callable[[Utilisateur, Agrement], Verdict]


def _responsable(utilisateur: Utilisateur, agrement: Agrement) -> Verdict:
    return PERMIS if utilisateur.tient(Role.RESPONSABLE) else refus("Ce geste revient au responsable.")


def _signale(utilisateur: Utilisateur, agrement: Agrement) -> Verdict:
    """Le chargé qui suit le dossier, le contrôleur qui a constaté, ou le responsable : un autre en décidera."""
    if utilisateur.tient(Role.CONTROLEUR):
        return PERMIS
    return instruit(utilisateur, agrement.decision.dossier.charge, "Cet agrément est suivi")


def _observe(utilisateur: Utilisateur, agrement: Agrement) -> Verdict:
    if roles_dans_la_structure(utilisateur, agrement.structure_id) & {Role.DIRECTION, Role.REPRESENTANT_LEGAL}:
        return PERMIS
    return refus("Les observations reviennent à la direction ou au représentant légal.")


REGLES_AGREMENT: dict[str, RegleAgrement] = {
    GesteAgrement.SUSPENDRE: _responsable,
    GesteAgrement.LEVER_SUSPENSION: _responsable,
    GesteAgrement.RETIRER: _responsable,
    GesteAgrement.OUVRIR_PROCEDURE: _signale,
    GesteAgrement.OBSERVER: _observe,
    GesteAgrement.CLORE_PROCEDURE: _responsable,
}


def peut(geste: str, utilisateur: Utilisateur, dossier: Dossier) -> Verdict:
    """La personne a-t-elle ce droit, quel que soit l’état du dossier ? Peut coûter une requête."""
    return REGLES[geste](utilisateur, dossier)


def peut_sur_agrement(geste: str, utilisateur: Utilisateur, agrement: Agrement) -> Verdict:
    return REGLES_AGREMENT[geste](utilisateur, agrement)


def peut_clore(utilisateur: Utilisateur, procedure: ProcedureAgrement) -> Verdict:
    """Suspendre, retirer ou classer : un responsable, mais pas celui qui a ouvert la procédure."""
    if utilisateur.pk == procedure.ouverte_par_id:
        return refus("Vous avez ouvert cette procédure : un autre responsable en décide.")
    return _responsable(utilisateur, procedure.agrement)


def possible(geste: str, utilisateur: Utilisateur, dossier: Dossier) -> bool:
    """Le droit et l’état : ce qui décide de montrer un bouton."""
    depuis = CYCLE[geste].depuis if geste in CYCLE else SUR_PLACE[geste]
    return dossier.etat in depuis and bool(peut(geste, utilisateur, dossier))


def gestes_possibles(utilisateur: Utilisateur, dossier: Dossier) -> set[str]:
    return {geste for geste in REGLES if possible(geste, utilisateur, dossier)}
