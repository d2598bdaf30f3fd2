"""Ce que les vues de toutes les apps font de la même façon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from socle.erreurs import Refus


@contextmanager
def refus_en_message(request: HttpRequest) -> Iterator[None]:
    """Un geste refusé se dit en haut de la page où l’on revient ; ce qui le suit dans le bloc n’est pas fait."""
    try:
        yield
    except Refus as refus:
        messages.warning(request, str(refus))
