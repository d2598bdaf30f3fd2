"""Prévenir, écrire, envoyer. Rien ne part avant que la transaction du geste soit écrite."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from comptes.models import Utilisateur
from courriers.models import Envoi, Message, Notification
from courriers.tasks import envoyer
from socle.erreurs import Refus
from socle.file import mettre_en_file
from socle.texte import epurer

LONGUEUR_MESSAGE = 5000


def court(texte: str, borne: int) -> str:
    """Une ligne, sans signe que la base refuse ; coupée proprement si elle déborde."""
    ligne = " ".join(epurer(texte).split())
    return ligne if len(ligne) <= borne else f"{ligne[: borne - 1]}…"


def _exiger_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Un courrier s’écrit dans la transaction du geste : sans elle, il partirait seul.")


def poster(*, cle: str, destinataire: Utilisateur | str, sujet: str, gabarit: str, contexte: dict[str, Any]) -> Envoi:
    """Écrit un courriel dans la boîte d’envoi ; rappelée avec la même clé, rend celui qui existe.

    ``gabarit`` : chemin sans extension d’un gabarit de texte. Lève RuntimeError hors transaction.
    """
    _exiger_transaction()
    adresse = destinataire if isinstance(destinataire, str) else destinataire.courriel
    texte = render_to_string(
        f"{gabarit}.txt",
        {**contexte, "racine": settings.PORTAIL_ADRESSE.rstrip("/"), "portail": settings.PORTAIL_NOM,
         "caf": settings.PORTAIL_CAF},
    )  # fmt: skip
    envoi, neuf = Envoi.objects.get_or_create(
        cle=cle,
        defaults={
            "adresse": adresse,
            "sujet": court(sujet, 200),
            "texte": epurer(texte),
            "prochain_essai_le": timezone.now(),
        },
    )
    if neuf:
        mettre_en_file(envoyer, envoi.pk)
    return envoi


def prevenir(*, cle: str, destinataire: Utilisateur, texte: str, lien: str = "") -> Notification:
    """Laisse une nouvelle dans le portail ; une seule par clé. Lève RuntimeError hors transaction."""
    _exiger_transaction()
    notification, _ = Notification.objects.get_or_create(
        cle=cle, defaults={"destinataire": destinataire, "texte": court(texte, 300), "lien": lien}
    )
    return notification


@transaction.atomic
def marquer_lue(notification: Notification) -> Notification:
    Notification.objects.filter(pk=notification.pk, lue_le__isnull=True).update(lue_le=timezone.now())
    return notification


@transaction.atomic
def tout_marquer_lu(utilisateur: Utilisateur) -> int:
    return utilisateur.notifications.filter(lue_le__isnull=True).update(lue_le=timezone.now())


@transaction.atomic
def ecrire(*, fil: str, texte: str, par: Utilisateur, interne: bool = False) -> Message:
    """Ajoute un message au fil. Les droits sont à l’app qui tient le fil. Lève Refus si vide ou trop long."""
    texte = epurer(texte).strip()
    if not texte:
        raise Refus("Écrivez votre message avant de l’envoyer.")
    if len(texte) > LONGUEUR_MESSAGE:
        raise Refus(f"{len(texte)} caractères pour {LONGUEUR_MESSAGE} au plus : raccourcissez votre message.")
    return Message.objects.create(fil=fil, auteur=par, texte=texte, interne=interne)
