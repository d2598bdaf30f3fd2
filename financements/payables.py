"""Ce qui se paie sans être un droit : l’app qui l’apporte dit ce qui l’empêche de partir, qui le suit et où il se lit.

Un paiement porte alors ``objet`` (« aide-12 ») au lieu d’un droit ; le mot avant le tiret désigne qui répond.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from comptes.models import Utilisateur
from socle.droits import Verdict

if TYPE_CHECKING:
    from financements.models import Paiement


@dataclass(frozen=True, slots=True)
class Payable:
    """``verrouiller`` prend le verrou de l’objet avant celui du paiement ; ``obstacle`` rend une phrase, ou rien."""

    verrouiller: Callable[[Paiement], None]
    obstacle: Callable[[Paiement], str]
    suit: Callable[[Utilisateur, Paiement], Verdict]
    lien: Callable[[Paiement], str]
    annule: Callable[[Paiement], None] = lambda paiement: None
    paye: Callable[[Paiement], None] = lambda paiement: None


_payables: dict[str, Payable] = {}


def declarer_payable(prefixe: str, payable: Payable) -> None:
    _payables[prefixe] = payable


def payable_de(paiement: Paiement) -> Payable:
    """Lève KeyError si aucune app ne répond de cet objet : un paiement orphelin ne part pas."""
    return _payables[paiement.objet.partition("-")[0]]
