"""Ce que les pages du plan demandent ; les actions écrivent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from comptes.models import Utilisateur
from controles.choix import ORIGINES_MOTIVEES, Mode, Origine
from partenaires.models import Structure
from socle.champs import ChampDate

CONTROLES_MAX = 500
type Personnes = list[Utilisateur]


def _motif(label: str, aide: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=2000, help_text=aide, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Dites pourquoi : cette raison est gardée."},
    )  # fmt: skip


def _objectif() -> forms.IntegerField:
    return forms.IntegerField(label="Contrôles à mener dans l’année", min_value=1, max_value=CONTROLES_MAX)


def _instructions() -> forms.CharField:
    return forms.CharField(
        label="Instructions nationales de l’année", required=False, max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}), help_text="Ce que la Cnaf demande de regarder cette année.",
    )  # fmt: skip


def _structures() -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        label="Structure", queryset=Structure.objects.ouvertes(), empty_label="Choisir",
        error_messages={"invalid_choice": "Choisissez une structure ouverte."},
    )  # fmt: skip


def _origines() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Pourquoi elle", choices=[(o.value, o.label) for o in Origine if o in ORIGINES_MOTIVEES]
    )


class ModifierPlanForm(forms.Form):
    objectif = _objectif()
    instructions = _instructions()


class OuvrirPlanForm(ModifierPlanForm):
    annee = forms.IntegerField(label="Année")
    field_order = ["annee"]

    def clean_annee(self) -> int:
        annee: int = self.cleaned_data["annee"]
        cette_annee = timezone.localdate().year
        if annee not in (cette_annee, cette_annee + 1):
            raise forms.ValidationError(f"Un plan s’ouvre pour {cette_annee} ou pour {cette_annee + 1}.")
        return annee


class PremieresForm(forms.Form):
    combien = forms.IntegerField(label="Combien", min_value=1, max_value=CONTROLES_MAX)


class AjouterForm(forms.Form):
    structure = _structures()
    origine = _origines()
    motif = _motif("L’instruction ou le signalement", "Qui le demande, quand, et ce qui est à regarder.")


class _AvecControleur(forms.Form):
    """Les contrôleurs du jour, lus une fois pour toute la page."""

    def __init__(self, *args: Any, controleurs: Personnes, vide: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.par_cle = {str(c.pk): c for c in controleurs}
        choix = [(cle, str(c)) for cle, c in self.par_cle.items()]
        self.fields["controleur"].choices = [("", vide or "Choisir"), *choix]  # type: ignore[attr-defined]

    def clean_controleur(self) -> Utilisateur | None:
        return self.par_cle.get(self.cleaned_data["controleur"])


class LigneForm(_AvecControleur):
    """Comment, quand, par qui : une ligne du plan, réglée sans quitter la page."""

    mode = forms.ChoiceField(label="Mode", choices=Mode)
    trimestre = forms.TypedChoiceField(
        label="Trimestre", required=False, coerce=int, empty_value=None,
        choices=[("", "trimestre ?"), (1, "1er trim."), (2, "2e trim."), (3, "3e trim."), (4, "4e trim.")],
    )  # fmt: skip
    controleur = forms.ChoiceField(
        label="Contrôleur", required=False,
        error_messages={"invalid_choice": "Cette personne n’est pas contrôleur aujourd’hui."},
    )  # fmt: skip


class ProgrammerForm(_AvecControleur):
    structure = _structures()
    mode = forms.ChoiceField(label="Le contrôle se mène", choices=Mode)
    origine = _origines()
    motif = _motif("Le signalement ou l’instruction", "Cette raison reste entre les contrôleurs et le responsable.")
    controleur = forms.ChoiceField(
        label="Contrôleur", error_messages={"invalid_choice": "Cette personne n’est pas contrôleur aujourd’hui."}
    )


class ReprendreForm(forms.Form):
    motif = _motif("Ce qui est à reprendre", "Les contrôleurs lisent cette phrase en tête du plan.")


class FiltrePlanForm(forms.Form):
    """Ce que l’adresse retient du classement."""

    q = forms.CharField(label="Structure ou commune", required=False, max_length=100)
    voir = forms.ChoiceField(
        label="Au plan", required=False,
        choices=[("", "Toutes"), ("retenues", "Retenues"), ("autres", "Non retenues")],
    )  # fmt: skip
    origine = forms.ChoiceField(label="Origine", required=False, choices=[("", "Toutes"), *Origine.choices])
    controleur = forms.ChoiceField(label="Contrôleur", required=False)

    def __init__(self, *args: Any, controleurs: Personnes, classement: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choix = [("", "Tous"), ("aucun", "Personne encore"), *((str(c.pk), str(c)) for c in controleurs)]
        self.fields["controleur"].choices = choix  # type: ignore[attr-defined]
        if not classement:
            del self.fields["voir"]


class StatistiquesForm(forms.Form):
    """L’année du plan, et le jour auquel on se place : jamais un jour à venir."""

    annee = forms.IntegerField(
        label="Contrôles de l’année", min_value=2000, max_value=2099,
        error_messages={
            "invalid": "Écrivez une année, par exemple 2026.", "min_value": "Écrivez une année, par exemple 2026.",
            "max_value": "Écrivez une année, par exemple 2026.",
        },
    )  # fmt: skip
    le = forms.DateField(
        label="Tels qu’ils étaient le", widget=ChampDate(),
        error_messages={"invalid": "Écrivez un jour, par exemple 30/06/2026."},
    )  # fmt: skip

    def clean_le(self) -> Any:
        le = self.cleaned_data["le"]
        if le > timezone.localdate():
            raise forms.ValidationError("Ce jour n’est pas encore venu : choisissez aujourd’hui ou un jour passé.")
        return le
