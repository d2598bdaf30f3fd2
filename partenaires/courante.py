"""La structure au nom de laquelle un partenaire agit, choisie dans la session."""

from __future__ import annotations

from django.utils import timezone

from comptes.http import Requete
from partenaires.models import Structure

CLE = "structure"


def structures_habilitees(request: Requete) -> dict[int, Structure]:
    """Les structures où la personne est habilitée aujourd’hui, par nom ; une requête, gardée le temps de la page."""
    gardees: dict[int, Structure] | None = getattr(request, "_structures_habilitees", None)
    if gardees is None:
        gardees = {}
        if request.user.is_authenticated and not request.user.est_agent:
            habilitations = (
                request.user.habilitations.en_cours(timezone.localdate())
                .select_related("structure__gestionnaire", "structure__commune")
                .order_by("structure__nom_tri", "pk")
            )
            gardees = {h.structure_id: h.structure for h in habilitations}
        request._structures_habilitees = gardees  # type: ignore[attr-defined]
    return gardees


def structure_courante(request: Requete) -> Structure | None:
    """La structure choisie dans la session si l’habilitation vaut encore, sinon la première, sinon rien."""
    habilitees = structures_habilitees(request)
    choisie = habilitees.get(request.session.get(CLE, 0))
    return choisie or next(iter(habilitees.values()), None)
