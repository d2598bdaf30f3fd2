"""Les champs de saisie que toutes les apps partagent."""

from __future__ import annotations

from typing import Any

from django import forms


class ChampDate(forms.DateInput):
    """Le sélecteur de date du navigateur : il attend la date en ISO, quelle que soit la langue de la page."""

    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")
