from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from agrements.choix import EtatAgrement, GesteAgrement, Objet
from agrements.models.decisions import Decision
from agrements.querysets import AgrementQuerySet
from comptes.models import PERIODE
from partenaires.models import Structure


class Agrement(models.Model):
    """Le droit, pour une structure et un objet, d’être financée pendant une période ; né d’une décision, jamais seul.

    Invariants : pas deux agréments du même objet sur les mêmes jours ; de 1 à 4 ans (domaine B.2).
    """

    structure = models.ForeignKey(Structure, related_name="agrements", on_delete=models.PROTECT)
    objet = models.CharField("objet", max_length=40, choices=Objet)
    decision = models.ForeignKey(Decision, related_name="agrements", on_delete=models.PROTECT)
    etat = models.CharField("état", max_length=20, choices=EtatAgrement, default=EtatAgrement.A_VENIR)
    debut = models.DateField("début")
    fin = models.DateField("fin (comprise)")
    avec_reserves = models.BooleanField("avec réserves", default=False)
    retire_le = models.DateField("retiré le", null=True, blank=True)

    objects = AgrementQuerySet.as_manager()

    class Meta:
        verbose_name = "agrément"
        ordering = ["-debut", "objet"]
        indexes = [models.Index(fields=["etat", "fin", "id"], name="agrement_par_echeance")]
        constraints = [
            models.CheckConstraint(name="agrement_etat_connu", condition=Q(etat__in=EtatAgrement.values)),
            models.CheckConstraint(name="agrement_objet_connu", condition=Q(objet__in=Objet.values)),
            models.CheckConstraint(
                name="agrement_a_l_endroit",
                condition=Q(fin__gt=F("debut")),
                violation_error_message="La fin de l’agrément précède son début.",
            ),
            models.CheckConstraint(
                name="agrement_retire_avec_date",
                condition=Q(etat=EtatAgrement.RETIRE, retire_le__isnull=False)
                | (~Q(etat=EtatAgrement.RETIRE) & Q(retire_le__isnull=True)),
            ),
            models.UniqueConstraint(fields=["decision", "objet"], name="agrement_un_par_objet_decide"),
            ExclusionConstraint(
                name="agrement_sans_chevauchement",
                expressions=[
                    (PERIODE, RangeOperators.OVERLAPS),
                    ("structure", RangeOperators.EQUAL),
                    ("objet", RangeOperators.EQUAL),
                ],
                condition=~Q(etat=EtatAgrement.RETIRE),
                violation_error_message="Cette structure a déjà un agrément de même objet sur cette période.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_objet_display()}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("agrements:agrement", args=[self.pk])


class EvenementAgrement(models.Model):
    """Le journal d’un agrément."""

    agrement = models.ForeignKey(Agrement, related_name="evenements", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=30, choices=GesteAgrement)
    de = models.CharField("état avant", max_length=20, blank=True)
    vers = models.CharField("état après", max_length=20)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le")
    motif = models.TextField("motif", blank=True)

    class Meta:
        verbose_name = "événement d’agrément"
        verbose_name_plural = "événements d’agrément"
        ordering = ["-le", "-pk"]
        triggers = [
            pgtrigger.Protect(name="journal_agrement_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.agrement_id})"
