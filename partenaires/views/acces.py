"""Les accès d’une structure : qui entre, depuis quand ; inviter, fermer, passer la direction."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture_ecriture, ouverte_aux_connectes
from comptes.http import Requete
from partenaires import actions_acces
from partenaires.droits import peut_gerer_les_acces, peut_inviter, peut_passer_la_direction
from partenaires.forms import FermetureForm, InvitationForm, PassationForm
from partenaires.models import Structure
from partenaires.transmission import a_transmettre
from socle.droits import exiger
from socle.vues import refus_en_message, tenter


def _structure(request: Requete, pk: int) -> Structure:
    structure = get_object_or_404(Structure.objects.visibles_par(request.user), pk=pk)
    exiger(peut_gerer_les_acces(request.user, structure))
    return structure


@lecture_ecriture
@ouverte_aux_connectes
def liste(request: Requete, pk: int) -> HttpResponse:
    structure = _structure(request, pk)
    form = InvitationForm(request.POST if request.method == "POST" else None, initial={"debut": timezone.localdate()})
    champ: Any = form.fields["role"]
    champ.choices = [choix for choix in champ.choices if peut_inviter(request.user, structure, choix[0])]
    if form.is_valid() and tenter(
        form, lambda: actions_acces.inviter(structure, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’accès est ouvert ; la personne reçoit un courriel.")
        return redirect("partenaires:acces", structure.pk)
    habilitations = structure.habilitations.select_related("utilisateur").order_by("-fin", "utilisateur__nom", "pk")
    contexte = {
        "structure": structure,
        "form": form,
        "habilitations": [(h, bool(peut_inviter(request.user, structure, h.role))) for h in habilitations],
        "passation": bool(peut_passer_la_direction(request.user, structure)),
        "aujourd_hui": timezone.localdate(),
    }
    return render(request, "partenaires/acces/liste.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@ouverte_aux_connectes
def fermer(request: Requete, pk: int, habilitation_pk: int) -> HttpResponse:
    structure = _structure(request, pk)
    habilitation = get_object_or_404(structure.habilitations.select_related("utilisateur"), pk=habilitation_pk)
    form = FermetureForm(request.POST if request.method == "POST" else None, initial={"fin": timezone.localdate()})
    if form.is_valid() and tenter(
        form, lambda: actions_acces.fermer_acces(habilitation, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’accès est fermé.")
        return redirect("partenaires:acces", structure.pk)
    contexte = {"structure": structure, "form": form, "habilitation": habilitation}
    return render(request, "partenaires/acces/fermer.html", contexte, status=422 if form.is_bound else 200)


@ecriture
@ouverte_aux_connectes
def renvoyer(request: Requete, pk: int, habilitation_pk: int) -> HttpResponse:
    """Renvoie l’invitation d’une personne qui n’a pas encore choisi son mot de passe."""
    structure = _structure(request, pk)
    habilitation = get_object_or_404(
        structure.habilitations.select_related("utilisateur", "structure"), pk=habilitation_pk
    )
    with refus_en_message(request):
        actions_acces.renvoyer_l_invitation(habilitation, par=request.user)
        messages.success(request, f"Une nouvelle invitation part à {habilitation.utilisateur}.")
    return redirect("partenaires:acces", structure.pk)


@lecture_ecriture
@ouverte_aux_connectes
def passation(request: Requete, pk: int) -> HttpResponse:
    structure = _structure(request, pk)
    exiger(peut_passer_la_direction(request.user, structure))
    form = PassationForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: actions_acces.passer_la_direction(structure, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La passation est enregistrée ; les deux personnes sont prévenues.")
        return redirect("partenaires:acces", structure.pk)
    contexte = {"structure": structure, "form": form, "restes": a_transmettre(structure)}
    return render(request, "partenaires/acces/passation.html", contexte, status=422 if form.is_bound else 200)
