"""Qui, à la Caf, suit quoi : un secteur de communes, un portefeuille de gestionnaires, des suppléances."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from comptes.models import PERIODE
from partenaires.models.structures import Gestionnaire
from partenaires.models.territoire import Commune
from partenaires.querysets import AffectationQuerySet, SuppleanceQuerySet


class AffectationCommune(models.Model):
    """Une commune est dans le secteur d’un seul chargé de conseil à la fois."""

    commune = models.ForeignKey(Commune, related_name="affectations", on_delete=models.PROTECT)
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="secteurs", on_delete=models.PROTECT)
    debut = models.DateField("début")
    fin = models.DateField("fin (comprise)", null=True, blank=True)

    objects = AffectationQuerySet.as_manager()

    class Meta:
        verbose_name = "affectation de commune"
        constraints = [
            models.CheckConstraint(
                name="affectation_commune_a_l_endroit", condition=Q(fin__isnull=True) | Q(fin__gte=F("debut"))
            ),
            ExclusionConstraint(
                name="affectation_commune_un_seul_agent",
                expressions=[(PERIODE, RangeOperators.OVERLAPS), ("commune", RangeOperators.EQUAL)],
                violation_error_message="Cette commune est déjà suivie sur cette période.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.commune} : {self.agent}"


class AffectationGestionnaire(models.Model):
    """Un gestionnaire est dans le portefeuille d’un seul technicien conseil à la fois."""

    gestionnaire = models.ForeignKey(Gestionnaire, related_name="affectations", on_delete=models.PROTECT)
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="portefeuille", on_delete=models.PROTECT)
    debut = models.DateField("début")
    fin = models.DateField("fin (comprise)", null=True, blank=True)

    objects = AffectationQuerySet.as_manager()

    class Meta:
        verbose_name = "affectation de gestionnaire"
        constraints = [
            models.CheckConstraint(
                name="affectation_gestionnaire_a_l_endroit", condition=Q(fin__isnull=True) | Q(fin__gte=F("debut"))
            ),
            ExclusionConstraint(
                name="affectation_gestionnaire_un_seul_agent",
                expressions=[(PERIODE, RangeOperators.OVERLAPS), ("gestionnaire", RangeOperators.EQUAL)],
                violation_error_message="Ce gestionnaire est déjà suivi sur cette période.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gestionnaire} : {self.agent}"


class Suppleance(models.Model):
    """Pendant une absence, un collègue voit et fait ce que l’agent absent voit et fait."""

    absent = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="suppleances_recues", on_delete=models.PROTECT)
    suppleant = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="suppleances", on_delete=models.PROTECT)
    debut = models.DateField("début")
    fin = models.DateField("fin (comprise)")
    motif = models.CharField("motif", max_length=200, blank=True)

    objects = SuppleanceQuerySet.as_manager()

    class Meta:
        verbose_name = "suppléance"
        constraints = [
            models.CheckConstraint(
                name="suppleance_a_l_endroit",
                condition=Q(fin__gte=F("debut")),
                violation_error_message="La fin de l’absence précède son début.",
            ),
            models.CheckConstraint(
                name="suppleance_deux_personnes",
                condition=~Q(absent=F("suppleant")),
                violation_error_message="On ne se supplée pas soi-même.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.suppleant} pour {self.absent}"
