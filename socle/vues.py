"""Ce que les vues de toutes les apps font de la même façon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from socle.erreurs import Refus


@contextmanager
def refus_en_message(request: HttpRequest) -> Iterator[None]:
    """Un geste refusé se dit en haut de la page où l’on revient ; ce qui le suit dans le bloc n’est pas fait."""
    try:
        yield
    except Refus as refus:
        messages.warning(request, str(refus))


def refuser(form: forms.BaseForm, erreur: ValidationError) -> None:
    """Range chaque phrase près de son champ ; celles des champs que ce formulaire n’a pas vont en tête."""
    for champ, phrases in getattr(erreur, "message_dict", {"__all__": erreur.messages}).items():
        form.add_error(champ if champ in form.fields else None, phrases)


def tenter(form: forms.BaseForm, geste: Callable[[], Any], *, champ: str | None = None) -> bool:
    """Joue le geste. Un refus s’écrit dans le formulaire, près de ``champ`` s’il est dit, et rend faux."""
    try:
        geste()
    except Refus as refus:
        form.add_error(champ, str(refus))
    except ValidationError as erreur:
        refuser(form, erreur)
    else:
        return True
    return False
