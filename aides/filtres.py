"""Les filtres des listes d’aides ; tous sont dans l’adresse."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone

from aides.choix import (
    DECISION_A_LIRE,
    ETATS_DECIDES,
    ETATS_OUVERTS,
    ETATS_PRIVES,
    LIBELLES_PARTENAIRE,
    Etat,
)
from aides.models import Demande, Dispositif
from comptes.choix import Role
from comptes.models import Utilisateur
from partenaires.filtres import ayant_tenu
from partenaires.models import Epci
from partenaires.querysets import structure_nommee
from socle.texte import cle_de_tri, entier

_A_LIRE = "a_lire"


def _exercices() -> list[tuple[int, int]]:
    annees = Demande.objects.values_list("exercice", flat=True).order_by("-exercice").distinct()
    return [(annee, annee) for annee in annees]


class DemandeFiltre(django_filters.FilterSet):
    q = django_filters.CharFilter(label="Structure, projet ou numéro", method="chercher")
    etat = django_filters.ChoiceFilter(label="État", choices=Etat.choices, method="selon_etat", empty_label="Tous")
    dispositif = django_filters.ModelChoiceFilter(
        label="Dispositif", field_name="version__dispositif", queryset=Dispositif.objects.all(), empty_label="Tous"
    )
    exercice = django_filters.ChoiceFilter(label="Exercice", choices=_exercices, empty_label="Tous")
    epci = django_filters.ModelChoiceFilter(
        label="Intercommunalité",
        field_name="structure__commune__epci",
        queryset=Epci.objects.all(),
        empty_label="Toutes",
    )
    charge = django_filters.ModelChoiceFilter(
        label="Chargé de conseil", queryset=Utilisateur.objects.none(), empty_label="Tous"
    )
    suivi = django_filters.ChoiceFilter(
        label="Périmètre",
        choices=[("moi", "Mes demandes"), ("ouvertes", "Demandes ouvertes"), ("retard", "En retard")],
        method="suivre",
        empty_label="Tous",
    )

    class Meta:
        model = Demande
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.est_agent:
            self.filters["charge"].queryset = ayant_tenu(Role.CHARGE_CONSEIL)
            choix = [(e.value, e.label) for e in Etat if e not in ETATS_PRIVES]
        else:
            for nom in ("charge", "suivi", "epci"):
                del self.filters[nom]
            choix = [*((e.value, LIBELLES_PARTENAIRE[e]) for e in Etat), (_A_LIRE, DECISION_A_LIRE)]
        self.filters["etat"].extra["choices"] = choix

    def selon_etat(self, queryset: QuerySet[Demande], nom: str, valeur: str) -> QuerySet[Demande]:
        """Pour la structure, une décision pas encore lue n’est dans aucun état décidé : filtrer ne la devine pas."""
        if self.request.user.est_agent or valeur not in (*ETATS_DECIDES, _A_LIRE):
            return queryset.filter(etat=valeur)
        lues = queryset.avec_lecture()  # type: ignore[attr-defined]
        if valeur == _A_LIRE:
            return lues.filter(decision_a_lire=True)
        return lues.filter(etat=valeur, decision_a_lire=False)

    def chercher(self, queryset: QuerySet[Demande], nom: str, valeur: str) -> QuerySet[Demande]:
        cle = cle_de_tri(valeur)
        if not cle:
            return queryset
        condition = structure_nommee(valeur, "structure__") | Q(intitule__icontains=valeur.strip())
        numero = entier(cle.split()[-1])
        if numero is not None:
            condition |= Q(pk=numero)
        return queryset.filter(condition)

    def suivre(self, queryset: QuerySet[Demande], nom: str, valeur: str) -> QuerySet[Demande]:
        aujourd_hui = timezone.localdate()
        if valeur == "moi":
            return queryset.suivies_par(self.request.user, aujourd_hui)  # type: ignore[attr-defined]
        ouvertes = queryset.filter(etat__in=ETATS_OUVERTS)
        return ouvertes if valeur == "ouvertes" else ouvertes.filter(echeance_le__lt=aujourd_hui)
