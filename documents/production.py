"""Produire un acte une fois, et une seule : sous verrou, dans une transaction, sans jamais refaire un PDF existant."""

from __future__ import annotations

from hashlib import sha256

import structlog
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from documents.evenements import acte_produit
from documents.models import Acte
from documents.querysets import ESSAIS_MAX

journal = structlog.get_logger(__name__)

LOT = 100


def rendre(acte: Acte) -> bytes:
    """Le PDF de l’acte. Le premier appel du processus charge WeasyPrint : 46 Mo que le web n’a pas à payer."""
    from documents import rendu  # noqa: PLC0415 — voir ci-dessus

    return rendu.rendre(acte)


def en_attente() -> list[int]:
    """Les actes que le balayage doit reprendre, les plus anciens d’abord."""
    return list(Acte.objects.en_souffrance(timezone.now()).values_list("pk", flat=True)[:LOT])


def produire(acte_pk: int) -> bool:
    """Produit l’acte s’il ne l’est pas. Rend vrai si ce passage l’a produit.

    L’essai est compté avant, dans sa propre transaction : un acte qui tue son worker s’arrête après cinq fois.
    Un fichier écrit par un essai interrompu porte le même nom et est remplacé : pas d’orphelin.
    """
    if not _compter_l_essai(acte_pk):
        return False
    with transaction.atomic():
        acte = Acte.objects.saisir(acte_pk)
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


def _compter_l_essai(acte_pk: int) -> bool:
    with transaction.atomic(durable=True):
        acte = Acte.objects.saisir(acte_pk)
        if acte is None or acte.essais >= ESSAIS_MAX:
            return False
        acte.essais += 1
        acte.save(update_fields=["essais"])
    return True


def produire_en_attente() -> None:
    """Reprend ce qu’un worker mort ou un courtier muet a laissé ; un acte en échec n’arrête pas les suivants."""
    for acte_pk in en_attente():
        try:
            produire(acte_pk)
        except Exception:  # quelle que soit la panne, les autres actes attendent ; elle est au journal technique
            journal.exception("acte_en_echec", acte=acte_pk)
    _signaler_les_abandons()


def _signaler_les_abandons() -> None:
    """Une alerte, une seule, par acte arrêté après cinq essais : quelqu’un doit regarder, puis le relancer."""
    for acte_pk in list(Acte.objects.abandonnes().filter(alerte_le__isnull=True).values_list("pk", flat=True)[:LOT]):
        with transaction.atomic():
            acte = Acte.objects.saisir(acte_pk)
            if acte is None or acte.alerte_le is not None:  # son dernier essai court encore, ou un autre l’a signalé
                continue
            acte.alerte_le = timezone.now()
            acte.save(update_fields=["alerte_le"])
        journal.error("acte_abandonne", acte=acte.pk, cle=acte.cle, essais=acte.essais)
