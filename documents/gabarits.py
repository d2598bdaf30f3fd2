"""Les lettres du portail : pour chacune, sa version et la liste déclarée de ses mentions.

Changer le texte d’un gabarit, c’est monter sa version : un acte dit toujours sous quelle version il est né.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mention:
    cle: str
    libelle: str
    exemple: Any


@dataclass(frozen=True, slots=True)
class Gabarit:
    nom: str
    version: int
    libelle: str
    mentions: tuple[Mention, ...]

    @property
    def cles(self) -> frozenset[str]:
        return frozenset(mention.cle for mention in self.mentions)

    @property
    def exemple(self) -> dict[str, Any]:
        return {mention.cle: mention.exemple for mention in self.mentions}


_COMMUNES = (
    Mention("caf", "Caf émettrice", "Caf de Maine-et-Loire"),
    Mention("demonstration", "document de démonstration", True),
    Mention("numero", "numéro du dossier", "AVS-2026-00042"),
    Mention("date", "date de la lettre", "23 novembre 2026"),
    Mention("structure", "nom de la structure", "Centre social Exemple"),
    Mention("gestionnaire", "nom du gestionnaire", "Association Exemple"),
    Mention("adresse", "voie", "1 rue de l’Exemple"),
    Mention("code_postal", "code postal", "49000"),
    Mention("ville", "ville", "Angers"),
    Mention("interlocuteur", "chargé de conseil et de développement", "Camille Exemple"),
    Mention("objets", "objets de l’agrément", ["animation globale et coordination", "animation collective familles"]),
    Mention("type", "type de dossier", "renouvellement"),
    Mention("regime", "régime d’agrément", "Procédure unique d’agrément (circulaire du 18 décembre 2025)"),
)
_DECISION = (
    *_COMMUNES,
    Mention("seance", "date de la séance", "12 novembre 2026"),
    Mention("instance", "instance", "conseil d’administration"),
    Mention("sens", "sens de la décision", "agréé avec réserves"),
    Mention("motivation", "motivation", "Le projet répond aux critères du régime."),
    Mention("reserves", "réserves", "Recruter le référent familles avant le 30 juin 2027."),
    Mention("debut", "début de l’agrément", "1er janvier 2027"),
    Mention("fin", "fin de l’agrément", "31 décembre 2030"),
    Mention("recours_mois", "délai de recours, en mois", 2),
)


def _declarer(*gabarits: Gabarit) -> Mapping[str, Gabarit]:
    return {gabarit.nom: gabarit for gabarit in gabarits}


GABARITS = _declarer(
    Gabarit(
        "accuse_reception",
        1,
        "Accusé de réception d’un dossier",
        (
            *_COMMUNES,
            Mention("depose_le", "date de dépôt", "23 novembre 2026"),
            Mention("depose_par", "déposé par", "Dominique Exemple"),
            Mention("version", "numéro de version", 1),
            Mention("empreinte", "empreinte du dossier", "9f86d081884c7d659a2feaa0c55ad015" * 2),
            Mention("pieces", "pièces reçues", ["AVS-2026-00042_statuts.pdf", "AVS-2026-00042_rib.pdf"]),
        ),
    ),
    Gabarit(
        "demande_complements",
        1,
        "Demande de compléments",
        (
            *_COMMUNES,
            Mention(
                "message", "message d’ensemble", "Votre projet est bien avancé ; quelques points restent à préciser."
            ),
            Mention(
                "remarques",
                "remarques",
                [{"libelle": "Diagnostic : Votre analyse du territoire", "texte": "Précisez la situation des jeunes."}],
            ),
            Mention("echeance", "réponse attendue le", "23 décembre 2026"),
        ),
    ),
    Gabarit("notification_agrement", 1, "Notification d’agrément", _DECISION),
    Gabarit("notification_refus", 1, "Notification de refus", _DECISION),
    Gabarit("notification_ajournement", 1, "Notification d’ajournement", _DECISION),
)
