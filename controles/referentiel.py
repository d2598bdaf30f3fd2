"""Les règles du contrôle, lues depuis leurs données. Pur : ni base, ni requête.

Un critère de risque est une mesure que le portail sait prendre ; l’administrateur en règle le seuil et les points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

from socle.erreurs import Refus


class ReglesIncoherentes(Refus):
    """Une règle qu’on ne peut pas appliquer ; ``champ`` la nomme, la phrase se montre à côté."""

    def __init__(self, champ: str, message: str) -> None:
        super().__init__(message)
        self.champ = champ


class Critere(StrEnum):
    ECART_REEL = "ecart_reel"
    JAMAIS_CONTROLEE = "jamais_controlee"
    ANCIENNETE = "anciennete"
    ENJEU = "enjeu"
    ANOMALIES = "anomalies"
    RECOMMANDATIONS = "recommandations"
    DIRECTION = "direction"
    RETARDS = "retards"
    FORCAGES = "forcages"


class Mesure(NamedTuple):
    libelle: str
    unite: str  # ce que règle le seuil ; vide : oui ou non


CRITERES: dict[str, Mesure] = {
    Critere.ECART_REEL: Mesure("Écart entre le dernier prévisionnel et son réel", "% au moins"),
    Critere.JAMAIS_CONTROLEE: Mesure("Jamais contrôlée", ""),
    Critere.ANCIENNETE: Mesure("Dernier contrôle ancien", "ans au moins"),
    Critere.ENJEU: Mesure("Enjeu financier : droits de la dernière année", "€ au moins"),
    Critere.ANOMALIES: Mesure("Écarts ou manquements au dernier contrôle", "au moins"),
    Critere.RECOMMANDATIONS: Mesure("Recommandations échues sans suite", "au moins"),
    Critere.DIRECTION: Mesure("Changement de direction récent", "mois au plus"),
    Critere.RETARDS: Mesure("Déclarations déposées en retard sur deux ans", "au moins"),
    Critere.FORCAGES: Mesure("Montants forcés sur deux ans", "au moins"),
}


@dataclass(frozen=True, slots=True)
class Poids:
    """Des points quand la mesure atteint le seuil ; plusieurs paliers du même critère : le plus haut atteint compte."""

    critere: Critere
    seuil: Decimal
    points: int


@dataclass(frozen=True, slots=True)
class PointType:
    code: str
    theme: str
    libelle: str
    regle: str = ""


@dataclass(frozen=True, slots=True)
class PieceType:
    """``par_exercice`` : demandée une fois pour chaque exercice contrôlé."""

    code: str
    libelle: str
    par_exercice: bool = False


@dataclass(frozen=True, slots=True)
class Degre:
    """Un degré de l’échelle des sanctions ; ``taux`` : la part de la base, de 0 à 1."""

    code: str
    libelle: str
    taux: Decimal
    exemple: str = ""


def _decimal(valeur: Any, champ: str, phrase: str) -> Decimal:
    try:
        nombre = Decimal(str(valeur))
    except InvalidOperation as erreur:
        raise ReglesIncoherentes(champ, phrase) from erreur
    if not nombre.is_finite() or nombre < 0:
        raise ReglesIncoherentes(champ, phrase)
    return nombre


def _sans_doublon(champ: str, codes: Sequence[str]) -> None:
    doubles = {code for code in codes if codes.count(code) > 1}
    if doubles:
        raise ReglesIncoherentes(champ, f"« {sorted(doubles)[0]} » est écrit deux fois.")


def lire_poids(donnees: Sequence[dict[str, Any]]) -> tuple[Poids, ...]:
    """Lève ReglesIncoherentes : critère inconnu, seuil ou points illisibles, deux paliers au même seuil."""
    lus = []
    for ligne in donnees:
        if ligne.get("critere") not in CRITERES:
            raise ReglesIncoherentes("poids", f"Le critère « {ligne.get('critere')} » n’est pas connu.")
        critere = Critere(ligne["critere"])
        libelle = CRITERES[critere].libelle
        seuil = _decimal(ligne.get("seuil", 0), "poids", f"« {libelle} » : écrivez un seuil positif.")
        points = _decimal(ligne.get("points"), "poids", f"« {libelle} » : écrivez des points entiers et positifs.")
        if points != points.to_integral_value() or not 1 <= points <= 100:
            raise ReglesIncoherentes("poids", f"« {libelle} » : les points sont un nombre entier, de 1 à 100.")
        lus.append(Poids(critere, seuil, int(points)))
    paliers = [(p.critere, p.seuil) for p in lus]
    if len(set(paliers)) < len(paliers):
        raise ReglesIncoherentes("poids", "Deux paliers d’un même critère ont le même seuil.")
    return tuple(lus)


def lire_points(donnees: Sequence[dict[str, Any]]) -> tuple[PointType, ...]:
    lus = tuple(PointType(**ligne) for ligne in donnees)
    _sans_doublon("points", [p.code for p in lus])
    return lus


def lire_pieces(donnees: Sequence[dict[str, Any]]) -> tuple[PieceType, ...]:
    lues = tuple(PieceType(**ligne) for ligne in donnees)
    _sans_doublon("pieces", [p.code for p in lues])
    return lues


def lire_echelle(donnees: Sequence[dict[str, Any]]) -> tuple[Degre, ...]:
    """Lève ReglesIncoherentes si un taux n’est pas entre 0 et 1, ou si l’échelle ne monte pas."""
    lus = []
    for ligne in donnees:
        taux = _decimal(ligne.get("taux"), "echelle", f"« {ligne.get('libelle', '')} » : écrivez un taux.")
        if not 0 < taux <= 1:
            raise ReglesIncoherentes("echelle", f"« {ligne['libelle']} » : le taux va de plus de 0 à 100 %.")
        lus.append(Degre(ligne["code"], ligne["libelle"], taux, ligne.get("exemple", "")))
    _sans_doublon("echelle", [d.code for d in lus])
    if any(suivant.taux < degre.taux for degre, suivant in pairwise(lus)):
        raise ReglesIncoherentes("echelle", "L’échelle monte : chaque degré a un taux au moins égal au précédent.")
    return tuple(lus)
