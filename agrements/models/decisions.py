from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from agrements.choix import Instance, SensAvis, SensDecision
from agrements.models.dossiers import DUREE_MAX_MOIS, DUREE_MIN_MOIS, Dossier
from agrements.querysets import PassageQuerySet, SeanceQuerySet
from documents.models import Acte
from socle.dates import en_jour


class AvisInstruction(models.Model):
    """L’avis motivé du chargé de conseil ; un nouvel avis s’ajoute, le dernier fait foi."""

    dossier = models.ForeignKey(Dossier, related_name="avis", on_delete=models.PROTECT)
    sens = models.CharField("sens", max_length=20, choices=SensAvis)
    motivation = models.TextField("motivation")
    reserves = models.TextField("réserves", blank=True)
    duree_mois = models.PositiveSmallIntegerField("durée proposée (mois)", null=True, blank=True)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "avis d’instruction"
        verbose_name_plural = "avis d’instruction"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(name="avis_sens_connu", condition=Q(sens__in=SensAvis.values)),
            models.CheckConstraint(
                name="avis_motive", condition=~Q(motivation=""), violation_error_message="Un avis est motivé."
            ),
            models.CheckConstraint(
                name="avis_favorable_avec_duree",
                condition=~Q(sens__in=[SensAvis.FAVORABLE, SensAvis.FAVORABLE_RESERVES])
                | Q(duree_mois__isnull=False, duree_mois__gte=DUREE_MIN_MOIS, duree_mois__lte=DUREE_MAX_MOIS),
                violation_error_message="Un avis favorable propose une durée de 12 à 48 mois.",
            ),
            models.CheckConstraint(
                name="avis_reserves_ecrites",
                condition=~Q(sens=SensAvis.FAVORABLE_RESERVES) | ~Q(reserves=""),
                violation_error_message="Écrivez les réserves.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="avis_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"avis {self.get_sens_display()}"


class Seance(models.Model):
    """Une réunion de la CAS ou du CA : une date, un ordre du jour, puis des avis ou des décisions."""

    instance = models.CharField("instance", max_length=5, choices=Instance)
    tenue_le = models.DateField("date")
    heure = models.TimeField("heure", null=True, blank=True)
    lieu = models.CharField("lieu", max_length=200, blank=True)
    limite_inscription_le = models.DateField("inscriptions jusqu’au", null=True, blank=True)
    annulee_le = models.DateTimeField("annulée le", null=True, blank=True)
    annulee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    motif_annulation = models.TextField("raisons de l’annulation", blank=True)
    close_le = models.DateTimeField("close le", null=True, blank=True)
    close_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    objects = SeanceQuerySet.as_manager()

    class Meta:
        verbose_name = "séance"
        ordering = ["tenue_le", "instance"]
        constraints = [
            models.CheckConstraint(name="seance_instance_connue", condition=Q(instance__in=Instance.values)),
            models.UniqueConstraint(
                fields=["instance", "tenue_le"],
                name="seance_une_par_jour",
                condition=Q(annulee_le__isnull=True),
                violation_error_message="Cette instance siège déjà ce jour-là.",
            ),
            models.CheckConstraint(
                name="seance_limite_avant_la_date",
                condition=Q(limite_inscription_le__isnull=True) | Q(limite_inscription_le__lte=F("tenue_le")),
                violation_error_message="La limite d’inscription vient après la séance.",
            ),
            models.CheckConstraint(
                name="seance_close_par_quelqu_un",
                condition=Q(close_le__isnull=True, close_par__isnull=True)
                | Q(close_le__isnull=False, close_par__isnull=False),
            ),
            models.CheckConstraint(
                name="seance_annulee_par_quelqu_un_et_motivee",
                condition=Q(annulee_le__isnull=True, annulee_par__isnull=True, motif_annulation="")
                | (Q(annulee_le__isnull=False, annulee_par__isnull=False) & ~Q(motif_annulation="")),
            ),
            models.CheckConstraint(
                name="seance_close_ou_annulee", condition=Q(close_le__isnull=True) | Q(annulee_le__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_instance_display()} du {en_jour(self.tenue_le)}"

    def get_absolute_url(self) -> str:
        return reverse("agrements:seance", args=[self.pk])

    @property
    def finie(self) -> bool:
        """Close ou annulée : plus rien n’y change."""
        return self.close_le is not None or self.annulee_le is not None


class Passage(models.Model):
    """Un dossier à l’ordre du jour d’une séance. En CAS il porte un avis ; en CA, une ``Decision``.

    Ce qu’une app du dessus fait passer (``sujet``, voir ``points``) garde sa décision chez elle : ici, qui et quand.
    """

    seance = models.ForeignKey(Seance, related_name="passages", on_delete=models.PROTECT)
    dossier = models.ForeignKey(Dossier, related_name="passages", null=True, blank=True, on_delete=models.PROTECT)
    sujet = models.CharField("sujet", max_length=60, blank=True)
    ordre = models.PositiveSmallIntegerField("ordre")
    avis = models.CharField("avis de la commission", max_length=20, choices=SensAvis, blank=True)
    motivation = models.TextField("motivation", blank=True)
    saisi_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    saisi_le = models.DateTimeField("saisi le", null=True, blank=True)

    objects = PassageQuerySet.as_manager()

    class Meta:
        verbose_name = "passage en séance"
        verbose_name_plural = "passages en séance"
        ordering = ["ordre", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["seance", "dossier"], name="passage_une_fois_par_seance"),
            models.UniqueConstraint(
                fields=["seance", "sujet"], condition=~Q(sujet=""), name="passage_un_sujet_une_fois_par_seance"
            ),
            models.CheckConstraint(
                name="passage_d_un_dossier_ou_d_un_sujet",
                condition=Q(dossier__isnull=False, sujet="") | (Q(dossier__isnull=True) & ~Q(sujet="")),
            ),
            models.UniqueConstraint(
                fields=["seance", "ordre"],
                name="passage_ordre_unique",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                name="passage_avis_saisi_par_quelqu_un",
                condition=Q(avis="", saisi_par__isnull=True, saisi_le__isnull=True)
                | (~Q(avis="") & Q(saisi_par__isnull=False, saisi_le__isnull=False))
                | Q(dossier__isnull=True, avis="", saisi_par__isnull=False, saisi_le__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ordre}. {self.dossier or self.sujet}"


class Decision(models.Model):
    """Ce que le conseil d’administration a décidé : figé, motivé, notifié par un acte."""

    passage = models.OneToOneField(Passage, related_name="decision", on_delete=models.PROTECT)
    dossier = models.ForeignKey(Dossier, related_name="decisions", on_delete=models.PROTECT)
    sens = models.CharField("sens", max_length=20, choices=SensDecision)
    motivation = models.TextField("motivation", blank=True)
    reserves = models.TextField("réserves", blank=True)
    debut = models.DateField("début", null=True, blank=True)
    fin = models.DateField("fin (comprise)", null=True, blank=True)
    enregistree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    enregistree_le = models.DateTimeField("enregistrée le")
    acte = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
    lue_le = models.DateTimeField("lue le", null=True, blank=True)
    lue_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "décision"
        ordering = ["-enregistree_le", "-pk"]
        constraints = [
            models.CheckConstraint(name="decision_sens_connu", condition=Q(sens__in=SensDecision.values)),
            models.CheckConstraint(
                name="decision_periode_si_agree",
                condition=Q(
                    sens__in=[SensDecision.AGREE, SensDecision.AGREE_RESERVES],
                    debut__isnull=False,
                    fin__isnull=False,
                    fin__gt=F("debut"),
                )
                | Q(sens__in=[SensDecision.AJOURNE, SensDecision.REFUSE], debut__isnull=True, fin__isnull=True),
                violation_error_message="Un agrément porte un début et une fin ; un refus n’en porte pas.",
            ),
            models.CheckConstraint(
                name="decision_defavorable_motivee",
                condition=Q(sens=SensDecision.AGREE) | Q(sens=SensDecision.AGREE_RESERVES) | ~Q(motivation=""),
                violation_error_message="Un refus ou un ajournement est motivé.",
            ),
            models.CheckConstraint(
                name="decision_reserves_ecrites",
                condition=~Q(sens=SensDecision.AGREE_RESERVES) | ~Q(reserves=""),
                violation_error_message="Écrivez les réserves.",
            ),
            models.CheckConstraint(
                name="decision_lue_par_quelqu_un",
                condition=Q(lue_le__isnull=True, lue_par__isnull=True) | Q(lue_le__isnull=False, lue_par__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="decision_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="decision_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "passage", "dossier", "sens", "motivation", "reserves", "debut", "fin", "enregistree_par", "acte"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_sens_display()} ({self.dossier_id})"
