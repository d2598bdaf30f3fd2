"""Les délais d’un contrôle : jours calendaires ou ouvrés, jamais une échéance un jour où l’on ne travaille pas. Pur."""

from __future__ import annotations

from datetime import date, timedelta

from socle.dates import jours_feries


def ouvre(jour: date) -> bool:
    """Du lundi au vendredi, hors jours fériés (code du travail, article L. 3133-1)."""
    return jour.weekday() < 5 and jour not in jours_feries(jour.year)


def prochain_ouvre(jour: date) -> date:
    while not ouvre(jour):
        jour += timedelta(days=1)
    return jour


def echeance(depuis: date, jours: int, *, ouvres: bool) -> date:
    """Le dernier jour, compris, pour répondre : le délai part du lendemain.

    En jours ouvrés, on ne compte qu’eux ; en jours calendaires, une échéance qui tombe un samedi, un dimanche ou un
    jour férié passe au premier jour ouvré qui suit (règle de l’article 642 du code de procédure civile).
    """
    if not ouvres:
        return prochain_ouvre(depuis + timedelta(days=jours))
    jour = depuis
    while jours > 0:
        jour += timedelta(days=1)
        jours -= ouvre(jour)
    return prochain_ouvre(jour)


def delai_dit(jours: int, *, ouvres: bool) -> str:
    """« 15 jours », « 20 jours ouvrés »."""
    mot = "jour" if jours < 2 else "jours"
    qualite = (" ouvré" if jours < 2 else " ouvrés") if ouvres else ""
    return f"{jours}\u00a0{mot}{qualite}"
