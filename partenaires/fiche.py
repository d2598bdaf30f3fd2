"""Les onglets de la fiche d’une structure que les apps au-dessus apportent ; celle-ci ne les connaît pas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comptes.http import Requete
from partenaires.models import Structure


@dataclass(frozen=True, slots=True)
class Onglet:
    code: str
    libelle: str
    ordre: int
    gabarit: str
    contexte: Callable[[Requete, Structure], dict[str, Any]]


_onglets: dict[str, Onglet] = {}


def declarer_onglet(onglet: Onglet) -> None:
    _onglets[onglet.code] = onglet


def onglets() -> list[Onglet]:
    return sorted(_onglets.values(), key=lambda o: o.ordre)
