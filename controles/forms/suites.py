"""Les formulaires des suites : ils recueillent et vérifient, ils n’enregistrent rien."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from agrements.models import Agrement
from controles.choix import EtatRecommandation
from controles.models import Constat
from controles.referentiel import Degre
from financements.calculs import pourcent
from financements.models import Droit


def _texte(libelle: str, phrase: str, *, lignes: int = 5, aide: str = "", maximum: int = 5000) -> forms.CharField:
    return forms.CharField(
        label=libelle, max_length=maximum, help_text=aide, widget=forms.Textarea(attrs={"rows": lignes}),
        error_messages={"required": phrase},
    )  # fmt: skip


class SuspendreForm(forms.Form):
    """Quels droits retenir, et pourquoi."""

    droits_choisis = forms.TypedMultipleChoiceField(
        label="Droits dont les versements sont retenus", coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un droit."},
    )  # fmt: skip
    motif = _texte("Vos raisons", "Dites pourquoi les versements sont suspendus.", aide="La structure les lit.")

    def __init__(self, *args: Any, droits: Iterable[Droit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["droits_choisis"].choices = [(d.pk, f"{d.prestation} {d.exercice}") for d in droits]  # type: ignore[attr-defined]


class SanctionForm(forms.Form):
    """Le manquement, son degré, l’exercice qui fait la base : le montant s’en déduit, personne ne le saisit."""

    constat = forms.ModelChoiceField(label="Manquement", queryset=Constat.objects.none(), empty_label=None)
    degre = forms.ChoiceField(label="Degré de l’échelle", widget=forms.RadioSelect)
    exercice = forms.TypedChoiceField(
        label="Exercice", coerce=int, help_text="Celui du manquement : ses droits en vigueur font la base."
    )
    motivation = _texte(
        "Motivation", "Dites pourquoi ce manquement appelle une sanction.", lignes=6,
        aide="La structure la lit mot pour mot, et y répond.",
    )  # fmt: skip

    def __init__(
        self, *args: Any, constats: list[Constat], degres: Iterable[Degre], exercices: list[int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["constat"].queryset = Constat.objects.filter(pk__in=[c.pk for c in constats])  # type: ignore[attr-defined]
        self.fields["degre"].choices = [  # type: ignore[attr-defined]
            (d.code, f"{d.libelle}, {pourcent(d.taux * 100)}{f' : {d.exemple}' if d.exemple else ''}") for d in degres
        ]
        self.fields["exercice"].choices = [(e, str(e)) for e in exercices]  # type: ignore[attr-defined]


class ObservationsForm(forms.Form):
    observations = _texte(
        "Vos observations", "Écrivez vos observations.", lignes=10,
        aide="Elles s’envoient une fois : relisez-les. 5 000 caractères au plus.",
    )  # fmt: skip


class DeciderSanctionForm(forms.Form):
    prononcer = forms.TypedChoiceField(
        label="Votre décision", coerce=lambda valeur: valeur == "oui", widget=forms.RadioSelect,
        choices=[("oui", "Prononcer la sanction"), ("non", "Écarter la sanction")],
        error_messages={"required": "Choisissez une décision."},
    )  # fmt: skip
    motif = _texte("Vos raisons", "Une décision dit ses raisons : la structure les lit.", aide="La structure les lit.")


class SaisirAgrementForm(forms.Form):
    agrement = forms.ModelChoiceField(label="Agrément", queryset=Agrement.objects.none(), empty_label=None)
    motif = _texte(
        "Ce qui est relevé", "Dites ce qui est relevé : la structure y répond.", lignes=7, maximum=4000,
        aide="Les manquements que le rapport retient, et le critère de l’agrément qu’ils touchent. Repris mot pour mot "
        "dans la lettre.",
    )  # fmt: skip

    def __init__(self, *args: Any, agrements: list[Agrement], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agrement"].queryset = Agrement.objects.filter(pk__in=[a.pk for a in agrements])  # type: ignore[attr-defined]
        self.fields["agrement"].label_from_instance = (  # type: ignore[attr-defined]
            lambda a: f"{a.get_objet_display().capitalize()}, de {a.debut.year} à {a.fin.year}"
        )


class SuiviForm(forms.Form):
    etat = forms.ChoiceField(label="Où en est-elle ?", choices=EtatRecommandation, widget=forms.RadioSelect)
    texte = _texte("Ce que vous avez constaté", "Dites ce que vous avez constaté.", aide="La structure le lit.")
