"""Ce qui part et ce qui revient : paiements, lots transmis à la comptabilité, indus et leur recouvrement."""

from __future__ import annotations

from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from financements.choix import (
    ENGAGES,
    PAIEMENT_DIT,
    EtatIndu,
    EtatPaiement,
    GestePaiement,
    ModeRecouvrement,
    NaturePaiement,
)
from financements.models.droits import Droit, VersionDroit
from financements.payables import payable_de
from financements.querysets import PaiementQuerySet
from partenaires.models import Structure


def chemin_du_lot(instance: Lot, nom: str) -> str:
    return f"lots/{instance.cree_le:%Y}/{uuid4().hex}.xml"


class Lot(models.Model):
    """Des paiements ordonnancés ensemble ; le fichier remis à la comptabilité est gardé tel qu’il est parti."""

    execution_le = models.DateField("date d’exécution")
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    cree_le = models.DateTimeField("créé le")
    fichier = models.FileField("ordre de virement", upload_to=chemin_du_lot, max_length=200)
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    nombre = models.PositiveIntegerField("nombre de virements")
    total = models.DecimalField("total", max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = "lot de paiements"
        verbose_name_plural = "lots de paiements"
        ordering = ["-cree_le", "-pk"]
        constraints = [models.CheckConstraint(name="lot_non_vide", condition=Q(nombre__gt=0, total__gt=0))]
        triggers = [pgtrigger.Protect(name="lot_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("financements:lot", args=[self.pk])

    @property
    def reference(self) -> str:
        return f"LOT-{self.cree_le.year}-{self.pk:05d}"


class Paiement(models.Model):
    """Un versement sur un droit, ou sur ce qu’une app du dessus apporte à payer (``objet``, voir ``payables``).

    Invariants : l’un ou l’autre, jamais les deux ; une seule échéance vivante de chaque nature et rang.
    ``compense`` : la part retenue pour rembourser un indu ; seul le reste est viré.
    """

    structure = models.ForeignKey(Structure, related_name="paiements", on_delete=models.PROTECT)
    droit = models.ForeignKey(Droit, related_name="paiements", null=True, blank=True, on_delete=models.PROTECT)
    version_droit = models.ForeignKey(
        VersionDroit, related_name="paiements", null=True, blank=True, on_delete=models.PROTECT
    )
    objet = models.CharField("objet", max_length=60, blank=True, db_index=True)
    libelle = models.CharField("libellé", max_length=140, blank=True)
    nature = models.CharField("nature", max_length=20, choices=NaturePaiement)
    rang = models.PositiveSmallIntegerField("rang", default=1)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)
    compense = models.DecimalField("dont compensé", max_digits=12, decimal_places=2, default=0)
    etat = models.CharField("état", max_length=20, choices=EtatPaiement, default=EtatPaiement.PROPOSE)
    prevu_le = models.DateField("prévu le")
    double_regard = models.BooleanField("double regard exigé")
    propose_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    propose_le = models.DateTimeField("proposé le")
    valide_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    valide_le = models.DateTimeField("validé le", null=True, blank=True)
    lot = models.ForeignKey(Lot, related_name="paiements", null=True, blank=True, on_delete=models.PROTECT)
    paye_le = models.DateField("payé le", null=True, blank=True)
    motif = models.TextField("motif", blank=True)

    objects = PaiementQuerySet.as_manager()

    class Meta:
        verbose_name = "paiement"
        ordering = ["prevu_le", "pk"]
        indexes = [models.Index(fields=["etat", "prevu_le", "id"], name="paiement_par_etat")]
        constraints = [
            models.CheckConstraint(name="paiement_etat_connu", condition=Q(etat__in=EtatPaiement.values)),
            models.CheckConstraint(name="paiement_nature_connue", condition=Q(nature__in=NaturePaiement.values)),
            models.CheckConstraint(name="paiement_montant_positif", condition=Q(montant__gt=0)),
            models.CheckConstraint(
                name="paiement_d_un_droit_ou_d_un_objet",
                condition=Q(droit__isnull=False, version_droit__isnull=False, objet="", libelle="")
                | (Q(droit__isnull=True, version_droit__isnull=True) & ~Q(objet="") & ~Q(libelle="")),
            ),
            models.CheckConstraint(
                name="paiement_compense_borne", condition=Q(compense__gte=0, compense__lte=F("montant"))
            ),
            models.UniqueConstraint(
                fields=["droit", "nature", "rang"],
                condition=Q(etat__in=ENGAGES),
                name="paiement_une_echeance_vivante",
                violation_error_message="Cette échéance est déjà engagée.",
            ),
            models.UniqueConstraint(
                fields=["objet", "nature", "rang"],
                condition=Q(etat__in=ENGAGES) & ~Q(objet=""),
                name="paiement_une_echeance_vivante_par_objet",
                violation_error_message="Ce versement est déjà engagé.",
            ),
            models.CheckConstraint(
                name="paiement_valide_par_un_autre",
                condition=Q(double_regard=False) | Q(valide_par__isnull=True) | ~Q(valide_par=F("propose_par")),
                violation_error_message="Au-dessus du seuil, qui propose ne valide pas.",
            ),
            models.CheckConstraint(
                name="paiement_valide_avant_de_partir",
                condition=Q(etat__in=[EtatPaiement.PROPOSE, EtatPaiement.ANNULE])
                | Q(valide_par__isnull=False, valide_le__isnull=False),
            ),
            models.CheckConstraint(
                name="paiement_parti_dans_un_lot",
                condition=Q(etat__in=[EtatPaiement.PROPOSE, EtatPaiement.VALIDE, EtatPaiement.ANNULE])
                | Q(lot__isnull=False),
            ),
            models.CheckConstraint(
                name="paiement_paye_avec_date",
                condition=Q(etat=EtatPaiement.PAYE, paye_le__isnull=False)
                | (~Q(etat=EtatPaiement.PAYE) & Q(paye_le__isnull=True)),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="paiement_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="paiement_montant_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "structure",
                    "droit",
                    "version_droit",
                    "objet",
                    "libelle",
                    "montant",
                    "nature",
                    "rang",
                    "double_regard",
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()}, {self.droit or f'{self.libelle}, {self.structure}'}"

    def get_absolute_url(self) -> str:
        return self.droit.get_absolute_url() if self.droit else payable_de(self).lien(self)

    @property
    def reference(self) -> str:
        """Celle du virement ; tirée de la clé, donc sans doublon."""
        if self.droit is None:
            return f"AL-{self.propose_le.year}-{self.pk:08d}"
        return f"PS-{self.droit.exercice}-{self.pk:08d}"

    @property
    def sujet(self) -> str:
        """« AGC 2027 », ou le nom de l’aide : ce que ce versement paie."""
        return f"{self.droit.prestation} {self.droit.exercice}" if self.droit else self.libelle

    @property
    def a_virer(self) -> object:
        return self.montant - self.compense


class EvenementPaiement(models.Model):
    """Le journal d’un paiement."""

    paiement = models.ForeignKey(Paiement, related_name="evenements", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=20, choices=GestePaiement)
    vers = models.CharField("état après", max_length=20)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le")
    motif = models.TextField("motif", blank=True)

    class Meta:
        verbose_name = "événement de paiement"
        verbose_name_plural = "événements de paiement"
        ordering = ["-le", "-pk"]
        triggers = [
            pgtrigger.Protect(name="journal_paiement_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.paiement_id})"

    @property
    def dit(self) -> str:
        return PAIEMENT_DIT[self.geste]


class Indu(models.Model):
    """Une somme versée en trop, notifiée ; elle se rembourse ou se compense, en une ou plusieurs fois."""

    droit = models.ForeignKey(Droit, related_name="indus", on_delete=models.PROTECT)
    version_droit = models.ForeignKey(VersionDroit, related_name="indus", on_delete=models.PROTECT)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)
    etat = models.CharField("état", max_length=20, choices=EtatIndu, default=EtatIndu.NOTIFIE)
    echeances = models.PositiveSmallIntegerField("nombre d’échéances", default=1)
    premiere_echeance = models.DateField("première échéance")
    notifie_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    notifie_le = models.DateTimeField("notifié le")
    motif = models.TextField("motif", blank=True)

    class Meta:
        verbose_name = "indu"
        ordering = ["-notifie_le", "-pk"]
        constraints = [
            models.CheckConstraint(name="indu_etat_connu", condition=Q(etat__in=EtatIndu.values)),
            models.CheckConstraint(name="indu_positif", condition=Q(montant__gt=0)),
            models.CheckConstraint(name="indu_echeances_possibles", condition=Q(echeances__range=(1, 36))),
            models.UniqueConstraint(
                fields=["droit"],
                condition=Q(etat__in=[EtatIndu.NOTIFIE, EtatIndu.ECHELONNE]),
                name="indu_un_seul_ouvert_par_droit",
            ),
        ]
        triggers = [pgtrigger.Protect(name="indu_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"indu de {self.montant}, {self.droit}"


class Recouvrement(models.Model):
    """Ce qui a été rendu sur un indu, par virement ou par compensation."""

    indu = models.ForeignKey(Indu, related_name="recouvrements", on_delete=models.PROTECT)
    montant = models.DecimalField("montant", max_digits=12, decimal_places=2)
    mode = models.CharField("mode", max_length=20, choices=ModeRecouvrement)
    paiement = models.ForeignKey(
        Paiement, related_name="recouvrements", null=True, blank=True, on_delete=models.PROTECT
    )
    le = models.DateField("le")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    annule_le = models.DateTimeField("annulé le", null=True, blank=True)

    class Meta:
        verbose_name = "recouvrement"
        ordering = ["le", "pk"]
        constraints = [
            models.CheckConstraint(name="recouvrement_positif", condition=Q(montant__gt=0)),
            models.CheckConstraint(name="recouvrement_mode_connu", condition=Q(mode__in=ModeRecouvrement.values)),
            models.CheckConstraint(
                name="recouvrement_compense_sur_un_paiement",
                condition=Q(mode=ModeRecouvrement.COMPENSATION, paiement__isnull=False)
                | Q(mode=ModeRecouvrement.REMBOURSEMENT, paiement__isnull=True),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="recouvrement_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="recouvrement_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("indu", "montant", "mode", "paiement", "le", "par"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.montant} ({self.indu_id})"
