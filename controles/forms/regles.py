"""Ce que demandent les règles du contrôle : un réglage, une table de poids, trois listes. Rien ne s’écrit ici."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.text import slugify

from controles.models import ReglesControle
from controles.referentiel import CRITERES, Critere, Mesure
from financements.forms import MontantField, PourcentageField
from socle.champs import ChampDate

PALIERS = 3
LIGNES_MAX = 40


def _entier(label: str, *, mini: int = 0, maxi: int, aide: str = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=mini, max_value=maxi, help_text=aide)


class ReglesForm(forms.Form):
    """Ce qui n’est pas une liste."""

    effet_le = forms.DateField(label="En vigueur à partir du", widget=ChampDate())
    source = forms.CharField(label="Source", max_length=300, help_text="La note, la charte ou la décision.")
    demonstration = forms.BooleanField(label="Valeur de démonstration", required=False)
    part_tirage = _entier("Part du plan tirée au sort (%)", maxi=100)
    preavis_jours = _entier("Préavis d’une visite (jours)", maxi=365)
    exercices_max = _entier("Exercices contrôlés, au plus", mini=1, maxi=10)
    reponse_jours = _entier("Délai pour répondre au rapport provisoire (jours)", mini=1, maxi=365)
    reponse_ouvres = forms.BooleanField(label="Ce délai compte les jours ouvrés", required=False)
    prolongation_max = _entier("Prolongation de ce délai, au plus (jours)", maxi=365)
    conservation_jours = _entier("Visites gardées sur l’appareil (jours)", mini=1, maxi=60)
    sanctions_actives = forms.BooleanField(
        label="Les sanctions sont ouvertes", required=False, help_text="Il faut alors une échelle, plus bas."
    )


REGLAGES = tuple(ReglesForm.base_fields)


class Palier(NamedTuple):
    """Une case double de la table ; un critère qui dit oui ou non n’a pas de seuil."""

    seuil: BoundField | None
    points: BoundField


class LigneDePoids(NamedTuple):
    critere: str
    mesure: Mesure
    paliers: list[Palier]


class PoidsForm(forms.Form):
    """Critère × paliers : un seuil, des points. Une case vide ne compte pas ; à moitié remplie, elle se dit."""

    def __init__(self, *args: Any, regles: ReglesControle | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ecrits = defaultdict(list)
        for poids in regles.poids_lus if regles else ():
            ecrits[poids.critere].append(poids)
        self.nombres = {c: max(PALIERS, len(ecrits[Critere(c)])) if m.unite else 1 for c, m in CRITERES.items()}
        for critere, mesure in CRITERES.items():
            siens = ecrits[Critere(critere)]
            for rang in range(self.nombres[critere]):
                ecrit = siens[rang] if rang < len(siens) else None
                nom = f"{mesure.libelle}, palier {rang + 1}" if mesure.unite else mesure.libelle
                if mesure.unite:
                    seuil = MontantField(
                        label=f"{nom} : seuil ({mesure.unite})", required=False, initial=ecrit.seuil if ecrit else None
                    )
                    seuil.illisible = "Écrivez un nombre positif, par exemple 15."
                    self.fields[f"seuil-{critere}-{rang}"] = seuil
                self.fields[f"points-{critere}-{rang}"] = forms.IntegerField(
                    label=f"{nom} : points", required=False, min_value=1, max_value=100,
                    initial=ecrit.points if ecrit else None,
                )  # fmt: skip

    def lignes(self) -> list[LigneDePoids]:
        return [
            LigneDePoids(
                critere,
                mesure,
                [
                    Palier(self[f"seuil-{critere}-{rang}"] if mesure.unite else None, self[f"points-{critere}-{rang}"])
                    for rang in range(self.nombres[critere])
                ],
            )
            for critere, mesure in CRITERES.items()
        ]

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        for critere, mesure in CRITERES.items():
            vus: set[Decimal] = set()
            for rang in range(self.nombres[critere]):
                seuil, points = f"seuil-{critere}-{rang}", f"points-{critere}-{rang}"
                if not mesure.unite or seuil in self.errors or points in self.errors:
                    continue
                if donnees.get(seuil) is None and donnees.get(points) is not None:
                    self.add_error(seuil, "Écrivez le seuil de ces points.")
                elif donnees.get(seuil) is not None and donnees.get(points) is None:
                    self.add_error(points, "Écrivez les points de ce seuil.")
                elif donnees.get(seuil) in vus:
                    self.add_error(seuil, "Ce seuil est déjà écrit pour ce critère.")
                elif donnees.get(seuil) is not None:
                    vus.add(donnees[seuil])
        return donnees

    def poids(self) -> list[dict[str, Any]]:
        """Les poids à garder, par critère puis par seuil."""
        ecrits = []
        for critere, mesure in CRITERES.items():
            paires = [
                (self.cleaned_data.get(f"seuil-{critere}-{rang}") or Decimal(0), points)
                for rang in range(self.nombres[critere])
                if (points := self.cleaned_data.get(f"points-{critere}-{rang}")) is not None
            ]
            ecrits += [
                {"critere": str(critere), "seuil": f"{seuil.normalize():f}" if mesure.unite else "0", "points": points}
                for seuil, points in sorted(paires)
            ]
        return ecrits


class _LigneForm(forms.Form):
    """Une ligne d’une liste ; son code, caché, reste le sien quand on la réécrit."""

    code = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)


class PointForm(_LigneForm):
    theme = forms.CharField(label="Thème", max_length=80)
    libelle = forms.CharField(
        label="Point à vérifier", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )  # fmt: skip
    regle = forms.CharField(label="Règle", max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class PieceForm(_LigneForm):
    libelle = forms.CharField(label="Pièce", max_length=200)
    par_exercice = forms.BooleanField(label="Une par exercice contrôlé", required=False)


class DegreForm(_LigneForm):
    libelle = forms.CharField(label="Degré", max_length=200)
    taux = PourcentageField(label="Taux (% de la base)")
    exemple = forms.CharField(label="Exemple", max_length=200, required=False)


class _Lignes(forms.BaseFormSet):
    """Des lignes dont le texte ne se répète pas ; elles se gardent dans l’ordre écrit."""

    default_error_messages = {
        "missing_management_form": "Cette liste est arrivée incomplète : rechargez la page et recommencez.",
        "too_many_forms": f"Cette liste tient {LIGNES_MAX} lignes au plus.",
    }

    def clean(self) -> None:
        vus = set()
        for form in self.forms:
            donnees = getattr(form, "cleaned_data", {})
            texte = donnees.get("libelle", "").casefold()
            if not texte or donnees.get("DELETE"):
                continue
            if texte in vus:
                form.add_error("libelle", "Cette ligne est déjà écrite plus haut.")
            vus.add(texte)

    def a_garder(self) -> list[dict[str, Any]]:
        gardees: list[dict[str, Any]] = []
        pris: set[str] = set()
        for form in self.forms:
            donnees = dict(getattr(form, "cleaned_data", {}) or {})
            if not donnees or donnees.pop("DELETE", False) or not donnees.get("libelle"):
                continue
            donnees["code"] = _code(donnees["code"] or slugify(donnees["libelle"])[:50] or "ligne", pris)
            if (taux := donnees.get("taux")) is not None:
                donnees["taux"] = f"{(taux / 100).normalize():f}"
            gardees.append(donnees)
        return gardees


def _code(voulu: str, pris: set[str]) -> str:
    rang, code = 2, voulu
    while code in pris:
        code, rang = f"{voulu}-{rang}", rang + 1
    pris.add(code)
    return code


def _liste(formulaire: type[forms.Form]) -> type[_Lignes]:
    classe = forms.formset_factory(
        formulaire,
        formset=_Lignes,
        extra=2,
        can_delete=True,
        max_num=LIGNES_MAX,
        validate_max=True,
        absolute_max=LIGNES_MAX + 10,
    )
    return cast(type[_Lignes], classe)


LISTES: dict[str, tuple[str, type[_Lignes]]] = {
    "points": ("Points de la fiche de contrôle", _liste(PointForm)),
    "pieces": ("Pièces à tenir prêtes", _liste(PieceForm)),
    "echelle": ("Échelle des sanctions", _liste(DegreForm)),
}


class SaisieDeRegles:
    """Le réglage, la table et les listes, lus ensemble : chaque erreur reste près de ce qu’elle dit."""

    def __init__(self, donnees: Any, *, modele: ReglesControle | None, initial: dict[str, Any]) -> None:
        self.reglage = ReglesForm(donnees, initial=initial)
        self.poids = PoidsForm(donnees, regles=modele, prefix="poids")
        self.listes = {cle: self._lignes(cle, donnees, modele) for cle in LISTES}
        self.erreurs: dict[str, list[str]] = {}

    @staticmethod
    def _lignes(cle: str, donnees: Any, modele: ReglesControle | None) -> _Lignes:
        initial = [dict(ligne) for ligne in getattr(modele, cle)] if modele else []
        for ligne in initial:
            if "taux" in ligne:
                ligne["taux"] = Decimal(ligne["taux"]) * 100
        return LISTES[cle][1](donnees, initial=initial, prefix=cle)

    @property
    def lie(self) -> bool:
        return self.reglage.is_bound

    def valide(self) -> bool:
        """Lit tout, même après une première erreur : la personne les voit toutes d’un coup."""
        fausses = [] if self.poids.is_valid() else ["les poids du risque"]
        fausses += [LISTES[cle][0].lower() for cle, lignes in self.listes.items() if not lignes.is_valid()]
        bonne = self.reglage.is_valid()
        if fausses:
            self.reglage.add_error(None, f"À corriger plus bas : {', '.join(fausses)}.")
        return bonne and not fausses

    def champs(self) -> dict[str, Any]:
        return {
            **self.reglage.cleaned_data,
            "poids": self.poids.poids(),
            **{cle: lignes.a_garder() for cle, lignes in self.listes.items()},
        }

    def refuser(self, erreur: ValidationError) -> None:
        """Range un refus de l’action : près de son champ, en tête de sa liste, ou en tête de la page."""
        for champ, phrases in erreur.message_dict.items():
            if champ == "poids" or champ in self.listes:
                self.erreurs[champ] = phrases
                self.reglage.add_error(None, phrases)
            else:
                self.reglage.add_error(champ if champ in self.reglage.fields else None, phrases)
