"""Règles communes sur les euros. Aucun import de Django : tout se teste sans base."""

from __future__ import annotations

import re
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


MAXIMUM = Decimal("999999999.99")  # au-delà, ce n’est pas un compte de centre social : une faute de frappe
_MONTANT = re.compile(r"[+-]?\d+(?:\.\d+)?")


class MontantIllisible(ValueError):
    """Ce qui est écrit n’est pas un montant ; ``str(erreur)`` est la phrase à montrer à côté du champ."""


def lire_montant(saisie: str, *, decimales: int = 2, maximum: Decimal = MAXIMUM) -> Decimal:
    """« 1 234,5 », « 1234.50 € » ou « 1 234 » en décimal positif, à ``decimales`` chiffres au plus.

    Lève MontantIllisible : signe moins, texte, trop de décimales, somme hors de toute mesure.
    """
    nu = re.sub(r"[\s\u00a0\u202f€]", "", saisie).replace(",", ".").replace("−", "-")
    if not nu.isascii() or not _MONTANT.fullmatch(nu):
        raise MontantIllisible("Écrivez un montant en euros, par exemple 1 234,50.")
    montant = Decimal(nu)
    if montant < 0:
        raise MontantIllisible("Écrivez un montant positif.")
    if montant > maximum:
        raise MontantIllisible(f"Ce montant dépasse {en_euros(maximum)} : vérifiez le nombre de zéros.")
    if -int(montant.as_tuple().exponent) > decimales:
        raise MontantIllisible(f"Écrivez {decimales} chiffres au plus après la virgule.")
    return montant


def nombre_fr(valeur: Decimal) -> str:
    """« 42,4 », « 1 250 », « −2 » : sans zéros inutiles, jamais en notation scientifique."""
    entier, _, decimales = f"{abs(valeur).normalize():f}".partition(".")
    groupe = f"{int(entier):,}".replace(",", "\u202f")
    signe = "−" if valeur < 0 else ""
    return f"{signe}{groupe}{',' + decimales if decimales else ''}"
