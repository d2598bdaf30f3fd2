"""Le contrôle d’une structure, de sa programmation à sa clôture, et les pièces qu’il demande."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from controles.choix import (
    ETATS_DEFINITIFS,
    ETATS_RAPPORT_PROVISOIRE,
    ORIGINES_MOTIVEES,
    Etat,
    Geste,
    Mode,
    Origine,
)
from controles.models.plans import LignePlan
from controles.models.regles import ReglesControle
from controles.querysets import ControleQuerySet
from documents.models import Acte, Fichier
from partenaires.models import Structure


class Controle(models.Model):
    """Un contrôle. L’état ne change que par ``controles.actions.franchir`` ; la base tient les dates et les auteurs.

    Invariants : une visite inopinée est autorisée par un autre que le contrôleur, avec sa raison ; un rapport
    provisoire a son acte et une date limite de réponse ; rien de définitif sans signature, et il ne se reprend pas.
    """

    structure = models.ForeignKey(Structure, related_name="controles", on_delete=models.PROTECT)
    ligne = models.OneToOneField(LignePlan, related_name="controle", null=True, blank=True, on_delete=models.PROTECT)
    regles = models.ForeignKey(ReglesControle, related_name="controles", on_delete=models.PROTECT)
    annee = models.PositiveSmallIntegerField("année")
    mode = models.CharField("mode", max_length=20, choices=Mode)
    origine = models.CharField("origine", max_length=20, choices=Origine)
    motif_origine = models.TextField("raison du contrôle", blank=True)
    etat = models.CharField("état", max_length=20, choices=Etat, default=Etat.PROGRAMME)
    controleur = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="contrôleur", related_name="controles", on_delete=models.PROTECT
    )
    exercices = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name="exercices contrôlés", default=list, blank=True
    )
    objet = models.TextField("objet du contrôle", blank=True)
    visite_le = models.DateField("visite le", null=True, blank=True)
    visite_heure = models.TimeField("heure de la visite", null=True, blank=True)
    lieu = models.CharField("lieu", max_length=300, blank=True)
    cree_le = models.DateTimeField("programmé le", auto_now_add=True)
    inopine_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    inopine_le = models.DateTimeField("visite inopinée autorisée le", null=True, blank=True)
    inopine_motif = models.TextField("raison de la visite inopinée", blank=True)
    notifie_le = models.DateTimeField("notifié le", null=True, blank=True)
    commence_le = models.DateTimeField("commencé le", null=True, blank=True)
    provisoire_le = models.DateTimeField("rapport provisoire du", null=True, blank=True)
    provisoire_acte = models.OneToOneField(Acte, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    provisoire_lu_le = models.DateTimeField("rapport provisoire ouvert le", null=True, blank=True)
    reponse_avant_le = models.DateField("réponse attendue avant le", null=True, blank=True)
    reponse_le = models.DateTimeField("réponse reçue le", null=True, blank=True)
    reponse_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    definitif_le = models.DateTimeField("rapport définitif du", null=True, blank=True)
    definitif_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    definitif_acte = models.OneToOneField(Acte, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    definitif_lu_le = models.DateTimeField("rapport définitif ouvert le", null=True, blank=True)
    clos_le = models.DateTimeField("clos le", null=True, blank=True)

    objects = ControleQuerySet.as_manager()

    class Meta:
        verbose_name = "contrôle"
        ordering = ["-annee", "-pk"]
        indexes = [models.Index(fields=["etat", "visite_le", "id"], name="controle_par_visite")]
        constraints = [
            models.CheckConstraint(name="controle_etat_connu", condition=Q(etat__in=Etat.values)),
            models.CheckConstraint(name="controle_mode_connu", condition=Q(mode__in=Mode.values)),
            models.CheckConstraint(name="controle_origine_connue", condition=Q(origine__in=Origine.values)),
            models.CheckConstraint(
                name="controle_origine_motivee",
                condition=~Q(origine__in=ORIGINES_MOTIVEES) | ~Q(motif_origine=""),
                violation_error_message="Dites l’instruction ou le signalement qui fait contrôler cette structure.",
            ),
            models.CheckConstraint(name="controle_annee_connue", condition=Q(annee__gte=2000, annee__lte=2099)),
            models.CheckConstraint(
                name="controle_inopine_autorise_par_un_autre",
                condition=Q(inopine_par__isnull=True, inopine_le__isnull=True, inopine_motif="")
                | (
                    Q(inopine_par__isnull=False, inopine_le__isnull=False)
                    & ~Q(inopine_motif="")
                    & ~Q(inopine_par=F("controleur"))
                ),
                violation_error_message="Un autre que le contrôleur autorise une visite inopinée, et dit pourquoi.",
            ),
            models.CheckConstraint(
                name="controle_annonce_ou_inopine",
                condition=Q(etat__in=[Etat.PROGRAMME, Etat.ANNULE])
                | Q(notifie_le__isnull=False)
                | Q(inopine_le__isnull=False),
            ),
            models.CheckConstraint(
                name="controle_commence_avec_date",
                condition=Q(etat__in=[Etat.PROGRAMME, Etat.NOTIFIE], commence_le__isnull=True)
                | Q(etat=Etat.ANNULE)
                | (~Q(etat__in=[Etat.PROGRAMME, Etat.NOTIFIE, Etat.ANNULE]) & Q(commence_le__isnull=False)),
            ),
            models.CheckConstraint(
                name="controle_provisoire_entier",
                condition=Q(provisoire_le__isnull=True, provisoire_acte__isnull=True, reponse_avant_le__isnull=True)
                | Q(provisoire_le__isnull=False, provisoire_acte__isnull=False, reponse_avant_le__isnull=False),
            ),
            models.CheckConstraint(
                name="controle_contradictoire_apres_le_provisoire",
                condition=~Q(etat__in=[*ETATS_RAPPORT_PROVISOIRE, *ETATS_DEFINITIFS]) | Q(provisoire_le__isnull=False),
            ),
            models.CheckConstraint(
                name="controle_reponse_de_quelqu_un",
                condition=Q(reponse_le__isnull=True, reponse_par__isnull=True)
                | Q(reponse_le__isnull=False, reponse_par__isnull=False),
            ),
            models.CheckConstraint(
                name="controle_definitif_signe",
                condition=Q(
                    etat__in=ETATS_DEFINITIFS,
                    definitif_le__isnull=False,
                    definitif_par__isnull=False,
                    definitif_acte__isnull=False,
                )
                | (
                    ~Q(etat__in=ETATS_DEFINITIFS)
                    & Q(definitif_le__isnull=True, definitif_par__isnull=True, definitif_acte__isnull=True)
                ),
            ),
            models.CheckConstraint(
                name="controle_clos_avec_date",
                condition=Q(etat=Etat.CLOS, clos_le__isnull=False) | (~Q(etat=Etat.CLOS) & Q(clos_le__isnull=True)),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="controle_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="controle_rapport_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__definitif_le__isnull=False)
                & (
                    pgtrigger.Q(old__definitif_acte__df=pgtrigger.F("new__definitif_acte"))
                    | pgtrigger.Q(old__definitif_par__df=pgtrigger.F("new__definitif_par"))
                    | pgtrigger.Q(old__definitif_le__df=pgtrigger.F("new__definitif_le"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.numero}, {self.structure}"

    def get_absolute_url(self) -> str:
        return reverse("controles:controle", args=[self.pk])

    @property
    def numero(self) -> str:
        return f"CTL-{self.annee}-{self.pk:05d}"

    @property
    def inopine(self) -> bool:
        return self.inopine_le is not None

    @property
    def exercices_dits(self) -> str:
        """« 2023, 2024 et 2025 » ; vide tant qu’ils ne sont pas choisis."""
        annees = [str(e) for e in sorted(self.exercices)]
        return " et ".join([", ".join(annees[:-1]), annees[-1]]) if len(annees) > 1 else "".join(annees)


class EvenementControle(models.Model):
    """Le journal d’un contrôle : qui, quand, quoi, pourquoi. On y ajoute, c’est tout ; les statistiques le lisent."""

    controle = models.ForeignKey(Controle, related_name="evenements", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=30, choices=Geste)
    de = models.CharField("état avant", max_length=20, blank=True)
    vers = models.CharField("état après", max_length=20, blank=True)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le")
    motif = models.TextField("motif", blank=True)
    details = models.JSONField("détails", default=dict, blank=True)

    class Meta:
        verbose_name = "événement de contrôle"
        verbose_name_plural = "événements de contrôle"
        ordering = ["-le", "-pk"]
        indexes = [models.Index(fields=["controle", "-le"], name="controle_journal")]
        constraints = [models.CheckConstraint(name="geste_de_controle_connu", condition=Q(geste__in=Geste.values))]
        triggers = [
            pgtrigger.Protect(name="journal_controle_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.controle_id})"


class PieceDemandee(models.Model):
    """Une pièce à tenir prête ou à envoyer. ``en_ligne`` : attendue dans le portail, avant ``requise_le``."""

    controle = models.ForeignKey(Controle, related_name="pieces_demandees", on_delete=models.PROTECT)
    rang = models.PositiveSmallIntegerField("rang")
    code = models.CharField("code", max_length=60)
    libelle = models.CharField("pièce", max_length=200)
    exercice = models.PositiveSmallIntegerField("exercice", null=True, blank=True)
    en_ligne = models.BooleanField("à envoyer en ligne", default=False)
    requise_le = models.DateField("attendue avant le", null=True, blank=True)
    demandee_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    demandee_le = models.DateTimeField("demandée le", auto_now_add=True)

    class Meta:
        verbose_name = "pièce demandée"
        verbose_name_plural = "pièces demandées"
        ordering = ["rang", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["controle", "rang"], name="piece_demandee_rang_unique"),
            models.CheckConstraint(
                name="piece_en_ligne_avec_date",
                condition=Q(en_ligne=False) | Q(requise_le__isnull=False),
                violation_error_message="Une pièce à envoyer porte une date.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.libelle} {self.exercice}" if self.exercice else self.libelle


class PieceRemise(models.Model):
    """Un fichier reçu pour une pièce, nommé par la machine : « CTL-2027-00012_03_grand-livre-2025_1.pdf »."""

    piece = models.ForeignKey(PieceDemandee, related_name="remises", on_delete=models.PROTECT)
    rang = models.PositiveSmallIntegerField("rang")
    fichier = models.ForeignKey(Fichier, related_name="+", on_delete=models.PROTECT)
    nom = models.CharField("nom classé", max_length=220)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    le = models.DateTimeField("remise le", auto_now_add=True)

    class Meta:
        verbose_name = "pièce remise"
        verbose_name_plural = "pièces remises"
        ordering = ["rang", "pk"]
        constraints = [models.UniqueConstraint(fields=["piece", "rang"], name="piece_remise_rang_unique")]
        triggers = [pgtrigger.Protect(name="piece_remise_figee", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.nom
