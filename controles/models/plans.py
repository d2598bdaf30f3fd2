"""Le plan annuel : qui sera contrôlé, pourquoi, par qui ; le tirage se rejoue, le responsable valide."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from controles.choix import ORIGINES_MOTIVEES, EtatPlan, Mode, Origine
from controles.models.regles import ReglesControle
from controles.querysets import PlanQuerySet
from partenaires.models import Structure


class PlanControle(models.Model):
    """Les contrôles d’une année. Validé, il ne change plus ; ses lignes sont devenues des contrôles.

    ``population`` : les structures dans le tirage, figées avec la graine : le même tirage se rejoue toujours.
    """

    annee = models.PositiveSmallIntegerField("année", unique=True)
    etat = models.CharField("état", max_length=20, choices=EtatPlan, default=EtatPlan.EN_PREPARATION)
    regles = models.ForeignKey(ReglesControle, related_name="plans", on_delete=models.PROTECT)
    objectif = models.PositiveSmallIntegerField("contrôles à mener")
    instructions = models.TextField("instructions nationales de l’année", blank=True)
    graine = models.CharField("graine du tirage", max_length=64, blank=True)
    population = models.JSONField("structures dans le tirage", default=list, blank=True)
    tire_le = models.DateTimeField("tiré le", null=True, blank=True)
    prepare_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    prepare_le = models.DateTimeField("ouvert le", auto_now_add=True)
    valide_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    valide_le = models.DateTimeField("validé le", null=True, blank=True)
    motif_reprise = models.TextField("ce qui est à reprendre", blank=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = "plan de contrôle"
        verbose_name_plural = "plans de contrôle"
        ordering = ["-annee"]
        constraints = [
            models.CheckConstraint(name="plan_etat_connu", condition=Q(etat__in=EtatPlan.values)),
            models.CheckConstraint(name="plan_annee_connue", condition=Q(annee__gte=2000, annee__lte=2099)),
            models.CheckConstraint(
                name="plan_objectif_positif",
                condition=Q(objectif__gte=1),
                violation_error_message="Un plan prévoit un contrôle au moins.",
            ),
            models.CheckConstraint(
                name="plan_tire_avec_graine",
                condition=Q(tire_le__isnull=True, graine="") | (Q(tire_le__isnull=False) & ~Q(graine="")),
            ),
            models.CheckConstraint(
                name="plan_valide_par_quelqu_un",
                condition=Q(etat=EtatPlan.VALIDE, valide_par__isnull=False, valide_le__isnull=False)
                | (~Q(etat=EtatPlan.VALIDE) & Q(valide_par__isnull=True, valide_le__isnull=True)),
            ),
            models.CheckConstraint(
                name="plan_valide_par_un_autre",
                condition=Q(valide_par__isnull=True) | ~Q(valide_par=F("prepare_par")),
                violation_error_message="Qui prépare le plan ne le valide pas.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="plan_valide_fige",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__etat=EtatPlan.VALIDE),
            )
        ]

    def __str__(self) -> str:
        return f"plan de contrôle {self.annee}"

    def get_absolute_url(self) -> str:
        return reverse("controles:plan", args=[self.annee])


class LignePlan(models.Model):
    """Une structure au plan. ``raisons`` : ``[{"points", "phrase"}]``, le score en mots, figé quand on le retient."""

    plan = models.ForeignKey(PlanControle, related_name="lignes", on_delete=models.CASCADE)
    structure = models.ForeignKey(Structure, related_name="+", on_delete=models.PROTECT)
    origine = models.CharField("origine", max_length=20, choices=Origine)
    mode = models.CharField("mode", max_length=20, choices=Mode, default=Mode.SUR_PLACE)
    score = models.PositiveSmallIntegerField("score", default=0)
    raisons = models.JSONField("raisons", default=list, blank=True)
    motif = models.TextField("motif", blank=True)
    controleur = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="contrôleur", related_name="+", null=True, blank=True,
        on_delete=models.PROTECT,
    )  # fmt: skip
    trimestre = models.PositiveSmallIntegerField("trimestre", null=True, blank=True)

    class Meta:
        verbose_name = "ligne du plan"
        verbose_name_plural = "lignes du plan"
        ordering = ["-score", "structure__nom_tri", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "structure"],
                name="ligne_plan_une_par_structure",
                violation_error_message="Cette structure est déjà au plan.",
            ),
            models.CheckConstraint(name="ligne_plan_origine_connue", condition=Q(origine__in=Origine.values)),
            models.CheckConstraint(name="ligne_plan_mode_connu", condition=Q(mode__in=Mode.values)),
            models.CheckConstraint(
                name="ligne_plan_motivee",
                condition=~Q(origine__in=ORIGINES_MOTIVEES) | ~Q(motif=""),
                violation_error_message="Dites l’instruction ou le signalement qui fait contrôler cette structure.",
            ),
            models.CheckConstraint(
                name="ligne_plan_trimestre_connu",
                condition=Q(trimestre__isnull=True) | Q(trimestre__gte=1, trimestre__lte=4),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="ligne_plan_validee_figee",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM controles_plancontrole p
                        WHERE p.id IN (NEW.plan_id, OLD.plan_id) AND p.etat = 'valide'
                    ) THEN
                        RAISE EXCEPTION 'Un plan validé ne change plus.';
                    END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.structure} ({self.get_origine_display()})"
