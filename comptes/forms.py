from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from comptes.models import Utilisateur


class IdentiteForm(forms.Form):
    """Recueille ce qu’une personne change elle-même ; n’enregistre rien."""

    prenom = forms.CharField(label="Prénom", max_length=100)
    nom = forms.CharField(label="Nom", max_length=100)
    telephone = forms.CharField(label="Téléphone", max_length=20, required=False)


class PremierMotDePasseForm(forms.Form):
    """Le mot de passe choisi par la personne invitée : long, sans règle de composition (ASVS 6.2.5)."""

    mot_de_passe = forms.CharField(
        label="Votre mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Au moins 15 caractères. Une phrase que vous retenez est parfaite.",
    )
    confirmation = forms.CharField(
        label="Le même, pour vérifier",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, utilisateur: Utilisateur, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.utilisateur = utilisateur

    def clean_mot_de_passe(self) -> str:
        mot_de_passe = self.cleaned_data["mot_de_passe"]
        validate_password(mot_de_passe, self.utilisateur)
        return mot_de_passe

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if (
            donnees.get("mot_de_passe")
            and donnees.get("confirmation") is not None
            and donnees["mot_de_passe"] != donnees["confirmation"]
        ):
            self.add_error("confirmation", "Les deux mots de passe sont différents.")
        return donnees
