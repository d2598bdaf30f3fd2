"""Les scénarios budgétaires : des hypothèses nommées, comparées, dont aucune ne touche un vrai droit."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from financements.models.baremes import exercice_connu
from socle.montants import nombre_fr


class Scenario(models.Model):
    """Une hypothèse pour un exercice ; ``resultat`` : totaux et effet par structure, figés au calcul, en chaînes."""

    exercice = models.PositiveSmallIntegerField("exercice")
    nom = models.CharField("nom", max_length=120)
    variation_plafond = models.DecimalField("variation des plafonds (%)", max_digits=6, decimal_places=2, default=0)
    variation_taux = models.DecimalField("variation des taux (%)", max_digits=6, decimal_places=2, default=0)
    variation_enveloppe = models.DecimalField(
        "variation de l’enveloppe (%)", max_digits=6, decimal_places=2, null=True, blank=True
    )
    fusion = models.BooleanField("fusion des prestations en leur successeur", default=False)
    resultat = models.JSONField("résultat", default=dict)
    calcule_le = models.DateTimeField("calculé le")
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    retenu = models.BooleanField("retenu pour la séance", default=False)

    class Meta:
        verbose_name = "scénario"
        ordering = ["-exercice", "pk"]
        constraints = [
            exercice_connu("scenario_exercice_connu"),
            models.UniqueConstraint(
                fields=["exercice", "nom"],
                name="scenario_nom_unique",
                violation_error_message="Un scénario de cet exercice porte déjà ce nom.",
            ),
            models.UniqueConstraint(fields=["exercice"], condition=Q(retenu=True), name="scenario_un_seul_retenu"),
            models.CheckConstraint(
                name="scenario_variations_possibles",
                condition=Q(variation_plafond__range=(-100, 100), variation_taux__range=(-100, 100))
                & (Q(variation_enveloppe__isnull=True) | Q(variation_enveloppe__range=(-100, 100))),
                violation_error_message="Une variation va de −100 à +100 pour cent.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom

    def get_absolute_url(self) -> str:
        return reverse("financements:scenario", args=[self.pk])

    @property
    def hypotheses(self) -> str:
        """Ce que le scénario suppose, sans ce qu’il ne change pas."""
        variations = {
            "plafonds": self.variation_plafond,
            "taux": self.variation_taux,
            "enveloppe": self.variation_enveloppe,
        }
        dites = [f"{nom} {'+' if v > 0 else ''}{nombre_fr(v)}\u00a0%" for nom, v in variations.items() if v]
        return ", ".join([*dites, *(["fusion des prestations"] if self.fusion else [])]) or "rien ne change"
