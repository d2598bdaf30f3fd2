"""La demande d’aide : un projet, ses dépenses, son plan de financement, ce qui en a été déposé, vu et décidé."""

from __future__ import annotations

from functools import cached_property

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from agrements.models import Piece
from aides.choix import (
    ETATS_ACCORDES,
    ETATS_DECIDES,
    ETATS_PRIVES,
    ETATS_PROPOSES,
    GESTES_FAITS,
    Etat,
    EtatFinancement,
    Geste,
    NatureFinancement,
)
from aides.models.dispositifs import VersionDispositif
from aides.models.enveloppes import Enveloppe
from aides.querysets import DemandeQuerySet
from documents.models import Acte
from partenaires.models import Structure


class Demande(models.Model):
    """Une demande d’aide, de la première phrase au solde. L’état ne change que par ``aides.actions``.

    ``montant_propose`` vient de l’avis ou d’un scénario retenu, ``montant_accorde`` de la décision : personne d’autre
    ne les écrit. ``limite_le`` : le dernier jour pour réaliser, au-delà duquel l’aide est caduque.
    """

    structure = models.ForeignKey(Structure, related_name="demandes_d_aide", on_delete=models.PROTECT)
    version = models.ForeignKey(VersionDispositif, related_name="demandes", on_delete=models.PROTECT)
    exercice = models.PositiveSmallIntegerField("exercice")
    intitule = models.CharField("intitulé du projet", max_length=150)
    etat = models.CharField("état", max_length=20, choices=Etat, default=Etat.EN_PREPARATION)
    montant_demande = models.DecimalField("montant demandé", max_digits=12, decimal_places=2, null=True, blank=True)
    montant_propose = models.DecimalField("montant proposé", max_digits=12, decimal_places=2, null=True, blank=True)
    montant_accorde = models.DecimalField("montant accordé", max_digits=12, decimal_places=2, null=True, blank=True)
    enveloppe = models.ForeignKey(Enveloppe, related_name="demandes", null=True, blank=True, on_delete=models.PROTECT)
    charge = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="chargé de conseil", related_name="demandes_d_aide_suivies",
        null=True, blank=True, on_delete=models.PROTECT,
    )  # fmt: skip
    precedente = models.ForeignKey(
        "self", verbose_name="copiée de", related_name="copies", null=True, blank=True, on_delete=models.PROTECT
    )
    version_deposee = models.ForeignKey(
        "VersionDemande", related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    visee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    visee_le = models.DateTimeField("visée le", null=True, blank=True)
    empreinte_visee = models.CharField("empreinte visée", max_length=64, blank=True)
    demarrage_autorise_le = models.DateField("démarrage autorisé à partir du", null=True, blank=True)
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("créée le", auto_now_add=True)
    modifie_le = models.DateTimeField("modifiée le", auto_now_add=True)
    depose_le = models.DateTimeField("déposée le", null=True, blank=True)
    decide_le = models.DateField("décidée le", null=True, blank=True)
    limite_le = models.DateField("à réaliser avant le", null=True, blank=True)
    echeance_le = models.DateField("prochaine échéance", null=True, blank=True)

    objects = DemandeQuerySet.as_manager()

    class Meta:
        verbose_name = "demande d’aide"
        verbose_name_plural = "demandes d’aide"
        ordering = ["-modifie_le", "-pk"]
        indexes = [
            models.Index(fields=["-depose_le", "-id"], name="demande_par_depot"),
            models.Index(fields=["etat", "-depose_le", "-id"], name="demande_par_etat"),
            models.Index(fields=["charge", "etat", "-depose_le", "-id"], name="demande_par_charge"),
        ]
        constraints = [
            models.CheckConstraint(name="demande_etat_connu", condition=Q(etat__in=Etat.values)),
            models.CheckConstraint(
                name="demande_intitulee", condition=~Q(intitule=""), violation_error_message="Nommez le projet."
            ),
            models.CheckConstraint(
                name="demande_montants_positifs",
                condition=(Q(montant_demande__isnull=True) | Q(montant_demande__gt=0))
                & (Q(montant_propose__isnull=True) | Q(montant_propose__gte=0))
                & (Q(montant_accorde__isnull=True) | Q(montant_accorde__gt=0)),
                violation_error_message="Un montant demandé ou accordé est supérieur à zéro.",
            ),
            models.CheckConstraint(
                name="demande_deposee_avec_version",
                condition=Q(etat__in=ETATS_PRIVES, depose_le__isnull=True, version_deposee__isnull=True)
                | Q(etat=Etat.RETIREE)
                | (~Q(etat__in=ETATS_PRIVES) & Q(depose_le__isnull=False, version_deposee__isnull=False)),
            ),
            models.CheckConstraint(
                name="demande_proposee_avec_montant",
                condition=~Q(etat__in=ETATS_PROPOSES) | Q(montant_propose__isnull=False, enveloppe__isnull=False),
            ),
            models.CheckConstraint(
                name="demande_accordee_entiere",
                condition=Q(
                    etat__in=ETATS_ACCORDES, montant_accorde__isnull=False, enveloppe__isnull=False,
                    decide_le__isnull=False, limite_le__isnull=False,
                )
                | (~Q(etat__in=ETATS_ACCORDES) & Q(montant_accorde__isnull=True, limite_le__isnull=True)),
            ),
            models.CheckConstraint(
                name="demande_decidee_avec_date", condition=~Q(etat__in=ETATS_DECIDES) | Q(decide_le__isnull=False)
            ),
            models.CheckConstraint(
                name="demande_visee_par_quelqu_un",
                condition=Q(visee_le__isnull=True, visee_par__isnull=True, empreinte_visee="")
                | (Q(visee_le__isnull=False, visee_par__isnull=False) & ~Q(empreinte_visee="")),
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(
                name="demande_deposee_ineffacable",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__depose_le__isnull=False),
            ),
            pgtrigger.Protect(
                name="demande_garde_sa_regle",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("structure", "version", "exercice", "cree_par"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.intitule}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("aides:demande", args=[self.pk])

    @cached_property
    def decision_a_lire(self) -> bool:
        """La dernière décision n’a pas été ouverte par la structure. Une requête, sauf après ``avec_lecture``."""
        if self.etat not in ETATS_DECIDES:
            return False
        derniere = self.decisions.first()
        return derniere is not None and derniere.lue_le is None

    @property
    def numero(self) -> str:
        return f"AIDE-{self.exercice}-{self.pk:05d}"


class ReponseAide(models.Model):
    """La réponse à un champ, gardée pendant la frappe ; ``version`` révèle deux écritures concurrentes."""

    demande = models.ForeignKey(Demande, related_name="reponses", on_delete=models.CASCADE)
    champ = models.CharField("champ", max_length=60)
    valeur = models.JSONField("valeur")
    version = models.PositiveIntegerField("version", default=1)
    modifie_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    modifie_le = models.DateTimeField("modifié le")

    class Meta:
        verbose_name = "réponse"
        constraints = [models.UniqueConstraint(fields=["demande", "champ"], name="reponse_aide_une_par_champ")]

    def __str__(self) -> str:
        return self.champ


class Depense(models.Model):
    """Une dépense prévue et son devis. ``retenu`` : ce que l’instruction en garde, dans le régime de taxe qui vaut."""

    demande = models.ForeignKey(Demande, related_name="depenses", on_delete=models.CASCADE)
    libelle = models.CharField("dépense", max_length=150)
    fournisseur = models.CharField("fournisseur", max_length=120, blank=True)
    montant_ht = models.DecimalField("montant HT", max_digits=12, decimal_places=2)
    montant_ttc = models.DecimalField("montant TTC", max_digits=12, decimal_places=2)
    devis = models.ForeignKey(Piece, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    retenu = models.DecimalField("montant retenu", max_digits=12, decimal_places=2, null=True, blank=True)
    motif_retenu = models.CharField("raison de l’écart", max_length=300, blank=True)

    class Meta:
        verbose_name = "dépense"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="depense_positive",
                condition=Q(montant_ht__gt=0, montant_ttc__gt=0),
                violation_error_message="Écrivez un montant supérieur à zéro.",
            ),
            models.CheckConstraint(
                name="depense_ttc_au_moins_ht",
                condition=Q(montant_ttc__gte=F("montant_ht")),
                violation_error_message="Le montant TTC est plus petit que le montant HT.",
            ),
            models.CheckConstraint(
                name="depense_retenue_bornee",
                condition=Q(retenu__isnull=True) | Q(retenu__gte=0, retenu__lte=F("montant_ttc")),
                violation_error_message="On ne retient pas plus que la dépense.",
            ),
        ]

    def __str__(self) -> str:
        return self.libelle

    def compte(self, taxe: str) -> object:
        return self.montant_ht if taxe == "HT" else self.montant_ttc


class Financement(models.Model):
    """Une ligne du plan de financement, hors l’aide demandée à la Caf."""

    demande = models.ForeignKey(Demande, related_name="financements", on_delete=models.CASCADE)
    nature = models.CharField("nature", max_length=20, choices=NatureFinancement)
    financeur = models.CharField("financeur", max_length=120)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)
    etat = models.CharField("état", max_length=20, choices=EtatFinancement, default=EtatFinancement.SOLLICITE)

    class Meta:
        verbose_name = "financement"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="financement_positif",
                condition=Q(montant__gt=0),
                violation_error_message="Écrivez un montant supérieur à zéro.",
            ),
            models.CheckConstraint(name="financement_nature_connue", condition=Q(nature__in=NatureFinancement.values)),
            models.CheckConstraint(name="financement_etat_connu", condition=Q(etat__in=EtatFinancement.values)),
        ]

    def __str__(self) -> str:
        return f"{self.financeur} ({self.demande_id})"


class PieceDemande(models.Model):
    """Une pièce du coffre de la structure, jointe en réponse à une exigence du dispositif."""

    demande = models.ForeignKey(Demande, related_name="pieces_jointes", on_delete=models.CASCADE)
    exigence = models.CharField("exigence", max_length=60)
    piece = models.ForeignKey(Piece, related_name="+", on_delete=models.PROTECT)
    jointe_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    jointe_le = models.DateTimeField("jointe le")

    class Meta:
        verbose_name = "pièce de la demande"
        verbose_name_plural = "pièces de la demande"
        ordering = ["exigence", "jointe_le", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["demande", "exigence", "piece"], name="piece_demande_jointe_une_fois")
        ]

    def __str__(self) -> str:
        return f"{self.exigence} ({self.demande_id})"


class VersionDemande(models.Model):
    """Ce qui a été déposé, entier et figé : c’est lui que la Caf instruit."""

    demande = models.ForeignKey(Demande, related_name="versions", on_delete=models.PROTECT)
    numero = models.PositiveSmallIntegerField("numéro")
    contenu = models.JSONField("contenu")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    deposee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    deposee_le = models.DateTimeField("déposée le")

    class Meta:
        verbose_name = "version déposée"
        verbose_name_plural = "versions déposées"
        ordering = ["-numero"]
        constraints = [models.UniqueConstraint(fields=["demande", "numero"], name="version_demande_unique")]
        triggers = [pgtrigger.Protect(name="version_demande_figee", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"version {self.numero}"


class ComplementsDemandes(models.Model):
    """Ce que la Caf demande de compléter ; seules les ``parties`` nommées se rouvrent à la structure."""

    demande = models.ForeignKey(Demande, related_name="complements", on_delete=models.PROTECT)
    numero = models.PositiveSmallIntegerField("numéro")
    parties = ArrayField(models.CharField(max_length=40), verbose_name="parties à reprendre")
    message = models.TextField("ce qui manque")
    echeance_le = models.DateField("réponse attendue le")
    acte = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
    envoyee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    envoyee_le = models.DateTimeField("envoyée le")
    repondue_le = models.DateTimeField("répondue le", null=True, blank=True)

    class Meta:
        verbose_name = "demande de compléments"
        verbose_name_plural = "demandes de compléments"
        ordering = ["-numero"]
        constraints = [
            models.UniqueConstraint(fields=["demande", "numero"], name="complements_aide_numero_unique"),
            models.UniqueConstraint(
                fields=["demande"], condition=Q(repondue_le__isnull=True), name="complements_aide_un_seul_ouvert"
            ),
            models.CheckConstraint(name="complements_aide_parties", condition=Q(parties__len__gt=0)),
            models.CheckConstraint(name="complements_aide_disent_quoi", condition=~Q(message="")),
        ]

    def __str__(self) -> str:
        return f"demande de compléments n° {self.numero}"


class EvenementDemande(models.Model):
    """Le journal d’une demande : qui, quand, quoi, pourquoi. On n’y revient pas."""

    demande = models.ForeignKey(Demande, related_name="evenements", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=30, choices=Geste)
    de = models.CharField("état avant", max_length=20, blank=True)
    vers = models.CharField("état après", max_length=20, blank=True)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le")
    motif = models.TextField("motif", blank=True)
    details = models.JSONField("détails", default=dict, blank=True)

    class Meta:
        verbose_name = "événement de la demande"
        verbose_name_plural = "événements de la demande"
        ordering = ["-le", "-pk"]
        indexes = [models.Index(fields=["demande", "-le", "-id"], name="evenement_par_demande")]
        triggers = [pgtrigger.Protect(name="journal_demande_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.demande_id})"

    @property
    def fait(self) -> str:
        """Ce qui s’est passé, en minuscules ; un bilan lu n’est pas toujours accepté, ni une destination maintenue."""
        if self.geste == Geste.ACCEPTER_BILAN and not self.details.get("accepte", True):
            return "bilan à reprendre"
        if self.geste == Geste.JOINDRE and "retiree" in self.details:
            return "pièce retirée"
        return GESTES_FAITS[self.geste]
