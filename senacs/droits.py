"""Qui fait quoi du suivi de Senacs."""

from __future__ import annotations

from comptes.choix import Role
from comptes.models import Utilisateur
from partenaires.models import roles_dans_la_structure
from socle.droits import PERMIS, Verdict, refus

SUIVENT = (Role.CHARGE_CONSEIL, Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR)
REGLENT = (Role.RESPONSABLE, Role.ADMINISTRATEUR)


def peut_repondre(utilisateur: Utilisateur, structure_pk: int) -> Verdict:
    """L’équipe de la structure complète et déclare ; un agent qui suit peut enregistrer à sa place."""
    if roles_dans_la_structure(utilisateur, structure_pk) or utilisateur.tient(*SUIVENT):
        return PERMIS
    return refus("Seule l’équipe de la structure, ou l’agent qui la suit, répond pour elle.")


def peut_relancer(utilisateur: Utilisateur) -> Verdict:
    if utilisateur.tient(*SUIVENT):
        return PERMIS
    return refus(
        "Les relances reviennent aux chargés de conseil, aux techniciens, au responsable et à l’administrateur."
    )


def peut_regler(utilisateur: Utilisateur) -> Verdict:
    if utilisateur.tient(*REGLENT):
        return PERMIS
    return refus("Les dates de Senacs reviennent au responsable ou à l’administrateur fonctionnel.")
