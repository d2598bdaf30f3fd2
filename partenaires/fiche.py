"""Les onglets de la fiche d’une structure que les apps au-dessus apportent ; celle-ci ne les connaît pas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comptes.http import Requete
from partenaires.models import Structure
from socle.sources import Sources


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


LIGNES_PAR_SOURCE = 150  # au plus, les plus récentes
declarer_journal: Sources[[Requete, Structure], LigneDeJournal] = Sources()


def journal(request: Requete, structure: Structure, propres: list[LigneDeJournal]) -> list[LigneDeJournal]:
    """Toute la vie de la structure, la dernière ligne d’abord."""
    apportees = declarer_journal.reunies(request, structure)
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


DOCUMENTS_MONTRES = 100
declarer_alertes: Sources[[Requete, Structure], Alerte] = Sources()
declarer_documents: Sources[[Requete, Structure], Document] = Sources()


def alertes(request: Requete, structure: Structure) -> list[Alerte]:
    return declarer_alertes.reunies(request, structure)


def documents(request: Requete, structure: Structure) -> list[Document]:
    """Les lettres et conventions que la personne peut lire, la dernière d’abord."""
    tous = declarer_documents.reunies(request, structure)
    return sorted(tous, key=lambda document: document.le, reverse=True)[:DOCUMENTS_MONTRES]


def onglets() -> list[Onglet]:
    return sorted(_onglets.values(), key=lambda o: o.ordre)
