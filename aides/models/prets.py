"""Les prêts : un tableau d’amortissement figé par version, des échéances prélevées, payées ou impayées."""

from __future__ import annotations

from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from aides.choix import EtatEcheance, EtatPret, ModeAnticipe
from aides.models.demandes import Demande
from aides.prets import ConditionsDePret


def chemin_du_prelevement(instance: LotPrelevement, nom: str) -> str:
    return f"prelevements/{instance.cree_le:%Y}/{uuid4().hex}.xml"


class Pret(models.Model):
    """Un prêt accordé. ``tableau`` : le numéro du tableau d’amortissement en vigueur ; un remboursement anticipé en
    fait naître un autre.
    """

    demande = models.OneToOneField(Demande, related_name="pret", on_delete=models.PROTECT)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)
    taux = models.DecimalField("taux (%)", max_digits=5, decimal_places=2)
    nombre = models.PositiveSmallIntegerField("nombre d’échéances")
    periodicite = models.PositiveSmallIntegerField("une échéance tous les (mois)")
    differe = models.PositiveSmallIntegerField("différé (échéances)", default=0)
    premiere_echeance = models.DateField("première échéance", null=True, blank=True)
    etat = models.CharField("état", max_length=20, choices=EtatPret, default=EtatPret.A_SIGNER)
    tableau = models.PositiveSmallIntegerField("tableau en vigueur", default=1)
    mandat = models.CharField("référence unique du mandat (RUM)", max_length=35, blank=True)
    mandat_signe_le = models.DateField("mandat signé le", null=True, blank=True)

    class Meta:
        verbose_name = "prêt"
        constraints = [
            models.CheckConstraint(name="pret_etat_connu", condition=Q(etat__in=EtatPret.values)),
            models.CheckConstraint(
                name="pret_possible",
                condition=Q(montant__gt=0, taux__gte=0, taux__lte=20, nombre__gte=1, nombre__lte=360, differe__lt=60)
                & Q(periodicite__in=[1, 3, 6, 12]),
            ),
            models.CheckConstraint(
                name="pret_signe_avec_mandat",
                condition=Q(etat=EtatPret.A_SIGNER)
                | (~Q(mandat="") & Q(mandat_signe_le__isnull=False, premiere_echeance__isnull=False)),
                violation_error_message="Un prêt signé porte son mandat de prélèvement et sa première échéance.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="pret_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="pret_conditions_figees",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("demande", "montant", "taux", "nombre", "periodicite", "differe"),
            ),
        ]

    def __str__(self) -> str:
        return f"prêt {self.demande.numero}"

    def get_absolute_url(self) -> str:
        return reverse("aides:pret", args=[self.demande_id])

    @property
    def conditions(self) -> ConditionsDePret:
        """Les conditions du tableau d’origine ; suppose la première échéance connue."""
        assert self.premiere_echeance is not None
        return ConditionsDePret(
            montant=self.montant,
            taux=self.taux,
            nombre=self.nombre,
            periodicite_mois=self.periodicite,
            premiere_echeance=self.premiere_echeance,
            differe=self.differe,
        )


class LotPrelevement(models.Model):
    """Des échéances prélevées ensemble ; le fichier remis à la banque est gardé tel qu’il est parti."""

    execution_le = models.DateField("date de prélèvement")
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("créé le")
    fichier = models.FileField("ordre de prélèvement", upload_to=chemin_du_prelevement, max_length=200)
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    nombre = models.PositiveIntegerField("nombre de prélèvements")
    total = models.DecimalField("total", max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = "lot de prélèvements"
        verbose_name_plural = "lots de prélèvements"
        ordering = ["-cree_le", "-pk"]
        constraints = [models.CheckConstraint(name="prelevement_non_vide", condition=Q(nombre__gt=0, total__gt=0))]
        triggers = [pgtrigger.Protect(name="prelevement_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"PREL-{self.cree_le.year}-{self.pk:05d}"


class EcheancePret(models.Model):
    """Une échéance d’un tableau. ``report`` : ce qu’une échéance impayée avant elle y ajoute à prélever."""

    pret = models.ForeignKey(Pret, related_name="echeances", on_delete=models.PROTECT)
    tableau = models.PositiveSmallIntegerField("tableau")
    rang = models.PositiveSmallIntegerField("rang")
    le = models.DateField("date")
    capital = models.DecimalField("capital", max_digits=12, decimal_places=2)
    interets = models.DecimalField("intérêts", max_digits=12, decimal_places=2)
    total = models.DecimalField("échéance", max_digits=12, decimal_places=2)
    reste = models.DecimalField("capital restant dû", max_digits=12, decimal_places=2)
    etat = models.CharField("état", max_length=20, choices=EtatEcheance, default=EtatEcheance.A_VENIR)
    lot = models.ForeignKey(LotPrelevement, related_name="echeances", null=True, blank=True, on_delete=models.PROTECT)
    constatee_le = models.DateField("constatée le", null=True, blank=True)
    constatee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    motif = models.CharField("raison de l’impayé", max_length=300, blank=True)

    class Meta:
        verbose_name = "échéance"
        ordering = ["tableau", "rang"]
        constraints = [
            models.UniqueConstraint(fields=["pret", "tableau", "rang"], name="echeance_pret_unique"),
            models.CheckConstraint(name="echeance_pret_etat_connu", condition=Q(etat__in=EtatEcheance.values)),
            models.CheckConstraint(
                name="echeance_pret_juste",
                condition=Q(capital__gte=0, interets__gte=0, reste__gte=0, total=F("capital") + F("interets")),
            ),
            models.CheckConstraint(
                name="echeance_pret_constatee_par_quelqu_un",
                condition=~Q(etat__in=[EtatEcheance.PAYEE, EtatEcheance.IMPAYEE])
                | Q(constatee_le__isnull=False, constatee_par__isnull=False),
            ),
            models.CheckConstraint(
                name="echeance_pret_impayee_motivee", condition=~Q(etat=EtatEcheance.IMPAYEE) | ~Q(motif="")
            ),
            models.CheckConstraint(
                name="echeance_pret_emise_dans_un_lot", condition=~Q(etat=EtatEcheance.EMISE) | Q(lot__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="echeance_pret_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="echeance_pret_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("pret", "tableau", "rang", "le", "capital", "interets", "total", "reste"),
            ),
        ]

    def __str__(self) -> str:
        return f"échéance {self.rang} ({self.pret_id})"

    @property
    def reference(self) -> str:
        """Propre à chaque présentation : le retour d’un prélèvement passé ne touche pas celui qui l’a remplacé."""
        return f"PRET-{self.pret_id:05d}-{self.tableau}-{self.rang:03d}" + (f"-{self.lot_id}" if self.lot_id else "")


class RemboursementAnticipe(models.Model):
    """Un capital rendu avant l’heure, en tout ou partie, et les intérêts courus ce jour-là."""

    pret = models.ForeignKey(Pret, related_name="anticipes", on_delete=models.PROTECT)
    le = models.DateField("le")
    capital = models.DecimalField("capital rendu", max_digits=12, decimal_places=2)
    interets = models.DecimalField("intérêts courus", max_digits=12, decimal_places=2)
    mode = models.CharField("ensuite", max_length=20, choices=ModeAnticipe, blank=True)
    tableau = models.PositiveSmallIntegerField("tableau qui en naît", null=True, blank=True)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    enregistre_le = models.DateTimeField("enregistré le")

    class Meta:
        verbose_name = "remboursement anticipé"
        verbose_name_plural = "remboursements anticipés"
        ordering = ["le", "pk"]
        constraints = [
            models.CheckConstraint(name="anticipe_positif", condition=Q(capital__gt=0, interets__gte=0)),
            models.CheckConstraint(
                name="anticipe_partiel_dit_la_suite",
                condition=Q(mode="", tableau__isnull=True) | (~Q(mode="") & Q(tableau__isnull=False)),
            ),
        ]
        triggers = [pgtrigger.Protect(name="anticipe_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.pret_id} : {self.capital}"
