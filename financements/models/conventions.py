"""La convention d’objectifs et de financement : ce que les deux parties signent avant tout versement important."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from agrements.models import Agrement
from documents.models import Acte, Fichier
from financements.choix import EtatConvention
from financements.models.baremes import exercice_connu
from financements.querysets import ConventionQuerySet
from partenaires.models import Structure


class Convention(models.Model):
    """Conditions générales et particulières pour un agrément ; signée, elle ne change plus que par avenant.

    ``exercice`` à ``dernier_exercice`` : les années qu’elle couvre, alignées ou non sur l’agrément.
    """

    structure = models.ForeignKey(Structure, related_name="conventions", on_delete=models.PROTECT)
    agrement = models.ForeignKey(Agrement, related_name="conventions", on_delete=models.PROTECT)
    prestations = ArrayField(models.CharField(max_length=20), verbose_name="prestations")
    exercice = models.PositiveSmallIntegerField("premier exercice")
    dernier_exercice = models.PositiveSmallIntegerField("dernier exercice")
    etat = models.CharField("état", max_length=20, choices=EtatConvention, default=EtatConvention.A_SIGNER)
    avenant_de = models.ForeignKey(
        "self", verbose_name="avenant à", related_name="avenants", null=True, blank=True, on_delete=models.PROTECT
    )
    objet_avenant = models.TextField("objet de l’avenant", blank=True)
    acte = models.ForeignKey(Acte, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    scan_partenaire = models.ForeignKey(Fichier, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    signee_partenaire_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    signee_partenaire_le = models.DateTimeField("signée par le gestionnaire le", null=True, blank=True)
    scan_caf = models.ForeignKey(Fichier, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    signee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    signee_le = models.DateTimeField("signée par la Caf le", null=True, blank=True)
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("créée le", auto_now_add=True)

    objects = ConventionQuerySet.as_manager()

    class Meta:
        verbose_name = "convention"
        ordering = ["-cree_le", "-pk"]
        constraints = [
            exercice_connu("convention_exercice_connu"),
            models.CheckConstraint(name="convention_etat_connu", condition=Q(etat__in=EtatConvention.values)),
            models.CheckConstraint(
                name="convention_a_l_endroit",
                condition=Q(dernier_exercice__gte=F("exercice")),
                violation_error_message="Le dernier exercice précède le premier.",
            ),
            models.CheckConstraint(name="convention_porte_une_prestation", condition=Q(prestations__len__gt=0)),
            models.CheckConstraint(
                name="convention_signee_partenaire_avec_scan",
                condition=Q(etat__in=[EtatConvention.A_SIGNER, EtatConvention.RESILIEE])
                | Q(scan_partenaire__isnull=False, signee_partenaire_le__isnull=False),
            ),
            models.CheckConstraint(
                name="convention_signee_a_deux",
                condition=~Q(etat=EtatConvention.SIGNEE)
                | Q(scan_caf__isnull=False, signee_le__isnull=False, signee_par__isnull=False),
            ),
            models.CheckConstraint(
                name="convention_avenant_motive", condition=Q(avenant_de__isnull=True) | ~Q(objet_avenant="")
            ),
            models.UniqueConstraint(
                fields=["agrement"],
                condition=Q(avenant_de__isnull=True) & ~Q(etat=EtatConvention.RESILIEE),
                name="convention_une_par_agrement",
                violation_error_message="Cet agrément a déjà sa convention : faites un avenant.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="convention_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.numero}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("financements:convention", args=[self.pk])

    @property
    def numero(self) -> str:
        return f"COF-{self.exercice}-{self.pk:05d}"
