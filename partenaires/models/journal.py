from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from partenaires.choix import GestePartenaire
from partenaires.models.structures import Gestionnaire, Structure


class EvenementPartenaire(models.Model):
    """Le journal d’une structure ou de son gestionnaire : on y ajoute, la base refuse d’y revenir."""

    structure = models.ForeignKey(Structure, related_name="evenements", null=True, blank=True, on_delete=models.PROTECT)
    gestionnaire = models.ForeignKey(
        Gestionnaire, related_name="evenements", null=True, blank=True, on_delete=models.PROTECT
    )
    geste = models.CharField("geste", max_length=30, choices=GestePartenaire)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le", auto_now_add=True)
    motif = models.TextField("motif", blank=True)
    details = models.JSONField("détails", default=dict, blank=True)

    class Meta:
        verbose_name = "événement de partenaire"
        verbose_name_plural = "événements de partenaire"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="evenement_partenaire_a_un_objet",
                condition=Q(structure__isnull=False) | Q(gestionnaire__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="journal_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} par {self.par}"
