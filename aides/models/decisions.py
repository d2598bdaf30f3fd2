"""Ce que la Caf dit d’une demande : l’avis de l’instruction, puis la décision de l’instance."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from agrements.models import Passage
from aides.choix import SensAvis, SensDecision
from aides.models.demandes import Demande
from documents.models import Acte


class AvisAide(models.Model):
    """L’avis de l’instruction : un sens, un montant et son calcul. Un nouvel avis s’ajoute, le dernier fait foi."""

    demande = models.ForeignKey(Demande, related_name="avis", on_delete=models.PROTECT)
    sens = models.CharField("avis", max_length=20, choices=SensAvis)
    montant = models.DecimalField("montant proposé", max_digits=12, decimal_places=2)
    calcule = models.DecimalField("montant calculé", max_digits=12, decimal_places=2)
    explication = models.JSONField("explication")
    constats = models.JSONField("conditions constatées", default=list, blank=True)
    notes = models.JSONField("notes", default=list, blank=True)
    motivation = models.TextField("motivation")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "avis d’instruction"
        verbose_name_plural = "avis d’instruction"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(name="avis_aide_sens_connu", condition=Q(sens__in=SensAvis.values)),
            models.CheckConstraint(name="avis_aide_motive", condition=~Q(motivation="")),
            models.CheckConstraint(
                name="avis_aide_montant_selon_le_sens",
                condition=Q(sens=SensAvis.DEFAVORABLE, montant=0)
                | (~Q(sens=SensAvis.DEFAVORABLE) & Q(montant__gt=0, montant__lte=F("calcule"))),
                violation_error_message="Un avis défavorable propose 0 € ; un favorable, au plus le montant calculé.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="avis_aide_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"avis {self.get_sens_display()}"

    @property
    def points(self) -> tuple[int, int]:
        """La note et son maximum ; (0, 0) si le dispositif n’a pas de grille."""
        return sum(n["note"] for n in self.notes), sum(n["sur"] for n in self.notes)


class DecisionAide(models.Model):
    """Ce que l’instance a décidé : figé, motivé, notifié par un acte."""

    passage = models.OneToOneField(Passage, related_name="decision_d_aide", on_delete=models.PROTECT)
    demande = models.ForeignKey(Demande, related_name="decisions", on_delete=models.PROTECT)
    sens = models.CharField("décision", max_length=20, choices=SensDecision)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2, null=True, blank=True)
    motivation = models.TextField("motivation", blank=True)
    conditions = models.TextField("conditions particulières", blank=True)
    avis = models.ForeignKey(AvisAide, related_name="+", on_delete=models.PROTECT)
    explication = models.JSONField("explication", default=list, blank=True)
    acte = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
    enregistree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    enregistree_le = models.DateTimeField("enregistrée le")
    lue_le = models.DateTimeField("lue le", null=True, blank=True)
    lue_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "décision d’aide"
        verbose_name_plural = "décisions d’aide"
        ordering = ["-enregistree_le", "-pk"]
        constraints = [
            models.CheckConstraint(name="decision_aide_sens_connu", condition=Q(sens__in=SensDecision.values)),
            models.CheckConstraint(
                name="decision_aide_montant_si_accordee",
                condition=Q(sens=SensDecision.ACCORDE, montant__isnull=False, montant__gt=0)
                | (~Q(sens=SensDecision.ACCORDE) & Q(montant__isnull=True)),
                violation_error_message="Une aide accordée porte un montant ; un refus n’en porte pas.",
            ),
            models.CheckConstraint(
                name="decision_aide_defavorable_motivee",
                condition=Q(sens=SensDecision.ACCORDE) | ~Q(motivation=""),
                violation_error_message="Un refus ou un ajournement est motivé.",
            ),
            models.CheckConstraint(
                name="decision_aide_lue_par_quelqu_un",
                condition=Q(lue_le__isnull=True, lue_par__isnull=True) | Q(lue_le__isnull=False, lue_par__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="decision_aide_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="decision_aide_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["lue_le", "lue_par"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_sens_display()} ({self.demande_id})"
