"""Le recalcul annuel : simulé, approuvé, appliqué d’un coup ; chaque droit y a une ligne."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from financements.choix import RECALCULS_OUVERTS, EtatRecalcul, IssueRecalcul
from financements.models.baremes import Bareme, exercice_connu
from financements.models.droits import Droit, VersionDroit


class Recalcul(models.Model):
    """Une révision de tous les droits d’un exercice. Un seul ouvert par exercice ; qui lance n’approuve pas.

    ``fait`` sur ``total`` : l’avancement que l’écran montre ; la reprise se fait d’après les lignes, pas d’après lui.
    """

    exercice = models.PositiveSmallIntegerField("exercice")
    etat = models.CharField("état", max_length=20, choices=EtatRecalcul, default=EtatRecalcul.EN_SIMULATION)
    motif = models.CharField("motif", max_length=300)
    total = models.PositiveIntegerField("droits à revoir", default=0)
    fait = models.PositiveIntegerField("droits revus", default=0)
    lance_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    lance_le = models.DateTimeField("lancé le")
    commence_le = models.DateTimeField("phase commencée le", null=True, blank=True)
    approuve_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    approuve_le = models.DateTimeField("approuvé le", null=True, blank=True)
    applique_le = models.DateTimeField("appliqué le", null=True, blank=True)
    lettres_jusqu_a = models.PositiveIntegerField("lettres demandées jusqu’à la structure", default=0)
    lettres_le = models.DateTimeField("lettres demandées le", null=True, blank=True)
    annule_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "recalcul"
        ordering = ["-lance_le", "-pk"]
        constraints = [
            exercice_connu("recalcul_exercice_connu"),
            models.CheckConstraint(name="recalcul_etat_connu", condition=Q(etat__in=EtatRecalcul.values)),
            models.UniqueConstraint(
                fields=["exercice"],
                condition=Q(etat__in=RECALCULS_OUVERTS),
                name="recalcul_un_seul_ouvert",
                violation_error_message="Un recalcul de cet exercice est déjà en cours.",
            ),
            models.CheckConstraint(
                name="recalcul_approuve_par_un_autre",
                condition=Q(approuve_par__isnull=True) | Q(lance_par__isnull=True) | ~Q(approuve_par=F("lance_par")),
                violation_error_message="Qui lance un recalcul ne l’approuve pas.",
            ),
            models.CheckConstraint(
                name="recalcul_applique_approuve",
                condition=~Q(etat__in=[EtatRecalcul.EN_APPLICATION, EtatRecalcul.APPLIQUE])
                | Q(approuve_par__isnull=False, approuve_le__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"recalcul {self.exercice} n° {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("financements:recalcul", args=[self.pk])


class LigneRecalcul(models.Model):
    """Le sort d’un droit dans un recalcul : avant, après, ou pourquoi il est bloqué."""

    recalcul = models.ForeignKey(Recalcul, related_name="lignes", on_delete=models.CASCADE)
    droit = models.ForeignKey(Droit, related_name="+", on_delete=models.CASCADE)
    version = models.ForeignKey(VersionDroit, related_name="+", on_delete=models.CASCADE)
    bareme = models.ForeignKey(Bareme, related_name="+", null=True, on_delete=models.PROTECT)
    issue = models.CharField("issue", max_length=20, choices=IssueRecalcul)
    avant = models.DecimalField("avant", max_digits=12, decimal_places=2)
    apres = models.DecimalField("après", max_digits=12, decimal_places=2, null=True)
    resultat = models.JSONField("calcul", default=dict)
    raison = models.CharField("raison", max_length=300, blank=True)

    class Meta:
        verbose_name = "ligne de recalcul"
        verbose_name_plural = "lignes de recalcul"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["recalcul", "droit"], name="ligne_recalcul_une_par_droit"),
            models.CheckConstraint(name="ligne_recalcul_issue_connue", condition=Q(issue__in=IssueRecalcul.values)),
            models.CheckConstraint(
                name="ligne_recalcul_complete",
                condition=Q(issue=IssueRecalcul.BLOQUE, apres__isnull=True) & ~Q(raison="")
                | (~Q(issue=IssueRecalcul.BLOQUE) & Q(apres__isnull=False, bareme__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.droit_id} dans {self.recalcul_id}"
