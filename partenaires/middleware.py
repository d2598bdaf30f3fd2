from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from comptes.http import Requete
from partenaires.models import Structure

CLE = "structure"


def structure_courante(request: Requete) -> Structure | None:
    """La structure choisie dans la session si l’habilitation vaut encore, sinon la première, sinon rien."""
    if not request.user.is_authenticated or request.user.est_agent:
        return None
    habilitees = {
        h.structure_id: h.structure
        for h in request.user.habilitations.en_cours(timezone.localdate())
        .select_related("structure__gestionnaire", "structure__commune")
        .order_by("structure__nom_tri", "pk")
    }
    choisie = habilitees.get(request.session.get(CLE))
    return choisie or next(iter(habilitees.values()), None)


class StructureCouranteMiddleware:
    """Pose ``request.structure`` : la structure au nom de laquelle un partenaire agit."""

    def __init__(self, suite: Callable[[Requete], HttpResponse]) -> None:
        self.suite = suite

    def __call__(self, request: Requete) -> HttpResponse:
        request.structure = SimpleLazyObject(lambda: structure_courante(request))
        return self.suite(request)
