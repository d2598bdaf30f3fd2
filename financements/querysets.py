from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models
from django.db.models import DecimalField, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from financements.choix import ENGAGES, ETATS_PRIVES_DECLARATION, EtatBareme, EtatConvention, EtatPaiement
from partenaires.querysets import structures_de

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from financements.models import (  # noqa: F401
        Bareme,
        Campagne,
        Convention,
        Declaration,
        Droit,
        Paiement,
        Prestation,
    )

ARGENT = DecimalField(max_digits=14, decimal_places=2)


def _modele(nom: str) -> Any:
    """Les modèles lisent ce module : ils se demandent par leur nom."""
    return apps.get_model("financements", nom)


def _portefeuille(agent: Utilisateur, le: date) -> models.QuerySet:
    """Les gestionnaires que suit le technicien, ou celui qu’il supplée, en sous-requête."""
    return apps.get_model("partenaires", "AffectationGestionnaire").objects.tenues_par(agent, le).values("gestionnaire")


class PrestationQuerySet(models.QuerySet["Prestation"]):
    def de_l_exercice(self, exercice: int) -> Self:
        return self.filter(premier_exercice__lte=exercice).filter(
            Q(dernier_exercice__isnull=True) | Q(dernier_exercice__gte=exercice)
        )


class BaremeQuerySet(models.QuerySet["Bareme"]):
    def publies(self, exercice: int) -> Self:
        return self.filter(exercice=exercice, etat=EtatBareme.PUBLIE).select_related("prestation")

    def verrouiller(self, pk: int) -> Bareme:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)


class CampagneQuerySet(models.QuerySet["Campagne"]):
    def ouvertes(self, le: date) -> Self:
        return self.filter(ouverture__lte=le)


class DeclarationQuerySet(models.QuerySet["Declaration"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        """La Caf ne lit jamais un brouillon ; la structure, les siennes."""
        if utilisateur.est_agent:
            return self.exclude(etat__in=ETATS_PRIVES_DECLARATION)
        return self.filter(structure__in=structures_de(utilisateur))

    def du_portefeuille(self, agent: Utilisateur, le: date | None = None) -> Self:
        return self.filter(structure__gestionnaire__in=_portefeuille(agent, le or timezone.localdate()))

    def pour_liste(self) -> Self:
        return self.select_related("structure__commune", "structure__gestionnaire", "campagne")

    def verrouiller(self, pk: int) -> Declaration:
        return self.select_for_update(of=("self",), no_key=True).select_related("campagne", "structure").get(pk=pk)


class DroitQuerySet(models.QuerySet["Droit"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        if utilisateur.est_agent:
            return self
        return self.filter(structure__in=structures_de(utilisateur))

    def du_portefeuille(self, agent: Utilisateur, le: date | None = None) -> Self:
        return self.filter(structure__gestionnaire__in=_portefeuille(agent, le or timezone.localdate()))

    def avec_position(self) -> Self:
        """Ajoute ``montant`` (droit courant), ``nature``, ``engage``, ``paye``, ``recouvre``, ``solde``, ``reste``.

        ``solde`` = droit courant − paiements faits + ce qui a été rendu. ``reste`` = la même chose en comptant comme
        versé ce qui est seulement engagé : négatif, il y a trop de promis. Une requête.
        """
        Paiement, Recouvrement, VersionDroit = map(_modele, ("Paiement", "Recouvrement", "VersionDroit"))
        courante = VersionDroit.objects.filter(droit=OuterRef("pk"), courante=True)
        zero = Value(0, output_field=ARGENT)

        def total(lignes: models.QuerySet, cle: str) -> Coalesce:
            somme = lignes.order_by().values(cle).annotate(somme=Sum("montant")).values("somme")
            return Coalesce(Subquery(somme, output_field=ARGENT), zero)

        du_droit = Paiement.objects.filter(droit=OuterRef("pk"))
        rendus = Recouvrement.objects.filter(indu__droit=OuterRef("pk"), annule_le__isnull=True)
        return self.annotate(
            montant=Subquery(courante.values("montant")[:1], output_field=ARGENT),
            nature=Subquery(courante.values("nature")[:1]),
            origine=Subquery(courante.values("origine")[:1]),
            engage=total(du_droit.filter(etat__in=ENGAGES), "droit"),
            paye=total(du_droit.filter(etat=EtatPaiement.PAYE), "droit"),
            recouvre=total(rendus, "indu__droit"),
        ).annotate(
            solde=Coalesce(F("montant"), zero) - F("paye") + F("recouvre"),
            reste=Coalesce(F("montant"), zero) - F("engage") + F("recouvre"),
        )

    def verrouiller(self, pk: int) -> Droit:
        return (
            self.select_for_update(of=("self",), no_key=True)
            .select_related("structure__gestionnaire", "prestation")
            .get(pk=pk)
        )


class ConventionQuerySet(models.QuerySet["Convention"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        if utilisateur.est_agent:
            return self
        return self.filter(structure__in=structures_de(utilisateur))

    def pour_liste(self) -> Self:
        return self.select_related("structure__commune", "structure__gestionnaire", "agrement", "acte")

    def signees(self, exercice: int) -> Self:
        return self.filter(etat=EtatConvention.SIGNEE, exercice__lte=exercice, dernier_exercice__gte=exercice)

    def verrouiller(self, pk: int) -> Convention:
        return self.select_for_update(of=("self",), no_key=True).select_related("structure").get(pk=pk)


class PaiementQuerySet(models.QuerySet["Paiement"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        if utilisateur.est_agent:
            return self
        return self.filter(structure__in=structures_de(utilisateur))

    def du_portefeuille(self, agent: Utilisateur, le: date | None = None) -> Self:
        return self.filter(structure__gestionnaire__in=_portefeuille(agent, le or timezone.localdate()))

    def pour_liste(self) -> Self:
        return self.select_related(
            "structure__gestionnaire", "structure__commune", "droit__structure__gestionnaire", "droit__prestation",
            "lot", "propose_par",
        )  # fmt: skip

    def verrouiller(self, pk: int) -> Paiement:
        return self.select_for_update(of=("self",), no_key=True).select_related("droit", "structure").get(pk=pk)
