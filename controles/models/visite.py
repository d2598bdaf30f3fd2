"""La fiche de contrôle et ce que l’appareil envoie : des points, des saisies versionnées, un journal, des photos."""

from __future__ import annotations

from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from controles.choix import IssueOperation
from controles.models.controles import Controle
from documents.models import Fichier


class PointControle(models.Model):
    """Un point de la fiche : une donnée déclarée à vérifier, une obligation, ou un constat libre ajouté sur place.

    ``champ`` suit la grammaire de ``financements.formulaire`` (« 64.pilotage ») ; ``uid`` peut naître sur l’appareil.
    """

    controle = models.ForeignKey(Controle, related_name="points", on_delete=models.PROTECT)
    uid = models.UUIDField("identifiant", default=uuid4, unique=True)
    ordre = models.PositiveSmallIntegerField("ordre")
    code = models.CharField("code", max_length=80)
    theme = models.CharField("thème", max_length=80)
    libelle = models.CharField("point", max_length=300)
    regle = models.CharField("règle", max_length=300, blank=True)
    exercice = models.PositiveSmallIntegerField("exercice", null=True, blank=True)
    champ = models.CharField("donnée déclarée", max_length=60, blank=True)
    declare = models.DecimalField("montant déclaré", max_digits=14, decimal_places=2, null=True, blank=True)
    unite = models.CharField("unité", max_length=20, blank=True)
    libre = models.BooleanField("ajouté sur place", default=False)

    class Meta:
        verbose_name = "point de contrôle"
        verbose_name_plural = "points de contrôle"
        ordering = ["ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["controle", "ordre"], name="point_ordre_unique", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                name="point_declare_avec_exercice",
                condition=Q(declare__isnull=True) | (Q(exercice__isnull=False) & ~Q(champ="")),
            ),
        ]

    def __str__(self) -> str:
        return self.libelle


class SaisieVisite(models.Model):
    """La valeur courante d’un champ (grammaire : ``controles.saisies``) ; ``version`` compte ses écritures."""

    controle = models.ForeignKey(Controle, related_name="saisies", on_delete=models.PROTECT)
    champ = models.CharField("champ", max_length=80)
    valeur = models.TextField("valeur", blank=True)
    version = models.PositiveIntegerField("version", default=1)
    appareil = models.UUIDField("appareil", null=True, blank=True)
    saisi_le = models.DateTimeField("saisi le, à l’heure de l’appareil")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("reçu le")

    class Meta:
        verbose_name = "saisie de visite"
        verbose_name_plural = "saisies de visite"
        constraints = [
            models.UniqueConstraint(fields=["controle", "champ"], name="saisie_visite_unique_par_champ"),
            models.CheckConstraint(name="saisie_visite_version_positive", condition=Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.champ} ({self.controle_id})"


class OperationVisite(models.Model):
    """Une saisie telle que l’appareil l’a envoyée, et ce qu’il en est advenu. La clé est tirée par l’appareil.

    C’est elle qui tient « exactement une fois » : reçue deux fois, elle ne s’applique qu’une ; le rang tient l’ordre.
    """

    id = models.UUIDField("identifiant", primary_key=True)
    controle = models.ForeignKey(Controle, related_name="operations", on_delete=models.PROTECT)
    appareil = models.UUIDField("appareil")
    rang = models.PositiveIntegerField("rang sur l’appareil")
    champ = models.CharField("champ", max_length=80)
    valeur = models.TextField("valeur", blank=True)
    version_lue = models.PositiveIntegerField("version lue")
    issue = models.CharField("issue", max_length=20, choices=IssueOperation)
    phrase = models.CharField("ce qui a été répondu", max_length=300, blank=True)
    saisi_le = models.DateTimeField("saisi le, à l’heure de l’appareil")
    decalage = models.IntegerField("avance de l’horloge de l’appareil (secondes)")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    recu_le = models.DateTimeField("reçu le")

    class Meta:
        verbose_name = "opération de visite"
        verbose_name_plural = "opérations de visite"
        ordering = ["recu_le", "rang"]
        constraints = [
            models.UniqueConstraint(fields=["appareil", "controle", "rang"], name="operation_visite_rang_unique"),
            models.CheckConstraint(name="operation_visite_issue_connue", condition=Q(issue__in=IssueOperation.values)),
            models.CheckConstraint(name="operation_visite_rang_positif", condition=Q(rang__gte=1)),
        ]
        triggers = [pgtrigger.Protect(name="journal_visite_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.champ}, {self.issue}"


class PhotoControle(models.Model):
    """Une photo prise sur place : réduite, sans lieu caché dedans ; le lieu n’est gardé que si on l’a demandé."""

    id = models.UUIDField("identifiant", primary_key=True, default=uuid4)
    controle = models.ForeignKey(Controle, related_name="photos", on_delete=models.PROTECT)
    point = models.ForeignKey(PointControle, related_name="photos", null=True, blank=True, on_delete=models.PROTECT)
    fichier = models.ForeignKey(Fichier, related_name="+", on_delete=models.PROTECT)
    empreinte_envoyee = models.CharField("empreinte du fichier envoyé", max_length=64)
    legende = models.CharField("légende", max_length=200, blank=True)
    largeur = models.PositiveIntegerField("largeur")
    hauteur = models.PositiveIntegerField("hauteur")
    latitude = models.FloatField("latitude", null=True, blank=True)
    longitude = models.FloatField("longitude", null=True, blank=True)
    prise_le = models.DateTimeField("prise le, à l’heure de l’appareil")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    recue_le = models.DateTimeField("reçue le")
    retiree_le = models.DateTimeField("retirée le", null=True, blank=True)

    class Meta:
        verbose_name = "photo de contrôle"
        verbose_name_plural = "photos de contrôle"
        ordering = ["prise_le", "recue_le", "pk"]
        constraints = [
            models.CheckConstraint(
                name="photo_lieu_entier",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.legende or f"photo du {self.prise_le:%d/%m/%Y}"
