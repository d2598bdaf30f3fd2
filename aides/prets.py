"""Le tableau d’amortissement d’un prêt. Sans Django : des conditions, des échéances, aucun centime perdu.

Échéances constantes ; intérêts sur le capital restant dû, par période (taux annuel × mois ÷ 12) ; pendant le différé,
les intérêts seuls. Chaque montant s’arrondit au centime, le demi vers le haut ; la dernière échéance absorbe le reste.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from financements.calculs import au_centime, pourcent
from socle.erreurs import Refus
from socle.montants import CENTIME, ZERO, en_euros
from socle.texte import accorde

PERIODICITES = {1: "mensuelle", 3: "trimestrielle", 6: "semestrielle", 12: "annuelle"}


class ConditionsRefusees(Refus):
    """Un prêt qui ne peut pas se rembourser ainsi ; ``champ`` le nomme, la phrase se montre à côté."""

    def __init__(self, champ: str, message: str) -> None:
        super().__init__(message)
        self.champ = champ


class Mode(StrEnum):
    """Ce qu’un remboursement anticipé change à la suite."""

    DUREE = "reduire_la_duree"
    ECHEANCE = "reduire_l_echeance"


@dataclass(frozen=True, slots=True)
class ConditionsDePret:
    """``taux`` annuel en pour cent ; ``nombre`` d’échéances de capital, après ``differe`` périodes d’intérêts seuls."""

    montant: Decimal
    taux: Decimal
    nombre: int
    periodicite_mois: int
    premiere_echeance: date
    differe: int = 0

    @property
    def taux_de_periode(self) -> Fraction:
        return Fraction(self.taux) / 100 * self.periodicite_mois / 12


@dataclass(frozen=True, slots=True)
class Echeance:
    """``reste`` : le capital encore dû une fois cette échéance payée."""

    rang: int
    le: date
    capital: Decimal
    interets: Decimal
    reste: Decimal

    @property
    def total(self) -> Decimal:
        return self.capital + self.interets


def verifier(conditions: ConditionsDePret) -> None:
    """Lève ConditionsRefusees avec la phrase à montrer."""
    c = conditions
    if not c.montant.is_finite() or c.montant <= 0 or c.montant != c.montant.quantize(CENTIME):
        raise ConditionsRefusees("montant", "Le montant d’un prêt est supérieur à zéro, au centime.")
    if not 1 <= c.nombre <= 360:
        raise ConditionsRefusees("nombre", "Un prêt se rembourse en 1 à 360 échéances.")
    if not c.taux.is_finite() or not 0 <= c.taux <= 20:
        raise ConditionsRefusees("taux", "Le taux d’un prêt va de 0 à 20 %.")
    if c.periodicite_mois not in PERIODICITES:
        raise ConditionsRefusees("periodicite_mois", "Une échéance tous les 1, 3, 6 ou 12 mois.")
    if not 0 <= c.differe < 60:
        raise ConditionsRefusees("differe", "Le différé va de 0 à 59 échéances.")
    if c.montant < CENTIME * c.nombre:
        raise ConditionsRefusees(
            "nombre", f"{en_euros(c.montant)} ne se partagent pas en {c.nombre} échéances d’un centime au moins."
        )


def echeance_constante(capital: Decimal, taux: Fraction, nombre: int) -> Decimal:
    """L’échéance qui rembourse ``capital`` en ``nombre`` périodes : capital × t ÷ (1 − (1 + t)^−n), au centime."""
    if taux == 0:
        return au_centime(Fraction(capital) / nombre)
    facteur = (1 + taux) ** nombre
    return au_centime(Fraction(capital) * taux * facteur / (facteur - 1))


def tableau(conditions: ConditionsDePret) -> tuple[Echeance, ...]:
    """Toutes les échéances, dans l’ordre. Lève ConditionsRefusees."""
    verifier(conditions)
    return _derouler(conditions, rang=1)


def _derouler(c: ConditionsDePret, *, rang: int, constante: Decimal | None = None) -> tuple[Echeance, ...]:
    """``constante`` : l’échéance à garder (durée réduite) ; sinon celle que ``nombre`` commande."""
    taux, reste = c.taux_de_periode, c.montant
    lignes: list[Echeance] = []
    for _ in range(c.differe):
        lignes.append(Echeance(rang, _date(c, len(lignes)), ZERO, au_centime(Fraction(reste) * taux), reste))
        rang += 1
    echeance = constante if constante is not None else echeance_constante(c.montant, taux, c.nombre)
    for periode in range(1, c.nombre + 1):
        interets = au_centime(Fraction(reste) * taux)
        capital = min(max(echeance - interets, ZERO), reste)
        if periode == c.nombre or reste - capital < CENTIME:
            capital = reste
        reste -= capital
        lignes.append(Echeance(rang, _date(c, len(lignes)), capital, interets, reste))
        rang += 1
        if reste == 0:
            break
    return tuple(lignes)


def _date(c: ConditionsDePret, periode: int) -> date:
    """Toujours comptée depuis la première : le 31 janvier mène au 28 février, puis au 31 mars."""
    jour: date = c.premiere_echeance + relativedelta(months=periode * c.periodicite_mois)
    return jour


def interets_courus(reste: Decimal, taux: Decimal, depuis: date, le: date) -> Decimal:
    """Les intérêts du capital restant dû entre deux jours, au jour exact sur 365."""
    if le < depuis:
        raise ConditionsRefusees("le", "Le remboursement précède la dernière échéance.")
    return au_centime(Fraction(reste) * Fraction(taux) / 100 * Fraction((le - depuis).days, 365))


def apres_anticipe(
    conditions: ConditionsDePret, restantes: tuple[Echeance, ...], rendu: Decimal, mode: Mode
) -> tuple[Echeance, ...]:
    """Les échéances qui restent quand ``rendu`` du capital est remboursé avant l’heure. Lève ConditionsRefusees.

    ``restantes`` : celles qui n’étaient pas encore échues. Le capital rendu et celui des échéances nouvelles font le
    capital qui restait dû, au centime.
    """
    du = sum((e.capital for e in restantes), ZERO)
    if not ZERO < rendu <= du or rendu != rendu.quantize(CENTIME):
        raise ConditionsRefusees("montant", f"Il reste {en_euros(du)} de capital : écrivez un montant jusque-là.")
    if rendu == du:
        return ()
    differe = sum(1 for e in restantes if e.capital == 0)
    suite = replace(
        conditions,
        montant=du - rendu,
        nombre=len(restantes) - differe,
        differe=differe,
        premiere_echeance=restantes[0].le,
    )
    if suite.montant < CENTIME * suite.nombre:
        raise ConditionsRefusees("montant", "Ce qui resterait est trop petit pour un échéancier : remboursez tout.")
    constante = None
    if mode is Mode.DUREE:
        constante = max(e.total for e in restantes if e.capital > 0)
    return _derouler(suite, rang=restantes[0].rang, constante=constante)


def en_phrases(conditions: ConditionsDePret) -> list[str]:
    """« 24 échéances mensuelles de 416,67 €, la dernière de 416,59 € » : ce que la lettre et l’écran disent."""
    lignes = tableau(conditions)
    rembourses = [e for e in lignes if e.capital > 0]
    nom = PERIODICITES[conditions.periodicite_mois]
    phrase = accorde(len(rembourses), "échéance", nom)
    phrase += f" de {en_euros(rembourses[0].total)}"
    if rembourses[-1].total != rembourses[0].total:
        phrase += f", la dernière de {en_euros(rembourses[-1].total)}"
    phrases = [phrase]
    if conditions.differe:
        payees = "sans rien à payer" if conditions.taux == 0 else "intérêts seuls"
        phrases.insert(0, f"Différé de {accorde(conditions.differe, 'échéance')}, {payees}")
    cout = sum((e.interets for e in lignes), ZERO)
    phrases.append(f"Taux {pourcent(conditions.taux)}, intérêts : {en_euros(cout)} en tout")
    return phrases
