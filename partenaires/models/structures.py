from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse

from partenaires.choix import StatutJuridique, TypeStructure
from partenaires.expressions import CleDeTri
from partenaires.models.territoire import Commune, QuartierPrioritaire
from partenaires.querysets import GestionnaireQuerySet, StructureQuerySet
from partenaires.validateurs import (
    valider_code_postal,
    valider_iban,
    valider_pas_dans_l_avenir,
    valider_rna,
    valider_siren,
    valider_siret,
)


class Gestionnaire(models.Model):
    """La personne morale qui porte une ou plusieurs structures, signe et reçoit l’argent."""

    nom = models.CharField("nom", max_length=200)
    statut = models.CharField("statut juridique", max_length=20, choices=StatutJuridique)
    siren = models.CharField("SIREN", max_length=9, blank=True, validators=[valider_siren])
    siret = models.CharField("SIRET du siège", max_length=14, blank=True, validators=[valider_siret])
    rna = models.CharField("numéro RNA", max_length=10, blank=True, validators=[valider_rna])
    iban = models.CharField("IBAN", max_length=34, blank=True, validators=[valider_iban])
    adresse = models.CharField("adresse", max_length=200, blank=True)
    code_postal = models.CharField("code postal", max_length=5, blank=True, validators=[valider_code_postal])
    ville = models.CharField("ville", max_length=100, blank=True)
    version = models.PositiveIntegerField("version", default=1)

    objects = GestionnaireQuerySet.as_manager()

    class Meta:
        verbose_name = "gestionnaire"
        ordering = ["nom", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["siren"],
                condition=~Q(siren=""),
                name="gestionnaire_siren_unique",
                violation_error_message="Un gestionnaire porte déjà ce SIREN.",
            ),
            models.CheckConstraint(name="gestionnaire_statut_connu", condition=Q(statut__in=StatutJuridique.values)),
        ]

    def __str__(self) -> str:
        return self.nom

    def clean(self) -> None:
        if self.siren and self.siret and not self.siret.startswith(self.siren):
            raise ValidationError({"siret": "Le SIRET du siège commence par le SIREN : l’un des deux est faux."})


class Structure(models.Model):
    """Un centre social ou un espace de vie sociale : le lieu, son territoire, son équipe."""

    nom = models.CharField("nom", max_length=200)
    nom_tri = models.GeneratedField(
        expression=CleDeTri("nom"), output_field=models.TextField("nom sans accent"), db_persist=True, db_index=True
    )
    type = models.CharField("type", max_length=20, choices=TypeStructure)
    gestionnaire = models.ForeignKey(
        Gestionnaire, verbose_name="gestionnaire", related_name="structures", on_delete=models.PROTECT
    )
    siret = models.CharField("SIRET", max_length=14, blank=True, validators=[valider_siret])
    adresse = models.CharField("adresse", max_length=200, blank=True)
    code_postal = models.CharField("code postal", max_length=5, blank=True, validators=[valider_code_postal])
    commune = models.ForeignKey(Commune, verbose_name="commune", related_name="structures", on_delete=models.PROTECT)
    quartier = models.CharField("quartier ou commune déléguée", max_length=120, blank=True)
    communes_intervention = models.ManyToManyField(
        Commune, verbose_name="communes d’intervention", related_name="structures_intervenantes", blank=True
    )
    quartiers_prioritaires = models.ManyToManyField(
        QuartierPrioritaire, verbose_name="quartiers prioritaires", related_name="structures", blank=True
    )
    premier_agrement_le = models.DateField(
        "premier agrément le", null=True, blank=True, validators=[valider_pas_dans_l_avenir]
    )
    instance_gouvernance = models.CharField("instance de gouvernance", max_length=200, blank=True)
    site_web = models.URLField("site internet", blank=True)
    lat = models.FloatField("latitude", null=True, blank=True)
    lon = models.FloatField("longitude", null=True, blank=True)
    fermee_le = models.DateField("fermée le", null=True, blank=True)
    version = models.PositiveIntegerField("version", default=1)

    objects = StructureQuerySet.as_manager()

    class Meta:
        verbose_name = "structure"
        ordering = ["nom_tri", "pk"]
        constraints = [
            models.CheckConstraint(name="structure_type_connu", condition=Q(type__in=TypeStructure.values)),
            models.CheckConstraint(
                name="structure_position_entiere",
                condition=Q(lat__isnull=True, lon__isnull=True) | Q(lat__isnull=False, lon__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.nom

    def get_absolute_url(self) -> str:
        return reverse("partenaires:fiche", args=[self.pk])


class Contact(models.Model):
    """Une personne à joindre dans une structure, qu’elle ait ou non un compte."""

    structure = models.ForeignKey(Structure, related_name="contacts", on_delete=models.CASCADE)
    fonction = models.CharField("fonction", max_length=100)
    nom = models.CharField("nom", max_length=200)
    courriel = models.EmailField("adresse électronique", blank=True)
    telephone = models.CharField("téléphone", max_length=20, blank=True)

    class Meta:
        verbose_name = "contact"
        ordering = ["nom", "pk"]

    def __str__(self) -> str:
        return f"{self.nom}, {self.fonction}"
