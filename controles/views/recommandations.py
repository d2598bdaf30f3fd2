"""Les recommandations : ce que les contrôles ont demandé, qui s’en charge, où l’on en est."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import lecture, lecture_ecriture, ouverte_aux_connectes
from comptes.http import Requete
from controles.actions import recommandations as actions
from controles.contenu import deja_dit
from controles.droits import peut_suivre
from controles.filtres import RecommandationFiltre
from controles.forms.suites import SuiviForm
from controles.models import Recommandation
from socle.droits import exiger
from socle.listes import fragment, paginer
from socle.vues import tenter


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    """La plus urgente d’abord ; un chargé de conseil retrouve les siennes d’un filtre."""
    visibles = Recommandation.objects.visibles_par(request.user)
    filtre = RecommandationFiltre(request.GET or None, queryset=visibles, request=request)
    retenues = filtre.qs if filtre.is_valid() else visibles
    page = paginer(request, retenues.pour_liste(), total=retenues)
    contexte = {"page": page, "filtre": filtre, "aujourd_hui": timezone.localdate()}
    gabarit = "controles/recommandations/liste.html"
    return render(request, f"{gabarit}#resultats" if fragment(request) else gabarit, contexte)


@lecture_ecriture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    """Ce qui est demandé, depuis quand, et chaque point fait depuis."""
    visibles = Recommandation.objects.visibles_par(request.user).pour_liste()
    recommandation = get_object_or_404(visibles, pk=pk)
    suit = request.user.est_agent and bool(peut_suivre(request.user, recommandation))
    if request.method == "POST":
        if not request.user.est_agent:
            raise PermissionDenied("Le suivi revient au chargé de conseil de la Caf.")
        exiger(peut_suivre(request.user, recommandation))
    form = SuiviForm(request.POST if request.method == "POST" else None, initial={"etat": recommandation.etat})
    if form.is_valid() and tenter(form, lambda: actions.suivre(recommandation, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le point est gardé ; la structure est prévenue.")
        return redirect(recommandation)
    anterieures = Recommandation.objects.filter(
        structure=recommandation.structure_id, code=recommandation.code, pk__lt=recommandation.pk
    )
    contexte = {
        "recommandation": recommandation,
        "controle": recommandation.constat.controle,
        "suivis": recommandation.suivis.select_related("par"),
        "anterieures": anterieures.order_by("-pk")[:10],
        "deja": deja_dit(anterieures.count()),
        "form": form if suit else None,
        "aujourd_hui": timezone.localdate(),
    }
    return render(request, "controles/recommandations/fiche.html", contexte, status=422 if form.is_bound else 200)
