"""Ce qu’un contrôle entraîne : des droits à revoir, des sanctions, des recommandations qui lui survivent."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from controles.choix import EtatRecommandation, EtatSanction, EtatSuite
from controles.models.constats import Constat
from controles.models.controles import Controle
from controles.querysets import RecommandationQuerySet
from documents.models import Acte
from financements.models import Droit, VersionDroit
from partenaires.models import Structure


class SuiteFinanciere(models.Model):
    """Un droit que les données contrôlées changent. Née à la signature du rapport ; qui contrôle n’en décide pas.

    ``corrections`` : ``{champ: "1234.50"}`` ; ``avant`` et ``apres`` : le droit, calculé le jour de la signature.
    """

    controle = models.ForeignKey(Controle, related_name="suites", on_delete=models.PROTECT)
    controleur = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    droit = models.ForeignKey(Droit, related_name="+", on_delete=models.PROTECT)
    sur_version = models.ForeignKey(VersionDroit, related_name="+", on_delete=models.PROTECT)
    corrections = models.JSONField("données corrigées")
    donnees = models.JSONField("données du calcul")
    explication = models.JSONField("explication")
    avant = models.DecimalField("droit avant", max_digits=12, decimal_places=2)
    apres = models.DecimalField("droit après", max_digits=12, decimal_places=2)
    etat = models.CharField("état", max_length=20, choices=EtatSuite, default=EtatSuite.A_DECIDER)
    motif = models.TextField("raison", blank=True)
    decide_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    decide_le = models.DateTimeField("décidée le", null=True, blank=True)
    version_droit = models.OneToOneField(
        VersionDroit, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "suite financière"
        verbose_name_plural = "suites financières"
        ordering = ["droit__exercice", "droit__prestation__ordre", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["controle", "droit"], name="suite_une_par_droit"),
            models.CheckConstraint(name="suite_etat_connu", condition=Q(etat__in=EtatSuite.values)),
            models.CheckConstraint(name="suite_droit_positif", condition=Q(apres__gte=0, avant__gte=0)),
            models.CheckConstraint(
                name="suite_decidee_par_un_autre",
                condition=Q(etat=EtatSuite.A_DECIDER, decide_par__isnull=True, decide_le__isnull=True)
                | (
                    ~Q(etat=EtatSuite.A_DECIDER)
                    & Q(decide_par__isnull=False, decide_le__isnull=False)
                    & ~Q(decide_par=F("controleur"))
                ),
                violation_error_message="Qui contrôle ne liquide pas : un liquidateur décide de cette suite.",
            ),
            models.CheckConstraint(
                name="suite_appliquee_avec_version",
                condition=Q(etat=EtatSuite.APPLIQUEE, version_droit__isnull=False)
                | (~Q(etat=EtatSuite.APPLIQUEE) & Q(version_droit__isnull=True)),
            ),
            models.CheckConstraint(
                name="suite_ecartee_motivee",
                condition=~Q(etat=EtatSuite.ECARTEE) | ~Q(motif=""),
                violation_error_message="Dites pourquoi cette suite est écartée.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="suite_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.droit}"


class Sanction(models.Model):
    """Une pénalité proposée par le contrôleur, discutée, décidée par un autre (domaine E.2) ; les règles la ferment.

    ``degre``, ``libelle_degre`` et ``taux`` sont recopiés de l’échelle en vigueur : la décision garde sa règle.
    """

    controle = models.ForeignKey(Controle, related_name="sanctions", on_delete=models.PROTECT)
    constat = models.ForeignKey(Constat, related_name="sanctions", on_delete=models.PROTECT)
    degre = models.CharField("degré", max_length=40)
    libelle_degre = models.CharField("degré de l’échelle", max_length=200)
    taux = models.DecimalField("taux", max_digits=6, decimal_places=5)
    base = models.DecimalField("base", max_digits=12, decimal_places=2)
    base_dite = models.CharField("ce qu’est la base", max_length=300)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)
    motivation = models.TextField("motivation")
    etat = models.CharField("état", max_length=20, choices=EtatSanction, default=EtatSanction.PROPOSEE)
    proposee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    proposee_le = models.DateTimeField("proposée le")
    acte_projet = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
    observations_avant_le = models.DateField("observations attendues avant le")
    observations = models.TextField("observations de la structure", blank=True)
    observations_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    observations_le = models.DateTimeField("observations reçues le", null=True, blank=True)
    decidee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    decidee_le = models.DateTimeField("décidée le", null=True, blank=True)
    motif_decision = models.TextField("raison de la décision", blank=True)
    acte_decision = models.OneToOneField(Acte, related_name="+", null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        verbose_name = "sanction"
        ordering = ["-proposee_le", "-pk"]
        constraints = [
            models.CheckConstraint(name="sanction_etat_connu", condition=Q(etat__in=EtatSanction.values)),
            models.CheckConstraint(name="sanction_motivee", condition=~Q(motivation="")),
            models.CheckConstraint(
                name="sanction_montant_borne",
                condition=Q(taux__gt=0, taux__lte=1, base__gte=0, montant__gte=0, montant__lte=F("base")),
            ),
            models.CheckConstraint(
                name="sanction_observations_de_quelqu_un",
                condition=Q(observations="", observations_par__isnull=True, observations_le__isnull=True)
                | (~Q(observations="") & Q(observations_par__isnull=False, observations_le__isnull=False)),
            ),
            models.CheckConstraint(
                name="sanction_decidee_par_un_autre",
                condition=Q(
                    etat=EtatSanction.PROPOSEE,
                    decidee_par__isnull=True,
                    decidee_le__isnull=True,
                    motif_decision="",
                    acte_decision__isnull=True,
                )
                | (
                    ~Q(etat=EtatSanction.PROPOSEE)
                    & Q(decidee_par__isnull=False, decidee_le__isnull=False, acte_decision__isnull=False)
                    & ~Q(motif_decision="")
                    & ~Q(decidee_par=F("proposee_par"))
                ),
                violation_error_message="Qui propose une sanction ne la décide pas.",
            ),
            models.UniqueConstraint(
                fields=["constat"],
                condition=~Q(etat=EtatSanction.ECARTEE),
                name="sanction_une_par_constat",
                violation_error_message="Une sanction est déjà proposée pour ce constat.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="sanction_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="sanction_decidee_figee",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__etat=EtatSanction.PROPOSEE),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.libelle_degre} ({self.controle_id})"


class Recommandation(models.Model):
    """Ce que la structure doit corriger : elle survit au contrôle, le chargé de conseil la suit, elle se compte.

    ``code`` : le point de la fiche ; deux recommandations de même code disent « déjà signalée ».
    """

    structure = models.ForeignKey(Structure, related_name="recommandations", on_delete=models.PROTECT)
    constat = models.OneToOneField(Constat, related_name="recommandation_nee", on_delete=models.PROTECT)
    code = models.CharField("code du point", max_length=80)
    libelle = models.TextField("recommandation")
    responsable = models.CharField("qui s’en charge dans la structure", max_length=200)
    echeance_le = models.DateField("à tenir avant le")
    etat = models.CharField("état", max_length=20, choices=EtatRecommandation, default=EtatRecommandation.OUVERTE)
    fermee_le = models.DateTimeField("fermée le", null=True, blank=True)
    cree_le = models.DateTimeField("émise le", auto_now_add=True)

    objects = RecommandationQuerySet.as_manager()

    class Meta:
        verbose_name = "recommandation"
        ordering = ["echeance_le", "pk"]
        indexes = [models.Index(fields=["structure", "code"], name="recommandation_par_code")]
        constraints = [
            models.CheckConstraint(name="recommandation_etat_connu", condition=Q(etat__in=EtatRecommandation.values)),
            models.CheckConstraint(name="recommandation_ecrite", condition=~Q(libelle="") & ~Q(responsable="")),
            models.CheckConstraint(
                name="recommandation_fermee_avec_date",
                condition=Q(etat=EtatRecommandation.OUVERTE, fermee_le__isnull=True)
                | (~Q(etat=EtatRecommandation.OUVERTE) & Q(fermee_le__isnull=False)),
            ),
        ]
        triggers = [pgtrigger.Protect(name="recommandation_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.libelle[:80]

    def get_absolute_url(self) -> str:
        return reverse("controles:recommandation", args=[self.pk])


class SuiviRecommandation(models.Model):
    """Ce qui s’est dit d’une recommandation à un rendez-vous. On y ajoute, c’est tout."""

    recommandation = models.ForeignKey(Recommandation, related_name="suivis", on_delete=models.PROTECT)
    etat = models.CharField("état constaté", max_length=20, choices=EtatRecommandation)
    texte = models.TextField("ce qui est constaté")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "suivi d’une recommandation"
        verbose_name_plural = "suivis des recommandations"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(name="suivi_ecrit", condition=~Q(texte="")),
            models.CheckConstraint(name="suivi_etat_connu", condition=Q(etat__in=EtatRecommandation.values)),
        ]
        triggers = [pgtrigger.Protect(name="suivi_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_etat_display()} ({self.recommandation_id})"
