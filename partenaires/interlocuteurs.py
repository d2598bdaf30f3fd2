"""Qui, à la Caf, suit une structure ce jour-là : l’agent affecté, ou son suppléant s’il est absent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from comptes.models import Utilisateur
from partenaires.models import AffectationCommune, AffectationGestionnaire, Gestionnaire, Structure, Suppleance


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
