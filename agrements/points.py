"""Ce que les apps du dessus font passer en séance à côté des dossiers : même ordre du jour, même page d’enregistrement.

Un passage porte alors ``sujet`` (« aide-12 ») au lieu d’un dossier ; le mot avant le tiret désigne qui en répond.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from comptes.models import Utilisateur

if TYPE_CHECKING:
    from django import forms

    from agrements.models import Passage, Seance


@dataclass(frozen=True, slots=True)
class Candidat:
    """Ce qui attend une inscription à cette instance."""

    sujet: str
    libelle: str


@dataclass(frozen=True, slots=True)
class Point:
    """Ce que l’ordre du jour montre d’un passage. ``gabarit`` reçoit ``contexte`` : le détail, puis la décision."""

    titre: str
    sous_titre: str
    lien: str
    gabarit: str
    contexte: dict[str, Any] = field(default_factory=dict)


class Sujets(Protocol):
    """Une sorte de sujets. Les gestes s’appellent dans la transaction de la séance, sous son verrou."""

    def candidats(self, seance: Seance) -> list[Candidat]: ...

    def inscrire(self, seance: Seance, cle: int, *, par: Utilisateur) -> None:
        """Lève Refus si le sujet n’attend pas cette instance."""

    def retirer(self, cle: int, *, motif: str, par: Utilisateur) -> None: ...

    def reporter(self, cles: list[int], tenue_le: date) -> None: ...

    def points(self, passages: list[Passage]) -> dict[int, Point]:
        """Par clé de passage ; un nombre fixe de requêtes."""

    def formulaire(self, passage: Passage, point: Point | None, *args: Any, **kwargs: Any) -> forms.Form:
        """Le formulaire de décision ; ``point`` : celui déjà lu avec la page, s’il l’est."""

    def relecture(self, passage: Passage, form: forms.Form) -> tuple[str, dict[str, Any]]:
        """Le gabarit et le contexte de la page où l’on relit avant que la lettre parte."""

    def decider(self, passage: Passage, saisie: dict[str, Any], *, par: Utilisateur) -> None: ...


_sortes: dict[str, Sujets] = {}


def declarer_sujets(prefixe: str, sujets: Sujets) -> None:
    _sortes[prefixe] = sujets


def sujets_de(sujet: str) -> Sujets:
    """Lève KeyError si aucune app ne répond de ce sujet."""
    return _sortes[sujet.partition("-")[0]]


def cle_de(sujet: str) -> int:
    return int(sujet.partition("-")[2])


def candidats(seance: Seance) -> list[Candidat]:
    return [candidat for sorte in _sortes.values() for candidat in sorte.candidats(seance)]


def points(passages: list[Passage]) -> dict[int, Point]:
    """Tous les passages qui ne sont pas des dossiers, quelle que soit leur sorte."""
    trouves: dict[int, Point] = {}
    for prefixe, sorte in _sortes.items():
        siens = [p for p in passages if p.sujet.startswith(f"{prefixe}-")]
        if siens:
            trouves |= sorte.points(siens)
    return trouves
