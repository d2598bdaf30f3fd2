"""Qui suit une structure ce jour-là : à la Caf, l’agent affecté ou son suppléant ; en face, son équipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
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


def dirigeants(structure_pk: int) -> list[Utilisateur]:
    """Qui répond de la structure devant la Caf : sa direction et sa représentation légale."""
    return equipe(structure_pk, Role.DIRECTION, Role.REPRESENTANT_LEGAL)


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


@dataclass(frozen=True, slots=True)
class SecteurTransmis:
    """Une commune qui a changé de chargé de conseil ; ``suivis`` : ce que l’ancien y suivait, et lui seul."""

    commune: str
    agent: Utilisateur
    suivis: Q


def secteurs_transmis(le: date, quittees: Mapping[str, Utilisateur] | None = None) -> Iterator[SecteurTransmis]:
    """Les communes transmises ce jour-là. Ce qu’on a confié à la main à quelqu’un d’autre ne bouge pas.

    ``quittees`` : par commune, qui vient de la rendre ; reçue et rendue le même jour, elle n’a laissé aucune trace.
    """
    for nouvelle in AffectationCommune.objects.filter(debut=le).select_related("agent"):
        anciens = AffectationCommune.objects.filter(commune=nouvelle.commune_id, fin=le - timedelta(days=1))
        dernier = (quittees or {}).get(nouvelle.commune_id)
        suivis = Q(charge__in=anciens.values("agent")) | Q(charge=dernier, charge__isnull=False)
        yield SecteurTransmis(nouvelle.commune_id, nouvelle.agent, suivis & ~Q(charge=nouvelle.agent))
