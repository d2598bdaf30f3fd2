"""Ce que le site public montre ou reçoit : les réalisations racontées par la Caf, les demandes de contact."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from partenaires.models.structures import Structure
from partenaires.models.territoire import Commune


class Realisation(models.Model):
    """Un article de la Caf sur ce qu’une structure a fait ; public une fois publié."""

    titre = models.CharField("titre", max_length=150)
    slug = models.SlugField("adresse", max_length=160, unique=True)
    chapeau = models.CharField("chapeau", max_length=300)
    texte = models.TextField("texte")
    structure = models.ForeignKey(
        Structure, related_name="realisations", null=True, blank=True, on_delete=models.PROTECT
    )
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    publiee_le = models.DateField("publiée le", null=True, blank=True)

    class Meta:
        verbose_name = "réalisation"
        ordering = ["-publiee_le", "-pk"]

    def __str__(self) -> str:
        return self.titre

    def get_absolute_url(self) -> str:
        return reverse("accueil:realisation", args=[self.slug])


class DemandeContact(models.Model):
    """Un message du site public, confié au chargé de conseil de la commune."""

    commune = models.ForeignKey(Commune, related_name="+", on_delete=models.PROTECT)
    objet = models.CharField("objet", max_length=40)
    nom = models.CharField("nom", max_length=150)
    courriel = models.EmailField("adresse électronique")
    message = models.TextField("message")
    recue_le = models.DateTimeField("reçue le", auto_now_add=True)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="demandes_de_contact", null=True, blank=True, on_delete=models.PROTECT
    )
    traitee_le = models.DateTimeField("traitée le", null=True, blank=True)

    class Meta:
        verbose_name = "demande de contact"
        verbose_name_plural = "demandes de contact"
        ordering = ["-recue_le", "-pk"]
        constraints = [models.CheckConstraint(name="demande_contact_non_vide", condition=~Q(message=""))]

    def __str__(self) -> str:
        return f"{self.nom}, {self.commune}"
