"""Écrire l’ordre de prélèvement remis à la banque (pain.008). Sans Django ; même rigueur que l’ordre de virement.

Sources : ISO 20022 (pain.008.001.08) ; EPC130-08 pour le prélèvement « core » ; EPC262-08 pour l’identifiant créancier.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from defusedxml.ElementTree import fromstring, tostring
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException
from sepaxml import SepaDD
from sepaxml.validation import ValidationError, try_valid_xml
from stdnum.eu import at_02

from financements.sepa import MONTANT_MAX, REFERENCE, OrdreInvalide, iban_juste, translitterer
from socle.montants import CENTIME, en_euros

SCHEMA = "pain.008.001.08"
_ESPACE_DE_NOMS = f"{{urn:iso:std:iso:20022:tech:xsd:{SCHEMA}}}"
_PARIS = ZoneInfo("Europe/Paris")

type Sequence_ = Literal["FRST", "RCUR", "FNAL", "OOFF"]


@dataclass(frozen=True, slots=True)
class Prelevement:
    """``reference`` : unique dans l’ordre, celle que le retour citera. ``sequence`` : premier, suivant, dernier,
    unique.
    """

    reference: str
    debiteur: str
    iban: str
    montant: Decimal
    libelle: str
    mandat: str
    mandat_signe_le: date
    sequence: Sequence_


@dataclass(frozen=True, slots=True)
class Creancier:
    nom: str
    iban: str
    bic: str
    ics: str


def ordre_de_prelevement(
    prelevements: Sequence[Prelevement],
    creancier: Creancier,
    *,
    reference: str,
    execution: date,
    etabli_le: datetime | None = None,
) -> bytes:
    """Le fichier d’une remise, validé contre le schéma avant d’être rendu ; mêmes entrées, mêmes octets.

    Lève ``OrdreInvalide``, avec toutes les raisons.
    """
    fautes = [*_fautes_de_l_ordre(prelevements, creancier, reference), *_fautes(prelevements, execution)]
    if fautes:
        raise OrdreInvalide(*fautes)
    ordre = SepaDD(
        {
            "name": translitterer(creancier.nom, 70),
            "IBAN": str(IBAN(creancier.iban)),
            "BIC": str(BIC(creancier.bic)),
            "batch": True,
            "creditor_id": creancier.ics,
            "currency": "EUR",
        },
        schema=SCHEMA,
        clean=False,
    )
    for prelevement in prelevements:
        _ajouter(ordre, prelevement, execution)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # sepaxml demande si une adresse vide est vraie
        brut = ordre.export(validate=False)
    racine = fromstring(brut)
    instant = (etabli_le or datetime.now(_PARIS)).astimezone(_PARIS)
    for balise, texte in (("MsgId", reference), ("CreDtTm", f"{instant:%Y-%m-%dT%H:%M:%S}")):
        for element in racine.iter(_ESPACE_DE_NOMS + balise):
            element.text = texte
    for rang, element in enumerate(racine.iter(f"{_ESPACE_DE_NOMS}PmtInfId"), start=1):
        element.text = f"{reference}-{rang}"
    octets: bytes = tostring(racine, encoding="utf-8", xml_declaration=True)
    try:
        try_valid_xml(octets, SCHEMA)
    except ValidationError as erreur:
        raise OrdreInvalide(f"Le fichier ne suit pas le schéma {SCHEMA} : {erreur.__cause__}"[:500]) from erreur
    return octets


def _ajouter(ordre: SepaDD, prelevement: Prelevement, execution: date) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        ordre.add_payment(
            {
                "name": translitterer(prelevement.debiteur, 70),
                "IBAN": str(IBAN(prelevement.iban)),
                "amount": int(prelevement.montant * 100),
                "type": prelevement.sequence,
                "collection_date": execution,
                "mandate_id": prelevement.mandat,
                "mandate_date": prelevement.mandat_signe_le,
                "description": translitterer(prelevement.libelle, 140),
                "endtoend_id": prelevement.reference,
            }
        )


def _fautes_de_l_ordre(prelevements: Sequence[Prelevement], creancier: Creancier, reference: str) -> Iterable[str]:
    if not prelevements:
        yield "Cet ordre ne contient aucun prélèvement."
    if not REFERENCE.fullmatch(reference) or len(reference) > 30:
        yield f"La référence de la remise « {reference} » dépasse 30 caractères ou sort du jeu SEPA."
    if not translitterer(creancier.nom, 70):
        yield "Le nom du créancier est vide."
    if not iban_juste(creancier.iban):
        yield "L’IBAN du créancier est faux."
    if not at_02.is_valid(creancier.ics):
        yield f"L’identifiant créancier SEPA « {creancier.ics} » est faux."
    try:
        BIC(creancier.bic)
    except SchwiftyException:
        yield f"Le BIC du créancier « {creancier.bic} » est faux."


def _fautes(prelevements: Sequence[Prelevement], execution: date) -> Iterable[str]:
    """Chaque phrase cite le prélèvement par sa référence ; jamais l’IBAN."""
    for reference, fois in Counter(p.reference for p in prelevements).items():
        if fois > 1:
            yield f"La référence « {reference} » est portée par {fois} prélèvements."
    for p in prelevements:
        qui = f"Prélèvement « {p.reference} »"
        if not REFERENCE.fullmatch(p.reference):
            yield f"{qui} : sa référence dépasse 35 caractères ou sort du jeu SEPA."
        if not REFERENCE.fullmatch(p.mandat):
            yield f"{qui} : la référence du mandat dépasse 35 caractères ou sort du jeu SEPA."
        if p.mandat_signe_le > execution:
            yield f"{qui} : le mandat est signé après le prélèvement."
        if not translitterer(p.debiteur, 70):
            yield f"{qui} : le nom du débiteur est vide."
        if not iban_juste(p.iban):
            yield f"{qui} : l’IBAN de {p.debiteur[:70]} est faux."
        if not p.montant.is_finite() or not 0 < p.montant <= MONTANT_MAX:
            yield f"{qui} : le montant doit être compris entre 0,01 € et {en_euros(MONTANT_MAX)}."
        elif p.montant != p.montant.quantize(CENTIME):
            yield f"{qui} : le montant a plus de deux décimales."
