"""Les filtres de la liste des contrôles ; tous sont dans l’adresse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from controles.choix import ETATS_OUVERTS, LIBELLES_PARTENAIRE, Etat, EtatRecommandation, Mode, Origine
from controles.models import Controle, Recommandation
from partenaires.filtres import ayant_tenu
from partenaires.models import AffectationCommune
from partenaires.querysets import structure_nommee
from socle.texte import entier


def _annees() -> list[tuple[int, int]]:
    annees = Controle.objects.values_list("annee", flat=True).order_by("-annee").distinct()
    return [(annee, annee) for annee in annees]


class ControleFiltre(django_filters.FilterSet):
    q = django_filters.CharFilter(label="Structure ou numéro", method="chercher")
    etat = django_filters.ChoiceFilter(label="État", choices=Etat.choices, empty_label="Tous")
    mode = django_filters.ChoiceFilter(label="Mode", choices=Mode.choices, empty_label="Tous")
    annee = django_filters.ChoiceFilter(label="Année", choices=_annees, empty_label="Toutes")
    origine = django_filters.ChoiceFilter(label="Origine", choices=Origine.choices, empty_label="Toutes")
    controleur = django_filters.ModelChoiceFilter(
        label="Contrôleur", queryset=Utilisateur.objects.none(), empty_label="Tous"
    )
    suivi = django_filters.ChoiceFilter(
        label="Périmètre",
        choices=[("moi", "Mes contrôles"), ("ouverts", "Contrôles ouverts"), ("retard", "En retard")],
        method="suivre",
        empty_label="Tous",
    )

    class Meta:
        model = Controle
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.est_agent:
            self.filters["controleur"].queryset = ayant_tenu(Role.CONTROLEUR)
            return
        for nom in ("origine", "controleur", "suivi", "q"):
            del self.filters[nom]
        visibles = [(e, LIBELLES_PARTENAIRE[e]) for e in Etat if e != Etat.PROGRAMME]
        self.filters["etat"].extra["choices"] = visibles

    def chercher(self, queryset: QuerySet[Controle], name: str, value: str) -> QuerySet[Controle]:
        numero = entier(value.rsplit("-", 1)[-1].strip())
        trouves = structure_nommee(value, "structure__")
        return queryset.filter(trouves | Q(pk=numero) if numero else trouves)

    def suivre(self, queryset: QuerySet[Controle], name: str, value: str) -> QuerySet[Controle]:
        if value == "moi":
            return queryset.filter(controleur=self.request.user)
        if value == "ouverts":
            return queryset.filter(etat__in=ETATS_OUVERTS)
        le = timezone.localdate()
        visite_passee = Q(etat__in=[Etat.PROGRAMME, Etat.NOTIFIE], visite_le__lt=le)
        return queryset.filter(visite_passee | Q(etat=Etat.CONTRADICTOIRE, reponse_avant_le__lt=le))


class RecommandationFiltre(django_filters.FilterSet):
    """``structure`` vient des liens de la fiche et des nouvelles ; ``suivi=moi`` : le secteur du chargé de conseil."""

    q = django_filters.CharFilter(label="Structure", method="chercher")
    etat = django_filters.ChoiceFilter(label="État", choices=EtatRecommandation.choices, empty_label="Tous")
    echues = django_filters.ChoiceFilter(
        label="Échéance",
        choices=[("oui", "Échues"), ("mois", "Dans les 30 jours")],
        method="echoir",
        empty_label="Toutes",
    )
    suivi = django_filters.ChoiceFilter(
        label="Périmètre", choices=[("moi", "Mon secteur")], method="suivre", empty_label="Tout le département"
    )
    structure = django_filters.CharFilter(widget=forms.HiddenInput, method="viser")

    class Meta:
        model = Recommandation
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.request.user.est_agent:
            for nom in ("q", "suivi", "structure"):
                del self.filters[nom]

    def chercher(self, queryset: QuerySet[Recommandation], name: str, value: str) -> QuerySet[Recommandation]:
        return queryset.filter(structure_nommee(value, "structure__"))

    def viser(self, queryset: QuerySet[Recommandation], name: str, value: str) -> QuerySet[Recommandation]:
        return queryset.filter(structure=entier(value) or 0)

    def echoir(self, queryset: QuerySet[Recommandation], name: str, value: str) -> QuerySet[Recommandation]:
        le = timezone.localdate()
        ouvertes = queryset.filter(etat=EtatRecommandation.OUVERTE)
        if value == "oui":
            return ouvertes.filter(echeance_le__lt=le)
        return ouvertes.filter(echeance_le__range=(le, le + timedelta(days=30)))

    def suivre(self, queryset: QuerySet[Recommandation], name: str, value: str) -> QuerySet[Recommandation]:
        siennes = AffectationCommune.objects.tenues_par(self.request.user, timezone.localdate()).values("commune")
        return queryset.filter(structure__commune__in=siennes)
