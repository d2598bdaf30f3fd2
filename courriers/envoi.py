"""Faire partir un courriel de la boîte d’envoi : sous verrou, essais bornés, recul doublé."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone

from courriers.choix import EtatEnvoi
from courriers.models import ESSAIS_MAX, Envoi

journal = structlog.get_logger(__name__)

LOT = 200


def a_envoyer() -> list[int]:
    """Les envois que le balayage doit faire partir, les plus attendus d’abord."""
    return list(Envoi.objects.a_envoyer(timezone.now()).values_list("pk", flat=True)[:LOT])


def envoyer(envoi_pk: int) -> bool:
    """Envoie si ce n’est pas fait. Rend vrai si ce passage l’a envoyé.

    L’essai est compté avant, dans sa propre transaction : un courriel qui tue son worker s’arrête après huit fois.
    Tué entre l’envoi et l’écriture, il repart : un courriel en double (même Message-ID) vaut mieux qu’un courriel
    perdu, et il n’invite qu’à se connecter.
    """
    if not _compter_l_essai(envoi_pk):
        return False
    with transaction.atomic():
        envoi = Envoi.objects.saisir(envoi_pk)
        if envoi is None:
            return False
        try:
            courriel(envoi).send()
        except Exception as erreur:  # messagerie, adresse, réseau : quelle que soit la panne, elle compte et s’écrit
            journal.warning("courriel_en_echec", envoi=envoi.pk, essais=envoi.essais, erreur=str(erreur))
            if envoi.essais >= ESSAIS_MAX:
                _abandonner(envoi)
            return False
        envoi.etat = EtatEnvoi.ENVOYE
        envoi.envoye_le = timezone.now()
        envoi.save(update_fields=["etat", "envoye_le"])
    return True


def _compter_l_essai(envoi_pk: int) -> bool:
    """Compte un essai et fixe le suivant : 2 minutes, puis 4, 8… (huit essais en huit heures et demie)."""
    with transaction.atomic(durable=True):
        envoi = Envoi.objects.saisir(envoi_pk)
        if envoi is None:
            return False
        if envoi.essais >= ESSAIS_MAX:  # le dernier essai a tué son worker
            _abandonner(envoi)
            return False
        envoi.essais += 1
        envoi.prochain_essai_le = timezone.now() + timedelta(minutes=2**envoi.essais)
        envoi.save(update_fields=["essais", "prochain_essai_le"])
    return True


def _abandonner(envoi: Envoi) -> None:
    envoi.etat = EtatEnvoi.ABANDONNE
    envoi.save(update_fields=["etat"])
    journal.error("courriel_abandonne", envoi=envoi.pk, cle=envoi.cle, essais=envoi.essais)


def courriel(envoi: Envoi) -> EmailMultiAlternatives:
    """Le message à confier à la messagerie ; son identifiant ne change pas d’un essai à l’autre."""
    domaine = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "portail.invalid"
    message = EmailMultiAlternatives(
        subject=envoi.sujet,
        body=envoi.texte,
        to=[envoi.adresse],
        headers={
            "Message-ID": f"<envoi-{envoi.pk}-{envoi.cree_le:%Y%m%d%H%M%S}@{domaine}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    if envoi.html:
        message.attach_alternative(envoi.html, "text/html")
    return message
