"""Ce qui suit une décision : convention, factures, bilan, délai, destination sociale."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from agrements.models import Piece
from aides.choix import EtatBilan, NatureARendre
from aides.models.demandes import Demande, Depense
from documents.models import Acte, Fichier


class ConventionAide(models.Model):
    """La convention d’une subvention, ou le contrat d’un prêt : signée par le gestionnaire, puis par la Caf."""

    demande = models.OneToOneField(Demande, related_name="convention", on_delete=models.PROTECT)
    acte = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
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

    class Meta:
        verbose_name = "convention d’aide"
        verbose_name_plural = "conventions d’aide"
        constraints = [
            models.CheckConstraint(
                name="convention_aide_signee_partenaire_entiere",
                condition=Q(
                    scan_partenaire__isnull=True,
                    signee_partenaire_par__isnull=True,
                    signee_partenaire_le__isnull=True,
                )
                | Q(
                    scan_partenaire__isnull=False,
                    signee_partenaire_par__isnull=False,
                    signee_partenaire_le__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="convention_aide_signee_a_deux",
                condition=Q(signee_le__isnull=True, signee_par__isnull=True, scan_caf__isnull=True)
                | Q(
                    signee_le__isnull=False, signee_par__isnull=False, scan_caf__isnull=False,
                    signee_partenaire_le__isnull=False,
                ),
            ),
        ]  # fmt: skip
        triggers = [pgtrigger.Protect(name="convention_aide_ineffacable", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"convention {self.demande.numero}"

    @property
    def signee(self) -> bool:
        return self.signee_le is not None


class Facture(models.Model):
    """Une facture acquittée, rattachée à une dépense retenue. ``retenu`` : ce que la Caf en admet."""

    demande = models.ForeignKey(Demande, related_name="factures", on_delete=models.PROTECT)
    depense = models.ForeignKey(Depense, related_name="factures", on_delete=models.PROTECT)
    piece = models.OneToOneField(Piece, related_name="+", on_delete=models.PROTECT)
    numero = models.CharField("numéro", max_length=60)
    datee_le = models.DateField("datée du")
    montant_ht = models.DecimalField("montant HT", max_digits=12, decimal_places=2)
    montant_ttc = models.DecimalField("montant TTC", max_digits=12, decimal_places=2)
    retenu = models.DecimalField("montant retenu", max_digits=12, decimal_places=2, null=True, blank=True)
    motif = models.CharField("raison de l’écart", max_length=300, blank=True)
    jointe_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    jointe_le = models.DateTimeField("jointe le")
    verifiee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    verifiee_le = models.DateTimeField("vérifiée le", null=True, blank=True)

    class Meta:
        verbose_name = "facture"
        ordering = ["datee_le", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["demande", "depense", "numero"],
                name="facture_numero_unique",
                violation_error_message="Cette facture est déjà jointe à cette dépense.",
            ),
            models.CheckConstraint(
                name="facture_positive",
                condition=Q(montant_ht__gt=0, montant_ttc__gte=F("montant_ht")),
                violation_error_message="Le montant TTC est plus petit que le montant HT, ou l’un d’eux est nul.",
            ),
            models.CheckConstraint(
                name="facture_verifiee_entiere",
                condition=Q(retenu__isnull=True, verifiee_par__isnull=True, verifiee_le__isnull=True)
                | Q(
                    retenu__isnull=False, retenu__gte=0, retenu__lte=F("montant_ttc"),
                    verifiee_par__isnull=False, verifiee_le__isnull=False,
                ),
                violation_error_message="On ne retient pas plus que la facture.",
            ),
            models.CheckConstraint(
                name="facture_verifiee_par_la_caf",
                condition=Q(verifiee_par__isnull=True) | ~Q(verifiee_par=F("jointe_par")),
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(name="facture_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="facture_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "demande", "depense", "piece", "numero", "datee_le", "montant_ht", "montant_ttc", "jointe_par"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"facture {self.numero}"


class Prorogation(models.Model):
    """Un délai de réalisation repoussé, avec sa raison ; le premier délai reste lisible."""

    demande = models.ForeignKey(Demande, related_name="prorogations", on_delete=models.PROTECT)
    avant = models.DateField("délai avant")
    apres = models.DateField("délai après")
    motif = models.TextField("raison")
    acte = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "prorogation"
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="prorogation_allonge",
                condition=Q(apres__gt=F("avant")),
                violation_error_message="Une prorogation repousse le délai.",
            ),
            models.CheckConstraint(name="prorogation_motivee", condition=~Q(motif="")),
        ]
        triggers = [pgtrigger.Protect(name="prorogation_figee", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.demande_id} jusqu’au {self.apres}"


class BilanAide(models.Model):
    """Le bilan d’une action aidée : ce qui était prévu, ce qui a été fait, les comptes. Attendu à une date."""

    demande = models.OneToOneField(Demande, related_name="bilan", on_delete=models.PROTECT)
    attendu_le = models.DateField("attendu le")
    etat = models.CharField("état", max_length=20, choices=EtatBilan, default=EtatBilan.A_RENDRE)
    indicateurs = models.JSONField("indicateurs", default=list, blank=True)
    recit = models.TextField("ce qui a été fait", blank=True)
    depenses = models.DecimalField("dépenses réelles", max_digits=12, decimal_places=2, null=True, blank=True)
    produits = models.DecimalField("recettes réelles", max_digits=12, decimal_places=2, null=True, blank=True)
    version = models.PositiveIntegerField("version", default=1)
    rendu_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    rendu_le = models.DateTimeField("rendu le", null=True, blank=True)
    lu_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    lu_le = models.DateTimeField("lu le", null=True, blank=True)
    motif = models.TextField("ce qui est à reprendre", blank=True)

    class Meta:
        verbose_name = "bilan"
        ordering = ["attendu_le", "pk"]
        constraints = [
            models.CheckConstraint(name="bilan_etat_connu", condition=Q(etat__in=EtatBilan.values)),
            models.CheckConstraint(
                name="bilan_rendu_entier",
                condition=Q(etat=EtatBilan.A_RENDRE)
                | (
                    Q(rendu_par__isnull=False, rendu_le__isnull=False, depenses__isnull=False, produits__isnull=False)
                    & ~Q(recit="")
                ),
            ),
            models.CheckConstraint(
                name="bilan_a_reprendre_motive", condition=~Q(etat=EtatBilan.A_REPRENDRE) | ~Q(motif="")
            ),
        ]

    def __str__(self) -> str:
        return f"bilan de {self.demande}"

    @property
    def attendu(self) -> bool:
        return self.etat in (EtatBilan.A_RENDRE, EtatBilan.A_REPRENDRE)


class AttestationDestination(models.Model):
    """Une année de l’engagement de destination sociale : demandée, puis attestée par la structure, ou démentie."""

    demande = models.ForeignKey(Demande, related_name="attestations", on_delete=models.PROTECT)
    annee = models.PositiveSmallIntegerField("année")
    demandee_le = models.DateField("demandée le")
    maintenue = models.BooleanField("destination maintenue", null=True, blank=True)
    commentaire = models.TextField("précisions", blank=True)
    attestee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    attestee_le = models.DateTimeField("attestée le", null=True, blank=True)

    class Meta:
        verbose_name = "attestation de destination"
        verbose_name_plural = "attestations de destination"
        ordering = ["annee"]
        constraints = [
            models.UniqueConstraint(fields=["demande", "annee"], name="attestation_une_par_annee"),
            models.CheckConstraint(
                name="attestation_entiere",
                condition=Q(maintenue__isnull=True, attestee_par__isnull=True, attestee_le__isnull=True)
                | Q(maintenue__isnull=False, attestee_par__isnull=False, attestee_le__isnull=False),
            ),
            models.CheckConstraint(
                name="attestation_dementie_expliquee",
                condition=Q(maintenue__isnull=True) | Q(maintenue=True) | ~Q(commentaire=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.demande_id}, {self.annee}"


class SommeARendre(models.Model):
    """Ce que la structure rend d’une aide versée : au prorata du temps qui restait si la destination sociale est
    rompue, ou ce qui dépasse l’aide due au coût réel.
    """

    demande = models.ForeignKey(Demande, related_name="sommes_a_rendre", on_delete=models.PROTECT)
    nature = models.CharField("nature", max_length=20, choices=NatureARendre)
    le = models.DateField("depuis le")
    motif = models.TextField("constat")
    verse = models.DecimalField("versé", max_digits=12, decimal_places=2)
    montant = models.DecimalField("à rendre", max_digits=12, decimal_places=2)
    explication = models.JSONField("explication")
    acte = models.OneToOneField(Acte, related_name="+", on_delete=models.PROTECT)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    constatee_le = models.DateTimeField("constatée le")
    rendue_le = models.DateField("rendue le", null=True, blank=True)
    rendue_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "somme à rendre"
        verbose_name_plural = "sommes à rendre"
        ordering = ["constatee_le", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["demande", "nature"], name="a_rendre_une_par_nature"),
            models.CheckConstraint(name="a_rendre_nature_connue", condition=Q(nature__in=NatureARendre.values)),
            models.CheckConstraint(name="a_rendre_montant_borne", condition=Q(montant__gte=0, montant__lte=F("verse"))),
            models.CheckConstraint(name="a_rendre_motivee", condition=~Q(motif="")),
            models.CheckConstraint(
                name="a_rendre_rendue_par_quelqu_un",
                condition=Q(rendue_le__isnull=True, rendue_par__isnull=True)
                | Q(rendue_le__isnull=False, rendue_par__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="a_rendre_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="a_rendre_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["rendue_le", "rendue_par"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()} ({self.demande_id})"

    @property
    def attendue(self) -> bool:
        """Il reste à la rendre."""
        return self.rendue_le is None and self.montant > 0
