"""Les vues d’allauth, accordées à la maison : un formulaire refusé répond 422, un second facteur dû ne s’ôte pas."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from comptes.acces import Vue


def dire_les_refus(vue: Vue) -> Vue:
    """Un formulaire renvoyé avec des erreurs est une réponse 422 : htmx, les journaux et les tests le savent."""

    @wraps(vue)
    def vue_franche(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        reponse = vue(request, *args, **kwargs)
        form = (getattr(reponse, "context_data", None) or {}).get("form")
        if request.method == "POST" and reponse.status_code == 200 and form is not None and form.errors:
            reponse.status_code = 422
        return reponse

    return vue_franche


def sauf_second_facteur_du(vue: Vue) -> Vue:
    """Un agent à qui le second facteur est dû ne le désactive pas : il en pose un autre, ou le responsable l’aide."""

    @wraps(vue)
    def vue_gardee(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.SECOND_FACTEUR_AGENTS and getattr(request.user, "est_agent", False):
            raise PermissionDenied(
                "Le second facteur est obligatoire pour les agents de la Caf : il ne se désactive pas. "
                "Si vous changez de téléphone, entrez par un code de secours et prévenez l’exploitation du portail."
            )
        return vue(request, *args, **kwargs)

    return vue_gardee
