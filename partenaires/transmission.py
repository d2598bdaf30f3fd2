"""Ce qui se transmet quand quelqu’un part : les apps au-dessus disent ce qu’elles gardent en cours."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from django.utils import timezone

from comptes.models import Utilisateur
from partenaires.models import Structure
from socle.sources import Sources
from socle.texte import accorde


class Reste(NamedTuple):
    libelle: str
    echeance: date | None
    lien: str


declarer_source: Sources[[Structure], Reste] = Sources()
declarer_charge: Sources[[Utilisateur], str] = Sources()


def a_transmettre(structure: Structure) -> list[Reste]:
    return declarer_source.reunies(structure)


def suivi_par(agent: Utilisateur) -> list[str]:
    """Ce qu’un agent suit encore aujourd’hui, en mots : à transmettre avant qu’il parte."""
    jour = timezone.localdate()
    siens = (
        (agent.secteurs.en_cours(jour).count(), "commune"),
        (agent.portefeuille.en_cours(jour).count(), "gestionnaire"),
    )
    propres = [accorde(nombre, mot) for nombre, mot in siens if nombre]
    return propres + declarer_charge.reunies(agent)
