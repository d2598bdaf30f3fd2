"""La trace des réglages de l’argent : qui a changé quelle donnée de quelle règle, quand et pourquoi."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from financements.choix import SujetReglage


class EvenementReglage(models.Model):
    """Un réglage fait ou changé. ``champs`` : ``{libellé: [avant, après]}``, lisibles ; avant, vide à la création.

    ``cle`` désigne la ligne réglée : code de la prestation, exercice des règles, numéro de la campagne.
    """

    sujet = models.CharField("sujet", max_length=20, choices=SujetReglage)
    cle = models.CharField("clé", max_length=20)
    champs = models.JSONField("champs changés")
    motif = models.CharField("pourquoi", max_length=300)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "réglage"
        ordering = ["-le", "-pk"]
        indexes = [models.Index(fields=["sujet", "cle", "-le"], name="reglage_par_sujet")]
        constraints = [
            models.CheckConstraint(name="reglage_sujet_connu", condition=Q(sujet__in=SujetReglage.values)),
            models.CheckConstraint(name="reglage_motive", condition=~Q(motif="")),
        ]
        triggers = [
            pgtrigger.Protect(name="journal_reglages_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_sujet_display()} {self.cle}"
