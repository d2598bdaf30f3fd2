"""Qui suit une structure ce jour-là : à la Caf, l’agent affecté ou son suppléant ; en face, son équipe."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils import timezone

from comptes.choix import Role
from comptes.models import Fonction, Utilisateur
from partenaires.models import (
    AffectationCommune,
    AffectationGestionnaire,
    Gestionnaire,
    Habilitation,
    Structure,
    Suppleance,
)


def equipe(structure_pk: int, *roles: Role) -> list[Utilisateur]:
    """Les personnes actives qui tiennent aujourd’hui un de ces rôles dans la structure, chacune une fois."""
    habilitations = (
        Habilitation.objects.en_cours(timezone.localdate())
        .filter(structure=structure_pk, role__in=roles, utilisateur__is_active=True)
        .select_related("utilisateur")
        .order_by("utilisateur")
    )
    return list({h.utilisateur_id: h.utilisateur for h in habilitations}.values())


def agents(*roles: Role) -> list[Utilisateur]:
    """Les agents actifs qui tiennent aujourd’hui un de ces rôles, chacun une fois."""
    fonctions = Fonction.objects.en_cours(timezone.localdate()).filter(role__in=roles, utilisateur__is_active=True)
    return list({f.utilisateur_id: f.utilisateur for f in fonctions.select_related("utilisateur")}.values())


def charge_de(structure: Structure, le: date) -> Utilisateur | None:
    """Le chargé de conseil du secteur de la commune ; le titulaire, même absent (le suppléant voit ses dossiers)."""
    affectation = (
        AffectationCommune.objects.en_cours(le).filter(commune=structure.commune_id).select_related("agent").first()
    )
    return affectation.agent if affectation else None


def technicien_de(gestionnaire: Gestionnaire, le: date) -> Utilisateur | None:
    affectation = (
        AffectationGestionnaire.objects.en_cours(le).filter(gestionnaire=gestionnaire).select_related("agent").first()
    )
    return affectation.agent if affectation else None


def suppleants(agents: Iterable[Utilisateur], le: date) -> dict[int, Utilisateur]:
    """Par agent absent ce jour-là, qui le supplée. Une requête pour toute une liste."""
    suppleances = Suppleance.objects.en_cours(le).filter(absent__in=list(agents)).select_related("suppleant")
    return {s.absent_id: s.suppleant for s in suppleances}


def charges_par_commune(communes: Iterable[str], le: date) -> dict[str, Utilisateur]:
    """Par code Insee, le chargé de conseil. Une requête pour toute une liste."""
    affectations = AffectationCommune.objects.en_cours(le).filter(commune__in=list(communes)).select_related("agent")
    return {a.commune_id: a.agent for a in affectations}


def charge_de_commune(code_insee: str, le: date) -> Utilisateur | None:
    return charges_par_commune([code_insee], le).get(code_insee)
