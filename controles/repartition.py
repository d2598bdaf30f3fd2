"""Répartir les contrôles d’un plan : à chacun le même nombre, étalé sur les trimestres. Pur.

Le partage ne dépend que de l’ordre des lignes et des contrôleurs : le même plan se répartit toujours pareil.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tache:
    """Un contrôle du plan ; ``controleur`` et ``trimestre`` vides : à répartir."""

    cle: int
    mode: str
    controleur: int | None
    trimestre: int | None


def repartir(
    taches: Sequence[Tache], *, controleurs: Sequence[int], trimestres: Sequence[int]
) -> dict[int, tuple[int, int]]:
    """Par tâche : son contrôleur et son trimestre ; ce qui est déjà choisi ne bouge pas.

    Le moins chargé d’abord, puis celui qui a le moins de contrôles de ce mode, puis l’ordre donné. Lève ValueError
    sans contrôleur ou sans trimestre.
    """
    if not controleurs or not trimestres:
        raise ValueError("On répartit entre un contrôleur et un trimestre au moins.")
    total: Counter[int] = Counter()
    par_mode: Counter[tuple[int, str]] = Counter()
    par_trimestre: Counter[tuple[int, int]] = Counter()
    for tache in taches:
        if tache.controleur is None:
            continue
        total[tache.controleur] += 1
        par_mode[tache.controleur, tache.mode] += 1
        if tache.trimestre is not None:
            par_trimestre[tache.controleur, tache.trimestre] += 1
    partage = {}
    for tache in taches:
        qui = tache.controleur
        if qui is None:
            qui = min(controleurs, key=lambda c: (total[c], par_mode[c, tache.mode], controleurs.index(c)))
            total[qui] += 1
            par_mode[qui, tache.mode] += 1
        quand = tache.trimestre
        if quand is None:
            quand = min(trimestres, key=lambda t: (par_trimestre[qui, t], t))
            par_trimestre[qui, quand] += 1
        elif tache.controleur is None:
            par_trimestre[qui, quand] += 1
        partage[tache.cle] = (qui, quand)
    return partage
