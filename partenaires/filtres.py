"""Les filtres de la liste des structures ; tous sont dans l’adresse, on l’envoie à un collègue."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from comptes.choix import ROLES_CAF, Role
from comptes.models import Fonction, Utilisateur
from partenaires.choix import StatutJuridique, TypeStructure
from partenaires.expressions import CleDeTri
from partenaires.models import Epci, Structure
from partenaires.querysets import structure_nommee
from socle.texte import cle_de_tri

TRIS = [("nom", "Nom"), ("commune", "Commune"), ("agrement", "Premier agrément, le plus ancien d’abord")]
_ORDRES = {
    "nom": ["nom_tri", "pk"],
    "commune": ["commune__nom_tri", "nom_tri", "pk"],
    "agrement": ["premier_agrement_le", "nom_tri", "pk"],
}


def ayant_tenu(role: Role) -> QuerySet[Utilisateur]:
    """Ceux qui tiennent ou ont tenu ce rôle : les choix d’un filtre gardent les anciens."""
    return Utilisateur.objects.filter(pk__in=Fonction.objects.filter(role=role).values("utilisateur"))


class StructureFiltre(django_filters.FilterSet):
    q = django_filters.CharFilter(label="Nom ou commune", method="chercher")
    type = django_filters.ChoiceFilter(label="Type", choices=TypeStructure.choices, empty_label="Tous")
    epci = django_filters.ModelChoiceFilter(
        label="Intercommunalité", field_name="commune__epci", queryset=Epci.objects.all(), empty_label="Toutes"
    )
    zone = django_filters.ChoiceFilter(
        label="Territoire",
        choices=[("qpv", "Quartier prioritaire"), ("frr", "Zone rurale (FRR)")],
        method="situer",
        empty_label="Tous",
    )
    statut = django_filters.ChoiceFilter(
        label="Gestion", field_name="gestionnaire__statut", choices=StatutJuridique.choices, empty_label="Toutes"
    )
    charge = django_filters.ModelChoiceFilter(
        label="Secteur de", queryset=Utilisateur.objects.none(), method="du_secteur", empty_label="Tous"
    )
    technicien = django_filters.ModelChoiceFilter(
        label="Portefeuille de", queryset=Utilisateur.objects.none(), method="du_portefeuille", empty_label="Tous"
    )
    etat = django_filters.ChoiceFilter(
        label="Activité", choices=[("fermees", "Fermées"), ("toutes", "Toutes")], method="selon_l_etat",
        empty_label="Ouvertes",
    )  # fmt: skip
    tri = django_filters.ChoiceFilter(label="Trier par", choices=TRIS[1:], method="trier", empty_label=TRIS[0][1])

    class Meta:
        model = Structure
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["charge"].queryset = ayant_tenu(Role.CHARGE_CONSEIL)
        self.filters["technicien"].queryset = ayant_tenu(Role.TECHNICIEN_CONSEIL)

    def filter_queryset(self, queryset: QuerySet[Structure]) -> QuerySet[Structure]:
        """Sans choix, les structures ouvertes, par nom."""
        retenues = super().filter_queryset(queryset)
        if not self.form.cleaned_data["etat"]:
            retenues = retenues.ouvertes()
        return retenues.order_by(*_ORDRES[self.form.cleaned_data["tri"] or "nom"])

    def chercher(self, queryset: QuerySet[Structure], nom: str, valeur: str) -> QuerySet[Structure]:
        return queryset.filter(structure_nommee(valeur))

    def situer(self, queryset: QuerySet[Structure], nom: str, valeur: str) -> QuerySet[Structure]:
        if valeur == "frr":
            return queryset.filter(commune__en_frr=True)
        return queryset.filter(pk__in=Structure.quartiers_prioritaires.through.objects.values("structure"))

    def du_secteur(self, queryset: Any, nom: str, valeur: Utilisateur) -> QuerySet[Structure]:
        secteur: QuerySet[Structure] = queryset.du_secteur(valeur, timezone.localdate())
        return secteur

    def du_portefeuille(self, queryset: Any, nom: str, valeur: Utilisateur) -> QuerySet[Structure]:
        portefeuille: QuerySet[Structure] = queryset.du_portefeuille(valeur, timezone.localdate())
        return portefeuille

    def selon_l_etat(self, queryset: QuerySet[Structure], nom: str, valeur: str) -> QuerySet[Structure]:
        return queryset.filter(fermee_le__isnull=False) if valeur == "fermees" else queryset

    def trier(self, queryset: QuerySet[Structure], nom: str, valeur: str) -> QuerySet[Structure]:
        return queryset  # l’ordre se pose à la fin, une fois


class AgentFiltre(django_filters.FilterSet):
    """Les agents de la Caf : par nom, par rôle tenu aujourd’hui, par état du compte."""

    q = django_filters.CharFilter(label="Nom ou adresse", method="chercher")
    role = django_filters.ChoiceFilter(
        label="Rôle", choices=[(r.value, r.label) for r in Role if r in ROLES_CAF], method="qui_tient",
        empty_label="Tous",
    )  # fmt: skip
    etat = django_filters.ChoiceFilter(
        label="Compte", choices=[("ouverts", "Ouverts"), ("fermes", "Fermés")], method="selon_l_etat",
        empty_label="Tous",
    )  # fmt: skip

    class Meta:
        model = Utilisateur
        fields: list[str] = []

    def chercher(self, queryset: QuerySet[Utilisateur], nom: str, valeur: str) -> QuerySet[Utilisateur]:
        entier = Concat("prenom", Value(" "), "nom")
        trouves = queryset.annotate(cle=CleDeTri(entier)).filter(
            Q(cle__contains=cle_de_tri(valeur)) | Q(courriel__icontains=valeur.strip())
        )
        return trouves if valeur.strip() else queryset

    def qui_tient(self, queryset: QuerySet[Utilisateur], nom: str, valeur: str) -> QuerySet[Utilisateur]:
        tenants = Fonction.objects.en_cours(timezone.localdate()).filter(role=valeur)
        return queryset.filter(pk__in=tenants.values("utilisateur"))

    def selon_l_etat(self, queryset: QuerySet[Utilisateur], nom: str, valeur: str) -> QuerySet[Utilisateur]:
        return queryset.filter(is_active=valeur == "ouverts")
