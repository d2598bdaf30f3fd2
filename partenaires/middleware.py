from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.utils.functional import SimpleLazyObject

from comptes.http import Requete
from partenaires.courante import structure_courante


class StructureCouranteMiddleware:
    """Pose ``request.structure`` : la structure au nom de laquelle un partenaire agit."""

    def __init__(self, suite: Callable[[Requete], HttpResponse]) -> None:
        self.suite = suite

    def __call__(self, request: Requete) -> HttpResponse:
        request.structure = SimpleLazyObject(lambda: structure_courante(request))
        return self.suite(request)
