"""Le tirage au sort du plan : la même graine et la même population donnent toujours le même tirage. Pur.

L’ordre vient d’une empreinte SHA-256, pas d’un générateur de la machine : n’importe qui le recalcule à la main.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def rang(graine: str, cle: int) -> str:
    """L’empreinte qui range une structure : SHA-256 de « graine:clé »."""
    return sha256(f"{graine}:{cle}".encode()).hexdigest()


def tirer(population: Iterable[int], *, graine: str, combien: int) -> list[int]:
    """Les ``combien`` premières clés par ordre d’empreinte. Lève ValueError sans graine."""
    if not graine:
        raise ValueError("Un tirage a une graine.")
    return sorted(set(population), key=lambda cle: rang(graine, cle))[: max(0, combien)]


def part(total: int, pour_cent: int) -> int:
    """Le nombre tiré au sort sur ``total`` contrôles : la part, arrondie au-dessus dès qu’elle n’est pas nulle."""
    return -(-total * pour_cent // 100)
