from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from agrements.choix import VerdictCritere, cible_de_piece
from agrements.models.dossiers import Dossier, VersionDossier
from documents.models import Acte


class DemandeComplements(models.Model):
    """Ce que la Caf demande de compléter : préparée, envoyée en un courrier, puis répondue."""

    dossier = models.ForeignKey(Dossier, related_name="demandes", on_delete=models.PROTECT)
    numero = models.PositiveSmallIntegerField("numéro")
    message = models.TextField("message", blank=True)
    echeance_le = models.DateField("réponse attendue le", null=True, blank=True)
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("préparée le", auto_now_add=True)
    envoyee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    envoyee_le = models.DateTimeField("envoyée le", null=True, blank=True)
    repondue_le = models.DateTimeField("répondue le", null=True, blank=True)
    resume = models.JSONField("résumé des changements", default=list, blank=True)
    acte = models.OneToOneField(Acte, related_name="+", null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        verbose_name = "demande de compléments"
        verbose_name_plural = "demandes de compléments"
        ordering = ["-numero"]
        constraints = [
            models.UniqueConstraint(fields=["dossier", "numero"], name="demande_numero_unique"),
            models.UniqueConstraint(
                fields=["dossier"], condition=Q(repondue_le__isnull=True), name="demande_une_seule_ouverte"
            ),
            models.CheckConstraint(
                name="demande_envoyee_entiere",
                condition=Q(envoyee_le__isnull=True, envoyee_par__isnull=True, acte__isnull=True)
                | Q(
                    envoyee_le__isnull=False,
                    envoyee_par__isnull=False,
                    acte__isnull=False,
                    echeance_le__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="demande_repondue_apres_envoi",
                condition=Q(repondue_le__isnull=True) | Q(envoyee_le__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"demande de compléments n° {self.numero}"


class Remarque(models.Model):
    """Une remarque ouvre à la modification le champ ou la pièce qu’elle vise, et rien d’autre."""

    demande = models.ForeignKey(DemandeComplements, related_name="remarques", on_delete=models.CASCADE)
    champ = models.CharField("champ", max_length=60, blank=True)
    piece = models.CharField("pièce", max_length=60, blank=True)
    texte = models.TextField("remarque")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)

    class Meta:
        verbose_name = "remarque"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="remarque_vise_une_chose",
                condition=(~Q(champ="") & Q(piece="")) | (Q(champ="") & ~Q(piece="")),
            ),
            models.CheckConstraint(name="remarque_dit_quelque_chose", condition=~Q(texte="")),
            models.UniqueConstraint(fields=["demande", "champ", "piece"], name="remarque_une_par_cible"),
        ]

    def __str__(self) -> str:
        return self.champ or self.piece

    @property
    def cible(self) -> str:
        return self.champ or cible_de_piece(self.piece)


class EvaluationCritere(models.Model):
    """Le regard de l’instruction sur un critère du régime, à partir d’une version déposée."""

    dossier = models.ForeignKey(Dossier, related_name="evaluations", on_delete=models.PROTECT)
    critere = models.CharField("critère", max_length=60)
    verdict = models.CharField("verdict", max_length=20, choices=VerdictCritere, blank=True)
    commentaire = models.TextField("commentaire", blank=True)
    version_dossier = models.ForeignKey(VersionDossier, related_name="+", on_delete=models.PROTECT)
    version = models.PositiveIntegerField("version", default=1)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "évaluation d’un critère"
        verbose_name_plural = "évaluations de critères"
        constraints = [
            models.UniqueConstraint(fields=["dossier", "critere"], name="evaluation_une_par_critere"),
            models.CheckConstraint(
                name="evaluation_verdict_connu", condition=Q(verdict__in=["", *VerdictCritere.values])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.critere} : {self.verdict or 'à évaluer'}"


class Citation(models.Model):
    """Un passage du projet, cité à l’appui d’un critère et lié à la version où il a été lu."""

    evaluation = models.ForeignKey(EvaluationCritere, related_name="citations", on_delete=models.CASCADE)
    version_dossier = models.ForeignKey(VersionDossier, related_name="+", on_delete=models.PROTECT)
    champ = models.CharField("champ", max_length=60)
    extrait = models.TextField("extrait")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "citation"
        ordering = ["pk"]
        constraints = [models.CheckConstraint(name="citation_non_vide", condition=~Q(extrait=""))]

    def __str__(self) -> str:
        return f"« {self.extrait[:40]} »"
