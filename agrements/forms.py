"""Les formulaires de l’agrément : ils recueillent et vérifient, ils n’enregistrent rien."""

from __future__ import annotations

from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from agrements.choix import SENS_QUI_AGREENT, Instance, Objet, SensAvis, SensDecision, TypeDossier, VerdictCritere
from agrements.models import Seance, VersionRegime
from comptes.choix import Role
from comptes.models import Fonction, Utilisateur
from partenaires.models import Structure
from socle.champs import ChampDate


class NouveauDossierForm(forms.Form):
    """Ouvre un dossier. Les objets possibles dépendent du régime, donc de la date de début."""

    type_dossier = forms.ChoiceField(label="Ce que vous demandez", choices=TypeDossier, widget=forms.RadioSelect)
    debut_souhaite = forms.DateField(
        label="Début souhaité de l’agrément",
        widget=ChampDate(),
        help_text="Pour un renouvellement, le lendemain de la fin de l’agrément en cours.",
    )
    duree_souhaitee = forms.TypedChoiceField(
        label="Durée souhaitée",
        coerce=int,
        choices=[(12, "1 an"), (24, "2 ans"), (36, "3 ans"), (48, "4 ans")],
        initial=48,
    )
    objets = forms.MultipleChoiceField(
        label="Ce que l’agrément doit reconnaître",
        choices=Objet,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="À partir du 1er janvier 2027, un centre social fait une seule demande, volet familles compris.",
    )

    def __init__(self, *args: Any, structure: Structure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.structure = structure
        possibles = {
            objet
            for regime in VersionRegime.objects.filter(publie_le__isnull=False)
            for objet in regime.referentiel.objets.get(structure.type, ())
        }
        self.fields["objets"].choices = [(o.value, o.label) for o in Objet if o.value in possibles]  # type: ignore[attr-defined]

    def clean_debut_souhaite(self) -> date:
        debut: date = self.cleaned_data["debut_souhaite"]
        aujourd_hui = timezone.localdate()
        if not aujourd_hui - relativedelta(years=1) <= debut <= aujourd_hui + relativedelta(years=3):
            raise ValidationError("Choisissez une date entre l’an dernier et dans trois ans.")
        return debut

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        debut = donnees.get("debut_souhaite")
        if debut is None:
            return donnees
        regime = VersionRegime.objects.applicable(debut)
        possibles = regime.referentiel.objets.get(self.structure.type, ())
        choisis = donnees.get("objets") or []
        if len(possibles) == 1:
            donnees["objets"] = list(possibles)
        elif not choisis:
            self.add_error("objets", "Choisissez au moins un objet.")
        elif etrangers := [Objet(o).label for o in choisis if o not in possibles]:
            self.add_error(
                "objets", f"« {etrangers[0]} » n’existe pas pour un agrément qui commence à cette date ({regime})."
            )
        return donnees


class MotifForm(forms.Form):
    """Pourquoi : écrit au journal, lu par l’autre partie."""

    motif = forms.CharField(label="Vos raisons", max_length=4000, strip=True, widget=forms.Textarea(attrs={"rows": 5}))


class ProcedureForm(forms.Form):
    """Ce qui est relevé contre un agrément : la structure le lit mot pour mot et y répond."""

    motif = forms.CharField(
        label="Ce qui est relevé",
        max_length=4000,
        help_text="Les faits, et la règle ou le critère de l’agrément qu’ils ne respectent pas.",
        widget=forms.Textarea(attrs={"rows": 7}),
    )


class ObservationsForm(forms.Form):
    observations = forms.CharField(
        label="Vos observations",
        max_length=5000,
        help_text="Elles s’envoient une fois : relisez-les. 5 000 caractères au plus.",
        widget=forms.Textarea(attrs={"rows": 10}),
    )


class VisaForm(forms.Form):
    decision = forms.ChoiceField(
        label="Votre décision",
        choices=[("viser", "Je vise ce projet : il peut être déposé"), ("refuser", "Je ne le vise pas")],
        widget=forms.RadioSelect,
    )
    motif = forms.CharField(
        label="Vos raisons, si vous ne visez pas",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if donnees.get("decision") == "refuser" and not donnees.get("motif", "").strip():
            self.add_error("motif", "Dites pourquoi vous ne visez pas : la direction en a besoin pour corriger.")
        return donnees


class DemandeComplementsForm(forms.Form):
    message = forms.CharField(
        label="Message d’ensemble (facultatif)",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    echeance_le = forms.DateField(label="Réponse attendue le", widget=ChampDate())

    def clean_echeance_le(self) -> date:
        echeance: date = self.cleaned_data["echeance_le"]
        if echeance <= timezone.localdate():
            raise ValidationError("La date de réponse attendue doit être à venir.")
        return echeance


class EvaluationForm(forms.Form):
    """Le regard sur un critère ; l’action exige le commentaire d’un verdict réservé."""

    verdict = forms.ChoiceField(
        label="Verdict",
        choices=[("", "à évaluer"), *VerdictCritere.choices],
        required=False,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    commentaire = forms.CharField(
        label="Commentaire", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class AvisForm(forms.Form):
    """L’avis motivé de l’instruction."""

    sens = forms.ChoiceField(label="Avis", choices=SensAvis, widget=forms.RadioSelect)
    duree_mois = forms.TypedChoiceField(
        label="Durée proposée",
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", "Sans objet"), *((m, f"{m} mois") for m in (12, 18, 24, 36, 48))],
    )
    motivation = forms.CharField(label="Motivation", max_length=8000, widget=forms.Textarea(attrs={"rows": 7}))
    reserves = forms.CharField(
        label="Réserves",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Pour un avis favorable avec réserves : proposées au conseil, elles iront dans la lettre.",
    )

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        sens = donnees.get("sens")
        if sens in (SensAvis.FAVORABLE, SensAvis.FAVORABLE_RESERVES) and not donnees.get("duree_mois"):
            self.add_error("duree_mois", "Un avis favorable propose une durée.")
        if sens == SensAvis.FAVORABLE_RESERVES and not donnees.get("reserves", "").strip():
            self.add_error("reserves", "Écrivez les réserves : elles iront dans la lettre.")
        return donnees


class AffecterForm(forms.Form):
    charge = forms.ModelChoiceField(label="Chargé de conseil", queryset=Utilisateur.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenants = Fonction.objects.en_cours(timezone.localdate()).filter(role=Role.CHARGE_CONSEIL)
        self.fields["charge"].queryset = Utilisateur.objects.filter(  # type: ignore[attr-defined]
            pk__in=tenants.values("utilisateur"), is_active=True
        )


class SeanceForm(forms.Form):
    instance = forms.ChoiceField(label="Instance", choices=Instance)
    tenue_le = forms.DateField(label="Date", widget=ChampDate())
    heure = forms.TimeField(label="Heure", required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    lieu = forms.CharField(label="Lieu", required=False, max_length=200)
    limite_inscription_le = forms.DateField(label="Inscriptions jusqu’au", required=False, widget=ChampDate())

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        limite, tenue = donnees.get("limite_inscription_le"), donnees.get("tenue_le")
        if tenue and tenue < timezone.localdate() - relativedelta(months=1):
            self.add_error("tenue_le", "Une séance passée s’ajoute dans le mois qui la suit.")
        if tenue and tenue > timezone.localdate() + relativedelta(years=2):
            self.add_error("tenue_le", "Cette séance est à plus de deux ans : vérifiez l’année.")
        if limite and tenue and limite > tenue:
            self.add_error("limite_inscription_le", "La limite d’inscription vient après la séance.")
        return donnees


class ModifierSeanceForm(SeanceForm):
    """L’instance ne change pas : une commission n’est pas un conseil d’administration."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["instance"]


class InscrireForm(forms.Form):
    """Choisit la séance d’un dossier, parmi celles qui reçoivent encore des inscriptions."""

    seance = forms.ModelChoiceField(label="Séance", queryset=Seance.objects.none(), empty_label=None)

    def __init__(self, *args: Any, instance: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seance"].queryset = Seance.objects.ouvertes_aux_inscriptions(  # type: ignore[attr-defined]
            instance, timezone.localdate()
        )


class AvisCasForm(forms.Form):
    avis = forms.ChoiceField(label="Avis de la commission", choices=[("", "Choisir"), *SensAvis.choices])
    motivation = forms.CharField(
        label="Motivation", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )


class DecisionForm(forms.Form):
    """Ce que le conseil d’administration a décidé ; les dates ne se demandent que pour un agrément."""

    sens = forms.ChoiceField(label="Décision", choices=[("", "Choisir"), *SensDecision.choices])
    debut = forms.DateField(label="Début", required=False, widget=ChampDate())
    fin = forms.DateField(label="Fin (comprise)", required=False, widget=ChampDate())
    motivation = forms.CharField(
        label="Motivation", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    reserves = forms.CharField(
        label="Réserves", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        sens = donnees.get("sens")
        debut, fin = donnees.get("debut"), donnees.get("fin")
        if sens in SENS_QUI_AGREENT:
            if not debut:
                self.add_error("debut", "Un agrément porte une date de début.")
            if not fin:
                self.add_error("fin", "Un agrément porte une date de fin.")
            if debut and fin:
                if fin <= debut:
                    self.add_error("fin", "La fin de l’agrément précède son début.")
                elif fin >= debut + relativedelta(years=4):
                    self.add_error("fin", "Un agrément dure au plus quatre ans.")
                elif fin < debut + relativedelta(years=1) - relativedelta(days=1):
                    self.add_error("fin", "Un agrément dure au moins un an.")
        if sens != SensDecision.AGREE_RESERVES:
            donnees["reserves"] = ""  # celles de l’instruction étaient préremplies : la décision ne les reprend pas
        if sens == SensDecision.AGREE_RESERVES and not donnees.get("reserves", "").strip():
            self.add_error("reserves", "Écrivez les réserves.")
        if sens in (SensDecision.AJOURNE, SensDecision.REFUSE) and not donnees.get("motivation", "").strip():
            self.add_error("motivation", "Un refus ou un ajournement est motivé (CRPA, article L. 211-2).")
        return donnees


class VueForm(forms.Form):
    nom = forms.CharField(label="Nom de la vue", max_length=60, strip=True)
    filtre = forms.CharField(widget=forms.HiddenInput, max_length=500, required=False)


class MessageForm(forms.Form):
    texte = forms.CharField(label="Votre message", max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))
    interne = forms.BooleanField(label="Note interne, visible de la Caf seulement", required=False)


class PieceForm(forms.Form):
    exigence = forms.CharField(widget=forms.HiddenInput, max_length=60)
    fichier = forms.FileField(label="Fichier", required=False, allow_empty_file=True)
    coffre = forms.IntegerField(required=False)

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if not donnees.get("fichier") and not donnees.get("coffre") and "fichier" not in self.errors:
            self.add_error("fichier", "Choisissez un fichier à joindre.")
        return donnees
