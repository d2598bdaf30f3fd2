"""Les onglets de la fiche d’une structure que les apps au-dessus apportent ; celle-ci ne les connaît pas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
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


@dataclass(frozen=True, slots=True)
class LigneDeJournal:
    """Ce qui est arrivé à une structure, dans les mots de qui le lit ; ``lien`` mène à l’objet."""

    le: datetime
    texte: str
    par: str
    details: tuple[str, ...] = ()
    lien: str = ""


type SourceDeJournal = Callable[[Requete, Structure], list[LigneDeJournal]]
LIGNES_PAR_SOURCE = 150
_journaux: list[SourceDeJournal] = []


def declarer_journal(source: SourceDeJournal) -> SourceDeJournal:
    """Les apps au-dessus apportent ici leurs lignes, les plus récentes (``LIGNES_PAR_SOURCE`` au plus)."""
    if source not in _journaux:
        _journaux.append(source)
    return source


def journal(request: Requete, structure: Structure, propres: list[LigneDeJournal]) -> list[LigneDeJournal]:
    """Toute la vie de la structure, la dernière ligne d’abord."""
    apportees = chain.from_iterable(source(request, structure) for source in _journaux)
    return sorted([*propres, *apportees], key=lambda ligne: ligne.le, reverse=True)


def onglets() -> list[Onglet]:
    return sorted(_onglets.values(), key=lambda o: o.ordre)
