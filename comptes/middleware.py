from __future__ import annotations

import time
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect

from comptes.http import Requete


def attend_du_json(request: HttpRequest) -> bool:
    return (
        request.headers.get("HX-Request") == "true"
        or request.headers.get("X-Requested-With") == "XMLHttpRequest"
        or request.headers.get("Accept", "").startswith("application/json")
    )


class ConnexionExigeeMiddleware(LoginRequiredMiddleware):
    """Fermé par défaut. Une requête de fond sans session reçoit 401 : une redirection passerait pour un succès."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if attend_du_json(request):
            return JsonResponse({"erreur": "Votre session est finie. Reconnectez-vous, rien n’est perdu."}, status=401)
        admises: frozenset[str] = getattr(view_func, "methodes", frozenset({"GET"}))
        if request.method not in ("GET", "HEAD") and "GET" not in admises:
            return redirect(settings.LOGIN_URL)  # cette adresse ne se visite pas : après la connexion, l’espace
        return super().handle_no_permission(request, view_func)


class ProlongationMiddleware:
    """La session glisse avec l’activité, à la minute près : une écriture par minute, pas une par page."""

    PAS = 60  # secondes

    def __init__(self, suite: Callable[[Requete], HttpResponse]) -> None:
        self.suite = suite

    def __call__(self, request: Requete) -> HttpResponse:
        if request.user.is_authenticated and time.time() - request.session.get("vue_a", 0) > self.PAS:
            request.session["vue_a"] = int(time.time())
        return self.suite(request)


class SecondFacteurMiddleware:
    """Un agent de la Caf sans second facteur ne va nulle part ailleurs que l’activer (ASVS 6.3.3)."""

    EXEMPTES = frozenset({"mfa_activate_totp", "account_logout", "account_reauthenticate", "comptes:prolonger"})

    def __init__(self, suite: Callable[[Requete], HttpResponse]) -> None:
        self.suite = suite

    def __call__(self, request: Requete) -> HttpResponse:
        return self.suite(request)

    def process_view(
        self, request: Requete, vue: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        if not settings.SECOND_FACTEUR_AGENTS or not request.user.is_authenticated:
            return None
        if getattr(vue, "publique", False) or request.resolver_match is None:
            return None
        if request.resolver_match.view_name in self.EXEMPTES:
            return None
        if request.user.est_agent and not is_mfa_enabled(request.user):
            return redirect("mfa_activate_totp")
        return None
