"""Faire partir un courriel de la boîte d’envoi : sous verrou, essais bornés, recul doublé."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from courriers.choix import EtatEnvoi
from courriers.models import ESSAIS_MAX, Envoi

journal = structlog.get_logger(__name__)


def a_envoyer() -> list[int]:
    attente = Envoi.objects.filter(etat=EtatEnvoi.A_ENVOYER, prochain_essai_le__lte=timezone.now())
    return list(attente.order_by("prochain_essai_le").values_list("pk", flat=True)[:200])


@transaction.atomic
def envoyer(envoi_pk: int) -> bool:
    """Envoie si ce n’est pas fait. Rend vrai si ce passage l’a envoyé.

    Tué entre l’envoi et l’écriture, il repart : un courriel en double vaut mieux qu’un courriel perdu, et il
    n’invite qu’à se connecter.
    """
    envoi = (
        Envoi.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=envoi_pk, etat=EtatEnvoi.A_ENVOYER)
        .first()
    )
    if envoi is None:
        return False
    envoi.essais += 1
    try:
        EmailMessage(subject=envoi.sujet, body=envoi.texte, to=[envoi.adresse]).send()
    except (OSError, ValueError) as erreur:  # serveur muet, ou adresse que le courriel refuse
        journal.warning("courriel_en_echec", envoi=envoi.pk, essais=envoi.essais, erreur=str(erreur))
        envoi.prochain_essai_le = timezone.now() + timedelta(minutes=2**envoi.essais)
        if envoi.essais >= ESSAIS_MAX:
            envoi.etat = EtatEnvoi.ABANDONNE
            journal.error("courriel_abandonne", envoi=envoi.pk, essais=envoi.essais)
    else:
        envoi.etat = EtatEnvoi.ENVOYE
        envoi.envoye_le = timezone.now()
    envoi.save(update_fields=["essais", "etat", "prochain_essai_le", "envoye_le"])
    return envoi.etat == EtatEnvoi.ENVOYE
