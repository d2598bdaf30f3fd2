"""Ce que l’app apporte à la fiche des structures."""

from __future__ import annotations

from typing import Any

from comptes.http import Requete
from partenaires.fiche import Onglet, declarer_onglet
from partenaires.models import Structure


def _controles(request: Requete, structure: Structure) -> dict[str, Any]:
    return {}


declarer_onglet(Onglet("controles", "Contrôles", 40, "controles/_onglet.html", _controles))
