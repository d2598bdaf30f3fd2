"""Les données publiques livrées avec le portail, lues telles quelles. Pur : aucune écriture."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

DOSSIER = Path(__file__).resolve().parent / "donnees"


def lire(nom: str) -> Iterator[dict[str, str]]:
    with (DOSSIER / f"{nom}.csv").open(encoding="utf-8", newline="") as flux:
        yield from csv.DictReader(flux)


def communes_en_zfrr() -> dict[str, tuple[str, bool]]:
    """Par code Insee : le classement affiché, et s’il ouvre la zone France ruralités revitalisation."""
    return {c["code_insee"]: (c["classement_frr_10_07_2025"], c["zfrr"] == "oui") for c in lire("zonage_frr_49")}
