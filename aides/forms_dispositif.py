"""Ce que demande la page qui décrit un dispositif : la règle, ses listes, et un essai avant de publier."""

from __future__ import annotations

from typing import Any

from django import forms

from agrements.choix import Instance
from aides.choix import FormeAide, ObjetAide, RegimeTaxe
from aides.definition import CONDITIONS, CRITERES, MODES, NATURES_DE_QUESTION
from aides.forms import texte_long
from financements.forms import MontantField, PourcentageField
from partenaires.choix import StatutJuridique, TypeStructure
from partenaires.models import Structure
from socle.champs import ChampDate


class DispositifForm(forms.Form):
    """Toute la règle d’un dispositif, hors ses listes (parts, questions, pièces, grille)."""

    nom = forms.CharField(label="Nom du dispositif", max_length=120)
    forme = forms.ChoiceField(label="Forme", choices=FormeAide)
    objet = forms.ChoiceField(label="Ce qu’il finance", choices=ObjetAide)
    resume = texte_long("À quoi il sert", aide="La structure lit cette phrase avant de demander.", maximum=1000)
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
    lettre_accord = texte_long("Paragraphe ajouté à la lettre d’accord", requis=False, maximum=2000)
    lettre_refus = texte_long("Paragraphe ajouté à la lettre de refus", requis=False, maximum=2000)
    motif = texte_long(
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
