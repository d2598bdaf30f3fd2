"""Ce que les pages des aides demandent. Les formulaires recueillent et vérifient ; les actions écrivent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from agrements.choix import Instance
from aides.choix import (
    EtatFinancement,
    FormeAide,
    ModeAnticipe,
    NatureFinancement,
    ObjetAide,
    RegimeTaxe,
    SensAvis,
    SensDecision,
)
from aides.definition import CONDITIONS, CRITERES, MODES, NATURES_DE_QUESTION
from aides.models import Dispositif, Enveloppe, VersionDispositif
from financements.forms import MontantField, MotifForm, PourcentageField
from partenaires.choix import StatutJuridique, TypeStructure
from partenaires.models import Epci, Structure
from socle.champs import ChampDate

__all__ = ["MotifForm"]


def _texte(label: str, *, lignes: int = 3, requis: bool = True, aide: str = "", maximum: int = 4000) -> forms.CharField:
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
    message = _texte("Ce qui manque", lignes=5, aide="La structure lit cette phrase dans son courrier.")
    echeance_le = forms.DateField(label="Réponse attendue le", widget=ChampDate())

    def __init__(self, *args: Any, parties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parties"].choices = parties  # type: ignore[attr-defined]


class AvisAideForm(forms.Form):
    """L’avis, le montant (vide : celui du calcul) et une note par critère de la grille."""

    sens = forms.ChoiceField(label="Avis", choices=SensAvis, widget=forms.RadioSelect)
    montant = MontantField(label="Montant proposé", required=False, help_text="Vide : ce que la règle donne.")
    motivation = _texte("Motivation", lignes=5)

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
    motif = _texte("Pourquoi")


class DecisionAideForm(forms.Form):
    """Ce que l’instance a décidé d’une aide."""

    sens = forms.ChoiceField(label="Décision", choices=[("", "Choisir"), *SensDecision.choices])
    montant = MontantField(label="Montant accordé", required=False)
    motivation = _texte("Motivation", lignes=3, requis=False)
    conditions = _texte("Conditions particulières", lignes=2, requis=False)

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
    motif = _texte("Pourquoi")


class BilanForm(forms.Form):
    """Le bilan ; un champ par indicateur prévu."""

    recit = _texte("Ce qui a été fait, et ce qui en reste", lignes=8, maximum=8000)
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
    motif = _texte("Ce qui est à reprendre", requis=False)


class AttesterForm(forms.Form):
    maintenue = forms.TypedChoiceField(
        label="Le bien financé sert-il toujours à l’animation de la vie sociale ?", coerce=lambda v: v == "oui",
        widget=forms.RadioSelect, choices=[("oui", "oui"), ("non", "non, il a changé d’usage")],
    )  # fmt: skip
    commentaire = _texte("Ce qui a changé", requis=False)


class RompreForm(forms.Form):
    le = forms.DateField(label="Depuis le", widget=ChampDate())
    motif = _texte("Ce qui est constaté")


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


# --- décrire un dispositif ---------------------------------------------------------------------------------------


class DispositifForm(forms.Form):
    """Toute la règle d’un dispositif, hors ses listes (parts, questions, pièces, grille)."""

    nom = forms.CharField(label="Nom du dispositif", max_length=120)
    forme = forms.ChoiceField(label="Forme", choices=FormeAide)
    objet = forms.ChoiceField(label="Ce qu’il finance", choices=ObjetAide)
    resume = _texte("À quoi il sert", aide="La structure lit cette phrase avant de demander.", maximum=1000)
    exercice_du = forms.IntegerField(label="Premier exercice", min_value=2000, max_value=2099)
    exercice_au = forms.IntegerField(label="Dernier exercice", min_value=2000, max_value=2099)
    article = forms.CharField(label="Article du Rias", max_length=120, required=False)
    source = forms.CharField(label="Source", max_length=300, help_text="La délibération ou le règlement.")
    demonstration = forms.BooleanField(label="Valeur de démonstration", required=False)
    types = forms.MultipleChoiceField(
        label="Structures", choices=TypeStructure, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un type de structure."},
    )  # fmt: skip
    statuts = forms.MultipleChoiceField(
        label="Gestionnaires", choices=StatutJuridique, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un statut de gestionnaire."},
    )  # fmt: skip
    une_par_exercice = forms.BooleanField(label="Une seule demande par structure et par exercice", required=False)
    mode = forms.ChoiceField(label="L’aide est", choices=list(MODES.items()))
    forfait = MontantField(label="Forfait (€)", required=False)
    taux = PourcentageField(label="Taux (%)", required=False)
    plafond = MontantField(label="Plafond (€)", required=False)
    plafond_part = PourcentageField(label="Plafond, en part du coût (%)", required=False)
    minimum = MontantField(label="Minimum versé (€)", required=False)
    borne_au_besoin = forms.BooleanField(label="Sans dépasser le besoin de financement", required=False)
    regime_taxe = forms.ChoiceField(label="Dépenses comptées", choices=RegimeTaxe)
    avec_depenses = forms.BooleanField(label="Demander les dépenses et les devis", required=False)
    avec_plan = forms.BooleanField(label="Demander le plan de financement", required=False)
    avec_budget = forms.BooleanField(label="Demander le budget de l’action (Cerfa 12156)", required=False)
    instance = forms.ChoiceField(label="Instance qui décide", choices=Instance)
    ouvre_le = forms.DateField(label="Demandes ouvertes le", widget=ChampDate())
    ferme_le = forms.DateField(label="Et jusqu’au", widget=ChampDate(), required=False)
    convention_exigee = forms.BooleanField(label="Convention signée avant tout versement", required=False)
    avance_part = PourcentageField(label="Avance (%)", required=False)
    sur_factures = forms.BooleanField(label="Le reste se verse sur factures", required=False)
    delai_mois = forms.IntegerField(label="Délai de réalisation (mois)", min_value=1, max_value=120, initial=12)
    bilan_mois = forms.IntegerField(
        label="Bilan, mois après la fin du projet (0 : aucun)", min_value=0, max_value=36, initial=6
    )
    destination_ans = forms.IntegerField(
        label="Destination sociale, en années (0 : aucune)", min_value=0, max_value=30, initial=0
    )
    pret_taux = PourcentageField(label="Prêt : taux (%)", required=False)
    pret_echeances = forms.IntegerField(label="Prêt : échéances", min_value=1, max_value=360, required=False)
    pret_periodicite = forms.TypedChoiceField(
        label="Prêt : une échéance", coerce=int, choices=[(1, "par mois"), (3, "par trimestre"), (6, "par "
        "semestre"), (12, "par an")]
    )  # fmt: skip
    pret_differe = forms.IntegerField(label="Prêt : différé (échéances)", min_value=0, max_value=59, initial=0)
    lettre_accord = _texte("Paragraphe ajouté à la lettre d’accord", requis=False, maximum=2000)
    lettre_refus = _texte("Paragraphe ajouté à la lettre de refus", requis=False, maximum=2000)
    motif = _texte(
        "S’il remplace une version publiée, pourquoi", requis=False, lignes=2,
        aide="Les demandes déjà ouvertes gardent l’ancienne règle.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for nature, modele in CONDITIONS.items():
            self.fields[f"condition_{nature}"] = forms.BooleanField(label=modele.libelle, required=False)
            if modele.parametre:
                self.fields[f"parametre_{nature}"] = forms.IntegerField(
                    label=f"{modele.libelle} : {modele.parametre}", required=False, min_value=0, max_value=100,
                    initial=modele.defaut,
                )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        donnees["avance_part"] = donnees.get("avance_part") or 0
        donnees["pret_taux"] = donnees.get("pret_taux") or 0
        du, au = donnees.get("exercice_du"), donnees.get("exercice_au")
        if du and au and au < du:
            self.add_error("exercice_au", "Le dernier exercice précède le premier.")
        ouvre, ferme = donnees.get("ouvre_le"), donnees.get("ferme_le")
        if ouvre and ferme and ferme < ouvre:
            self.add_error("ferme_le", "Les demandes ferment avant d’ouvrir.")
        donnees["conditions"] = [
            {"nature": nature, "parametre": donnees.get(f"parametre_{nature}") or 0}
            for nature in CONDITIONS
            if donnees.get(f"condition_{nature}")
        ]
        return {cle: v for cle, v in donnees.items() if not cle.startswith(("condition_", "parametre_"))}


class PartForm(forms.Form):
    libelle = forms.CharField(label="Part", max_length=120)
    critere = forms.ChoiceField(label="Critère", choices=[("", "Choisir"), *CRITERES.items()])
    montant = MontantField(label="Montant (€)")
    tranche = MontantField(label="Par tranche de", required=False)
    plafond = MontantField(label="Au plus (€)", required=False)
    question = forms.ChoiceField(
        label="Question",
        required=False,
        choices=[("", "sans objet"), *((f"question_{n}", f"question {n}") for n in range(1, 13))],
    )  # fmt: skip


class QuestionForm(forms.Form):
    libelle = forms.CharField(label="Question", max_length=200)
    nature = forms.ChoiceField(label="Réponse", choices=list(NATURES_DE_QUESTION.items()), initial="texte")
    obligatoire = forms.BooleanField(label="Obligatoire", required=False, initial=True)


class PieceDispositifForm(forms.Form):
    libelle = forms.CharField(label="Pièce", max_length=200)
    obligatoire = forms.BooleanField(label="Obligatoire", required=False, initial=True)
    validite_mois = forms.IntegerField(
        label="Valable (mois, 0 : sans limite)", min_value=0, max_value=120, required=False
    )
    code = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)


class CritereForm(forms.Form):
    libelle = forms.CharField(label="Critère", max_length=120)
    points = forms.IntegerField(label="Points", min_value=1, max_value=100)


def _liste(formulaire: type[forms.Form]) -> Any:
    return forms.formset_factory(formulaire, extra=2, can_delete=True, max_num=12, absolute_max=20)


LISTES: dict[str, tuple[str, Any]] = {
    "parts": ("Parts", _liste(PartForm)),
    "questions": ("Questions ajoutées", _liste(QuestionForm)),
    "pieces": ("Pièces demandées", _liste(PieceDispositifForm)),
    "grille": ("Grille d’instruction", _liste(CritereForm)),
}


class EssaiForm(forms.Form):
    """Essayer la règle sur une structure, avant de publier."""

    structure = forms.ModelChoiceField(label="Structure", queryset=Structure.objects.filter(fermee_le__isnull=True))
    cout = MontantField(label="Coût du projet", required=False)
    depenses = MontantField(label="Dépenses éligibles", required=False)
    autres = MontantField(label="Autres financements", required=False)
