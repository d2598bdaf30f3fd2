"""Les pages de refus et de panne : une phrase claire, et où aller."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from comptes.middleware import attend_du_json


def interdit(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    motif = str(exception) if exception and str(exception) else "Vous n’avez pas accès à cette page."
    if attend_du_json(request):
        return JsonResponse({"erreur": motif}, status=403)
    return render(request, "403.html", {"motif": motif}, status=403)


def introuvable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if attend_du_json(request):
        return JsonResponse({"erreur": "Cette adresse ne mène à rien."}, status=404)
    return render(request, "404.html", status=404)


def panne(request: HttpRequest) -> HttpResponse:
    """Sans base, sans session, sans contexte : cette page s’affiche quand tout le reste a échoué."""
    return render(None, "500.html", status=500)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    motif = (
        "Cette page était ouverte depuis trop longtemps, ou dans un autre onglet après une déconnexion. "
        "Revenez en arrière, rechargez la page, puis recommencez : votre navigateur a gardé votre saisie."
    )
    if attend_du_json(request):
        return JsonResponse({"erreur": motif}, status=403)
    return render(request, "403.html", {"motif": motif}, status=403)
