"""Qui modifie une fiche, ouvre un accès, change un interlocuteur."""

from __future__ import annotations

from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from partenaires.choix import GestePartenaire
from partenaires.models import Gestionnaire, Structure, roles_dans_la_structure
from socle.droits import PERMIS, Verdict, refus

PAYEURS = (Role.TECHNICIEN_CONSEIL, Role.ADMINISTRATEUR, Role.RESPONSABLE)
COORDONNEES = frozenset({"adresse", "code_postal", "quartier", "site_web", "instance_gouvernance"})
AGENTS_DES_FICHES = (Role.CHARGE_CONSEIL, Role.TECHNICIEN_CONSEIL, Role.ADMINISTRATEUR, Role.RESPONSABLE)


def instruit(utilisateur: Utilisateur, charge: Utilisateur | None, quoi: str) -> Verdict:
    """Le chargé qui suit ceci, son suppléant du jour, ou le responsable. ``quoi`` : « Ce dossier est suivi »."""
    if utilisateur.tient(Role.RESPONSABLE):
        return PERMIS
    if not utilisateur.tient(Role.CHARGE_CONSEIL):
        return refus("Ce geste revient au chargé de conseil et de développement.")
    if charge is not None:
        if charge.pk == utilisateur.pk:
            return PERMIS
        if utilisateur.suppleances.en_cours(timezone.localdate()).filter(absent=charge).exists():
            return PERMIS
    return refus(f"{quoi} par {charge or 'personne'} : demandez au responsable de vous l’affecter.")


def peut(geste: str, utilisateur: Utilisateur, objet: Structure | Gestionnaire | None) -> Verdict:
    """``objet`` vide : le geste porte sur tout le département (créer, affecter)."""
    if geste == GestePartenaire.AFFECTER:
        if utilisateur.tient(Role.RESPONSABLE, Role.ADMINISTRATEUR):
            return PERMIS
        return refus("Les secteurs et les portefeuilles reviennent au responsable ou à l’administrateur fonctionnel.")
    if utilisateur.tient(*AGENTS_DES_FICHES):
        return PERMIS
    if geste == GestePartenaire.CREER or isinstance(objet, Gestionnaire) or objet is None:
        return refus("L’identité juridique se modifie avec la Caf : écrivez à votre interlocuteur.")
    if roles_dans_la_structure(utilisateur, objet.pk) & {Role.DIRECTION, Role.REPRESENTANT_LEGAL}:
        return PERMIS
    return refus("La fiche se modifie par la direction ou le représentant légal.")


def peut_gerer_les_agents(utilisateur: Utilisateur) -> Verdict:
    """Ouvrir, changer, fermer l’accès d’un agent de la Caf."""
    if utilisateur.tient(Role.ADMINISTRATEUR):
        return PERMIS
    return refus("Les comptes des agents reviennent à l’administrateur fonctionnel.")


def peut_inviter(utilisateur: Utilisateur, structure: Structure, role: str) -> Verdict:
    """Le représentant légal ouvre tout accès, la direction ceux de saisie, la Caf tous."""
    if utilisateur.tient(Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR):
        return PERMIS
    tenus = roles_dans_la_structure(utilisateur, structure.pk)
    if Role.REPRESENTANT_LEGAL in tenus:
        return PERMIS
    if Role.DIRECTION in tenus and role == Role.SAISIE:
        return PERMIS
    if Role.DIRECTION in tenus:
        return refus("La direction n’ouvre que des accès d’aide à la saisie ; le représentant légal ouvre les autres.")
    return refus("Les accès s’ouvrent par le représentant légal ou par la Caf.")


def peut_gerer_les_acces(utilisateur: Utilisateur, structure: Structure) -> Verdict:
    return peut_inviter(utilisateur, structure, Role.SAISIE)


def peut_passer_la_direction(utilisateur: Utilisateur, structure: Structure) -> Verdict:
    if utilisateur.tient(Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR):
        return PERMIS
    if Role.REPRESENTANT_LEGAL in roles_dans_la_structure(utilisateur, structure.pk):
        return PERMIS
    return refus("La passation de direction revient au représentant légal.")
