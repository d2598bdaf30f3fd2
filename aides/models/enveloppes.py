"""Les enveloppes : ce que le conseil d’administration a voté, ce qui en est engagé ; jamais plus que le voté."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from aides.choix import NatureMouvement
from aides.models.dispositifs import Dispositif
from aides.querysets import EnveloppeQuerySet
from partenaires.models import Epci


class Enveloppe(models.Model):
    """Le budget d’un dispositif pour un exercice, du département ou d’une intercommunalité.

    ``vote`` et ``engage`` sont les sommes du journal des mouvements, tenues par ``aides.actions.enveloppes`` sous
    verrou ; la base refuse tout engagement au-delà du voté.
    """

    dispositif = models.ForeignKey(Dispositif, related_name="enveloppes", on_delete=models.PROTECT)
    exercice = models.PositiveSmallIntegerField("exercice")
    epci = models.ForeignKey(
        Epci, verbose_name="territoire", related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    vote = models.DecimalField("voté", max_digits=14, decimal_places=2, default=0)
    engage = models.DecimalField("engagé", max_digits=14, decimal_places=2, default=0)

    objects = EnveloppeQuerySet.as_manager()

    class Meta:
        verbose_name = "enveloppe"
        ordering = ["-exercice", "dispositif__ordre", "dispositif__nom", "epci__nom", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["dispositif", "exercice", "epci"],
                nulls_distinct=False,
                name="enveloppe_unique",
                violation_error_message="Cette enveloppe existe déjà : abondez-la.",
            ),
            models.CheckConstraint(
                name="enveloppe_jamais_depassee",
                condition=Q(engage__gte=0, engage__lte=F("vote")),
                violation_error_message="L’enveloppe ne suffit pas.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="enveloppe_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.dispositif} {self.exercice}, {self.territoire}"

    def get_absolute_url(self) -> str:
        return reverse("aides:enveloppe", args=[self.pk])

    @property
    def territoire(self) -> str:
        return self.epci.nom if self.epci else "tout le département"

    @property
    def reste(self) -> Decimal:
        return self.vote - self.engage


class MouvementEnveloppe(models.Model):
    """Une ligne du journal d’une enveloppe : un vote, un transfert, un engagement. On n’y revient pas."""

    enveloppe = models.ForeignKey(Enveloppe, related_name="mouvements", on_delete=models.PROTECT)
    nature = models.CharField("nature", max_length=20, choices=NatureMouvement)
    montant = models.DecimalField("montant", max_digits=14, decimal_places=2)
    demande = models.ForeignKey("Demande", related_name="mouvements", null=True, blank=True, on_delete=models.PROTECT)
    contrepartie = models.ForeignKey(Enveloppe, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    motif = models.TextField("raison")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "mouvement d’enveloppe"
        verbose_name_plural = "mouvements d’enveloppe"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(name="mouvement_nature_connue", condition=Q(nature__in=NatureMouvement.values)),
            models.CheckConstraint(name="mouvement_non_nul", condition=~Q(montant=0)),
            models.CheckConstraint(name="mouvement_motive", condition=~Q(motif="")),
            models.CheckConstraint(
                name="mouvement_de_transfert_a_deux",
                condition=Q(nature=NatureMouvement.TRANSFERT, contrepartie__isnull=False)
                | (~Q(nature=NatureMouvement.TRANSFERT) & Q(contrepartie__isnull=True)),
            ),
            models.CheckConstraint(
                name="mouvement_engage_une_demande",
                condition=Q(nature__in=[NatureMouvement.ENGAGEMENT, NatureMouvement.DEGAGEMENT], demande__isnull=False)
                | (~Q(nature__in=[NatureMouvement.ENGAGEMENT, NatureMouvement.DEGAGEMENT]) & Q(demande__isnull=True)),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="journal_enveloppe_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()} {self.montant}"


class ScenarioAllocation(models.Model):
    """Une répartition à l’essai des demandes d’une enveloppe ; retenue, ses montants deviennent les propositions."""

    enveloppe = models.ForeignKey(Enveloppe, related_name="scenarios", on_delete=models.PROTECT)
    nom = models.CharField("nom", max_length=80)
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("créé le", auto_now_add=True)
    retenu_le = models.DateTimeField("retenu le", null=True, blank=True)
    retenu_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "scénario de répartition"
        verbose_name_plural = "scénarios de répartition"
        ordering = ["-cree_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["enveloppe", "nom"],
                name="scenario_allocation_nom_unique",
                violation_error_message="Un scénario porte déjà ce nom.",
            ),
            models.CheckConstraint(
                name="scenario_allocation_retenu_par_quelqu_un",
                condition=Q(retenu_le__isnull=True, retenu_par__isnull=True)
                | Q(retenu_le__isnull=False, retenu_par__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.nom

    def get_absolute_url(self) -> str:
        return reverse("aides:scenario", args=[self.pk])


class LigneAllocation(models.Model):
    scenario = models.ForeignKey(ScenarioAllocation, related_name="lignes", on_delete=models.CASCADE)
    demande = models.ForeignKey("Demande", related_name="+", on_delete=models.PROTECT)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = "ligne de répartition"
        verbose_name_plural = "lignes de répartition"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["scenario", "demande"], name="ligne_allocation_unique"),
            models.CheckConstraint(name="ligne_allocation_positive", condition=Q(montant__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.demande_id} : {self.montant}"
