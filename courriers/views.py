"""Les nouvelles d’une personne."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from comptes.acces import ecriture, lecture, ouverte_aux_connectes
from comptes.http import Requete
from courriers import actions


@lecture
@ouverte_aux_connectes
def notifications(request: Requete) -> HttpResponse:
    page = Paginator(request.user.notifications.all(), 25).get_page(request.GET.get("page"))
    return render(request, "courriers/notifications.html", {"page": page})


@ecriture
@ouverte_aux_connectes
def lire(request: Requete, pk: int) -> HttpResponse:
    """Marque lue et mène à l’objet : le lien est écrit par le portail, jamais par une personne."""
    notification = get_object_or_404(request.user.notifications, pk=pk)
    actions.marquer_lue(notification)
    return redirect(notification.lien or "courriers:notifications")


@ecriture
@ouverte_aux_connectes
def tout_lire(request: Requete) -> HttpResponse:
    actions.tout_marquer_lu(request.user)
    return redirect("courriers:notifications")
