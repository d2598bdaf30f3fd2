"""Ce qui se transmet à une nouvelle direction : les apps au-dessus disent ce qu’elles gardent en cours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from partenaires.models import Structure


class Reste(NamedTuple):
    libelle: str
    echeance: date | None
    lien: str


type Source = Callable[[Structure], list[Reste]]
_sources: list[Source] = []


def declarer_source(source: Source) -> Source:
    if source not in _sources:
        _sources.append(source)
    return source


def a_transmettre(structure: Structure) -> list[Reste]:
    return [reste for source in _sources for reste in source(structure)]
