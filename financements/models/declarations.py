"""Ce que les structures déclarent : des campagnes, des déclarations, des montants par compte et par fonction."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from financements.choix import (
    ETATS_PRIVES_DECLARATION,
    GESTES_FAITS,
    LIBELLES_PARTENAIRE_DECLARATION,
    EtatDeclaration,
    GesteDeclaration,
    TypeDeclaration,
)
from financements.models.baremes import exercice_connu
from financements.querysets import CampagneQuerySet, DeclarationQuerySet
from partenaires.models import Gestionnaire, Structure

RELANCES = [-15, -3, 7]  # jours autour de la date limite : avant, avant, après


def relances_par_defaut() -> list[int]:
    return list(RELANCES)


class Campagne(models.Model):
    """Une collecte : un exercice, un type, une ouverture, une limite."""

    exercice = models.PositiveSmallIntegerField("exercice")
    type = models.CharField("type", max_length=30, choices=TypeDeclaration)
    ouverture = models.DateField("ouverture")
    limite = models.DateField("date limite")
    relances = ArrayField(
        models.SmallIntegerField(), verbose_name="relances (jours avant − ou après + la limite)",
        default=relances_par_defaut,
    )  # fmt: skip
    source = models.CharField("source du calendrier", max_length=300, blank=True)

    objects = CampagneQuerySet.as_manager()

    class Meta:
        verbose_name = "campagne"
        ordering = ["-exercice", "limite"]
        constraints = [
            exercice_connu("campagne_exercice_connu"),
            models.CheckConstraint(name="campagne_type_connu", condition=Q(type__in=TypeDeclaration.values)),
            models.UniqueConstraint(
                fields=["exercice", "type"],
                name="campagne_unique",
                violation_error_message="Cette campagne existe déjà.",
            ),
            models.CheckConstraint(
                name="campagne_a_l_endroit",
                condition=Q(limite__gte=F("ouverture")),
                violation_error_message="La date limite précède l’ouverture.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.exercice}"

    def get_absolute_url(self) -> str:
        return reverse("financements:campagne", args=[self.pk])


class Declaration(models.Model):
    """Les comptes d’une structure pour une campagne, de la première case à la validation par la Caf."""

    structure = models.ForeignKey(Structure, related_name="declarations", on_delete=models.PROTECT)
    campagne = models.ForeignKey(Campagne, related_name="declarations", on_delete=models.PROTECT)
    etat = models.CharField("état", max_length=20, choices=EtatDeclaration, default=EtatDeclaration.EN_PREPARATION)
    version_courante = models.ForeignKey(
        "VersionDeclaration", verbose_name="version déposée", related_name="+", null=True, blank=True,
        on_delete=models.PROTECT,
    )  # fmt: skip
    motif_refus_visa = models.TextField("raison du refus de visa", blank=True)
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("ouverte le", auto_now_add=True)
    modifie_le = models.DateTimeField("modifiée le", auto_now_add=True)
    visee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    visee_le = models.DateTimeField("visée le", null=True, blank=True)
    empreinte_visee = models.CharField("empreinte visée", max_length=64, blank=True)
    deposee_le = models.DateTimeField("déposée le", null=True, blank=True)
    validee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    validee_le = models.DateTimeField("validée le", null=True, blank=True)

    objects = DeclarationQuerySet.as_manager()

    class Meta:
        verbose_name = "déclaration"
        ordering = ["-campagne__exercice", "-campagne__limite", "structure__nom_tri", "pk"]
        indexes = [models.Index(fields=["etat", "-deposee_le", "-id"], name="declaration_par_etat")]
        constraints = [
            models.UniqueConstraint(
                fields=["structure", "campagne"],
                name="declaration_une_par_campagne",
                violation_error_message="Cette déclaration est déjà ouverte : reprenez-la.",
            ),
            models.CheckConstraint(name="declaration_etat_connu", condition=Q(etat__in=EtatDeclaration.values)),
            models.CheckConstraint(
                name="declaration_deposee_avec_version",
                condition=Q(etat__in=ETATS_PRIVES_DECLARATION, deposee_le__isnull=True, version_courante__isnull=True)
                | (~Q(etat__in=ETATS_PRIVES_DECLARATION) & Q(deposee_le__isnull=False, version_courante__isnull=False)),
            ),
            models.CheckConstraint(
                name="declaration_validee_par_quelqu_un",
                condition=Q(etat=EtatDeclaration.VALIDEE, validee_par__isnull=False, validee_le__isnull=False)
                | (~Q(etat=EtatDeclaration.VALIDEE) & Q(validee_par__isnull=True, validee_le__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campagne}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("financements:declaration", args=[self.pk])

    @property
    def libelle_partenaire(self) -> str:
        return LIBELLES_PARTENAIRE_DECLARATION[self.etat]


class Saisie(models.Model):
    """Une case de la déclaration. ``champ`` suit la grammaire de ``financements.formulaire`` (« 64.pilotage »).

    ``version`` compte ses écritures et empêche d’écraser en silence.
    """

    declaration = models.ForeignKey(Declaration, related_name="saisies", on_delete=models.CASCADE)
    champ = models.CharField("champ", max_length=60)
    nombre = models.DecimalField("nombre", max_digits=14, decimal_places=2, null=True, blank=True)
    texte = models.TextField("texte", blank=True)
    version = models.PositiveIntegerField("version", default=1)
    modifie_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    modifie_le = models.DateTimeField("modifié le")

    class Meta:
        verbose_name = "case saisie"
        verbose_name_plural = "cases saisies"
        constraints = [
            models.UniqueConstraint(fields=["declaration", "champ"], name="saisie_unique_par_champ"),
            models.CheckConstraint(name="saisie_nombre_positif", condition=Q(nombre__isnull=True) | Q(nombre__gte=0)),
            models.CheckConstraint(name="saisie_version_positive", condition=Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.champ} ({self.declaration_id})"


class VersionDeclaration(models.Model):
    """Ce que la Caf a reçu, figé au dépôt. ``contenu`` : ``{champ: "1234.50" ou texte}``."""

    declaration = models.ForeignKey(Declaration, related_name="versions", on_delete=models.PROTECT)
    numero = models.PositiveSmallIntegerField("numéro")
    contenu = models.JSONField("contenu")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    deposee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    deposee_le = models.DateTimeField("déposée le")

    class Meta:
        verbose_name = "version de déclaration"
        verbose_name_plural = "versions de déclaration"
        ordering = ["numero"]
        constraints = [
            models.UniqueConstraint(fields=["declaration", "numero"], name="version_declaration_numero_unique")
        ]
        triggers = [pgtrigger.Protect(name="version_declaration_figee", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"version {self.numero}"


class RemarqueDeclaration(models.Model):
    """Une correction attendue sur une ligne ; préparée par le technicien, ouverte à la demande, levée au renvoi."""

    declaration = models.ForeignKey(Declaration, related_name="remarques", on_delete=models.CASCADE)
    ligne = models.CharField("ligne", max_length=20)  # le compte, ou « activite »
    texte = models.TextField("correction demandée")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le", auto_now_add=True)
    envoyee_le = models.DateTimeField("envoyée le", null=True, blank=True)
    levee_le = models.DateTimeField("levée le", null=True, blank=True)

    class Meta:
        verbose_name = "remarque sur une déclaration"
        verbose_name_plural = "remarques sur les déclarations"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="remarque_declaration_ecrite", condition=~Q(texte="")),
            models.UniqueConstraint(
                fields=["declaration", "ligne"],
                condition=Q(levee_le__isnull=True),
                name="remarque_declaration_une_ouverte_par_ligne",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ligne} ({self.declaration_id})"


class EvenementDeclaration(models.Model):
    """Le journal d’une déclaration : qui, quand, quoi, pourquoi. On y ajoute, c’est tout."""

    declaration = models.ForeignKey(Declaration, related_name="evenements", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=30, choices=GesteDeclaration)
    de = models.CharField("état avant", max_length=20, blank=True)
    vers = models.CharField("état après", max_length=20, blank=True)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le")
    motif = models.TextField("motif", blank=True)

    class Meta:
        verbose_name = "événement de déclaration"
        verbose_name_plural = "événements de déclaration"
        ordering = ["-le", "-pk"]
        triggers = [
            pgtrigger.Protect(name="journal_declaration_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.declaration_id})"

    @property
    def dit(self) -> str:
        return GESTES_FAITS[self.geste]


class CleRepartition(models.Model):
    """Comment un gestionnaire rattache ses comptes aux lignes et les répartit par fonction ; gardée d’année en année.

    ``parts`` : pour cent par fonction, vide pour un produit.
    """

    gestionnaire = models.ForeignKey(Gestionnaire, related_name="cles_repartition", on_delete=models.CASCADE)
    prefixe = models.CharField("compte ou début de compte", max_length=10)
    compte = models.CharField("ligne de la déclaration", max_length=10)
    parts = models.JSONField("répartition (%)", default=dict, blank=True)
    modifie_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    modifie_le = models.DateTimeField("modifié le", auto_now=True)

    class Meta:
        verbose_name = "clé de répartition"
        verbose_name_plural = "clés de répartition"
        ordering = ["prefixe"]
        constraints = [
            models.UniqueConstraint(fields=["gestionnaire", "prefixe"], name="cle_repartition_unique"),
            models.CheckConstraint(name="cle_repartition_en_chiffres", condition=Q(prefixe__regex=r"^[678]\d*$")),
        ]

    def __str__(self) -> str:
        return f"{self.prefixe} → {self.compte}"


class ImportComptes(models.Model):
    """Un fichier de comptes lu pour une déclaration : ses soldes, ses anomalies, et s’il a été appliqué.

    ``soldes`` : ``[compte, libellé, débit, crédit, ligne]`` ; ``anomalies`` : ``[ligne, colonne, message]`` ;
    ``ecartes`` : ``[compte, libellé]`` des comptes qui ne sont ni des charges ni des produits.
    """

    declaration = models.ForeignKey(Declaration, related_name="imports", on_delete=models.CASCADE)
    nom = models.CharField("nom du fichier", max_length=200)
    format = models.CharField("format", max_length=10)
    lignes_lues = models.PositiveIntegerField("lignes lues")
    soldes = models.JSONField("soldes")
    anomalies = models.JSONField("anomalies")
    ecartes = models.JSONField("comptes laissés de côté", default=list)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le", auto_now_add=True)
    applique_le = models.DateTimeField("appliqué le", null=True, blank=True)

    class Meta:
        verbose_name = "import de comptes"
        verbose_name_plural = "imports de comptes"
        ordering = ["-le", "-pk"]

    def __str__(self) -> str:
        return self.nom
