"""Ce qui est dû : un droit par structure, prestation et exercice, et toutes ses versions."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from agrements.models import Agrement
from financements.choix import EtatDerogation, NatureDroit, OrigineVersion
from financements.models.baremes import Bareme, Prestation, exercice_connu
from financements.models.declarations import VersionDeclaration
from financements.querysets import DroitQuerySet
from partenaires.models import Structure


class Droit(models.Model):
    """Ce qu’une prestation doit à une structure pour un exercice. Un droit n’est pas un paiement (domaine C.4)."""

    structure = models.ForeignKey(Structure, related_name="droits", on_delete=models.PROTECT)
    prestation = models.ForeignKey(Prestation, related_name="droits", on_delete=models.PROTECT)
    exercice = models.PositiveSmallIntegerField("exercice")
    suspendu_le = models.DateField("versements suspendus le", null=True, blank=True)
    motif_suspension = models.TextField("raison de la suspension", blank=True)
    cree_le = models.DateTimeField("ouvert le", auto_now_add=True)

    objects = DroitQuerySet.as_manager()

    class Meta:
        verbose_name = "droit"
        ordering = ["-exercice", "structure__nom_tri", "prestation__ordre", "pk"]
        indexes = [models.Index(fields=["exercice", "prestation", "structure"], name="droit_par_exercice")]
        constraints = [
            exercice_connu("droit_exercice_connu"),
            models.UniqueConstraint(fields=["structure", "prestation", "exercice"], name="droit_unique"),
            models.CheckConstraint(
                name="droit_suspension_motivee",
                condition=Q(suspendu_le__isnull=True) | ~Q(motif_suspension=""),
                violation_error_message="Dites pourquoi les versements sont suspendus.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prestation} {self.exercice}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("financements:droit", args=[self.pk])


class VersionDroit(models.Model):
    """Un montant, et tout ce qui l’explique : déclaration, barème, agrément, lignes. Jamais modifiée, jamais effacée.

    Une seule est courante par droit. Une version forcée porte sa raison et ses deux signatures, pour toujours.
    """

    droit = models.ForeignKey(Droit, related_name="versions", on_delete=models.PROTECT)
    numero = models.PositiveSmallIntegerField("numéro")
    nature = models.CharField("nature", max_length=20, choices=NatureDroit)
    origine = models.CharField("origine", max_length=20, choices=OrigineVersion)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)
    assiette = models.DecimalField("assiette", max_digits=14, decimal_places=2)
    plafond_applique = models.DecimalField("plafond appliqué", max_digits=12, decimal_places=2)
    donnees = models.JSONField("données du calcul")
    explication = models.JSONField("explication")
    bareme = models.ForeignKey(Bareme, related_name="versions_de_droit", on_delete=models.PROTECT)
    declaration = models.ForeignKey(VersionDeclaration, related_name="droits", on_delete=models.PROTECT)
    agrement = models.ForeignKey(Agrement, related_name="droits", on_delete=models.PROTECT)
    recalcul = models.ForeignKey("Recalcul", related_name="versions", null=True, blank=True, on_delete=models.PROTECT)
    courante = models.BooleanField("courante", default=True)
    motif = models.TextField("motif", blank=True)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    approuve_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "version de droit"
        verbose_name_plural = "versions de droit"
        ordering = ["-numero"]
        constraints = [
            models.UniqueConstraint(fields=["droit", "numero"], name="version_droit_numero_unique"),
            models.UniqueConstraint(
                fields=["droit"], condition=Q(courante=True), name="version_droit_une_seule_courante"
            ),
            models.UniqueConstraint(
                fields=["droit", "recalcul"],
                condition=Q(recalcul__isnull=False),
                name="version_droit_une_par_recalcul",
            ),
            models.CheckConstraint(name="version_droit_montant_positif", condition=Q(montant__gte=0)),
            models.CheckConstraint(name="version_droit_nature_connue", condition=Q(nature__in=NatureDroit.values)),
            models.CheckConstraint(name="version_droit_origine_connue", condition=Q(origine__in=OrigineVersion.values)),
            models.CheckConstraint(
                name="version_droit_forcee_a_deux",
                condition=~Q(origine=OrigineVersion.DEROGATION)
                | (~Q(motif="") & Q(par__isnull=False, approuve_par__isnull=False) & ~Q(par=F("approuve_par"))),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="version_droit_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="version_droit_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["courante"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.droit_id}, version {self.numero}"


class Derogation(models.Model):
    """Un montant forcé : demandé par l’un, approuvé ou refusé par un autre, visible pour toujours (domaine E.3)."""

    droit = models.ForeignKey(Droit, related_name="derogations", on_delete=models.PROTECT)
    montant = models.DecimalField("montant demandé", max_digits=12, decimal_places=2)
    motif = models.TextField("motif")
    etat = models.CharField("état", max_length=20, choices=EtatDerogation, default=EtatDerogation.PROPOSEE)
    demande_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    demande_le = models.DateTimeField("demandée le")
    sur_version = models.ForeignKey(VersionDroit, related_name="+", on_delete=models.PROTECT)
    decide_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    decide_le = models.DateTimeField("décidée le", null=True, blank=True)
    motif_decision = models.TextField("raison de la décision", blank=True)

    class Meta:
        verbose_name = "montant forcé"
        verbose_name_plural = "montants forcés"
        ordering = ["-demande_le", "-pk"]
        constraints = [
            models.CheckConstraint(name="derogation_etat_connu", condition=Q(etat__in=EtatDerogation.values)),
            models.CheckConstraint(name="derogation_motivee", condition=~Q(motif="")),
            models.CheckConstraint(name="derogation_montant_positif", condition=Q(montant__gte=0)),
            models.CheckConstraint(
                name="derogation_decidee_par_un_autre",
                condition=Q(etat=EtatDerogation.PROPOSEE, decide_par__isnull=True, decide_le__isnull=True)
                | (
                    ~Q(etat=EtatDerogation.PROPOSEE)
                    & Q(decide_par__isnull=False, decide_le__isnull=False)
                    & ~Q(decide_par=F("demande_par"))
                ),
            ),
            models.UniqueConstraint(
                fields=["droit"], condition=Q(etat=EtatDerogation.PROPOSEE), name="derogation_une_seule_ouverte"
            ),
        ]
        triggers = [pgtrigger.Protect(name="derogation_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.droit_id} : {self.montant}"
