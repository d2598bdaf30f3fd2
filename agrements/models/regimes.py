from __future__ import annotations

from functools import cached_property

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.urls import reverse

from agrements.querysets import VersionRegimeQuerySet
from agrements.referentiel import Referentiel, lire


class VersionRegime(models.Model):
    """Un régime d’agrément daté : la définition publiée ne change plus, une nouvelle la remplace.

    ``effet_du`` et ``effet_au`` bornent la date de début des agréments auxquels le régime s’applique.
    """

    code = models.SlugField("code", max_length=40)
    numero = models.PositiveIntegerField("numéro de version")
    libelle = models.CharField("libellé", max_length=200)
    effet_du = models.DateField("applicable aux agréments qui commencent le")
    effet_au = models.DateField("et jusqu’au", null=True, blank=True)
    definition = models.JSONField("définition")
    publie_le = models.DateTimeField("publié le", null=True, blank=True)

    objects = VersionRegimeQuerySet.as_manager()

    class Meta:
        verbose_name = "version de régime"
        verbose_name_plural = "versions de régime"
        ordering = ["effet_du", "numero"]
        constraints = [
            models.UniqueConstraint(fields=["code", "numero"], name="version_regime_unique"),
            models.CheckConstraint(
                name="version_regime_a_l_endroit",
                condition=Q(effet_au__isnull=True) | Q(effet_au__gte=F("effet_du")),
                violation_error_message="La fin d’effet du régime précède son début.",
            ),
            ExclusionConstraint(
                name="version_regime_une_seule_en_vigueur",
                expressions=[
                    (
                        Func(
                            "effet_du",
                            "effet_au",
                            RangeBoundary(inclusive_upper=True),
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    )
                ],
                condition=Q(publie_le__isnull=False),
                violation_error_message="Un autre régime publié s’applique déjà à cette période.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="regime_publie_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__publie_le__isnull=False)
                & pgtrigger.Q(old__definition__df=pgtrigger.F("new__definition")),
            ),
        ]

    def __str__(self) -> str:
        return self.libelle

    def get_absolute_url(self) -> str:
        return reverse("agrements:regime", args=[self.code, self.numero])

    @cached_property
    def referentiel(self) -> Referentiel:
        return lire(self.definition)
