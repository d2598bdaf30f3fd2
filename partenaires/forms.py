"""Les formulaires des fiches, des accès et des secteurs : ils recueillent et vérifient, ils n’enregistrent rien."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from comptes.models import Fonction, Utilisateur
from partenaires.models import Commune, Contact, Gestionnaire, QuartierPrioritaire, Realisation, Structure
from socle.champs import ChampDate
from socle.texte import assainir, epurer


def sans_espaces(valeur: str) -> str:
    """Un identifiant tel qu’on le recopie d’un papier : espaces, points et tirets ne comptent pas.

    Les chiffres pleine chasse d’un copier-coller deviennent des chiffres ordinaires.
    """
    return re.sub(r"[\s.\-\u2010-\u2015]", "", unicodedata.normalize("NFKC", valeur)).upper()


ERREURS_DE_FICHE = {
    "site_web": {"invalid": "Écrivez l’adresse d’un site, par exemple https://www.exemple.fr."},
}


class CoordonneesForm(forms.ModelForm):
    """Ce que la structure corrige elle-même."""

    class Meta:
        model = Structure
        fields = ["adresse", "code_postal", "quartier", "site_web", "instance_gouvernance"]
        error_messages = ERREURS_DE_FICHE

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


class StructureForm(forms.ModelForm):
    """La fiche entière, pour la Caf."""

    class Meta:
        model = Structure
        fields = [
            "nom", "type", "gestionnaire", "siret", "adresse", "code_postal", "commune", "quartier",
            "premier_agrement_le", "instance_gouvernance", "site_web",
        ]  # fmt: skip
        widgets = {"premier_agrement_le": ChampDate()}
        error_messages = ERREURS_DE_FICHE

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    siret = forms.CharField(label="SIRET", required=False, max_length=20)

    def clean_siret(self) -> str:
        return sans_espaces(self.cleaned_data["siret"])


class GestionnaireForm(forms.ModelForm):
    class Meta:
        model = Gestionnaire
        fields = ["nom", "statut", "siren", "siret", "rna", "iban", "adresse", "code_postal", "ville"]

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    siren = forms.CharField(label="SIREN", required=False, max_length=14)
    siret = forms.CharField(label="SIRET du siège", required=False, max_length=20)
    rna = forms.CharField(label="Numéro RNA", required=False, max_length=14)
    iban = forms.CharField(label="IBAN", required=False, max_length=44, help_text="Laissez vide pour l’effacer.")

    def __init__(self, *args: Any, avec_iban: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not avec_iban:  # le numéro de compte ne se montre qu’à ceux qui paient
            del self.fields["iban"]

    def clean_siren(self) -> str:
        return sans_espaces(self.cleaned_data["siren"])

    def clean_siret(self) -> str:
        return sans_espaces(self.cleaned_data["siret"])

    def clean_rna(self) -> str:
        return sans_espaces(self.cleaned_data["rna"])

    def clean_iban(self) -> str:
        return sans_espaces(self.cleaned_data["iban"])


class ContactForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = ["nom", "fonction", "courriel", "telephone"]


class TerritoireForm(forms.Form):
    communes = forms.ModelMultipleChoiceField(
        label="Communes d’intervention",
        queryset=Commune.objects.all(),
        required=False,
        help_text="La commune de la structure y est toujours.",
    )
    quartiers = forms.ModelMultipleChoiceField(
        label="Quartiers prioritaires", queryset=QuartierPrioritaire.objects.all(), required=False
    )

    def _cochees(self, champ: str) -> set[str]:
        return {str(getattr(valeur, "pk", valeur)) for valeur in self[champ].value() or ()}

    def communes_par_epci(self) -> list[tuple[str, bool, list[tuple[Commune, bool]]]]:
        """Les cases, par intercommunalité ; celles qui ont une commune choisie viennent d’abord, ouvertes."""
        choisies = self._cochees("communes")
        groupes: dict[str, list[tuple[Commune, bool]]] = {}
        for commune in Commune.objects.select_related("epci"):
            epci = commune.epci.nom if commune.epci else "Hors intercommunalité"
            groupes.setdefault(epci, []).append((commune, commune.pk in choisies))
        dits = [(epci, any(cochee for _, cochee in cases), cases) for epci, cases in groupes.items()]
        return sorted(dits, key=lambda groupe: (not groupe[1], groupe[0]))

    def quartiers_par_commune(self) -> list[tuple[QuartierPrioritaire, bool]]:
        choisis = self._cochees("quartiers")
        tous = QuartierPrioritaire.objects.select_related("commune").order_by("commune__nom_tri", "nom")
        return [(quartier, quartier.pk in choisis) for quartier in tous]


class FermetureDeStructureForm(forms.Form):
    le = forms.DateField(label="Fermée le", widget=ChampDate())
    motif = forms.CharField(label="Pourquoi", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class InvitationForm(forms.Form):
    prenom = forms.CharField(label="Prénom", max_length=100)
    nom = forms.CharField(label="Nom", max_length=100)
    courriel = forms.EmailField(label="Adresse électronique")
    role = forms.ChoiceField(
        label="Rôle", choices=[(r.value, r.label.capitalize()) for r in Role if r in ROLES_PARTENAIRE]
    )
    debut = forms.DateField(label="À partir du", widget=ChampDate())
    fin = forms.DateField(label="Jusqu’au (facultatif)", required=False, widget=ChampDate())

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if donnees.get("fin") and donnees.get("debut") and donnees["fin"] < donnees["debut"]:
            self.add_error("fin", "La fin de l’accès précède son début.")
        return donnees


class PassationForm(forms.Form):
    prenom = forms.CharField(label="Prénom du successeur", max_length=100)
    nom = forms.CharField(label="Nom du successeur", max_length=100)
    courriel = forms.EmailField(label="Son adresse électronique")
    le = forms.DateField(
        label="Date de la passation", widget=ChampDate(), help_text="L’accès du successeur s’ouvre ce jour-là."
    )
    fermeture = forms.DateField(
        label="Dernier jour de la direction actuelle",
        required=False,
        widget=ChampDate(),
        help_text="Vide : la veille de la passation. Plus tard, pour passer le relais à deux.",
    )

    def clean_le(self) -> date:
        le: date = self.cleaned_data["le"]
        if le < timezone.localdate():
            raise ValidationError("La passation prend effet aujourd’hui ou plus tard.")
        return le


class FermetureForm(forms.Form):
    fin = forms.DateField(label="Fermer l’accès le", widget=ChampDate())
    motif = forms.CharField(label="Raison", required=False, max_length=500)


class _AgentsForm(forms.Form):
    """Deux agents d’un même rôle et une date."""

    role = Role.CHARGE_CONSEIL

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenants = Fonction.objects.en_cours(timezone.localdate()).filter(role=self.role).values("utilisateur")
        actifs = Utilisateur.objects.filter(pk__in=tenants, is_active=True)
        relation = "secteurs" if self.role == Role.CHARGE_CONSEIL else "portefeuille"
        suivent = Utilisateur.objects.filter(**{f"{relation}__isnull": False})  # même partis : on transmet après eux
        self.fields["vers"].queryset = actifs  # type: ignore[attr-defined]
        self.fields["de"].queryset = (actifs | suivent).distinct()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if donnees.get("de") and donnees.get("de") == donnees.get("vers"):
            self.add_error("vers", "Choisissez une autre personne.")
        return donnees


class TransmettreSecteurForm(_AgentsForm):
    de = forms.ModelChoiceField(label="Secteur de", queryset=Utilisateur.objects.none())
    vers = forms.ModelChoiceField(label="Transmis à", queryset=Utilisateur.objects.none())
    le = forms.DateField(label="À partir du", widget=ChampDate())


class TransmettrePortefeuilleForm(_AgentsForm):
    role = Role.TECHNICIEN_CONSEIL
    de = forms.ModelChoiceField(label="Portefeuille de", queryset=Utilisateur.objects.none())
    vers = forms.ModelChoiceField(label="Transmis à", queryset=Utilisateur.objects.none())
    le = forms.DateField(label="À partir du", widget=ChampDate())


class AbsenceForm(forms.Form):
    absent = forms.ModelChoiceField(label="Personne absente", queryset=Utilisateur.objects.none())
    suppleant = forms.ModelChoiceField(label="Suppléée par", queryset=Utilisateur.objects.none())
    debut = forms.DateField(label="Du", widget=ChampDate())
    fin = forms.DateField(label="Au (compris)", widget=ChampDate())
    motif = forms.CharField(label="Motif (facultatif)", required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agents = Fonction.objects.en_cours(timezone.localdate()).values("utilisateur")
        for nom in ("absent", "suppleant"):
            if nom in self.fields:
                actifs = Utilisateur.objects.filter(pk__in=agents, is_active=True)
                self.fields[nom].queryset = actifs  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        if donnees.get("debut") and donnees.get("fin") and donnees["fin"] < donnees["debut"]:
            self.add_error("fin", "La fin de l’absence précède son début.")
        if donnees.get("absent") and donnees.get("absent") == donnees.get("suppleant"):
            self.add_error("suppleant", "On ne se supplée pas soi-même.")
        return donnees


class MonAbsenceForm(AbsenceForm):
    """Sa propre absence : la personne absente est celle qui écrit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["absent"]


class RealisationForm(forms.ModelForm):
    """Un article du site public. Sans JavaScript, une ligne vide sépare deux paragraphes."""

    publier = forms.BooleanField(label="Montrer l’article sur le site public", required=False)

    class Meta:
        model = Realisation
        fields = ["titre", "chapeau", "texte", "structure"]
        widgets = {"texte": forms.Textarea(attrs={"rows": 12, "data-riche": ""})}

    def clean_texte(self) -> str:
        texte = self.cleaned_data["texte"]
        if "<" not in texte:
            paragraphes = (p.strip() for p in re.split(r"\n\s*\n", epurer(texte)))
            texte = "".join(f"<p>{p}</p>" for p in paragraphes if p)
        return assainir(texte)


class ContactPublicForm(forms.Form):
    """Le message d’une personne du public ; la commune choisit le destinataire."""

    OBJETS = [
        ("creer", "Je souhaite créer un centre social"),
        ("gerer", "Je gère un centre social"),
        ("autre", "Autre question"),
    ]
    objet = forms.ChoiceField(label="Votre projet", choices=OBJETS)
    commune = forms.ModelChoiceField(
        label="Commune", queryset=Commune.objects.all(), to_field_name="code_insee", empty_label="Choisissez",
        error_messages={"invalid_choice": "Choisissez une commune du Maine-et-Loire dans la liste."},
    )  # fmt: skip
    nom = forms.CharField(label="Votre nom", max_length=150)
    courriel = forms.EmailField(label="Votre adresse électronique")
    message = forms.CharField(label="Votre message", max_length=4000, widget=forms.Textarea(attrs={"rows": 6}))
    site = forms.CharField(required=False, widget=forms.HiddenInput)  # leurre : un humain ne le remplit pas

    def clean_site(self) -> str:
        if self.cleaned_data["site"]:
            raise ValidationError("Ce message n’a pas pu être envoyé.")
        return ""


DE_LA_CAF = [(role.value, role.label) for role in Role if role in ROLES_CAF]


class AgentForm(forms.Form):
    """Ouvrir le compte d’un agent de la Caf."""

    prenom = forms.CharField(label="Prénom", max_length=100)
    nom = forms.CharField(label="Nom", max_length=100)
    courriel = forms.EmailField(label="Adresse électronique professionnelle")
    roles = forms.MultipleChoiceField(label="Rôles", choices=DE_LA_CAF, widget=forms.CheckboxSelectMultiple)
    debut = forms.DateField(label="À partir du", widget=ChampDate())


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Rôle", choices=DE_LA_CAF)
    debut = forms.DateField(label="À partir du", widget=ChampDate())


class RetraitForm(forms.Form):
    fin = forms.DateField(
        label="Le rôle ne se tient plus à partir du", widget=ChampDate(),
        help_text="Aujourd’hui : la personne perd ce rôle tout de suite.",
    )  # fmt: skip


class MotifDeCompteForm(forms.Form):
    motif = forms.CharField(label="Pourquoi", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
