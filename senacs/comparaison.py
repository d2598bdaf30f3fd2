"""Se comparer aux autres sans reconnaître personne. Sans Django : des valeurs, des quartiles, ou rien.

Une comparaison ne se montre qu’avec cinq autres structures au moins (k-anonymat, k = 5), et jamais par ses extrêmes :
les quartiles sont ceux du groupe, arrondis, et la structure qui regarde n’y est pas.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from statistics import quantiles

from senacs.questionnaire import DONNEES

K_ANONYMAT = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """Une autre structure : ce qui la range (``taille``, ``territoire``) et ses valeurs, par champ."""

    structure: int
    taille: str
    territoire: str
    valeurs: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Repere:
    """Trois repères d’un groupe ; ``nombre`` : combien de structures, jamais lesquelles."""

    bas: Decimal
    median: Decimal
    haut: Decimal
    nombre: int
    groupe: str


@dataclass(frozen=True, slots=True)
class Classe:
    code: str
    libelle: str
    minimum: Decimal
    maximum: Decimal | None


@cache
def classes() -> tuple[Classe, ...]:
    with (DONNEES / "classes.csv").open(encoding="utf-8", newline="") as flux:
        return tuple(
            Classe(
                ligne["code"],
                ligne["libelle"],
                Decimal(ligne["minimum"]),
                Decimal(ligne["maximum"]) if ligne["maximum"] else None,
            )
            for ligne in csv.DictReader(flux)
        )


def classe_de(charges: Decimal) -> Classe:
    return next(c for c in classes() if charges >= c.minimum and (c.maximum is None or charges < c.maximum))


def comparer(champ: str, taille: str, territoire: str, pairs: Sequence[Pair]) -> Repere | None:
    """Le groupe le plus proche qui compte cinq structures ; on l’élargit, et on le dit. ``None`` : trop peu partout."""
    groupes: Iterable[tuple[str, list[Pair]]] = (
        (
            "même taille, même type de territoire",
            [p for p in pairs if (p.taille, p.territoire) == (taille, territoire)],
        ),
        ("même taille, tous les territoires", [p for p in pairs if p.taille == taille]),
        ("toutes les structures", list(pairs)),
    )
    for libelle, retenus in groupes:
        par_structure = {p.structure: p.valeurs[champ] for p in retenus if champ in p.valeurs}
        if len(par_structure) >= K_ANONYMAT:
            return _repere(list(par_structure.values()), libelle)
    return None


def _repere(valeurs: list[Decimal], groupe: str) -> Repere:
    """Quartiles interpolés, arrondis à deux chiffres significatifs : ils ne rendent la valeur de personne."""
    bas, median, haut = quantiles(valeurs, n=4, method="inclusive")
    return Repere(arrondi(bas), arrondi(median), arrondi(haut), len(valeurs), groupe)


def arrondi(valeur: Decimal) -> Decimal:
    if valeur == 0:
        return Decimal(0)
    return valeur.quantize(Decimal(1).scaleb(valeur.adjusted() - 1))
