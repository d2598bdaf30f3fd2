"""La procédure contradictoire qui précède la suspension ou le retrait d’un agrément."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from agrements.choix import IssueProcedure
from agrements.models.agrements import Agrement
from documents.models import Acte


class ProcedureAgrement(models.Model):
    """Ce qui est reproché, ce que la structure en dit, ce que la Caf en fait (CRPA, L. 121-1 et L. 122-1).

    ``sujet`` : ce qui l’a fait naître, dans les mots d’une app du dessus (« controle-12 »), vide sinon ; ``origine`` le
    dit en clair. Invariants : une seule ouverte par agrément ; qui l’ouvre ne la clôt pas ; close, elle est figée.
    """

    agrement = models.ForeignKey(Agrement, related_name="procedures", on_delete=models.PROTECT)
    motif = models.TextField("ce qui est relevé")
    origine = models.CharField("ce qui l’ouvre", max_length=200, blank=True)
    sujet = models.CharField("sujet", max_length=60, blank=True)
    ouverte_le = models.DateTimeField("ouverte le")
    ouverte_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    observations_avant_le = models.DateField("observations attendues avant le")
    acte = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
    observations = models.TextField("observations de la structure", blank=True)
    observations_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    observations_le = models.DateTimeField("observations reçues le", null=True, blank=True)
    issue = models.CharField("issue", max_length=20, choices=IssueProcedure, blank=True)
    close_le = models.DateTimeField("close le", null=True, blank=True)
    close_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    motif_cloture = models.TextField("raison de la clôture", blank=True)

    class Meta:
        verbose_name = "procédure sur un agrément"
        verbose_name_plural = "procédures sur les agréments"
        ordering = ["-ouverte_le", "-pk"]
        indexes = [models.Index(fields=["sujet"], name="procedure_par_sujet")]
        constraints = [
            models.UniqueConstraint(
                fields=["agrement"],
                condition=Q(issue=""),
                name="procedure_une_ouverte_par_agrement",
                violation_error_message="Une procédure est déjà ouverte sur cet agrément.",
            ),
            models.CheckConstraint(
                name="procedure_issue_connue", condition=Q(issue="") | Q(issue__in=IssueProcedure.values)
            ),
            models.CheckConstraint(name="procedure_motivee", condition=~Q(motif="")),
            models.CheckConstraint(
                name="procedure_observations_de_quelqu_un",
                condition=Q(observations="", observations_par__isnull=True, observations_le__isnull=True)
                | (~Q(observations="") & Q(observations_par__isnull=False, observations_le__isnull=False)),
            ),
            models.CheckConstraint(
                name="procedure_close_par_un_autre",
                condition=Q(issue="", close_le__isnull=True, close_par__isnull=True, motif_cloture="")
                | (
                    ~Q(issue="")
                    & ~Q(motif_cloture="")
                    & Q(close_le__isnull=False, close_par__isnull=False)
                    & ~Q(close_par=F("ouverte_par"))
                ),
                violation_error_message="Qui ouvre une procédure ne la clôt pas : un collègue décide.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="procedure_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="procedure_ouverture_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    exclude=[
                        "observations",
                        "observations_par",
                        "observations_le",
                        "issue",
                        "close_le",
                        "close_par",
                        "motif_cloture",
                    ]
                ),
            ),
            pgtrigger.Protect(
                name="procedure_close_figee", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__issue="")
            ),
            pgtrigger.Protect(
                name="procedure_observations_figees",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__observations="")
                & pgtrigger.Q(old__observations__df=pgtrigger.F("new__observations")),
            ),
        ]

    def __str__(self) -> str:
        return f"procédure sur l’agrément {self.agrement_id}"

    @property
    def ouverte(self) -> bool:
        return not self.issue

    @property
    def contradictoire_fini(self) -> bool:
        """La structure a répondu, ou son délai est passé."""
        return self.observations_le is not None or timezone.localdate() > self.observations_avant_le
