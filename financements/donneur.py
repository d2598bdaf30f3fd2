"""Le compte d’où partent les virements et où arrivent les prélèvements, tel que l’exploitation l’a réglé."""

from __future__ import annotations

from django.conf import settings

from financements.prelevements import Creancier
from financements.sepa import Donneur
from socle.erreurs import Refus


def donneur() -> Donneur:
    """Lève Refus s’il n’est pas réglé : on n’invente pas un compte."""
    if not settings.PORTAIL_IBAN_PAYEUR:
        raise Refus("Le compte payeur de la Caf n’est pas réglé : demandez à l’exploitation (PORTAIL_IBAN_PAYEUR).")
    return Donneur(nom=settings.PORTAIL_CAF, iban=settings.PORTAIL_IBAN_PAYEUR, bic=settings.PORTAIL_BIC_PAYEUR)


def creancier() -> Creancier:
    """Lève Refus si l’identifiant créancier SEPA n’est pas réglé : on ne prélève pas sans lui."""
    compte = donneur()
    if not settings.PORTAIL_ICS:
        raise Refus("L’identifiant créancier SEPA n’est pas réglé : demandez à l’exploitation (PORTAIL_ICS).")
    return Creancier(nom=compte.nom, iban=compte.iban, bic=compte.bic, ics=settings.PORTAIL_ICS)
