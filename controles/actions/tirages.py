"""Tirer au sort la part du plan que personne ne choisit, et la rejouer : même graine, même population, même tirage."""

from __future__ import annotations

from secrets import token_hex

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from controles import tirage
from controles.actions.plans import en_preparation
from controles.choix import Origine
from controles.classement import a_tirer, classer, restantes
from controles.models import LignePlan, PlanControle
from socle.erreurs import Refus


@transaction.atomic
def tirer(plan: PlanControle, *, par: Utilisateur) -> list[LignePlan]:
    """Tire la part que les règles demandent, parmi les structures ni retenues ni en contrôle.

    La graine est prise au hasard une seule fois, et gardée avec la population. Si l’objectif augmente ensuite, le même
    ordre se poursuit, dans la population qui reste : on ne recommence pas un tirage qui n’a pas plu.
    """
    plan = en_preparation(plan, par)
    places = {p.structure.pk: p for p in classer(plan)}
    lignes = [p.ligne for p in places.values() if p.ligne is not None]
    libres = {cle for cle, p in places.items() if p.libre}
    encore = restantes(plan, libres)
    combien = a_tirer(plan, lignes, len(encore))
    if not combien:
        raise Refus(_rien_a_tirer(plan, encore))
    deja = {ligne.structure_id for ligne in lignes if ligne.origine == Origine.TIRAGE}
    if plan.tire_le is None:
        plan.graine, plan.tire_le = token_hex(16), timezone.now()
    plan.population = sorted({*encore, *deja})
    plan.save(update_fields=["graine", "tire_le", "population"])
    tirees = tirage.tirer(plan.population, graine=plan.graine, combien=len(deja) + combien)
    return [
        LignePlan.objects.create(
            plan=plan, structure=places[cle].structure, origine=Origine.TIRAGE, score=places[cle].points,
            raisons=places[cle].raisons,
        )
        for cle in tirees if cle not in deja
    ]  # fmt: skip


def _rien_a_tirer(plan: PlanControle, encore: list[int]) -> str:
    if not plan.regles.part_tirage:
        return "Les règles de ce plan ne demandent aucun tirage au sort."
    if not encore:
        return "Toutes les structures sont déjà au plan ou en contrôle : il n’y a personne à tirer au sort."
    return "Le tirage est fait. Il se rejoue pour le vérifier ; il ne se recommence pas."


def rejouer(plan: PlanControle) -> tuple[list[int], bool]:
    """L’ordre de toute la population, recalculé, et si les structures tirées sont bien les premières."""
    tirees = set(plan.lignes.filter(origine=Origine.TIRAGE).values_list("structure", flat=True))
    ordre = tirage.tirer(plan.population, graine=plan.graine, combien=len(plan.population))
    return ordre, set(ordre[: len(tirees)]) == tirees
