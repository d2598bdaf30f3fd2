"""Le département : des données publiques, datées et sourcées (voir ``partenaires/donnees/README.md``)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from partenaires.expressions import CleDeTri
from partenaires.querysets import CommuneQuerySet


class Epci(models.Model):
    siren = models.CharField("SIREN", max_length=9, primary_key=True)
    nom = models.CharField("nom", max_length=120)
    nature = models.CharField("nature", max_length=10)

    class Meta:
        verbose_name = "intercommunalité"
        verbose_name_plural = "intercommunalités"
        ordering = ["nom"]

    def __str__(self) -> str:
        return self.nom


class Commune(models.Model):
    """Une commune actuelle du département, au code officiel géographique de l’année."""

    code_insee = models.CharField("code Insee", max_length=5, primary_key=True)
    nom = models.CharField("nom", max_length=120)
    nom_tri = models.GeneratedField(
        expression=CleDeTri("nom"), output_field=models.TextField("nom sans accent"), db_persist=True, db_index=True
    )
    codes_postaux = ArrayField(models.CharField(max_length=5), verbose_name="codes postaux")
    epci = models.ForeignKey(
        Epci, verbose_name="intercommunalité", related_name="communes", null=True, blank=True, on_delete=models.PROTECT
    )
    arrondissement = models.CharField("arrondissement", max_length=60)
    population = models.PositiveIntegerField("population municipale 2023")
    superficie_km2 = models.DecimalField("superficie (km²)", max_digits=7, decimal_places=1)
    classement_frr = models.CharField("classement France ruralités revitalisation", max_length=60)
    en_frr = models.BooleanField("en zone France ruralités revitalisation")
    densite = models.CharField("densité", max_length=60)
    lat = models.FloatField("latitude")
    lon = models.FloatField("longitude")

    objects = CommuneQuerySet.as_manager()

    class Meta:
        verbose_name = "commune"
        ordering = ["nom_tri", "code_insee"]

    def __str__(self) -> str:
        return self.nom


class CommuneDeleguee(models.Model):
    """Une ancienne commune : on la cherche encore par son nom, on agit avec la commune actuelle."""

    code_insee = models.CharField("code Insee", max_length=5)
    nom = models.CharField("nom", max_length=120)
    nom_tri = models.GeneratedField(
        expression=CleDeTri("nom"), output_field=models.TextField("nom sans accent"), db_persist=True, db_index=True
    )
    commune = models.ForeignKey(Commune, related_name="deleguees", on_delete=models.CASCADE)

    class Meta:
        verbose_name = "commune déléguée"
        verbose_name_plural = "communes déléguées"
        ordering = ["nom_tri", "code_insee"]
        constraints = [models.UniqueConstraint(fields=["code_insee", "nom"], name="commune_deleguee_unique")]

    def __str__(self) -> str:
        return self.nom


class QuartierPrioritaire(models.Model):
    code = models.CharField("code", max_length=10, primary_key=True)
    nom = models.CharField("nom", max_length=120)
    commune = models.ForeignKey(Commune, related_name="quartiers", on_delete=models.PROTECT)

    class Meta:
        verbose_name = "quartier prioritaire de la politique de la ville"
        verbose_name_plural = "quartiers prioritaires de la politique de la ville"
        ordering = ["nom", "code"]

    def __str__(self) -> str:
        return f"{self.nom} ({self.commune_id})"
