"""Les champs de l’enquête, dans son ordre : des données (``senacs/donnees/champs.csv``), pas du code. Sans Django."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from agrements.referentiel import Champ

DONNEES = Path(__file__).parent / "donnees"


@dataclass(frozen=True, slots=True)
class Rubrique:
    titre: str
    champs: tuple[Champ, ...]


@cache
def rubriques() -> tuple[Rubrique, ...]:
    with (DONNEES / "champs.csv").open(encoding="utf-8", newline="") as flux:
        lignes = list(csv.DictReader(flux))
    return tuple(
        Rubrique(titre, tuple(_champ(ligne) for ligne in siennes))
        for titre, siennes in groupby(lignes, key=lambda ligne: ligne["rubrique"])
    )


def _champ(ligne: Mapping[str, str]) -> Champ:
    choix = ("oui", "non") if ligne["nature"] == "oui_non" else tuple(filter(None, ligne["choix"].split("|")))
    return Champ(ligne["code"], ligne["libelle"], ligne["nature"], choix=choix)  # type: ignore[arg-type]


@cache
def champs() -> dict[str, Champ]:
    return {champ.code: champ for rubrique in rubriques() for champ in rubrique.champs}
