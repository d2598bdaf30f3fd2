from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from documents.models import ALPHABET, LONGUEUR_CODE

PDF_MAX = 10 * 1024 * 1024  # une lettre pèse quelques dizaines de Ko


def code_lu(saisie: str) -> str:
    """Le code tel qu’imprimé, avec ou sans tirets ni espaces, en toute casse."""
    return re.sub(r"[\s\-‐‑–]", "", saisie).upper()


class VerifierForm(forms.Form):
    """Le code lu au bas d’un courrier, et si l’on veut le PDF reçu, pour comparer octet à octet."""

    code = forms.CharField(
        label="Code de vérification",
        max_length=40,
        help_text="Au bas du document, par exemple ABCD-EFGH-JKMN.",
        error_messages={"required": "Recopiez le code imprimé au bas du document."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    fichier = forms.FileField(
        label="Le PDF reçu (facultatif)",
        required=False,
        allow_empty_file=True,  # vide, il ne ressemble à aucun original : la réponse le dira
        help_text="Nous comparons son empreinte, puis nous l’oublions.",
        widget=forms.FileInput(attrs={"accept": ".pdf"}),
    )

    def clean_code(self) -> str:
        code = code_lu(self.cleaned_data["code"])
        if len(code) != LONGUEUR_CODE or set(code) - set(ALPHABET):
            raise ValidationError("Ce code n’a pas la bonne forme : recopiez les trois groupes de quatre signes.")
        return code

    def clean_fichier(self) -> Any:
        fichier = self.cleaned_data.get("fichier")
        if fichier and fichier.size > PDF_MAX:
            raise ValidationError("Ce fichier est trop lourd pour être un de nos courriers.")
        return fichier
