"""Ce qu’il reste à verser sur un droit, et quand : acomptes plafonnés, solde ou rappel, trop-versé. Sans Django.

Règles par défaut : domaine C.4 (35 % + 35 %, 70 % au plus du droit prévisionnel, solde après le réel).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from financements.calculs import partager
from socle.montants import ZERO, en_euros


@dataclass(frozen=True, slots=True)
class Regles:
    """``acomptes`` : suite de (pour cent, date) dans l’ordre ; ``plafond`` : leur total permis, en pour cent."""

    acomptes: tuple[tuple[Decimal, date], ...]
    plafond: Decimal


@dataclass(frozen=True, slots=True)
class Verse:
    nature: str
    montant: Decimal


@dataclass(frozen=True, slots=True)
class Proposition:
    nature: str
    rang: int
    montant: Decimal
    prevu_le: date
    calcul: str


@dataclass(frozen=True, slots=True)
class Suite:
    """Ce qui suit sur un droit, dans l’ordre des dates ; un trop-versé exclut toute proposition."""

    propositions: tuple[Proposition, ...]
    trop_verse: Decimal


def _acomptes(droit: Decimal, prevu: Decimal, regles: Regles, verses: list[Verse], net: Decimal) -> list[Proposition]:
    """Les acomptes restants ; chacun amène le total versé à sa part cumulée du droit courant.

    Le plafond se prend sur le droit prévisionnel (``prevu``) : une actualisation à la hausse ne le relève pas.
    """
    deja = {v.nature for v in verses}
    parts = tuple(part for part, _ in regles.acomptes)
    tranches = partager(droit, parts)
    borne = partager(prevu, (regles.plafond,))[0]
    rendues: list[Proposition] = []
    cible, promis = ZERO, net
    for rang, (tranche, (_, le)) in enumerate(zip(tranches, regles.acomptes, strict=True), start=1):
        cible += tranche
        nature = f"acompte_{rang}"
        if nature in deja:
            continue
        montant = min(cible, borne) - promis
        if montant <= 0:
            continue
        promis += montant
        cumul = sum(parts[:rang], Decimal(0))
        calcul = f"{cumul.normalize():f} % de {en_euros(droit)}, moins {en_euros(promis - montant)} déjà engagés"
        if cible > borne:
            calcul += f" ; acomptes limités à {regles.plafond.normalize():f} % du droit prévisionnel"
        rendues.append(Proposition(nature, 1, montant, le, calcul.replace(".", ",")))
    return rendues


def suite(
    *, droit: Decimal, prevu: Decimal, definitif: bool, regles: Regles, verses: list[Verse], recouvre: Decimal, le: date
) -> Suite:
    """``droit`` courant, ``prevu`` : premier droit prévisionnel ; ``definitif`` : réel ou après contrôle.

    ``verses`` : tout ce qui est engagé ou parti ; ``recouvre`` : ce qui a été rendu. En euros.
    """
    net = sum((v.montant for v in verses), ZERO) - recouvre
    if not definitif:
        return Suite(tuple(_acomptes(droit, prevu, regles, verses, net)), max(net - droit, ZERO))
    reste = droit - net
    if reste <= 0:
        return Suite((), -reste)
    soldes = [v for v in verses if v.nature in ("solde", "rappel")]
    nature = "rappel" if soldes else "solde"
    rang = sum(v.nature == nature for v in verses) + 1
    calcul = f"droit {en_euros(droit)} − {en_euros(net)} déjà engagés"
    return Suite((Proposition(nature, rang, reste, le, calcul),), ZERO)


@dataclass(frozen=True, slots=True)
class EcheanceIndu:
    """Une échéance de remboursement ; ``rendu`` : ce qui lui est imputé, les plus anciennes d’abord."""

    rang: int
    le: date
    montant: Decimal
    rendu: Decimal
    en_retard: bool

    @property
    def rendue(self) -> bool:
        return self.rendu == self.montant


def plan_de_remboursement(
    montant: Decimal, nombre: int, premiere: date, rendu: Decimal, le: date
) -> tuple[EcheanceIndu, ...]:
    """Une échéance par mois à partir de ``premiere`` ; ``rendu`` s’impute dans l’ordre des dates."""
    reste = rendu
    plan = []
    for rang, part in enumerate(echelonner(montant, nombre)):
        impute = min(part, reste)
        reste -= impute
        jour = premiere + relativedelta(months=rang)
        plan.append(EcheanceIndu(rang + 1, jour, part, impute, impute < part and jour < le))
    return tuple(plan)


def echelonner(montant: Decimal, nombre: int) -> tuple[Decimal, ...]:
    """Un montant en ``nombre`` échéances égales au centime près ; la dernière absorbe l’arrondi."""
    if nombre < 1:
        raise ValueError("Au moins une échéance.")
    une = (montant / nombre).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
    return (*[une] * (nombre - 1), montant - une * (nombre - 1))
