"""Ce que les apps du dessus rappellent à qui instruit un agrément ; celle-ci ne les connaît pas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from partenaires.models import Structure
from socle.sources import Sources


@dataclass(frozen=True, slots=True)
class Rappel:
    """Ce qui a déjà été dit à la structure et compte pour l’instruction ; ``urgent`` : son échéance est passée."""

    texte: str
    detail: str
    lien: str
    urgent: bool = False


declarer_rappels: Sources[[Structure, date], Rappel] = Sources()


def rappels(structure: Structure, le: date) -> list[Rappel]:
    return declarer_rappels.reunies(structure, le)
