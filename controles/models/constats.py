"""Le contradictoire : des constats figés au rapport provisoire, une réponse et une conclusion par point."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controles.choix import Conclusion, NatureConstat, Position
from controles.models.controles import Controle
from controles.models.visite import PointControle
from documents.models import Fichier


class Constat(models.Model):
    """Ce que le rapport provisoire dit d’un point ; seule la conclusion s’y ajoute ensuite.

    ``declare`` et ``releve`` : le montant déclaré et celui que le contrôle admet ; ``releve_retenu`` après réponse.
    """

    controle = models.ForeignKey(Controle, related_name="constats", on_delete=models.PROTECT)
    point = models.OneToOneField(PointControle, related_name="constat", on_delete=models.PROTECT)
    numero = models.PositiveSmallIntegerField("numéro")
    nature = models.CharField("nature", max_length=20, choices=NatureConstat)
    theme = models.CharField("thème", max_length=80)
    libelle = models.CharField("point", max_length=300)
    regle = models.CharField("règle", max_length=300, blank=True)
    faits = models.TextField("faits", blank=True)
    exercice = models.PositiveSmallIntegerField("exercice", null=True, blank=True)
    champ = models.CharField("donnée déclarée", max_length=60, blank=True)
    unite = models.CharField("unité", max_length=20, blank=True)
    declare = models.DecimalField("déclaré", max_digits=14, decimal_places=2, null=True, blank=True)
    releve = models.DecimalField("constaté", max_digits=14, decimal_places=2, null=True, blank=True)
    recommandation = models.TextField("recommandation", blank=True)
    conclusion = models.CharField("conclusion", max_length=20, choices=Conclusion, blank=True)
    motif_conclusion = models.TextField("raison de la conclusion", blank=True)
    releve_retenu = models.DecimalField("retenu", max_digits=14, decimal_places=2, null=True, blank=True)
    conclu_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    conclu_le = models.DateTimeField("conclu le", null=True, blank=True)

    class Meta:
        verbose_name = "constat"
        ordering = ["numero"]
        constraints = [
            models.UniqueConstraint(fields=["controle", "numero"], name="constat_numero_unique"),
            models.CheckConstraint(name="constat_nature_connue", condition=Q(nature__in=NatureConstat.values)),
            models.CheckConstraint(
                name="constat_anomalie_ecrite",
                condition=Q(nature__in=[NatureConstat.CONFORME, NatureConstat.NON_VERIFIE]) | ~Q(faits=""),
                violation_error_message="Une observation, un écart ou un manquement dit les faits.",
            ),
            models.CheckConstraint(
                name="constat_conclusion_motivee",
                condition=Q(conclusion="", conclu_par__isnull=True, conclu_le__isnull=True)
                | (~Q(conclusion="") & ~Q(motif_conclusion="") & Q(conclu_par__isnull=False, conclu_le__isnull=False)),
                violation_error_message="Une conclusion dit sa raison.",
            ),
            models.CheckConstraint(
                name="constat_modifie_avec_montant",
                condition=Q(releve_retenu__isnull=True) | Q(declare__isnull=False, conclusion=Conclusion.MODIFIE),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="constat_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="constat_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    exclude=["conclusion", "motif_conclusion", "releve_retenu", "conclu_par", "conclu_le"]
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.numero}. {self.libelle}"


class ReponseConstat(models.Model):
    """Ce que la structure répond à un constat ; gardé au fil de la frappe, envoyé avec les autres d’un seul geste."""

    constat = models.OneToOneField(Constat, related_name="reponse", on_delete=models.PROTECT)
    position = models.CharField("position", max_length=20, choices=Position, blank=True)
    texte = models.TextField("réponse", blank=True)
    version = models.PositiveIntegerField("version", default=1)
    modifie_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    modifie_le = models.DateTimeField("modifiée le")

    class Meta:
        verbose_name = "réponse à un constat"
        verbose_name_plural = "réponses aux constats"
        constraints = [
            models.CheckConstraint(
                name="reponse_position_connue", condition=Q(position="") | Q(position__in=Position.values)
            )
        ]

    def __str__(self) -> str:
        return f"réponse au constat {self.constat_id}"


class PieceReponse(models.Model):
    """Une pièce jointe à la réponse sur un point."""

    constat = models.ForeignKey(Constat, related_name="pieces", on_delete=models.PROTECT)
    fichier = models.ForeignKey(Fichier, related_name="+", on_delete=models.PROTECT)
    nom = models.CharField("nom classé", max_length=220)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("jointe le", auto_now_add=True)

    class Meta:
        verbose_name = "pièce d’une réponse"
        verbose_name_plural = "pièces des réponses"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.nom


class Prolongation(models.Model):
    """Un délai de réponse repoussé, et pourquoi. On y ajoute, c’est tout."""

    controle = models.ForeignKey(Controle, related_name="prolongations", on_delete=models.PROTECT)
    avant = models.DateField("échéance d’avant")
    apres = models.DateField("nouvelle échéance")
    motif = models.TextField("raison")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "prolongation"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="prolongation_repousse",
                condition=Q(apres__gt=F("avant")),
                violation_error_message="La nouvelle échéance vient après l’ancienne.",
            ),
            models.CheckConstraint(name="prolongation_motivee", condition=~Q(motif="")),
        ]
        triggers = [pgtrigger.Protect(name="prolongation_figee", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"jusqu’au {self.apres:%d/%m/%Y}"
