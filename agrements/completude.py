"""Où en est un dossier : l’état honnête de chaque section, et la liste de ce qui manque. Pur.

``reponses`` : ``{code du champ: valeur}``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from agrements.choix import EtatPiece, EtatSection
from agrements.referentiel import ExigencePiece, Section
from agrements.reponses import avertissements, est_vide, manques


@dataclass(frozen=True, slots=True)
class Manque:
    """Une chose à faire avant le dépôt : où aller, quoi y faire."""

    section: str
    champ: str
    libelle: str
    phrase: str


@dataclass(frozen=True, slots=True)
class Avancement:
    section: Section
    etat: EtatSection
    remplis: int
    a_remplir: int
    avertissements: tuple[str, ...]


def avancement(section: Section, reponses: Mapping[str, Any], deposees: Mapping[str, Any] | None = None) -> Avancement:
    """``deposees`` : les réponses de la dernière version déposée ; une différence rend la section « Modifié »."""
    saisis = [c for c in section.champs if c.nature != "chiffres"]
    remplis = [c for c in saisis if not est_vide(reponses.get(c.code))]
    obligatoires = [c for c in saisis if c.obligatoire]
    bloquants = [c for c in saisis if manques(c, reponses.get(c.code))]
    if deposees is not None and any(reponses.get(c.code) != deposees.get(c.code) for c in saisis):
        etat = EtatSection.MODIFIE
    elif not bloquants and (remplis or not obligatoires):
        etat = EtatSection.COMPLET
    elif remplis:
        etat = EtatSection.EN_COURS
    else:
        etat = EtatSection.A_COMMENCER
    alertes = tuple(p for c in saisis for p in avertissements(c, reponses.get(c.code)))
    return Avancement(section, etat, len([c for c in obligatoires if c not in bloquants]), len(obligatoires), alertes)


def ce_qui_manque(
    sections: Collection[Section],
    reponses: Mapping[str, Any],
    exigences: Collection[ExigencePiece],
    pieces_jointes: Collection[str],
) -> list[Manque]:
    """Tout ce qui empêche le dépôt, dans l’ordre des écrans."""
    liste = [
        Manque(section.code, champ.code, champ.libelle, phrase)
        for section in sections
        for champ in section.champs
        for phrase in manques(champ, reponses.get(champ.code))
    ]
    liste += [
        Manque("pieces", exigence.code, exigence.libelle, "À joindre.")
        for exigence in exigences
        if exigence.obligatoire and exigence.code not in pieces_jointes
    ]
    return liste


@dataclass(frozen=True, slots=True)
class ReleveDePiece:
    """Une exigence du régime, et ce que le dossier y répond. ``jointes`` : les pièces jointes qui la concernent."""

    exigence: ExigencePiece
    jointes: tuple[Any, ...]
    etat: EtatPiece

    @property
    def a_demander(self) -> bool:
        return self.etat in (EtatPiece.MANQUANTE, EtatPiece.EXPIREE)


def releve_des_pieces(exigences: Collection[ExigencePiece], jointes: Collection[Any], le: date) -> list[ReleveDePiece]:
    """Pour chaque exigence : jointe, expirée au jour ``le`` (aucune pièce encore valable), manquante ou facultative.

    ``jointes`` : des objets portant ``exigence`` (code) et ``piece.valable_jusqu_au`` (date ou vide : sans limite).
    """
    releve = []
    for exigence in exigences:
        siennes = tuple(j for j in jointes if j.exigence == exigence.code)
        valables = [j for j in siennes if j.piece.valable_jusqu_au is None or j.piece.valable_jusqu_au >= le]
        if valables:
            etat = EtatPiece.JOINTE
        elif siennes:
            etat = EtatPiece.EXPIREE
        else:
            etat = EtatPiece.MANQUANTE if exigence.obligatoire else EtatPiece.NON_JOINTE
        releve.append(ReleveDePiece(exigence, siennes, etat))
    return releve


def alertes_equipe(
    postes: Any, *, centre_social: bool, volet_familles: bool, seuil_direction: Decimal, seuil_referent: Decimal
) -> list[str]:
    """Les temps de travail sous les seuils du régime (domaine B.6), en phrases ; n’empêchent pas le dépôt."""
    if not isinstance(postes, list):
        return []

    def total(fonction: str) -> Decimal:
        return sum(
            (Decimal(p["etp"]) for p in postes if p.get("fonction") == fonction and p.get("etp")), start=Decimal(0)
        )

    phrases = []
    if centre_social and total("Direction") < seuil_direction:
        phrases.append(
            f"La direction compte {_fr(total('Direction'))} ETP ; le régime en attend {_fr(seuil_direction)}."
        )
    if volet_familles and total("Référent familles") < seuil_referent:
        phrases.append(
            f"Le référent familles compte {_fr(total('Référent familles'))} ETP ; "
            f"le régime en attend au moins {_fr(seuil_referent)}."
        )
    return phrases


def _fr(nombre: Decimal) -> str:
    return f"{nombre.normalize():f}".replace(".", ",")
