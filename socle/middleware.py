from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import add_never_cache_headers


class EntetesMiddleware:
    """Ce que Django ne pose pas de lui-même : TRACE refusé, Permissions-Policy, pages privées jamais gardées.

    Source : ASVS 5.0, 13.4.4 (TRACE) et 14.3.2 (cache des pages connectées).
    """

    def __init__(self, suite: Callable[[HttpRequest], HttpResponse]) -> None:
        self.suite = suite

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "TRACE":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        reponse = self.suite(request)
        reponse.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"
        )
        utilisateur = getattr(request, "user", None)
        if utilisateur is not None and utilisateur.is_authenticated and "Cache-Control" not in reponse.headers:
            add_never_cache_headers(reponse)
        return reponse
