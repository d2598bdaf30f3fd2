"""Ce que les pages des aides demandent. Les formulaires recueillent et vérifient ; les actions écrivent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from aides.choix import (
    EtatFinancement,
    ModeAnticipe,
    NatureFinancement,
    SensAvis,
    SensDecision,
)
from aides.models import Dispositif, Enveloppe, VersionDispositif
from financements.forms import MontantField, MotifForm
from partenaires.models import Epci
from socle.champs import ChampDate

__all__ = ["MotifForm"]


def texte_long(
    label: str, *, lignes: int = 3, requis: bool = True, aide: str = "", maximum: int = 4000
) -> forms.CharField:
    return forms.CharField(
        label=label, required=requis, max_length=maximum, help_text=aide, widget=forms.Textarea(attrs={"rows": lignes})
    )


class NouvelleDemandeForm(forms.Form):
    """Le dispositif est déjà choisi : il reste à nommer le projet."""

    intitule = forms.CharField(label="Nom du projet", max_length=150)
    exercice = forms.TypedChoiceField(label="Exercice", coerce=int)

    def __init__(self, *args: Any, version: VersionDispositif, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        annee = timezone.localdate().year
        annees = range(max(version.exercice_du, annee), version.exercice_au + 1) or [version.exercice_au]
        self.fields["exercice"].choices = [(a, a) for a in annees]  # type: ignore[attr-defined]


class DepenseForm(forms.Form):
    libelle = forms.CharField(label="Dépense", max_length=150)
    fournisseur = forms.CharField(label="Fournisseur", max_length=120, required=False)
    montant_ht = MontantField(label="Montant HT")
    montant_ttc = MontantField(label="Montant TTC")

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        ht, ttc = donnees.get("montant_ht"), donnees.get("montant_ttc")
        if ht is not None and ht == 0:
            self.add_error("montant_ht", "Écrivez un montant supérieur à zéro.")
        if ht and ttc is not None and ttc < ht:
            self.add_error("montant_ttc", "Le montant TTC est plus petit que le montant HT.")
        return donnees


class FichierForm(forms.Form):
    fichier = forms.FileField(label="Fichier", allow_empty_file=True)


class FinancementForm(forms.Form):
    nature = forms.ChoiceField(label="Nature", choices=NatureFinancement)
    financeur = forms.CharField(label="Financeur", max_length=120)
    montant = MontantField(label="Montant")
    etat = forms.ChoiceField(label="Où en est-il ?", choices=EtatFinancement, initial=EtatFinancement.SOLLICITE)

    def clean_montant(self) -> Any:
        montant = self.cleaned_data["montant"]
        if montant == 0:
            raise forms.ValidationError("Écrivez un montant supérieur à zéro.")
        return montant


class MontantDemandeForm(forms.Form):
    montant = MontantField(label="Montant demandé à la Caf")

    def clean_montant(self) -> Any:
        montant = self.cleaned_data["montant"]
        if montant == 0:
            raise forms.ValidationError("Écrivez un montant supérieur à zéro.")
        return montant


class ComplementsForm(forms.Form):
    parties = forms.MultipleChoiceField(
        label="À reprendre", widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins une partie à reprendre."},
    )  # fmt: skip
    message = texte_long("Ce qui manque", lignes=5, aide="La structure lit cette phrase dans son courrier.")
    echeance_le = forms.DateField(label="Réponse attendue le", widget=ChampDate())

    def __init__(self, *args: Any, parties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parties"].choices = parties  # type: ignore[attr-defined]


class AvisAideForm(forms.Form):
    """L’avis, le montant (vide : celui du calcul) et une note par critère de la grille."""

    sens = forms.ChoiceField(label="Avis", choices=SensAvis, widget=forms.RadioSelect)
    montant = MontantField(label="Montant proposé", required=False, help_text="Vide : ce que la règle donne.")
    motivation = texte_long("Motivation", lignes=5)

    def __init__(self, *args: Any, version: VersionDispositif, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.grille = version.grille_lue
        for rang, critere in enumerate(self.grille):
            self.fields[f"note_{rang}"] = forms.IntegerField(
                label=f"{critere.libelle} (sur {critere.points})", min_value=0, max_value=critere.points
            )
        self.order_fields([f"note_{rang}" for rang in range(len(self.grille))])

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        donnees["notes"] = [donnees.pop(f"note_{rang}", 0) for rang in range(len(self.grille))]
        return donnees


class DemarrageForm(forms.Form):
    le = forms.DateField(label="À partir du", widget=ChampDate())
    motif = texte_long("Pourquoi")


class DecisionAideForm(forms.Form):
    """Ce que l’instance a décidé d’une aide."""

    sens = forms.ChoiceField(label="Décision", choices=[("", "Choisir"), *SensDecision.choices])
    montant = MontantField(label="Montant accordé", required=False)
    motivation = texte_long("Motivation", lignes=3, requis=False)
    conditions = texte_long("Conditions particulières", lignes=2, requis=False)

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        sens = donnees.get("sens")
        if sens == SensDecision.ACCORDE and not donnees.get("montant") and "montant" not in self.errors:
            self.add_error("montant", "Écrivez le montant accordé.")
        if sens in (SensDecision.AJOURNE, SensDecision.REFUSE):
            donnees["montant"], donnees["conditions"] = None, ""
            if not donnees.get("motivation", "").strip():
                self.add_error("motivation", "Un refus ou un ajournement est motivé (CRPA, article L. 211-2).")
        return donnees


class FactureForm(forms.Form):
    depense = forms.TypedChoiceField(label="Dépense", coerce=int)
    numero = forms.CharField(label="Numéro de la facture", max_length=60)
    datee_le = forms.DateField(label="Datée du", widget=ChampDate())
    montant_ht = MontantField(label="Montant HT")
    montant_ttc = MontantField(label="Montant TTC")
    fichier = forms.FileField(label="Facture acquittée", allow_empty_file=True)

    def __init__(self, *args: Any, depenses: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["depense"].choices = depenses  # type: ignore[attr-defined]


class VerifierFactureForm(forms.Form):
    retenu = MontantField(label="Montant retenu")
    motif = forms.CharField(label="Raison de l’écart", max_length=300, required=False)


class ProrogerForm(forms.Form):
    apres = forms.DateField(label="Nouveau délai", widget=ChampDate())
    motif = texte_long("Pourquoi")


class BilanForm(forms.Form):
    """Le bilan ; un champ par indicateur prévu."""

    recit = texte_long("Ce qui a été fait, et ce qui en reste", lignes=8, maximum=8000)
    depenses = MontantField(label="Dépenses réelles")
    produits = MontantField(label="Recettes réelles, aide comprise")
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, indicateurs: list[dict[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nombre = len(indicateurs)
        for rang, ligne in enumerate(indicateurs):
            prevu = f" (prévu : {ligne['prevu']})" if ligne.get("prevu") else ""
            self.fields[f"realise-{rang}"] = forms.CharField(
                label=f"{ligne['indicateur']}{prevu}", max_length=30, initial=ligne.get("realise", ""),
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        donnees["realises"] = [donnees.pop(f"realise-{rang}", "") for rang in range(self.nombre)]
        return donnees


class LireBilanForm(forms.Form):
    accepte = forms.TypedChoiceField(
        label="Ce bilan est", coerce=lambda v: v == "oui", widget=forms.RadioSelect,
        choices=[("oui", "accepté"), ("non", "à reprendre")],
    )  # fmt: skip
    motif = texte_long("Ce qui est à reprendre", requis=False)


class AttesterForm(forms.Form):
    maintenue = forms.TypedChoiceField(
        label="Le bien financé sert-il toujours à l’animation de la vie sociale ?", coerce=lambda v: v == "oui",
        widget=forms.RadioSelect, choices=[("oui", "oui"), ("non", "non, il a changé d’usage")],
    )  # fmt: skip
    commentaire = texte_long("Ce qui a changé", requis=False)


class RompreForm(forms.Form):
    le = forms.DateField(label="Depuis le", widget=ChampDate())
    motif = texte_long("Ce qui est constaté")


class RenduForm(forms.Form):
    le = forms.DateField(label="Reçue le", widget=ChampDate())


class MandatForm(forms.Form):
    mandat = forms.RegexField(
        label="Référence unique du mandat (RUM)", regex=r"^[A-Za-z0-9][A-Za-z0-9/?:().,'+ -]{0,34}$",
        error_messages={"invalid": "35 caractères au plus : lettres sans accent, chiffres, - / ? : ( ) . , ' +"},
    )  # fmt: skip
    signe_le = forms.DateField(label="Mandat signé le", widget=ChampDate())
    premiere_echeance = forms.DateField(label="Première échéance", widget=ChampDate())


class ConstaterForm(forms.Form):
    payee = forms.TypedChoiceField(
        label="La banque a", coerce=lambda v: v == "oui", widget=forms.RadioSelect,
        choices=[("oui", "payé"), ("non", "rejeté")],
    )  # fmt: skip
    le = forms.DateField(label="Le", widget=ChampDate())
    motif = forms.CharField(label="Ce qu’elle a répondu", max_length=300, required=False)


class AnticipeForm(forms.Form):
    le = forms.DateField(label="Reçu le", widget=ChampDate())
    capital = MontantField(label="Capital remboursé")
    mode = forms.ChoiceField(label="Ensuite", choices=ModeAnticipe, widget=forms.RadioSelect, required=False)


class PreleverForm(forms.Form):
    execution_le = forms.DateField(label="Date de prélèvement", widget=ChampDate())


class VoterForm(forms.Form):
    dispositif = forms.ModelChoiceField(label="Dispositif", queryset=Dispositif.objects.all())
    exercice = forms.IntegerField(label="Exercice", min_value=2000, max_value=2099)
    epci = forms.ModelChoiceField(
        label="Territoire", queryset=Epci.objects.all(), required=False, empty_label="Tout le département"
    )
    montant = MontantField(label="Montant voté")
    motif = forms.CharField(label="Délibération", max_length=300, help_text="Par exemple : CA du 12 mars 2026.")


class AbonderForm(forms.Form):
    sens = forms.ChoiceField(label="Geste", choices=[("plus", "ajouter"), ("moins", "retirer")])
    montant = MontantField(label="Montant")
    motif = forms.CharField(label="Délibération", max_length=300)

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if donnees.get("montant") and donnees.get("sens") == "moins":
            donnees["montant"] = -donnees["montant"]
        donnees.pop("sens", None)
        return donnees


class TransfererForm(forms.Form):
    vers = forms.ModelChoiceField(label="Vers", queryset=Enveloppe.objects.none())
    montant = MontantField(label="Montant")
    motif = forms.CharField(label="Pourquoi", max_length=300)

    def __init__(self, *args: Any, de: Enveloppe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["vers"].queryset = (  # type: ignore[attr-defined]
            Enveloppe.objects.filter(exercice=de.exercice).exclude(pk=de.pk).select_related("dispositif", "epci")
        )


class ScenarioForm(forms.Form):
    nom = forms.CharField(label="Nom du scénario", max_length=80)
