"""Les identifiants officiels : la clé est vérifiée, pas seulement la longueur."""

from __future__ import annotations

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from stdnum.exceptions import ValidationError as IdentifiantFaux
from stdnum.fr import siren, siret

_RNA = re.compile(r"W\d[0-9A-Z]\d{7}")


def valider_code_postal(valeur: str) -> None:
    if not re.fullmatch(r"[0-9]{5}", valeur):
        raise ValidationError("Un code postal s’écrit en cinq chiffres, par exemple 49000.", code="code_postal")


def valider_pas_dans_l_avenir(valeur: date) -> None:
    if valeur > timezone.localdate():
        raise ValidationError("Cette date est dans l’avenir.", code="avenir")


def valider_siren(valeur: str) -> None:
    if set(valeur) == {"0"}:
        raise ValidationError("Ce SIREN n’existe pas : il n’est fait que de zéros.", code="siren")
    try:
        siren.validate(valeur)
    except IdentifiantFaux as erreur:
        raise ValidationError(
            "Ce SIREN n’existe pas : vérifiez ses 9 chiffres (la clé de contrôle est fausse).", code="siren"
        ) from erreur


def valider_siret(valeur: str) -> None:
    if valeur.startswith("0" * 9):
        raise ValidationError("Ce SIRET n’existe pas : il commence par neuf zéros.", code="siret")
    try:
        siret.validate(valeur)
    except IdentifiantFaux as erreur:
        raise ValidationError(
            "Ce SIRET n’existe pas : vérifiez ses 14 chiffres (la clé de contrôle est fausse).", code="siret"
        ) from erreur


def valider_rna(valeur: str) -> None:
    if not _RNA.fullmatch(valeur):
        raise ValidationError("Un numéro RNA s’écrit W suivi de 9 chiffres, par exemple W491000001.", code="rna")


def valider_iban(valeur: str) -> None:
    """Clé internationale et, pour un compte français, clé RIB (schwifty, ``validate_bban``)."""
    try:
        IBAN(valeur, validate_bban=True)
    except SchwiftyException as erreur:
        raise ValidationError(
            "Cet IBAN est faux : vérifiez-le sur votre relevé d’identité bancaire.", code="iban"
        ) from erreur
