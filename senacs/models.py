"""Le suivi de Senacs : une campagne par année, une contribution par structure, ses réponses et son journal."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from documents.models import Fichier
from partenaires.models import Structure
from senacs.choix import EtatContribution, GesteSenacs
from senacs.querysets import ContributionQuerySet


class CampagneSenacs(models.Model):
    """L’enquête d’une année : elle porte sur l’exercice précédent et se répond au printemps, sur senacs.fr."""

    annee = models.PositiveSmallIntegerField("année", unique=True)
    ouverture = models.DateField("ouverture")
    limite = models.DateField("date limite")
    source = models.CharField("source", max_length=300)
    reglee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    reglee_le = models.DateTimeField("réglée le", auto_now=True)

    class Meta:
        verbose_name = "campagne Senacs"
        verbose_name_plural = "campagnes Senacs"
        ordering = ["-annee"]
        constraints = [
            models.CheckConstraint(
                name="senacs_annee_connue",
                condition=Q(annee__gte=2011, annee__lte=2099),
                violation_error_message="Écrivez une année depuis 2011, par exemple 2026.",
            ),
            models.CheckConstraint(
                name="senacs_campagne_a_l_endroit",
                condition=Q(limite__gte=F("ouverture")),
                violation_error_message="La date limite précède l’ouverture.",
            ),
        ]

    def __str__(self) -> str:
        return f"Senacs {self.annee}"

    @property
    def exercice(self) -> int:
        """L’exercice sur lequel porte l’enquête."""
        return self.annee - 1


class Contribution(models.Model):
    """Où en est une structure avec l’enquête d’une année. Contribuée, elle porte sa date, son auteur et sa preuve."""

    structure = models.ForeignKey(Structure, related_name="contributions_senacs", on_delete=models.PROTECT)
    campagne = models.ForeignKey(CampagneSenacs, related_name="contributions", on_delete=models.PROTECT)
    etat = models.CharField("état", max_length=20, choices=EtatContribution, default=EtatContribution.A_FAIRE)
    contribuee_le = models.DateField("contribuée le", null=True, blank=True)
    contribuee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    reference = models.CharField("référence de la réponse", max_length=60, blank=True)
    preuve = models.ForeignKey(Fichier, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    relancee_le = models.DateField("dernière relance", null=True, blank=True)

    objects = ContributionQuerySet.as_manager()

    class Meta:
        verbose_name = "contribution Senacs"
        verbose_name_plural = "contributions Senacs"
        ordering = ["-campagne__annee", "structure__nom_tri", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["structure", "campagne"], name="senacs_une_contribution_par_annee"),
            models.CheckConstraint(name="senacs_etat_connu", condition=Q(etat__in=EtatContribution.values)),
            models.CheckConstraint(
                name="senacs_contribuee_prouvee",
                condition=(
                    Q(etat=EtatContribution.CONTRIBUEE, contribuee_le__isnull=False, contribuee_par__isnull=False)
                    & (Q(preuve__isnull=False) | ~Q(reference=""))
                )
                | (
                    ~Q(etat=EtatContribution.CONTRIBUEE)
                    & Q(contribuee_le__isnull=True, contribuee_par__isnull=True, preuve__isnull=True, reference="")
                ),
                violation_error_message="Une contribution porte sa date et sa preuve : un fichier ou une référence.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="contribution_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.campagne}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("senacs:releve", args=[self.pk])


class ReponseSenacs(models.Model):
    """Ce que la structure complète elle-même ; sa réponse passe devant ce que la Caf savait."""

    contribution = models.ForeignKey(Contribution, related_name="reponses", on_delete=models.CASCADE)
    champ = models.CharField("champ", max_length=60)
    valeur = models.JSONField("valeur")
    version = models.PositiveIntegerField("version", default=1)
    modifie_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    modifie_le = models.DateTimeField("modifié le")

    class Meta:
        verbose_name = "réponse"
        constraints = [models.UniqueConstraint(fields=["contribution", "champ"], name="senacs_une_reponse_par_champ")]

    def __str__(self) -> str:
        return self.champ


class EvenementSenacs(models.Model):
    """Le journal d’une contribution."""

    contribution = models.ForeignKey(Contribution, related_name="evenements", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=20, choices=GesteSenacs)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le")
    motif = models.TextField("motif", blank=True)

    class Meta:
        verbose_name = "événement Senacs"
        verbose_name_plural = "événements Senacs"
        ordering = ["-le", "-pk"]
        triggers = [pgtrigger.Protect(name="journal_senacs_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.contribution_id})"
