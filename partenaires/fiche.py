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


@dataclass(frozen=True, slots=True)
class Alerte:
    """Ce que toute la fiche doit dire d’abord ; ``lien`` mène à ce qui l’explique."""

    texte: str
    lien: str


@dataclass(frozen=True, slots=True)
class Document:
    """Une lettre ou une convention de la structure. ``lien`` l’ouvre, ou mène là où elle se lit d’abord."""

    le: datetime
    titre: str
    detail: str
    lien: str


type SourceDAlertes = Callable[[Requete, Structure], list[Alerte]]
type SourceDeDocuments = Callable[[Requete, Structure], list[Document]]
DOCUMENTS_MONTRES = 100
_alertes: list[SourceDAlertes] = []
_documents: list[SourceDeDocuments] = []


def declarer_alertes(source: SourceDAlertes) -> SourceDAlertes:
    if source not in _alertes:
        _alertes.append(source)
    return source


def declarer_documents(source: SourceDeDocuments) -> SourceDeDocuments:
    if source not in _documents:
        _documents.append(source)
    return source


def alertes(request: Requete, structure: Structure) -> list[Alerte]:
    return list(chain.from_iterable(source(request, structure) for source in _alertes))


def documents(request: Requete, structure: Structure) -> list[Document]:
    """Les lettres et conventions que la personne peut lire, la dernière d’abord."""
    tous = chain.from_iterable(source(request, structure) for source in _documents)
    return sorted(tous, key=lambda document: document.le, reverse=True)[:DOCUMENTS_MONTRES]


def onglets() -> list[Onglet]:
    return sorted(_onglets.values(), key=lambda o: o.ordre)
