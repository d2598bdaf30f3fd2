from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from courriers.choix import EtatEnvoi
from courriers.querysets import EnvoiQuerySet, MessageQuerySet
from documents.models import Fichier

ESSAIS_MAX = 8


class Envoi(models.Model):
    """Un courriel à envoyer : écrit dans la transaction du geste, parti après elle.

    Le texte est rendu à l’écriture : il dit ce qui était vrai alors. ``essais`` compte les départs tentés.
    """

    cle = models.CharField("clé", max_length=150, unique=True)
    adresse = models.EmailField("destinataire")
    sujet = models.CharField("sujet", max_length=200)
    texte = models.TextField("texte")
    html = models.TextField("texte mis en forme", blank=True)
    etat = models.CharField("état", max_length=20, choices=EtatEnvoi, default=EtatEnvoi.A_ENVOYER)
    essais = models.PositiveSmallIntegerField("essais", default=0)
    cree_le = models.DateTimeField("écrit le", auto_now_add=True)
    prochain_essai_le = models.DateTimeField("prochain essai le")
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True)

    objects = EnvoiQuerySet.as_manager()

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


class Fil(models.Model):
    """Une conversation entre une structure et la Caf, nommée par l’app qui la tient (« dossier-12 »)."""

    cle = models.CharField("clé", max_length=60, unique=True)
    objet = models.CharField("objet", max_length=200, blank=True)
    ouvert_le = models.DateTimeField("ouvert le", auto_now_add=True)

    class Meta:
        verbose_name = "fil"
        constraints = [models.CheckConstraint(name="fil_nomme", condition=~Q(cle=""))]

    def __str__(self) -> str:
        return self.objet or self.cle


class Message(models.Model):
    """Un message d’un fil ; immuable : ce qui est écrit est écrit."""

    fil = models.ForeignKey(
        Fil, to_field="cle", db_column="fil", related_name="messages", db_index=False, on_delete=models.PROTECT
    )
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    texte = models.TextField("texte")
    interne = models.BooleanField("réservé à la Caf", default=False)
    piece = models.OneToOneField(Fichier, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le", auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = "message"
        ordering = ["le", "pk"]
        indexes = [models.Index(fields=["fil", "le", "id"], name="message_par_fil")]
        constraints = [models.CheckConstraint(name="message_non_vide", condition=~Q(texte=""))]
        triggers = [pgtrigger.Protect(name="message_fige", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.texte[:60]


class Lecture(models.Model):
    """Jusqu’où une personne a lu un fil."""

    fil = models.ForeignKey(
        Fil, to_field="cle", db_column="fil", related_name="lectures", db_index=False, on_delete=models.PROTECT
    )
    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="lectures", on_delete=models.PROTECT)
    dernier = models.ForeignKey(Message, verbose_name="dernier message lu", related_name="+", on_delete=models.CASCADE)
    le = models.DateTimeField("lu le")

    class Meta:
        verbose_name = "lecture"
        constraints = [models.UniqueConstraint(fields=["fil", "utilisateur"], name="lecture_une_par_personne")]

    def __str__(self) -> str:
        return f"{self.utilisateur}, {self.fil_id}"
