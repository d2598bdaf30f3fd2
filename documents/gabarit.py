"""Ce qu’est une lettre du portail : un nom, une version, la liste déclarée de ses mentions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mention:
    """Ce qu’une lettre montre. Une mention facultative absente ou vide ne laisse ni trou ni libellé seul."""

    cle: str
    libelle: str
    exemple: Any
    facultative: bool = False


@dataclass(frozen=True, slots=True)
class Gabarit:
    nom: str
    version: int
    libelle: str
    mentions: tuple[Mention, ...]

    @property
    def chemin(self) -> str:
        return f"documents/pdf/{self.nom}.html"

    @property
    def cles(self) -> frozenset[str]:
        return frozenset(mention.cle for mention in self.mentions)

    @property
    def exemple(self) -> dict[str, Any]:
        return {mention.cle: mention.exemple for mention in self.mentions}

    @property
    def vides(self) -> dict[str, str]:
        """Les mentions facultatives, vides : ce qui manque à un contexte qui ne les porte pas."""
        return {mention.cle: "" for mention in self.mentions if mention.facultative}

    def controler(self, contexte: Mapping[str, Any]) -> None:
        """Lève ValueError si une mention obligatoire manque, ou si une mention n’est pas déclarée."""
        if manquantes := self.cles - self.vides.keys() - contexte.keys():
            raise ValueError(f"Mentions absentes pour « {self.nom} » : {', '.join(sorted(manquantes))}.")
        if inconnues := contexte.keys() - self.cles:
            raise ValueError(f"Mentions inconnues de « {self.nom} » : {', '.join(sorted(inconnues))}.")


def releve(*lignes: tuple[str, str]) -> list[dict[str, str]]:
    """La mention ``releve`` : des couples « nom, valeur », sans ceux qui ne disent rien."""
    return [{"nom": nom, "valeur": valeur} for nom, valeur in lignes if valeur]


COMMUNES = (
    Mention("caf", "Caf émettrice", "Caf de Maine-et-Loire"),
    Mention("demonstration", "document de démonstration", True),
    Mention("numero", "numéro du dossier", "AVS-2026-00042"),
    Mention("date", "date de la lettre", "23 novembre 2026"),
    Mention("structure", "nom de la structure", "Centre social Exemple"),
    Mention("gestionnaire", "nom du gestionnaire", "Association Exemple"),
    Mention("attention", "à l’attention de", "Dominique Exemple, présidence", facultative=True),
    Mention("adresse", "voie", "1 rue de l’Exemple"),
    Mention("code_postal", "code postal", "49000"),
    Mention("ville", "ville", "Angers"),
    Mention("interlocuteur", "chargé de conseil et de développement", "Camille Exemple"),
    Mention("interlocuteur_joindre", "comment le joindre", "camille.exemple@caf.invalid", facultative=True),
    Mention("objets", "objets de l’agrément", ["animation globale et coordination", "animation collective familles"]),
    Mention("type", "type de dossier", "renouvellement"),
    Mention("regime", "régime d’agrément", "Procédure unique d’agrément (circulaire du 18 décembre 2025)"),
    Mention("signataire", "nom du signataire", "Claude Exemple", facultative=True),
    Mention("signataire_qualite", "qualité du signataire", "responsable de l’action sociale", facultative=True),
)
COURANTES = tuple(mention for mention in COMMUNES if mention.cle not in ("objets", "type", "regime"))
