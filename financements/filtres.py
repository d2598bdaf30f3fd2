from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet

from financements.choix import (
    ETATS_PRIVES_DECLARATION,
    EtatDeclaration,
    EtatPaiement,
    NatureDroit,
    NaturePaiement,
    TypeDeclaration,
)
from financements.models import Campagne, Declaration, Droit, Paiement, Prestation
from partenaires.querysets import structure_nommee


class _Filtre(django_filters.FilterSet):
    """Un filtre d’agent : « mon portefeuille », et une recherche par structure, sans accents ni casse."""

    chemin_structure = "structure"

    q = django_filters.CharFilter(label="Structure", method="chercher")

    def chercher(self, queryset: QuerySet[Any], nom: str, valeur: str) -> QuerySet[Any]:
        return queryset.filter(structure_nommee(valeur, f"{self.chemin_structure}__"))

    def suivre(self, queryset: QuerySet[Any], nom: str, valeur: str) -> QuerySet[Any]:
        return queryset.du_portefeuille(self.request.user)  # type: ignore[attr-defined]


def _perimetre() -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        label="Périmètre", choices=[("moi", "Mon portefeuille")], method="suivre", empty_label="Tous"
    )


def _exercices() -> list[tuple[int, int]]:
    annees = Campagne.objects.values_list("exercice", flat=True).order_by("-exercice").distinct()
    return [(annee, annee) for annee in annees]


class DeclarationFiltre(_Filtre):
    exercice = django_filters.ChoiceFilter(
        label="Exercice", field_name="campagne__exercice", choices=_exercices, empty_label="Tous"
    )
    type = django_filters.ChoiceFilter(
        label="Type", field_name="campagne__type", choices=TypeDeclaration.choices, empty_label="Tous"
    )
    etat = django_filters.ChoiceFilter(
        label="État",
        choices=[(e.value, e.label) for e in EtatDeclaration if e not in ETATS_PRIVES_DECLARATION],
        empty_label="Tous",
    )
    suivi = _perimetre()

    class Meta:
        model = Declaration
        fields: list[str] = []


class DroitFiltre(_Filtre):
    exercice = django_filters.ChoiceFilter(label="Exercice", choices=_exercices, empty_label="Tous")
    prestation = django_filters.ModelChoiceFilter(
        label="Prestation", queryset=Prestation.objects.all(), empty_label="Toutes"
    )
    nature = django_filters.ChoiceFilter(label="Nature", choices=NatureDroit.choices, empty_label="Toutes")
    solde = django_filters.ChoiceFilter(
        label="Solde",
        choices=[("verser", "À verser"), ("rendre", "Versé en trop")],
        method="selon_le_solde",
        empty_label="Tous",
    )
    suivi = _perimetre()

    class Meta:
        model = Droit
        fields: list[str] = []

    def selon_le_solde(self, queryset: QuerySet[Droit], nom: str, valeur: str) -> QuerySet[Droit]:
        return queryset.filter(**{"reste__gt" if valeur == "verser" else "reste__lt": 0})


class PaiementFiltre(_Filtre):
    chemin_structure = "structure"

    etat = django_filters.ChoiceFilter(label="État", choices=EtatPaiement.choices, empty_label="Tous")
    nature = django_filters.ChoiceFilter(label="Nature", choices=NaturePaiement.choices, empty_label="Toutes")
    exercice = django_filters.ChoiceFilter(
        label="Exercice", field_name="droit__exercice", choices=_exercices, empty_label="Tous"
    )
    suivi = _perimetre()

    class Meta:
        model = Paiement
        fields: list[str] = []
