"""Les campagnes de déclaration : le calendrier, qui a déposé, les relances (à blanc, puis pour de bon)."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import lecture, lecture_ecriture, reserve_a
from comptes.http import Requete
from financements.actions import reglages, relances
from financements.choix import ETATS_PRIVES_DECLARATION, EtatDeclaration
from financements.droits import peut_regler
from financements.forms import CampagneForm, CampagnesForm
from financements.models import Campagne
from financements.views.baremes import REGLEURS
from financements.views.droits import AGENTS
from financements.views.reglages import historique
from socle.listes import paginer
from socle.texte import accorde
from socle.vues import tenter


@lecture
@reserve_a(*AGENTS)
def liste(request: Requete) -> HttpResponse:
    deposees = ~Q(declarations__etat__in=ETATS_PRIVES_DECLARATION) & Q(declarations__isnull=False)
    campagnes = Campagne.objects.annotate(
        deposees=Count("declarations", filter=deposees),
        validees=Count("declarations", filter=Q(declarations__etat=EtatDeclaration.VALIDEE)),
    ).order_by("-exercice", "limite")
    contexte = {
        "page": paginer(request, campagnes, total=Campagne.objects.all()),
        "aujourd_hui": timezone.localdate(),
        "regle": bool(peut_regler(request.user)),
        "form": CampagnesForm(initial={"exercice": timezone.localdate().year + 1}),
    }
    return render(request, "financements/campagnes.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def creer(request: Requete) -> HttpResponse:
    """Les quatre campagnes d’un exercice, aux dates par défaut ; chacune se règle ensuite."""
    form = CampagnesForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        nombre = reglages.ouvrir_les_campagnes(form.cleaned_data["exercice"], par=request.user)
        messages.success(request, f"{accorde(nombre, 'campagne', 'ajoutée')} : vérifiez leurs dates.")
        return redirect("financements:campagnes")
    return render(request, "financements/creer_campagnes.html", {"form": form}, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*AGENTS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    """Qui a déposé, qui manque ; pour l’administrateur, les dates et les relances."""
    campagne = get_object_or_404(Campagne, pk=pk)
    regle = bool(peut_regler(request.user))
    form = CampagneForm(request.POST if request.method == "POST" and regle else None, instance=campagne)
    if form.is_valid() and tenter(
        form, lambda: reglages.regler_la_campagne(campagne, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La campagne est réglée.")
        return redirect(campagne)
    campagne = get_object_or_404(Campagne, pk=pk)
    contexte = {
        "campagne": campagne,
        "form": form,
        "regle": regle,
        "historique": historique(campagne),
        "page": paginer(request, campagne.declarations.exclude(etat__in=ETATS_PRIVES_DECLARATION).pour_liste()),
        "manquantes": relances.attendues(campagne),
    }
    return render(request, "financements/campagne.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*REGLEURS)
def relancer(request: Requete, pk: int) -> HttpResponse:
    """GET : à blanc, à qui la relance irait. POST : elle part, une fois par personne et par jour."""
    campagne = get_object_or_404(Campagne, pk=pk)
    if request.method == "POST":
        nombre = relances.relancer_maintenant(campagne, par=request.user)
        messages.success(request, f"{accorde(nombre, 'relance', 'envoyée')}.")
        return redirect(campagne)
    prevues = relances.prevues(campagne, (timezone.localdate() - campagne.limite).days)
    contexte = {"campagne": campagne, "prevues": prevues, "plafond": relances.PLAFOND}
    return render(request, "financements/relancer.html", contexte)
