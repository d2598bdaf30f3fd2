"""Un cycle de vie est une table : qui la lit sait tout ce qui peut arriver à un dossier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from socle.erreurs import Refus


class TransitionInterdite(Refus):
    """Le geste demandé n’existe pas depuis l’état actuel du dossier."""


class MotifManquant(Refus):
    """Le geste demandé doit être motivé."""


@dataclass(frozen=True, slots=True)
class Transition:
    depuis: frozenset[str]
    vers: str
    motif_exige: bool = False


def arrivee(cycle: Mapping[str, Transition], geste: str, etat: str, motif: str = "") -> str:
    """Rend l’état d’arrivée, ou lève : le refus est toujours explicite."""
    transition = cycle[geste]
    if etat not in transition.depuis:
        raise TransitionInterdite(f"« {geste} » est impossible depuis « {etat} ».")
    if transition.motif_exige and not motif.strip():
        raise MotifManquant(f"« {geste} » doit être motivé.")
    return transition.vers


def gestes_depuis(cycle: Mapping[str, Transition], etat: str) -> list[str]:
    return [geste for geste, transition in cycle.items() if etat in transition.depuis]
