from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from courriers.choix import EtatEnvoi

ESSAIS_MAX = 8


class Envoi(models.Model):
    """Un courriel à envoyer : écrit dans la transaction du geste, parti après elle, jamais deux fois."""

    cle = models.CharField("clé", max_length=150, unique=True)
    adresse = models.EmailField("destinataire")
    sujet = models.CharField("sujet", max_length=200)
    texte = models.TextField("texte")
    etat = models.CharField("état", max_length=20, choices=EtatEnvoi, default=EtatEnvoi.A_ENVOYER)
    essais = models.PositiveSmallIntegerField("essais", default=0)
    cree_le = models.DateTimeField("écrit le", auto_now_add=True)
    prochain_essai_le = models.DateTimeField("prochain essai le")
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True)

    class Meta:
        verbose_name = "envoi"
        indexes = [
            models.Index(fields=["prochain_essai_le"], name="envoi_a_faire", condition=Q(etat=EtatEnvoi.A_ENVOYER)),
        ]
        constraints = [
            models.CheckConstraint(name="envoi_etat_connu", condition=Q(etat__in=EtatEnvoi.values)),
            models.CheckConstraint(
                name="envoi_envoye_avec_date",
                condition=Q(etat=EtatEnvoi.ENVOYE, envoye_le__isnull=False)
                | (~Q(etat=EtatEnvoi.ENVOYE) & Q(envoye_le__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sujet} → {self.adresse}"


class Notification(models.Model):
    """Une nouvelle dans le portail, lue ou non lue."""

    cle = models.CharField("clé", max_length=150, unique=True)
    destinataire = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="notifications", on_delete=models.PROTECT)
    texte = models.CharField("texte", max_length=300)
    lien = models.CharField("lien", max_length=200, blank=True)
    cree_le = models.DateTimeField("le", auto_now_add=True)
    lue_le = models.DateTimeField("lue le", null=True, blank=True)

    class Meta:
        verbose_name = "notification"
        ordering = ["-cree_le", "-pk"]
        indexes = [
            models.Index(fields=["destinataire", "-cree_le", "-id"], name="notification_recente"),
            models.Index(fields=["destinataire"], name="notification_non_lue", condition=Q(lue_le__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.texte


class Message(models.Model):
    """Un message entre une structure et la Caf, rangé dans un fil (par exemple « dossier-12 ») ; immuable."""

    fil = models.CharField("fil", max_length=60)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    texte = models.TextField("texte")
    interne = models.BooleanField("réservé à la Caf", default=False)
    le = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "message"
        ordering = ["le", "pk"]
        indexes = [models.Index(fields=["fil", "le", "id"], name="message_par_fil")]
        constraints = [models.CheckConstraint(name="message_non_vide", condition=~Q(texte=""))]
        triggers = [pgtrigger.Protect(name="message_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.texte[:60]
