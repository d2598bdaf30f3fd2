from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from socle.champs import ChampDate


class ContribuerForm(forms.Form):
    le = forms.DateField(label="Réponse envoyée sur senacs.fr le", widget=ChampDate())
    reference = forms.CharField(label="Référence de l’accusé", max_length=60, required=False)
    preuve = forms.FileField(label="Ou l’accusé lui-même (PDF ou image)", required=False, allow_empty_file=True)

    def clean_le(self) -> Any:
        le = self.cleaned_data["le"]
        if le > timezone.localdate():
            raise forms.ValidationError("Cette date est dans l’avenir.")
        return le


class CampagneSenacsForm(forms.Form):
    annee = forms.IntegerField(label="Année de l’enquête", min_value=2011, max_value=2099)
    ouverture = forms.DateField(label="Ouverture", widget=ChampDate())
    limite = forms.DateField(label="Date limite", widget=ChampDate())
    source = forms.CharField(label="Source", max_length=300, help_text="Le courrier de la Cnaf ou de la fédération.")

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        ouverture, limite = donnees.get("ouverture"), donnees.get("limite")
        if ouverture and limite and limite < ouverture:
            self.add_error("limite", "La date limite précède l’ouverture.")
        return donnees


class MotifForm(forms.Form):
    motif = forms.CharField(label="Pourquoi", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
