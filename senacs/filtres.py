from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from partenaires.models import Epci, Structure
from partenaires.querysets import structure_nommee
from senacs.choix import EtatContribution
from senacs.models import CampagneSenacs, Contribution


class ContributionFiltre(django_filters.FilterSet):
    q = django_filters.CharFilter(label="Structure", method="chercher")
    annee = django_filters.ModelChoiceFilter(
        label="Année", field_name="campagne", queryset=CampagneSenacs.objects.all(), to_field_name="annee",
        empty_label="Toutes",
    )  # fmt: skip
    etat = django_filters.ChoiceFilter(label="État", choices=EtatContribution.choices, empty_label="Tous")
    epci = django_filters.ModelChoiceFilter(
        label="Intercommunalité",
        field_name="structure__commune__epci",
        queryset=Epci.objects.all(),
        empty_label="Toutes",
    )
    suivi = django_filters.ChoiceFilter(
        label="Périmètre", choices=[("moi", "Mon secteur")], method="suivre", empty_label="Tous"
    )

    class Meta:
        model = Contribution
        fields: list[str] = []

    def chercher(self, queryset: QuerySet[Any], nom: str, valeur: str) -> QuerySet[Any]:
        return queryset.filter(structure_nommee(valeur, "structure__"))

    def suivre(self, queryset: QuerySet[Any], nom: str, valeur: str) -> QuerySet[Any]:
        return queryset.filter(structure__in=Structure.objects.du_secteur(self.request.user, timezone.localdate()))
