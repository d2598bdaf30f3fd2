from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from agrements.models.dossiers import Dossier
from agrements.querysets import PieceQuerySet
from documents.models import Fichier
from partenaires.models import Structure
from socle.dates import en_jour


class Piece(models.Model):
    """Une pièce du coffre d’une structure : déposée une fois, jointe à autant de dossiers qu’il en faut."""

    structure = models.ForeignKey(Structure, related_name="pieces", on_delete=models.PROTECT)
    nature = models.CharField("nature", max_length=60)
    nom_classe = models.CharField("nom de classement", max_length=200)
    fichier = models.OneToOneField(Fichier, related_name="piece", on_delete=models.PROTECT)
    valable_jusqu_au = models.DateField("valable jusqu’au", null=True, blank=True)
    deposee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    deposee_le = models.DateTimeField("déposée le")
    remplacee_par = models.OneToOneField(
        "self", related_name="remplace", null=True, blank=True, on_delete=models.PROTECT
    )
    retiree_le = models.DateTimeField("retirée du coffre le", null=True, blank=True)

    objects = PieceQuerySet.as_manager()

    class Meta:
        verbose_name = "pièce"
        ordering = ["nature", "-deposee_le"]
        indexes = [models.Index(fields=["structure", "nature"], name="piece_par_nature")]
        constraints = [
            models.CheckConstraint(
                name="piece_ne_se_remplace_pas_elle_meme",
                condition=Q(remplacee_par__isnull=True) | ~Q(remplacee_par=models.F("id")),
            ),
        ]

    def __str__(self) -> str:
        return self.nom_classe

    @property
    def mention_d_echeance(self) -> str:
        """« expire le 28 novembre 2026 », « a expiré le… », ou rien si la pièce vaut sans limite."""
        if self.valable_jusqu_au is None:
            return ""
        passee = self.valable_jusqu_au < timezone.localdate()
        return f"{'a expiré' if passee else 'expire'} le {en_jour(self.valable_jusqu_au)}"


class PieceJointe(models.Model):
    """Une pièce du coffre, jointe à un dossier en réponse à une exigence du régime."""

    dossier = models.ForeignKey(Dossier, related_name="pieces_jointes", on_delete=models.CASCADE)
    exigence = models.CharField("exigence", max_length=60)
    piece = models.ForeignKey(Piece, related_name="jointe_a", on_delete=models.PROTECT)
    jointe_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    jointe_le = models.DateTimeField("jointe le")

    class Meta:
        verbose_name = "pièce jointe"
        verbose_name_plural = "pièces jointes"
        ordering = ["exigence", "jointe_le", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["dossier", "exigence", "piece"], name="piece_jointe_une_fois"),
        ]

    def __str__(self) -> str:
        return f"{self.exigence} ({self.dossier_id})"
