"""Le score de risque d’une structure, en mots : chaque point dit sa mesure. Pur.

Une mesure inconnue ne fait ni point ni crédit : elle se dit à part, pour que « pas de risque » ne se lise pas à tort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from controles.referentiel import CRITERES, Critere, Poids
from socle.dates import en_jour
from socle.montants import en_euros, nombre_fr
from socle.texte import accorde


@dataclass(frozen=True, slots=True)
class Situation:
    """Ce que le portail sait d’une structure le jour du calcul. ``None`` : il ne le sait pas.

    ``ecart_reel`` en pour cent du prévisionnel, sur les charges ; ``enjeu`` en euros, les droits d’un exercice.
    ``mois_de_direction`` : depuis quand la direction est là ; ``direction_depuis`` : elle en a remplacé une autre.
    """

    ecart_reel: Decimal | None = None
    exercice_ecart: int | None = None
    dernier_controle: date | None = None
    annees_sans_controle: int | None = None
    enjeu: Decimal | None = None
    exercice_enjeu: int | None = None
    anomalies: int = 0
    recommandations: int = 0
    direction_depuis: date | None = None
    mois_de_direction: int | None = None
    retards: int = 0
    forcages: int = 0


@dataclass(frozen=True, slots=True)
class Raison:
    """« +2 : écart de 18 % entre le prévisionnel et le réel 2025 »."""

    points: int
    phrase: str

    def en_json(self) -> dict[str, object]:
        return {"points": self.points, "phrase": self.phrase}


@dataclass(frozen=True, slots=True)
class Score:
    points: int
    raisons: tuple[Raison, ...]
    inconnues: tuple[str, ...]


def _mesure(critere: Critere, situation: Situation) -> Decimal | None:
    """La mesure d’un critère ; ``None`` : inconnue."""
    if critere == Critere.JAMAIS_CONTROLEE:
        return Decimal(situation.dernier_controle is None)
    valeurs: dict[Critere, Decimal | int | None] = {
        Critere.ECART_REEL: situation.ecart_reel,
        Critere.ANCIENNETE: situation.annees_sans_controle,
        Critere.ENJEU: situation.enjeu,
        Critere.ANOMALIES: situation.anomalies,
        Critere.RECOMMANDATIONS: situation.recommandations,
        Critere.DIRECTION: situation.mois_de_direction,
        Critere.RETARDS: situation.retards,
        Critere.FORCAGES: situation.forcages,
    }
    valeur = valeurs[critere]
    return None if valeur is None else Decimal(valeur)


def _atteint(poids: Poids, mesure: Decimal) -> bool:
    if poids.critere == Critere.JAMAIS_CONTROLEE:
        return mesure == 1
    if poids.critere == Critere.DIRECTION:
        return mesure <= poids.seuil
    return mesure >= poids.seuil and mesure > 0


def _inconnue(critere: Critere, situation: Situation, mesure: Decimal | None, poids: Sequence[Poids]) -> bool:
    """La mesure manque-t-elle ? Une première direction connue, plus jeune qu’un seuil, en a peut-être remplacé une."""
    if critere == Critere.ANCIENNETE and situation.dernier_controle is None:
        return False
    if critere == Critere.DIRECTION and situation.direction_depuis is None and mesure is not None:
        return any(_atteint(p, mesure) for p in poids if p.critere == critere)
    return mesure is None


def _phrase(critere: Critere, situation: Situation) -> str:
    if critere == Critere.ECART_REEL and situation.ecart_reel is not None:
        return (
            f"écart de {nombre_fr(situation.ecart_reel)}\u00a0% entre le prévisionnel et le réel "
            f"{situation.exercice_ecart}"
        )
    if critere == Critere.JAMAIS_CONTROLEE:
        return "jamais contrôlée"
    if critere == Critere.ANCIENNETE and situation.dernier_controle is not None:
        return f"dernier contrôle le {en_jour(situation.dernier_controle)}"
    if critere == Critere.ENJEU and situation.enjeu is not None:
        return f"{en_euros(situation.enjeu)} de droits en {situation.exercice_enjeu}"
    if critere == Critere.ANOMALIES:
        return f"{accorde(situation.anomalies, 'anomalie')} au dernier contrôle"
    if critere == Critere.RECOMMANDATIONS:
        return f"{accorde(situation.recommandations, 'recommandation', 'échue')} sans suite"
    if critere == Critere.DIRECTION and situation.direction_depuis is not None:
        return f"direction changée le {en_jour(situation.direction_depuis)}"
    if critere == Critere.RETARDS:
        return f"{accorde(situation.retards, 'déclaration', 'déposée')} en retard sur deux ans"
    return f"{accorde(situation.forcages, 'montant', 'forcé')} sur deux ans"


def evaluer(situation: Situation, poids: Sequence[Poids]) -> Score:
    """Le score et ses raisons, la plus lourde d’abord ; pour chaque critère, le plus haut palier atteint seul."""
    raisons, inconnues = [], []
    for critere in dict.fromkeys(p.critere for p in poids):
        mesure = _mesure(critere, situation)
        if _inconnue(critere, situation, mesure, poids):
            inconnues.append(CRITERES[critere].libelle)
            continue
        if mesure is None:
            continue
        atteints = [p for p in poids if p.critere == critere and _atteint(p, mesure)]
        if atteints:
            raisons.append(Raison(max(p.points for p in atteints), _phrase(critere, situation)))
    raisons.sort(key=lambda raison: -raison.points)
    return Score(sum(r.points for r in raisons), tuple(raisons), tuple(inconnues))
