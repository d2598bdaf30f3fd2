"""Le compte d’où partent les virements, tel que l’exploitation l’a réglé."""

from __future__ import annotations

from django.conf import settings

from financements.sepa import Donneur
from socle.erreurs import Refus


def donneur() -> Donneur:
    """Lève Refus s’il n’est pas réglé : on n’invente pas un compte."""
    if not settings.PORTAIL_IBAN_PAYEUR:
        raise Refus("Le compte payeur de la Caf n’est pas réglé : demandez à l’exploitation (PORTAIL_IBAN_PAYEUR).")
    return Donneur(nom=settings.PORTAIL_CAF, iban=settings.PORTAIL_IBAN_PAYEUR, bic=settings.PORTAIL_BIC_PAYEUR)
