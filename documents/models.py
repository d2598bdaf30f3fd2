from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from documents.choix import Analyse, NatureActe
from documents.querysets import ESSAIS_MAX, ActeQuerySet

__all__ = ["ESSAIS_MAX", "Acte", "Analyse", "Fichier", "NatureActe"]

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # ni I, L, O, 0, 1 : le code se recopie d’un papier
LONGUEUR_CODE = 12


def nouveau_code() -> str:
    """Douze signes tirés au sort : environ 59 bits, indevinable même en essayant longtemps."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LONGUEUR_CODE))


def chemin_du_fichier(instance: Any, nom: str) -> str:
    """Un nom tiré au sort : rien de la personne dans le chemin, aucune collision."""
    extension = nom.rsplit(".", 1)[-1].lower()
    uuid = uuid4().hex
    return f"recus/{uuid[:2]}/{uuid}.{extension}"


def chemin_de_l_acte(instance: Any, nom: str) -> str:
    return f"actes/{instance.demande_le:%Y}/{instance.code}.pdf"


class Fichier(models.Model):
    """Un fichier reçu, vérifié, gardé hors du web ; servi seulement par une vue qui contrôle les droits."""

    nom = models.CharField("nom d’origine", max_length=200)
    contenu = models.FileField("contenu", upload_to=chemin_du_fichier, max_length=200)
    taille = models.PositiveBigIntegerField("taille (octets)")
    type_mime = models.CharField("type constaté", max_length=100)
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    analyse = models.CharField("antivirus", max_length=20, choices=Analyse)
    depose_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    depose_le = models.DateTimeField("déposé le", auto_now_add=True)

    class Meta:
        verbose_name = "fichier"
        constraints = [
            models.CheckConstraint(name="fichier_non_vide", condition=Q(taille__gt=0)),
            models.CheckConstraint(name="fichier_analyse_connue", condition=Q(analyse__in=Analyse.values)),
        ]
        triggers = [
            pgtrigger.Protect(
                name="fichier_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("contenu", "taille", "empreinte", "type_mime", "depose_par"),
            )
        ]

    def __str__(self) -> str:
        return self.nom


class Acte(models.Model):
    """Un document officiel : demandé dans la transaction du geste, produit une seule fois, puis figé.

    ``contexte`` porte tout ce que le PDF montre, figé à la demande : les données peuvent changer, l’acte non.
    """

    cle = models.CharField("clé", max_length=100, unique=True)
    objet = models.CharField("objet", max_length=60, db_index=True)  # « dossier-12 » : ce dont l’acte parle
    nature = models.CharField("nature", max_length=30, choices=NatureActe)
    titre = models.CharField("titre", max_length=200)
    gabarit = models.CharField("gabarit", max_length=60)
    version_gabarit = models.PositiveSmallIntegerField("version du gabarit")
    contexte = models.JSONField("contexte")
    code = models.CharField("code de vérification", max_length=LONGUEUR_CODE, unique=True, default=nouveau_code)
    pdf = models.FileField("PDF", upload_to=chemin_de_l_acte, blank=True, max_length=200)
    empreinte = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    demande_le = models.DateTimeField("demandé le")
    produit_le = models.DateTimeField("produit le", null=True, blank=True)
    essais = models.PositiveSmallIntegerField("essais", default=0)
    alerte_le = models.DateTimeField("abandon signalé le", null=True, blank=True)
    remplace_par = models.OneToOneField(
        "self", related_name="remplace", null=True, blank=True, on_delete=models.PROTECT
    )

    objects = ActeQuerySet.as_manager()

    class Meta:
        verbose_name = "acte"
        ordering = ["-demande_le", "-pk"]
        indexes = [
            models.Index(fields=["demande_le"], name="acte_en_attente", condition=Q(produit_le__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(name="acte_nature_connue", condition=Q(nature__in=NatureActe.values)),
            models.CheckConstraint(
                name="acte_produit_entier",
                condition=Q(produit_le__isnull=True, pdf="", empreinte="")
                | (Q(produit_le__isnull=False) & ~Q(pdf="") & ~Q(empreinte="")),
            ),
            models.CheckConstraint(
                name="acte_ne_se_remplace_pas",
                condition=Q(remplace_par__isnull=True) | ~Q(remplace_par=F("pk")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="acte_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="acte_demande_figee",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "cle", "objet", "nature", "titre", "gabarit", "version_gabarit", "contexte", "code"
                ),
            ),
            pgtrigger.Protect(
                name="acte_produit_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__produit_le__isnull=False)
                & (
                    pgtrigger.Q(old__pdf__df=pgtrigger.F("new__pdf"))
                    | pgtrigger.Q(old__empreinte__df=pgtrigger.F("new__empreinte"))
                    | pgtrigger.Q(old__produit_le__df=pgtrigger.F("new__produit_le"))
                    | pgtrigger.Q(old__demande_le__df=pgtrigger.F("new__demande_le"))
                ),
            ),
            pgtrigger.Protect(
                name="acte_remplace_une_fois",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__remplace_par__isnull=False)
                & pgtrigger.Q(old__remplace_par__df=pgtrigger.F("new__remplace_par")),
            ),
        ]

    def __str__(self) -> str:
        return self.titre

    def get_absolute_url(self) -> str:
        return reverse("documents:verifier_code", args=[self.code])

    @property
    def code_lisible(self) -> str:
        """« ABCD-EFGH-JKMN » : comme on le lit sur le papier."""
        return "-".join(self.code[i : i + 4] for i in range(0, LONGUEUR_CODE, 4))
