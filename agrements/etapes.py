"""Où en est un dossier, dit à la personne qui regarde : la frise, la prochaine étape, les mots du journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agrements.choix import DECISION_A_LIRE, ETATS_DECIDES, GESTE_DE_DECISION, LIBELLES_PARTENAIRE, Etat, Geste
from agrements.models import Dossier, EvenementAgrement, EvenementDossier
from socle.dates import en_jour
from socle.texte import auteur

_ORDRE = (
    ("Rédaction", {Etat.EN_PREPARATION}, "La structure"),
    ("Visa du représentant légal", {Etat.A_VISER, Etat.VISE}, "Le représentant légal"),
    ("Complétude", {Etat.DEPOSE, Etat.INCOMPLET}, "La Caf"),
    ("Instruction", {Etat.EN_INSTRUCTION, Etat.AJOURNE}, "La Caf"),
    ("Commission d’action sociale", {Etat.INSTRUIT, Etat.INSCRIT_CAS}, "La Caf"),
    ("Conseil d’administration", {Etat.AVIS_CAS, Etat.INSCRIT_CA}, "La Caf"),
    ("Décision", {Etat.AGREE, Etat.AGREE_RESERVES, Etat.REFUSE}, "La Caf"),
)
_PLUME = {
    Etat.VISE: "La direction dépose",
    Etat.INCOMPLET: "La structure complète",
    Etat.AJOURNE: "La Caf reprend l’examen",
}


@dataclass(frozen=True, slots=True)
class Etape:
    libelle: str
    statut: str  # fait, en-cours, a-venir
    detail: str = ""
    date: Any = None


def frise(dossier: Dossier, evenements: list[EvenementDossier], *, agent: bool) -> list[Etape]:
    """Les étapes, celle en cours disant qui tient la plume. ``evenements`` : le journal, dans n’importe quel ordre.

    Pour la structure, une décision pas encore ouverte est une étape en cours, quel que soit son sens.
    """
    arrivees: dict[str, Any] = {}
    for evenement in sorted(evenements, key=lambda e: (e.le, e.pk)):
        if evenement.vers and evenement.de != evenement.vers:
            arrivees[evenement.vers] = evenement.le
    a_lire = not agent and dossier.decision_a_lire
    ici = next((rang for rang, (_, etats, _) in enumerate(_ORDRE) if dossier.etat in etats), None)
    if a_lire:
        ici = len(_ORDRE) - 1
    etapes = []
    for rang, (libelle, etats, qui) in enumerate(_ORDRE):
        date = min((arrivees[e] for e in etats if e in arrivees), default=None)
        if ici is None:
            statut = "fait" if date else "a-venir"
        elif a_lire and rang == ici:
            etapes.append(Etape(libelle, "en-cours", DECISION_A_LIRE))
            continue
        elif rang < ici or (rang == ici and dossier.etat in ETATS_DECIDES and dossier.etat != Etat.AJOURNE):
            statut = "fait"
        else:
            statut = "en-cours" if rang == ici else "a-venir"
        detail = ""
        if statut == "en-cours":
            detail = _PLUME.get(Etat(dossier.etat), f"{qui} tient la plume")
            if dossier.echeance_le and rang > 1:
                detail += f", échéance le {en_jour(dossier.echeance_le)}"
        etapes.append(Etape(libelle, statut, detail, date if statut != "a-venir" else None))
    if ici is None:
        etapes.append(Etape(LIBELLES_PARTENAIRE[dossier.etat], "en-cours", "", arrivees.get(dossier.etat)))
    return etapes


_PHRASES: dict[str, tuple[str, str]] = {
    Geste.CREER: ("Dossier ouvert", "Dossier ouvert"),
    Geste.JOINDRE: ("Pièce mise à jour", "Pièce mise à jour"),
    Geste.DEMANDER_VISA: ("Visa demandé au représentant légal", "Visa demandé"),
    Geste.REPRENDRE: ("Rédaction reprise", "Rédaction reprise"),
    Geste.VISER: ("Projet visé par le représentant légal", "Projet visé"),
    Geste.REFUSER_VISA: ("Visa refusé", "Visa refusé"),
    Geste.DEPOSER: ("Dossier déposé à la Caf", "Dossier reçu"),
    Geste.RETIRER: ("Demande retirée", "Demande retirée par la structure"),
    Geste.DECLARER_COMPLET: ("La Caf a déclaré le dossier complet", "Dossier déclaré complet"),
    Geste.DEMANDER_COMPLEMENTS: ("La Caf a demandé des compléments", "Compléments demandés"),
    Geste.RENVOYER: ("Compléments renvoyés à la Caf", "Compléments reçus"),
    Geste.DECLARER_IRRECEVABLE: ("La Caf a déclaré le dossier irrecevable", "Dossier déclaré irrecevable"),
    Geste.RENDRE_AVIS: ("La Caf a terminé l’étude du projet", "Avis d’instruction rendu"),
    Geste.REPRENDRE_INSTRUCTION: ("La Caf a repris l’étude du projet", "Instruction reprise"),
    Geste.INSCRIRE_CAS: ("Inscrit à la commission d’action sociale", "Inscrit à la CAS"),
    Geste.RETIRER_CAS: ("Retiré de l’ordre du jour de la commission", "Retiré de l’ordre du jour de la CAS"),
    Geste.RENDRE_AVIS_CAS: ("La commission d’action sociale a rendu son avis", "Avis de la CAS enregistré"),
    Geste.INSCRIRE_CA: ("Inscrit au conseil d’administration", "Inscrit au CA"),
    Geste.RETIRER_CA: ("Retiré de l’ordre du jour du conseil", "Retiré de l’ordre du jour du CA"),
    Geste.AGREER: ("Projet agréé par le conseil d’administration", "Décision enregistrée : agréé"),
    Geste.AGREER_RESERVES: ("Projet agréé avec réserves", "Décision enregistrée : agréé avec réserves"),
    Geste.AJOURNER: ("Décision ajournée", "Décision enregistrée : ajourné"),
    Geste.REFUSER: ("Projet refusé", "Décision enregistrée : refusé"),
    Geste.AFFECTER: ("Nouvel interlocuteur à la Caf", "Chargé de conseil changé"),
    Geste.NOTIFIER: ("Notification disponible", "Notification produite"),
    Geste.LIRE_NOTIFICATION: ("Notification lue", "Notification lue par la structure"),
}


_DECISIONS = frozenset(GESTE_DE_DECISION.values())


@dataclass(frozen=True, slots=True)
class Ligne:
    """Une ligne du journal, dans les mots de qui la lit."""

    le: Any
    qui: str
    phrase: str
    motif: str
    detail: str


def journal(evenements: list[EvenementDossier], *, agent: bool, decision_a_lire: bool = False) -> list[Ligne]:
    """``decision_a_lire`` : pour la structure, tait le sens et les motifs de ce que la lettre n’a pas encore dit."""
    lignes = []
    for e in evenements:
        phrase = _PHRASES.get(e.geste, (e.get_geste_display(), e.get_geste_display()))[1 if agent else 0]
        if decision_a_lire and not agent and e.geste in _DECISIONS:
            lignes.append(Ligne(e.le, auteur(e.par), DECISION_A_LIRE, "", ""))
            continue
        detail = e.details.get("piece") or (f"retirée : {e.details['retiree']}" if "retiree" in e.details else "")
        if "nouveau" in e.details:
            detail = e.details["nouveau"]
        if "version" in e.details:
            detail = f"version {e.details['version']}"
        lignes.append(Ligne(e.le, auteur(e.par), phrase, e.motif, detail))
    return lignes


def journal_d_agrement(evenements: Iterable[EvenementAgrement]) -> list[Ligne]:
    return [Ligne(e.le, auteur(e.par), e.get_geste_display().capitalize(), e.motif, "") for e in evenements]


def libelle_etat(etat: str, *, agent: bool) -> str:
    return Etat(etat).label if agent else LIBELLES_PARTENAIRE[etat]


def libelle_du_dossier(dossier: Dossier, *, agent: bool) -> str:
    """L’état, dans les mots de qui le lit ; la structure n’apprend la décision que par sa lettre."""
    if not agent and dossier.decision_a_lire:
        return DECISION_A_LIRE
    return libelle_etat(dossier.etat, agent=agent)
