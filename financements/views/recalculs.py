"""Le recalcul annuel : lancer, suivre, lire le rapport, approuver."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.models import Acte
from financements import revision
from financements.actions import recalculs as actions
from financements.choix import EtatRecalcul, IssueRecalcul
from financements.droits import peut_approuver_recalcul, peut_lancer_recalcul
from financements.forms import LancerRecalculForm
from financements.models import Recalcul
from financements.views.baremes import REGLEURS
from financements.views.droits import AGENTS
from socle.erreurs import Refus
from socle.listes import paginer
from socle.vues import refus_en_message

EN_MARCHE = (EtatRecalcul.EN_SIMULATION, EtatRecalcul.EN_APPLICATION)


@lecture
@reserve_a(*AGENTS)
def liste(request: Requete) -> HttpResponse:
    recalculs = Recalcul.objects.select_related("lance_par", "approuve_par")
    contexte = {
        "page": paginer(request, recalculs, total=Recalcul.objects.all()),
        "lance": bool(peut_lancer_recalcul(request.user)),
    }
    return render(request, "financements/recalculs.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def lancer(request: Requete) -> HttpResponse:
    form = LancerRecalculForm(
        request.POST if request.method == "POST" else None, initial={"exercice": timezone.localdate().year}
    )
    if form.is_valid():
        try:
            recalcul = actions.lancer(par=request.user, **form.cleaned_data)
        except Refus as refus:
            form.add_error(None, str(refus))
        else:
            messages.success(request, "La simulation est lancée : aucun droit ne change avant l’approbation.")
            return redirect(recalcul)
    return render(request, "financements/lancer_recalcul.html", {"form": form}, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*AGENTS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    """L’avancement tant qu’il tourne (rafraîchi par htmx, ou à la main), puis le rapport."""
    recalcul = get_object_or_404(Recalcul.objects.select_related("lance_par", "approuve_par", "annule_par"), pk=pk)
    verdict = peut_approuver_recalcul(request.user, recalcul.lance_par_id)
    contexte = {
        "recalcul": recalcul,
        "en_marche": recalcul.etat in EN_MARCHE,
        "pourcentage": min(100, recalcul.fait * 100 // recalcul.total) if recalcul.total else 0,
        "reste": revision.reste_secondes(recalcul),
        "annulable": recalcul.etat in (EtatRecalcul.EN_SIMULATION, EtatRecalcul.SIMULE)
        and bool(peut_lancer_recalcul(request.user)),
        "approuvable": recalcul.etat == EtatRecalcul.SIMULE and bool(verdict),
        "raison": verdict.motif if recalcul.etat == EtatRecalcul.SIMULE else "",
    }
    if recalcul.etat == EtatRecalcul.APPLIQUE:
        contexte |= _lettres(recalcul)
    if request.htmx:
        return render(request, "financements/recalcul.html#avancement", contexte)
    if recalcul.etat != EtatRecalcul.EN_SIMULATION:
        bloques = recalcul.lignes.filter(issue=IssueRecalcul.BLOQUE)
        contexte |= {
            "rapport": revision.rapport(recalcul),
            "page": paginer(request, bloques.select_related("droit__structure", "droit__prestation")),
        }
    return render(request, "financements/recalcul.html", contexte)


def _lettres(recalcul: Recalcul) -> dict[str, int]:
    """Une lettre par structure révisée : combien sont écrites, combien de PDF sont produits."""
    return Acte.objects.filter(cle__startswith=f"revision-{recalcul.pk}-").aggregate(
        lettres=Count("pk"), lettres_produites=Count("produit_le")
    )


@ecriture
@reserve_a(Role.RESPONSABLE)
def approuver(request: Requete, pk: int) -> HttpResponse:
    recalcul = get_object_or_404(Recalcul, pk=pk)
    with refus_en_message(request):
        actions.approuver(recalcul, par=request.user)
        messages.success(request, "Le recalcul est approuvé : les droits changent tous ensemble, les lettres suivent.")
    return redirect(recalcul)


@ecriture
@reserve_a(*REGLEURS)
def annuler(request: Requete, pk: int) -> HttpResponse:
    recalcul = get_object_or_404(Recalcul, pk=pk)
    with refus_en_message(request):
        actions.annuler(recalcul, par=request.user)
        messages.success(request, "Le recalcul est annulé : aucun droit n’a changé.")
    return redirect(recalcul)
