"""Règles communes sur les euros. Aucun import de Django : tout se teste sans base."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENTIME = Decimal("0.01")
ZERO = Decimal("0.00")


def arrondir(montant: Decimal) -> Decimal:
    """Arrondit au centime, le demi-centime vers le haut."""
    return montant.quantize(CENTIME, rounding=ROUND_HALF_UP)


def en_euros(montant: Decimal) -> str:
    """« 1 234,50 € », espaces fines insécables : le seul rendu d’un montant, à l’écran comme sur les PDF."""
    arrondi = arrondir(montant)
    entier, decimales = f"{abs(arrondi):.2f}".split(".")
    groupes: list[str] = []
    while entier:
        groupes.insert(0, entier[-3:])
        entier = entier[:-3]
    signe = "−" if arrondi < 0 else ""
    return f"{signe}{'\u202f'.join(groupes)},{decimales}\u00a0€"
