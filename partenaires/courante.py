"""La structure au nom de laquelle un partenaire agit, choisie dans la session."""

from __future__ import annotations

from comptes.http import Requete
from partenaires.models import Structure, habilitations_du_jour

CLE = "structure"


def structures_habilitees(request: Requete) -> dict[int, Structure]:
    """Les structures où la personne est habilitée aujourd’hui, par nom."""
    if not request.user.is_authenticated or request.user.est_agent:
        return {}
    return {h.structure_id: h.structure for h in habilitations_du_jour(request.user)}


def structure_courante(request: Requete) -> Structure | None:
    """La structure choisie dans la session si l’habilitation vaut encore, sinon la première, sinon rien."""
    habilitees = structures_habilitees(request)
    choisie = habilitees.get(request.session.get(CLE, 0))
    return choisie or next(iter(habilitees.values()), None)
