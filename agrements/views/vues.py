"""Les vues enregistrées de la liste des dossiers : nommer le filtre courant, le supprimer."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render

from agrements.actions import vues
from agrements.filtres import filtre_propre
from agrements.forms import VueForm
from agrements.views.service import LECTEURS
from comptes.acces import ecriture, reserve_a
from comptes.http import Requete
from socle.erreurs import Refus


@ecriture
@reserve_a(*LECTEURS)
def enregistrer(request: Requete) -> HttpResponse:
    form = VueForm(request.POST)
    if form.is_valid():
        filtre = filtre_propre(QueryDict(form.cleaned_data["filtre"]))
        try:
            vue = vues.enregistrer_vue(nom=form.cleaned_data["nom"], filtre=filtre, par=request.user)
        except ValidationError as erreur:
            form.add_error("nom", erreur.messages[0])
        except Refus as refus:
            form.add_error("nom", str(refus))
        else:
            messages.success(request, f"La vue « {vue} » est enregistrée.")
            return redirect(vue)
    return render(request, "agrements/vue.html", {"form": form}, status=422)


@ecriture
@reserve_a(*LECTEURS)
def supprimer(request: Requete, pk: int) -> HttpResponse:
    vue = get_object_or_404(request.user.vues_enregistrees, pk=pk)
    vues.supprimer_vue(vue, par=request.user)
    messages.success(request, f"La vue « {vue} » est supprimée.")
    return redirect("agrements:liste")
