"""Les règles du contrôle : poids du risque, délais, points de la fiche, sanctions ; datées, publiées à deux."""

from __future__ import annotations

from functools import cached_property

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from controles import referentiel
from controles.choix import EtatRegles
from controles.querysets import ReglesQuerySet
from controles.referentiel import Degre, PieceType, Poids, PointType


class ReglesControle(models.Model):
    """Ce qui règle les contrôles à partir d’une date. Publiée, une version ne change plus : une autre la suit.

    Invariants : une version publiée par date d’effet ; qui l’écrit ne la publie pas. ``poids``, ``points``, ``pieces``
    et ``echelle`` : listes lues par ``controles.referentiel``. Un contrôle garde la version qui l’a fait naître.
    """

    effet_le = models.DateField("en vigueur à partir du")
    etat = models.CharField("état", max_length=20, choices=EtatRegles, default=EtatRegles.BROUILLON)
    source = models.CharField("source", max_length=300)
    demonstration = models.BooleanField("valeur de démonstration", default=False)
    poids = models.JSONField("poids du risque", default=list)
    points = models.JSONField("points de la fiche", default=list)
    pieces = models.JSONField("pièces à tenir prêtes", default=list)
    part_tirage = models.PositiveSmallIntegerField("part tirée au sort (%)")
    preavis_jours = models.PositiveSmallIntegerField("préavis de visite (jours)")
    exercices_max = models.PositiveSmallIntegerField("exercices contrôlés au plus")
    reponse_jours = models.PositiveSmallIntegerField("délai de réponse (jours)")
    reponse_ouvres = models.BooleanField("ce délai compte les jours ouvrés", default=True)
    prolongation_max = models.PositiveSmallIntegerField("prolongation au plus (jours)")
    conservation_jours = models.PositiveSmallIntegerField("visites gardées sur l’appareil (jours)")
    sanctions_actives = models.BooleanField("les sanctions sont ouvertes", default=False)
    echelle = models.JSONField("échelle des sanctions", default=list, blank=True)
    saisie_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    saisie_le = models.DateTimeField("saisie le", auto_now_add=True)
    publiee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    publiee_le = models.DateTimeField("publiée le", null=True, blank=True)

    objects = ReglesQuerySet.as_manager()

    class Meta:
        verbose_name = "règles du contrôle"
        verbose_name_plural = "règles du contrôle"
        ordering = ["-effet_le", "-pk"]
        constraints = [
            models.CheckConstraint(name="regles_controle_etat_connu", condition=Q(etat__in=EtatRegles.values)),
            models.UniqueConstraint(
                fields=["effet_le"],
                condition=Q(etat=EtatRegles.PUBLIEE),
                name="regles_controle_une_par_date",
                violation_error_message="Des règles prennent déjà effet ce jour-là.",
            ),
            models.CheckConstraint(
                name="regles_controle_part_de_tirage",
                condition=Q(part_tirage__lte=100),
                violation_error_message="La part tirée au sort va de 0 à 100 %%.",
            ),
            models.CheckConstraint(
                name="regles_controle_delais_positifs",
                condition=Q(exercices_max__gte=1, reponse_jours__gte=1, conservation_jours__gte=1),
                violation_error_message="Un délai est d’un jour au moins, et l’on contrôle un exercice au moins.",
            ),
            models.CheckConstraint(
                name="regles_controle_publiee_avec_date",
                condition=Q(etat=EtatRegles.PUBLIEE, publiee_le__isnull=False)
                | (~Q(etat=EtatRegles.PUBLIEE) & Q(publiee_le__isnull=True, publiee_par__isnull=True)),
            ),
            models.CheckConstraint(
                name="regles_controle_publiee_par_un_autre",
                condition=Q(publiee_par__isnull=True) | Q(saisie_par__isnull=True) | ~Q(publiee_par=F("saisie_par")),
                violation_error_message="Qui écrit des règles ne les publie pas : un collègue les publie.",
            ),
            models.CheckConstraint(
                name="regles_controle_sanctions_avec_echelle",
                condition=Q(sanctions_actives=False) | ~Q(echelle=[]),
                violation_error_message="Ouvrir les sanctions demande une échelle.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="regles_controle_publiees_figees",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__etat=EtatRegles.PUBLIEE),
            )
        ]

    def __str__(self) -> str:
        return f"règles du contrôle au {self.effet_le:%d/%m/%Y}"

    def get_absolute_url(self) -> str:
        return reverse("controles:regles", args=[self.pk])

    @cached_property
    def poids_lus(self) -> tuple[Poids, ...]:
        return referentiel.lire_poids(self.poids)

    @cached_property
    def points_lus(self) -> tuple[PointType, ...]:
        return referentiel.lire_points(self.points)

    @cached_property
    def pieces_lues(self) -> tuple[PieceType, ...]:
        return referentiel.lire_pieces(self.pieces)

    @cached_property
    def echelle_lue(self) -> tuple[Degre, ...]:
        return referentiel.lire_echelle(self.echelle)
