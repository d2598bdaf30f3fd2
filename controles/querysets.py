"""La seule porte des contrôles : un contrôle se tait tant qu’il n’est pas annoncé ou commencé."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Coalesce

from comptes.choix import Role
from controles.choix import ETATS_DE_VISITE, ETATS_OUVERTS, Etat, EtatRecommandation, EtatRegles
from partenaires.querysets import structures_de

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from controles.models import Controle, PlanControle, Recommandation, ReglesControle

SAVENT_TOUT = (Role.CONTROLEUR, Role.RESPONSABLE)
ANNONCES = Q(notifie_le__isnull=False) | Q(commence_le__isnull=False)


class ReglesQuerySet(models.QuerySet["ReglesControle"]):
    def en_vigueur(self, le: date) -> ReglesControle | None:
        return self.filter(etat=EtatRegles.PUBLIEE, effet_le__lte=le).order_by("-effet_le").first()

    def verrouiller(self, pk: int) -> ReglesControle:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)


class PlanQuerySet(models.QuerySet["PlanControle"]):
    def verrouiller(self, pk: int) -> PlanControle:
        return self.select_for_update(of=("self",), no_key=True).select_related("regles").get(pk=pk)


class ControleQuerySet(models.QuerySet["Controle"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        """Contrôleurs et responsable les voient tous ; les autres, une fois annoncés ou commencés.

        Une visite inopinée ne se devine donc ni à la Caf ni dans la structure.
        """
        if utilisateur.tient(*SAVENT_TOUT):
            return self
        if utilisateur.est_agent:
            return self.filter(ANNONCES)
        return self.filter(ANNONCES, structure__in=structures_de(utilisateur))

    def pour_liste(self) -> Self:
        """Les ouverts d’abord, du plus proche au plus lointain ; puis les finis, du plus récent au plus ancien."""
        finis = Case(When(etat__in=ETATS_OUVERTS, then=0), default=1)
        quand = Coalesce("reponse_avant_le", "visite_le")
        proche = quand.asc(nulls_last=True)
        return self.select_related("structure__commune", "controleur").order_by(finis, proche, "-annee", "-pk")

    def pour_fiche(self) -> Self:
        return self.select_related(
            "structure__gestionnaire", "structure__commune__epci", "controleur", "regles", "provisoire_acte",
            "definitif_acte", "inopine_par",
        )  # fmt: skip

    def ouverts(self) -> Self:
        return self.filter(etat__in=ETATS_OUVERTS)

    def de_la_semaine(self, controleur: Utilisateur, le: date) -> Self:
        """Ce qu’un appareil garde : les visites du contrôleur dans les sept jours, et celles qu’il a commencées."""
        proches = Q(visite_le__range=(le - timedelta(days=1), le + timedelta(days=7)))
        inopinees = Q(etat=Etat.PROGRAMME, inopine_le__isnull=False) & proches
        return self.filter(
            Q(etat__in=ETATS_DE_VISITE) & (proches | Q(etat=Etat.EN_COURS)) | inopinees, controleur=controleur
        ).order_by("visite_le", "visite_heure", "pk")

    def verrouiller(self, pk: int) -> Controle:
        return (
            self.select_for_update(of=("self",), no_key=True)
            .select_related("structure__gestionnaire", "structure__commune", "regles", "controleur")
            .get(pk=pk)
        )


class RecommandationQuerySet(models.QuerySet["Recommandation"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        if utilisateur.est_agent:
            return self
        return self.filter(structure__in=structures_de(utilisateur))

    def ouvertes(self) -> Self:
        return self.filter(etat=EtatRecommandation.OUVERTE)

    def pour_liste(self) -> Self:
        return self.select_related("structure__commune", "structure__gestionnaire", "constat__controle")

    def echues(self, le: date) -> Self:
        return self.ouvertes().filter(echeance_le__lt=le)

    def verrouiller(self, pk: int) -> Recommandation:
        return self.select_for_update(of=("self",), no_key=True).select_related("structure").get(pk=pk)
