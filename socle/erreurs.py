"""Les refus que l’usager peut comprendre : chacun porte une phrase à montrer telle quelle."""

from __future__ import annotations


class Refus(Exception):
    """Un geste refusé pour une raison du métier ; ``str(erreur)`` est la phrase à afficher."""


class VersionPerimee(Refus):
    """Quelqu’un a écrit entre-temps : rien n’est écrasé, les deux textes sont à montrer."""
