"""Les dispositifs livrés avec le portail : des brouillons à relire, jamais publiés d’office."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from aides.actions import dispositifs
from aides.models import Dispositif, VersionDispositif
from comptes.models import Utilisateur
from partenaires.choix import StatutJuridique

DONNEES = Path(__file__).parent / "donnees" / "dispositifs.json"
DECIMAUX = ("forfait", "taux", "plafond", "plafond_part", "minimum", "avance_part", "pret_taux")


def charger_les_dispositifs(exercice: int, *, par: Utilisateur) -> list[VersionDispositif]:
    """Écrit en brouillon ceux qui n’existent pas encore ; rejouable, ne modifie rien. Rend les brouillons neufs."""
    neufs = []
    for livre in json.loads(DONNEES.read_text(encoding="utf-8")):
        if Dispositif.objects.filter(code=livre["code"]).exists():
            continue
        champs: dict[str, Any] = {
            **livre,
            **{nom: Decimal(livre[nom]) for nom in DECIMAUX if livre.get(nom) is not None},
            "exercice_du": exercice,
            "exercice_au": exercice,
            "statuts": list(StatutJuridique.values),
            "demonstration": True,
            "ouvre_le": date(exercice, 1, 1),
        }
        neufs.append(dispositifs.creer(par=par, **champs))
    return neufs
