from __future__ import annotations

from functools import cached_property

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from agrements.choix import ETATS_DECIDES, ETATS_OUVERTS, ETATS_PRIVES, Etat, Geste, Objet, TypeDossier
from agrements.models.regimes import VersionRegime
from agrements.querysets import DossierQuerySet
from partenaires.models import Structure

DUREE_MIN_MOIS, DUREE_MAX_MOIS = 12, 48  # 1 à 4 ans : domaine B.2


class Dossier(models.Model):
    """Une demande d’agrément, de la première phrase à la décision ; l’agrément qui en naît est un autre objet.

    L’état ne change que par ``agrements.actions`` ; la base refuse le reste.
    """

    structure = models.ForeignKey(
        Structure, verbose_name="structure", related_name="dossiers", on_delete=models.PROTECT
    )
    type = models.CharField("type", max_length=20, choices=TypeDossier)
    objets = ArrayField(models.CharField(max_length=40, choices=Objet), verbose_name="objets de l’agrément")
    regime = models.ForeignKey(VersionRegime, verbose_name="régime", related_name="dossiers", on_delete=models.PROTECT)
    etat = models.CharField("état", max_length=20, choices=Etat, default=Etat.EN_PREPARATION)
    debut_souhaite = models.DateField("début souhaité")
    duree_souhaitee = models.PositiveSmallIntegerField("durée souhaitée (mois)", default=DUREE_MAX_MOIS)
    precedent = models.ForeignKey(
        "self", verbose_name="dossier précédent", related_name="suivants", null=True, blank=True,
        on_delete=models.PROTECT,
    )  # fmt: skip
    charge = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="chargé de conseil",
        related_name="dossiers_suivis",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
    )
    version_courante = models.ForeignKey(
        "VersionDossier", verbose_name="version déposée", related_name="+", null=True, blank=True,
        on_delete=models.PROTECT,
    )  # fmt: skip
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("créé le", auto_now_add=True)
    modifie_le = models.DateTimeField("modifié le", auto_now_add=True)
    depose_le = models.DateTimeField("déposé le", null=True, blank=True)
    complet_le = models.DateTimeField("déclaré complet le", null=True, blank=True)
    decide_le = models.DateField("décidé le", null=True, blank=True)
    echeance_le = models.DateField("prochaine échéance", null=True, blank=True)

    objects = DossierQuerySet.as_manager()

    class Meta:
        verbose_name = "dossier d’agrément"
        verbose_name_plural = "dossiers d’agrément"
        ordering = ["-modifie_le", "-pk"]
        indexes = [
            models.Index(fields=["-depose_le", "-id"], name="dossier_par_depot"),
            models.Index(fields=["etat", "-depose_le", "-id"], name="dossier_par_etat"),
            models.Index(fields=["charge", "etat", "-depose_le", "-id"], name="dossier_par_charge"),
        ]
        constraints = [
            models.CheckConstraint(name="dossier_etat_connu", condition=Q(etat__in=Etat.values)),
            models.CheckConstraint(name="dossier_type_connu", condition=Q(type__in=TypeDossier.values)),
            models.CheckConstraint(name="dossier_porte_un_objet", condition=Q(objets__len__gt=0)),
            models.CheckConstraint(name="dossier_objets_connus", condition=Q(objets__contained_by=Objet.values)),
            models.CheckConstraint(
                name="dossier_duree_de_un_a_quatre_ans",
                condition=Q(duree_souhaitee__gte=DUREE_MIN_MOIS, duree_souhaitee__lte=DUREE_MAX_MOIS),
                violation_error_message="Un agrément dure de 1 à 4 ans.",
            ),
            models.CheckConstraint(
                name="dossier_depose_avec_version",
                condition=Q(etat__in=ETATS_PRIVES, depose_le__isnull=True, version_courante__isnull=True)
                | Q(etat=Etat.RETIRE)
                | (~Q(etat__in=ETATS_PRIVES) & Q(depose_le__isnull=False, version_courante__isnull=False)),
            ),
            models.CheckConstraint(
                name="dossier_depot_et_version_ensemble",
                condition=Q(depose_le__isnull=True, version_courante__isnull=True)
                | Q(depose_le__isnull=False, version_courante__isnull=False),
            ),
            models.CheckConstraint(
                name="dossier_decide_avec_date",
                condition=~Q(etat__in=[Etat.AGREE, Etat.AGREE_RESERVES, Etat.AJOURNE, Etat.REFUSE])
                | Q(decide_le__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["structure"],
                condition=Q(etat__in=ETATS_OUVERTS) & ~Q(type=TypeDossier.AVENANT),
                name="dossier_un_seul_ouvert_par_structure",
                violation_error_message="Un dossier est déjà ouvert pour cette structure : reprenez-le.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.numero}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("agrements:fiche", args=[self.pk])

    @property
    def numero(self) -> str:
        """La référence citée dans les courriers ; tirée de la clé, donc sans doublon possible."""
        return f"AVS-{self.cree_le.year}-{self.pk:05d}"

    @property
    def libelles_objets(self) -> list[str]:
        return [Objet(objet).label for objet in self.objets]

    @cached_property
    def decision_a_lire(self) -> bool:
        """La dernière décision n’a pas été ouverte par la structure. Une requête, sauf après ``avec_lecture``."""
        if self.etat not in ETATS_DECIDES:
            return False
        derniere = self.decisions.first()
        return derniere is not None and derniere.lue_le is None


class Reponse(models.Model):
    """La valeur d’un champ du dossier ; ``version`` compte ses écritures et empêche d’écraser en silence."""

    dossier = models.ForeignKey(Dossier, related_name="reponses", on_delete=models.CASCADE)
    champ = models.CharField("champ", max_length=60)
    valeur = models.JSONField("valeur")
    version = models.PositiveIntegerField("version", default=1)
    modifie_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    modifie_le = models.DateTimeField("modifié le")

    class Meta:
        verbose_name = "réponse"
        constraints = [
            models.UniqueConstraint(fields=["dossier", "champ"], name="reponse_unique_par_champ"),
            models.CheckConstraint(name="reponse_version_positive", condition=Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.champ} ({self.dossier_id})"


class VersionDossier(models.Model):
    """Ce que la Caf a reçu, figé au dépôt : la base refuse d’y revenir.

    ``contenu`` : ``{"reponses": {champ: valeur}, "pieces": [{"code", "nom", "empreinte", …}], "structure": {…}}``.
    """

    dossier = models.ForeignKey(Dossier, related_name="versions", on_delete=models.PROTECT)
    numero = models.PositiveSmallIntegerField("numéro")
    contenu = models.JSONField("contenu")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    deposee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    deposee_le = models.DateTimeField("déposée le")

    class Meta:
        verbose_name = "version déposée"
        verbose_name_plural = "versions déposées"
        ordering = ["numero"]
        constraints = [
            models.UniqueConstraint(fields=["dossier", "numero"], name="version_dossier_numero_unique"),
        ]
        triggers = [pgtrigger.Protect(name="version_figee", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"version {self.numero}"


class Visa(models.Model):
    """Le oui ou le non du représentant légal, sur un état précis du projet (son empreinte)."""

    dossier = models.ForeignKey(Dossier, related_name="visas", on_delete=models.PROTECT)
    favorable = models.BooleanField("favorable")
    motif = models.TextField("motif", blank=True)
    empreinte = models.CharField("empreinte du projet visé", max_length=64)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "visa"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="visa_refuse_motive",
                condition=Q(favorable=True) | ~Q(motif=""),
                violation_error_message="Un refus de visa doit être motivé.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="visa_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return "visa favorable" if self.favorable else "visa refusé"


class EvenementDossier(models.Model):
    """Le journal du dossier : qui, quoi, quand, pourquoi ; on y ajoute, la base refuse d’y revenir."""

    dossier = models.ForeignKey(Dossier, related_name="evenements", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=30, choices=Geste)
    de = models.CharField("état avant", max_length=20, blank=True)
    vers = models.CharField("état après", max_length=20, blank=True)
    par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )  # vide : le portail lui-même
    le = models.DateTimeField("le")
    motif = models.TextField("motif", blank=True)
    details = models.JSONField("détails", default=dict, blank=True)
    interne = models.BooleanField("réservé à la Caf", default=False)

    class Meta:
        verbose_name = "événement de dossier"
        verbose_name_plural = "événements de dossier"
        ordering = ["-le", "-pk"]
        indexes = [models.Index(fields=["dossier", "-le", "-id"], name="evenement_dossier_recent")]
        triggers = [pgtrigger.Protect(name="journal_dossier_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.dossier_id})"
