"""Les dates en français, écrites partout de la même façon. Sans Django."""

from __future__ import annotations

from datetime import date, time, timedelta
from functools import cache

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

MOIS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def en_jour(jour: date) -> str:
    """« 1er mars 2027 », « 23 novembre 2026 », espaces insécables."""
    quantieme = "1er" if jour.day == 1 else str(jour.day)
    return f"{quantieme}\u00a0{MOIS[jour.month - 1]}\u00a0{jour.year}"


def jour_et_mois(jour: int, mois: int) -> str:
    """« 1er mars », « 2 octobre » : une date de chaque année."""
    return f"{'1er' if jour == 1 else jour}\u00a0{MOIS[mois - 1]}"


def dernier_jour(debut: date, mois: int) -> date:
    """Le dernier jour, compris, d’une période de tant de mois : du 1er janvier, douze mois mènent au 31 décembre."""
    lendemain: date = debut + relativedelta(months=mois)
    return lendemain - timedelta(days=1)


def en_duree(debut: date, fin: date) -> str:
    """« 4 ans », « 1 an et 6 mois » : du premier au dernier jour, tous deux compris ; vide si moins d’un mois."""
    lendemain = fin + timedelta(days=1)
    mois = (lendemain.year - debut.year) * 12 + lendemain.month - debut.month - (lendemain.day < debut.day)
    ans, reste = divmod(mois, 12)
    morceaux = []
    if ans > 0:
        morceaux.append(f"{ans}\u00a0an{'s' if ans > 1 else ''}")
    if ans >= 0 and reste:
        morceaux.append(f"{reste}\u00a0mois")
    return " et ".join(morceaux)


def en_heure(heure: time) -> str:
    """« 10 h 42 », espaces insécables."""
    return f"{heure.hour}\u00a0h\u00a0{heure.minute:02d}"


@cache
def jours_feries(annee: int) -> frozenset[date]:
    """Les onze fêtes légales de l’année en métropole (code du travail, article L. 3133-1)."""
    paques: date = easter(annee)
    mobiles = (paques + timedelta(days=jours) for jours in (1, 39, 50))  # lundis de Pâques et de Pentecôte, Ascension
    fixes = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    return frozenset({*mobiles, *(date(annee, mois, jour) for mois, jour in fixes)})
