"""Les formulaires d’un contrôle : ils recueillent et vérifient, ils n’enregistrent rien."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from controles.choix import Conclusion, Mode
from controles.models import Constat, Controle
from partenaires.interlocuteurs import agents
from socle.champs import ChampDate
from socle.montants import MontantIllisible, lire_montant

ANNEES_PROPOSEES = 4


class MotifForm(forms.Form):
    motif = forms.CharField(
        label="Raison", widget=forms.Textarea(attrs={"rows": 4}), max_length=5000,
        error_messages={"required": "Dites pourquoi : cette raison est gardée."},
    )  # fmt: skip


class PreparerForm(forms.Form):
    """L’objet, la période, la visite et les pièces ; les exercices proposés sont les derniers déclarés."""

    mode = forms.ChoiceField(
        label="Le contrôle se mène", choices=[(m.value, m.label.capitalize()) for m in Mode], widget=forms.RadioSelect
    )
    exercices = forms.TypedMultipleChoiceField(
        label="Exercices contrôlés", coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un exercice."},
    )  # fmt: skip
    objet = forms.CharField(
        label="Objet du contrôle", widget=forms.Textarea(attrs={"rows": 3}), max_length=2000,
        help_text="La lettre de notification le reprend.",
        error_messages={"required": "Dites l’objet du contrôle : la lettre le reprend."},
    )  # fmt: skip
    visite_le = forms.DateField(label="Visite le", required=False, widget=ChampDate())
    visite_heure = forms.TimeField(
        label="À", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    lieu = forms.CharField(label="Lieu", required=False, max_length=300, help_text="Vide : l’adresse de la structure.")
    pieces = forms.MultipleChoiceField(
        label="Pièces à tenir prêtes", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, controle: Controle, declares: set[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        annee = timezone.localdate().year
        annees = sorted({*range(annee - ANNEES_PROPOSEES + 1, annee + 1), *declares}, reverse=True)
        self.champ("exercices").choices = [(a, f"{a}" if a in declares else f"{a}, rien de déclaré") for a in annees]
        regles = controle.regles
        self.champ("exercices").help_text = f"{regles.exercices_max} au plus."
        self.champ("pieces").choices = [
            (p.code, f"{p.libelle}, pour chaque exercice" if p.par_exercice else p.libelle) for p in regles.pieces_lues
        ]
        self.fields["visite_le"].help_text = f"Le préavis est de {regles.preavis_jours} jours, sauf visite inopinée."

    def champ(self, nom: str) -> Any:
        return self.fields[nom]


class ReporterForm(forms.Form):
    visite_le = forms.DateField(
        label="Nouvelle date", widget=ChampDate(), error_messages={"required": "Choisissez une date."}
    )
    visite_heure = forms.TimeField(
        label="Heure", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    motif = forms.CharField(
        label="Raison", widget=forms.Textarea(attrs={"rows": 3}), max_length=2000,
        error_messages={"required": "Dites pourquoi la visite est reportée."},
    )  # fmt: skip


class AffecterForm(forms.Form):
    controleur = forms.ModelChoiceField(
        label="Contrôleur", queryset=Utilisateur.objects.none(), empty_label="Choisir",
        error_messages={"required": "Choisissez un contrôleur."},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cles = [a.pk for a in agents(Role.CONTROLEUR)]
        champ: Any = self.fields["controleur"]
        champ.queryset = Utilisateur.objects.filter(pk__in=cles)


class DemanderPiecesForm(forms.Form):
    libelles = forms.CharField(
        label="Pièces, une par ligne", widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": "Écrivez une pièce par ligne."},
    )  # fmt: skip
    requise_le = forms.DateField(
        label="Attendues avant le", widget=ChampDate(), error_messages={"required": "Choisissez une date."}
    )

    def clean_libelles(self) -> list[str]:
        return str(self.cleaned_data["libelles"]).splitlines()


class ProlongerForm(forms.Form):
    apres = forms.DateField(
        label="Répondre jusqu’au", widget=ChampDate(), error_messages={"required": "Choisissez une date."}
    )
    motif = forms.CharField(
        label="Raison", widget=forms.Textarea(attrs={"rows": 3}), max_length=2000,
        error_messages={"required": "Dites pourquoi le délai est prolongé."},
    )  # fmt: skip

    def __init__(self, *args: Any, echeance: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["apres"].help_text = f"L’échéance actuelle est le {echeance:%d/%m/%Y}."


class ConclureForm(forms.Form):
    """La conclusion sur un point ; le montant retenu n’est demandé que d’un point chiffré et modifié."""

    conclusion = forms.ChoiceField(
        label="Conclusion", choices=[(c.value, c.label.capitalize()) for c in Conclusion], widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une conclusion."},
    )  # fmt: skip
    releve_retenu = forms.CharField(label="Montant retenu", required=False, max_length=30)
    motif = forms.CharField(
        label="Raison, lue par la structure", widget=forms.Textarea(attrs={"rows": 3}), max_length=5000,
        error_messages={"required": "Dites pourquoi : la structure lit cette raison."},
    )  # fmt: skip

    def __init__(self, *args: Any, constat: Constat, **kwargs: Any) -> None:
        kwargs["prefix"] = f"c{constat.numero}"
        super().__init__(*args, **kwargs)
        if constat.declare is None:
            del self.fields["releve_retenu"]
        else:
            self.fields["releve_retenu"].label = f"Retenu ({constat.unite}), si modifié"

    def clean_releve_retenu(self) -> Any:
        saisie = str(self.cleaned_data.get("releve_retenu") or "").strip()
        if not saisie:
            return None
        try:
            return lire_montant(saisie)
        except MontantIllisible as erreur:
            raise forms.ValidationError(str(erreur)) from erreur


class PieceForm(forms.Form):
    fichier = forms.FileField(
        label="Fichier", allow_empty_file=True, error_messages={"required": "Choisissez un fichier."}
    )
