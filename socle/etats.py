"""Un cycle de vie est une table : qui la lit sait tout ce qui peut arriver à un dossier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from socle.erreurs import Refus


class TransitionInterdite(Refus):
    """Le geste demandé n’existe pas depuis l’état actuel du dossier."""


def trop_tard(quoi: str, libelle: str) -> TransitionInterdite:
    """La phrase de qui arrive après un collègue : ce que l’objet est devenu, dans ses mots."""
    return TransitionInterdite(f"Ce n’est plus possible : {quoi} est maintenant « {libelle} ».")


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
