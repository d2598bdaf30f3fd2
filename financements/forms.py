"""Les formulaires de l’argent : ils recueillent et vérifient, ils n’enregistrent rien."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from agrements.choix import Objet
from financements.calculs import FONCTIONS
from financements.choix import PosteAssiette, Prorata
from financements.models import Campagne, Prestation, ReglesDePaiement, Scenario
from socle.champs import ChampDate
from socle.dates import MOIS
from socle.montants import MontantIllisible, lire_montant, nombre_fr


class MontantField(forms.CharField):
    """Un montant comme on l’écrit : « 1 234,5 », espaces et euro compris."""

    def __init__(self, *, decimales: int = 2, maximum: Decimal | None = None, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options)
        self.decimales, self.maximum = decimales, maximum
        self.illisible = ""  # la phrase de ``lire_montant``, sauf pour un champ qui a la sienne

    def clean(self, value: Any) -> Any:
        saisie = super().clean(value)
        if not saisie:
            return None
        bornes = {"maximum": self.maximum} if self.maximum is not None else {}
        try:
            return lire_montant(saisie, decimales=self.decimales, **bornes)
        except MontantIllisible as erreur:
            raise ValidationError(self.illisible or str(erreur)) from erreur

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}".replace(".", ",") if isinstance(value, Decimal) else value


class PourcentageField(MontantField):
    """Un pourcentage comme on l’écrit : « 42,4 », signe compris."""

    def __init__(self, *, maximum: Decimal = Decimal(100), **options: Any) -> None:
        super().__init__(maximum=maximum, **options)
        self.illisible = f"Écrivez un pourcentage entre 0 et {nombre_fr(maximum)}, par exemple 42,4."

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("%", "").strip()


class MotifForm(forms.Form):
    motif = forms.CharField(label="Pourquoi", max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))


class MotifFacultatifForm(forms.Form):
    motif = forms.CharField(
        label="Pourquoi (obligatoire pour refuser)", max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class ForcageForm(forms.Form):
    montant = MontantField(label="Montant à retenir (€)")
    motif = forms.CharField(
        label="Pourquoi",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Cette raison reste visible pour toujours, avec votre nom et celui de la personne qui approuve.",
    )


class ChoixDeBareme(forms.Form):
    prestation = forms.ModelChoiceField(label="Prestation", queryset=Prestation.objects.all(), empty_label="Choisir")
    exercice = forms.IntegerField(label="Exercice", min_value=2000, max_value=2099)


class BaremeForm(forms.Form):
    """Taux et plafond à part : l’un ne se déduit jamais de l’autre."""

    taux = PourcentageField(label="Taux (%)", decimales=4, help_text="Par exemple 42,4.")
    prix_plafond = MontantField(label="Prix plafond annuel (€)")
    postes = forms.MultipleChoiceField(
        label="Postes de l’assiette", choices=PosteAssiette, widget=forms.CheckboxSelectMultiple
    )
    quote_part = forms.BooleanField(label="Ajouter la quote-part de logistique", required=False)
    avec_contributions_volontaires = forms.BooleanField(
        label="Compter les contributions volontaires (comptes 86)", required=False
    )
    prorata = forms.ChoiceField(label="Prorata du plafond", choices=Prorata)
    prorata_etp = forms.BooleanField(label="Plafond au prorata de l’ETP (1 au plus)", required=False)
    etp_minimum = MontantField(
        label="ETP minimum", required=False, maximum=Decimal(10), help_text="Vide : aucun minimum."
    )
    effet_le = forms.DateField(label="Date d’effet", widget=ChampDate())
    source = forms.CharField(label="Source", max_length=300, help_text="Circulaire, délibération : date et numéro.")
    demonstration = forms.BooleanField(label="Valeur de démonstration", required=False)
    motif = forms.CharField(
        label="Pourquoi ce barème remplace le précédent", required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, remplace: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not remplace:
            del self.fields["motif"]


class MotifDeReglage(forms.Form):
    """Ce que tout réglage demande en plus : sa raison, gardée dans son historique."""

    motif = forms.CharField(
        label="Pourquoi", max_length=300, help_text="Gardé dans l’historique du réglage, avec votre nom."
    )


class CampagneForm(MotifDeReglage, forms.ModelForm):
    class Meta:
        model = Campagne
        fields = ["ouverture", "limite", "relances", "source"]
        widgets = {"ouverture": ChampDate(), "limite": ChampDate()}
        help_texts = {"relances": "En jours, séparés par des virgules : -15, -3 avant la limite, 7 après."}


def _jour(rang: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=f"Jour du {rang} acompte", min_value=1, max_value=28, help_text="Du 1er au 28 : tous les mois l’ont.",
        error_messages=dict.fromkeys(("min_value", "max_value"), "Choisissez un jour du 1er au 28."),
    )  # fmt: skip


def _mois(rang: str) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=f"Mois du {rang} acompte", coerce=int, choices=list(enumerate(MOIS, 1)))


class ReglesForm(MotifDeReglage, forms.ModelForm):
    """Les règles de paiement ; l’exercice d’où elles valent ne se choisit qu’à leur création."""

    acompte_1_jour = _jour("premier")
    acompte_1_mois = _mois("premier")
    acompte_2_jour = _jour("second")
    acompte_2_mois = _mois("second")
    acompte_1 = PourcentageField(label="Premier acompte (%)")
    acompte_2 = PourcentageField(label="Second acompte (%)")
    plafond_acomptes = PourcentageField(
        label="Total des acomptes (%)",
        help_text="Du droit prévisionnel, tous acomptes compris.",
    )  # fmt: skip
    seuil_double_regard = MontantField(label="Double regard au-dessus de (€)")
    seuil_convention = MontantField(label="Convention signée au-dessus de (€)")
    seuil_variation = PourcentageField(
        label="Variation à expliquer (%)", maximum=Decimal(999),
        help_text="Au-delà, la structure explique l’écart avec sa déclaration précédente.",
    )  # fmt: skip
    marge_estimation = PourcentageField(
        label="Écart envisagé d’ici au réel (%)",
        help_text="De combien les charges peuvent bouger : la fourchette annoncée aux structures s’en déduit.",
    )  # fmt: skip

    class Meta:
        model = ReglesDePaiement
        fields = [
            "exercice", "acompte_1", "acompte_1_jour", "acompte_1_mois", "acompte_2", "acompte_2_jour",
            "acompte_2_mois", "plafond_acomptes", "exige_dernier_reel", "seuil_double_regard", "seuil_convention",
            "seuil_variation", "marge_estimation", "source",
        ]  # fmt: skip
        help_texts = {"source": "Délibération, convention type, instruction : date et numéro."}

    def __init__(self, *args: Any, neuves: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not neuves:
            del self.fields["exercice"]


class PrestationForm(MotifDeReglage, forms.ModelForm):
    """Une prestation ; son code ne se choisit qu’à sa création."""

    objets = forms.MultipleChoiceField(
        label="Objets d’agrément qui y ouvrent droit", choices=Objet, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Prestation
        fields = [
            "code", "sigle", "libelle", "objets", "premier_exercice", "dernier_exercice", "successeur", "ordre",
            "source",
        ]  # fmt: skip
        help_texts = {
            "code": "Court et sans accent ; il ne changera plus.",
            "dernier_exercice": "Vide : sans fin connue.",
            "successeur": "Celle qui la remplace l’exercice suivant.",
            "ordre": "Le rang dans les listes.",
            "source": "Texte, date et numéro.",
        }

    def __init__(self, *args: Any, neuve: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not neuve:
            del self.fields["code"]
            self.fields["successeur"].queryset = Prestation.objects.exclude(pk=self.instance.pk)  # type: ignore[attr-defined]


class ImportForm(forms.Form):
    fichier = forms.FileField(
        label="Votre balance ou votre FEC",
        help_text="Fichier des écritures comptables, ou balance en csv ou xlsx. 20 Mo au plus.",
    )


class RegleDeCleForm(forms.Form):
    """Une ligne de la clé : un compte, la ligne où il va, sa répartition."""

    prefixe = forms.CharField(label="Compte ou début de compte", max_length=10)
    compte = forms.ChoiceField(label="Ligne de la déclaration")
    pilotage = PourcentageField(label="Pilotage (%)", required=False)
    activites = PourcentageField(label="Activités (%)", required=False)
    logistique = PourcentageField(label="Logistique (%)", required=False)

    def __init__(self, *args: Any, comptes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["compte"].choices = [("", "Choisir"), *comptes]  # type: ignore[attr-defined]

    @property
    def parts(self) -> dict[str, Decimal]:
        return {f: self.cleaned_data[f] for f in FONCTIONS if self.cleaned_data.get(f)}


class SimulateurForm(forms.Form):
    prestation = forms.ChoiceField(label="Prestation")
    exercice = forms.IntegerField(label="Exercice", min_value=2000, max_value=2099)
    pilotage = MontantField(label="Charges de pilotage (€)", required=False)
    activites = MontantField(label="Charges d’activités (€)", required=False)
    logistique = MontantField(label="Charges de logistique (€)", required=False)
    referent = MontantField(
        label="dont salaires du référent familles (€)", required=False, help_text="Pour la prestation familles."
    )
    assiette = MontantField(label="ou bien l’assiette, si vous la connaissez (€)", required=False)
    etp = MontantField(label="ETP du poste financé", required=False, maximum=Decimal(100))
    debut = forms.DateField(label="Début de l’agrément dans l’année", required=False, widget=ChampDate())
    fin = forms.DateField(label="Fin de l’agrément dans l’année", required=False, widget=ChampDate())
    taux = MontantField(
        label="Taux (%)", required=False, decimales=4, maximum=Decimal(100), help_text="Vide : celui du barème publié."
    )
    plafond = MontantField(label="Prix plafond (€)", required=False, help_text="Vide : celui du barème publié.")
    deja_verse = MontantField(label="Déjà versé (€)", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["prestation"].choices = [  # type: ignore[attr-defined]
            (p.pk, f"{p.sigle}, {p.libelle}") for p in Prestation.objects.all()
        ]
        self.fields["exercice"].initial = timezone.localdate().year


class LotForm(forms.Form):
    execution_le = forms.DateField(label="Date d’exécution", widget=ChampDate())


class RetourForm(forms.Form):
    fichier = forms.FileField(
        label="Retour de la banque", help_text="pain.002 (XML) ou csv : reference;etat;motif;date."
    )


class RemboursementForm(forms.Form):
    montant = MontantField(label="Montant reçu (€)")
    le = forms.DateField(label="Reçu le", widget=ChampDate())


class InduForm(forms.Form):
    echeances = forms.IntegerField(label="Nombre d’échéances, une par mois", min_value=1, max_value=36, initial=1)
    premiere_echeance = forms.DateField(label="Première échéance", widget=ChampDate())
    motif = forms.CharField(
        label="Ce que la lettre dira", max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class LancerRecalculForm(forms.Form):
    exercice = forms.IntegerField(label="Exercice", min_value=2000, max_value=2099)
    motif = forms.CharField(label="Pourquoi", max_length=300)


class ScenarioForm(forms.ModelForm):
    class Meta:
        model = Scenario
        fields = ["exercice", "nom", "variation_plafond", "variation_taux", "variation_enveloppe", "fusion"]
        help_texts = {"variation_enveloppe": "Vide : sans limite. −2 : l’enveloppe baisse de 2 %, tous au prorata."}


class ConventionForm(forms.Form):
    dernier_exercice = forms.IntegerField(label="Dernier exercice couvert", min_value=2000, max_value=2099)


class AvenantForm(forms.Form):
    dernier_exercice = forms.IntegerField(label="Dernier exercice couvert", min_value=2000, max_value=2099)
    objet = forms.CharField(label="Objet de l’avenant", max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))


class ScanForm(forms.Form):
    fichier = forms.FileField(label="Exemplaire signé (PDF ou image)")
    code = forms.CharField(
        label="Code du document, si le QR ne se lit pas",
        max_length=20,
        required=False,
        help_text="D’ordinaire, laissez vide : le QR imprimé sur la convention relie ce scan au bon document.",
    )


class CampagnesForm(forms.Form):
    exercice = forms.IntegerField(label="Exercice", min_value=2000, max_value=2099)
