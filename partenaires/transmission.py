"""Ce qui se transmet quand quelqu’un part : les apps au-dessus disent ce qu’elles gardent en cours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from django.utils import timezone

from comptes.models import Utilisateur
from partenaires.models import Structure
from socle.texte import accorde


class Reste(NamedTuple):
    libelle: str
    echeance: date | None
    lien: str


type Source = Callable[[Structure], list[Reste]]
_sources: list[Source] = []


def declarer_source(source: Source) -> Source:
    if source not in _sources:
        _sources.append(source)
    return source


def a_transmettre(structure: Structure) -> list[Reste]:
    return [reste for source in _sources for reste in source(structure)]


type SourceDeCharge = Callable[[Utilisateur], list[str]]
_charges: list[SourceDeCharge] = []


def declarer_charge(source: SourceDeCharge) -> SourceDeCharge:
    if source not in _charges:
        _charges.append(source)
    return source


def suivi_par(agent: Utilisateur) -> list[str]:
    """Ce qu’un agent suit encore aujourd’hui, en mots : à transmettre avant qu’il parte."""
    jour = timezone.localdate()
    siens = (
        (agent.secteurs.en_cours(jour).count(), "commune"),
        (agent.portefeuille.en_cours(jour).count(), "gestionnaire"),
    )
    propres = [accorde(nombre, mot) for nombre, mot in siens if nombre]
    return propres + [phrase for source in _charges for phrase in source(agent)]
