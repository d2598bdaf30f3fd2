"""Produire un acte une fois, et une seule : sous verrou, dans une transaction, sans jamais refaire un PDF existant."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import structlog
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from documents.evenements import acte_produit
from documents.models import ESSAIS_MAX, Acte
from documents.rendu import rendre

journal = structlog.get_logger(__name__)


def en_attente() -> list[int]:
    """Les actes demandés il y a plus d’une minute et toujours pas produits."""
    limite = timezone.now() - timedelta(minutes=1)
    attente = Acte.objects.filter(produit_le__isnull=True, demande_le__lt=limite, essais__lt=ESSAIS_MAX)
    return list(attente.order_by("demande_le").values_list("pk", flat=True)[:100])


def produire(acte_pk: int) -> bool:
    """Produit l’acte s’il ne l’est pas. Rend vrai si ce passage l’a produit.

    L’essai est compté avant, hors de la transaction : un acte qui tue son worker s’arrête après cinq fois.
    Un fichier écrit par un essai interrompu porte le même nom et est remplacé : pas d’orphelin.
    """
    compte = Acte.objects.filter(pk=acte_pk, produit_le__isnull=True, essais__lt=ESSAIS_MAX)
    if not compte.update(essais=F("essais") + 1):
        return False
    with transaction.atomic():
        acte = (
            Acte.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(pk=acte_pk, produit_le__isnull=True)
            .first()
        )
        if acte is None:
            return False
        pdf = rendre(acte)
        nom = acte.pdf.field.generate_filename(acte, "acte.pdf")
        acte.pdf.storage.delete(nom)
        acte.pdf.save(nom.rsplit("/", 1)[-1], ContentFile(pdf), save=False)
        acte.empreinte = sha256(pdf).hexdigest()
        acte.produit_le = timezone.now()
        acte.save(update_fields=["pdf", "empreinte", "produit_le"])
        acte_produit.send(Acte, acte=acte)
    journal.info("acte_produit", acte=acte.pk, cle=acte.cle)
    return True
