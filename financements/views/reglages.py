"""Les réglages de l’argent : prestations et règles de paiement, avec l’historique de chaque changement."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from comptes.acces import lecture, lecture_ecriture, reserve_a
from comptes.http import Requete
from financements.actions import reglages as actions
from financements.droits import peut_regler
from financements.forms import PrestationForm, ReglesForm
from financements.models import EvenementReglage, Prestation, ReglesDePaiement
from financements.views.baremes import REGLEURS
from financements.views.droits import AGENTS
from socle.listes import paginer
from socle.vues import tenter


def historique(objet: models.Model) -> QuerySet[EvenementReglage]:
    evenements = EvenementReglage.objects.filter(sujet=actions.SUJETS[type(objet)], cle=actions.cle_de(objet))
    return evenements.select_related("par")[:50]


def _page(request: Requete, form: forms.BaseForm, **contexte: Any) -> HttpResponse:
    contexte |= {"form": form}
    return render(request, "financements/reglage.html", contexte, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*AGENTS)
def regles(request: Requete) -> HttpResponse:
    toutes = ReglesDePaiement.objects.all()
    contexte = {"page": paginer(request, toutes, total=toutes), "regle": bool(peut_regler(request.user))}
    return render(request, "financements/regles.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def fixer_regles(request: Requete) -> HttpResponse:
    """De nouvelles règles, préremplies des plus récentes : on ne change que ce qui change."""
    dernieres = ReglesDePaiement.objects.first()
    initial = forms.model_to_dict(dernieres, exclude=["exercice", "source"]) if dernieres else {}
    form = ReglesForm(request.POST if request.method == "POST" else None, neuves=True, initial=initial)
    if form.is_valid() and tenter(form, lambda: actions.fixer_les_regles(par=request.user, **form.cleaned_data)):
        messages.success(request, "Les nouvelles règles sont fixées.")
        return redirect("financements:regles")
    return _page(request, form, titre="Fixer de nouvelles règles de paiement", retour="financements:regles",
                 nom_retour="Règles de paiement")  # fmt: skip


@lecture_ecriture
@reserve_a(*REGLEURS)
def corriger_regles(request: Requete, pk: int) -> HttpResponse:
    """L’historique de ces règles ; elles se corrigent tant qu’aucun versement ne s’en est servi."""
    objet = get_object_or_404(ReglesDePaiement, pk=pk)
    form = ReglesForm(request.POST if request.method == "POST" else None, neuves=False, instance=objet)
    if form.is_valid() and tenter(
        form, lambda: actions.corriger_les_regles(objet, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Les règles sont corrigées.")
        return redirect("financements:regles")
    fige = actions.ont_servi(objet)
    return _page(request, form, titre=f"Règles de paiement {objet}", retour="financements:regles",
                 nom_retour="Règles de paiement", historique=historique(objet),
                 fige="Ces règles ont servi à des versements : elles ne changent plus." if fige else "")  # fmt: skip


@lecture
@reserve_a(*AGENTS)
def prestations(request: Requete) -> HttpResponse:
    toutes = Prestation.objects.select_related("successeur")
    contexte = {"page": paginer(request, toutes, total=toutes), "regle": bool(peut_regler(request.user))}
    return render(request, "financements/prestations.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def creer_prestation(request: Requete) -> HttpResponse:
    form = PrestationForm(request.POST if request.method == "POST" else None, neuve=True)
    if form.is_valid() and tenter(form, lambda: actions.creer_prestation(par=request.user, **form.cleaned_data)):
        messages.success(request, "La prestation est ajoutée : saisissez son barème.")
        return redirect("financements:prestations")
    return _page(request, form, titre="Ajouter une prestation", retour="financements:prestations",
                 nom_retour="Prestations")  # fmt: skip


@lecture_ecriture
@reserve_a(*REGLEURS)
def prestation(request: Requete, code: str) -> HttpResponse:
    objet = get_object_or_404(Prestation, pk=code)
    form = PrestationForm(request.POST if request.method == "POST" else None, neuve=False, instance=objet)
    if form.is_valid() and tenter(
        form, lambda: actions.regler_la_prestation(objet, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La prestation est réglée.")
        return redirect("financements:prestations")
    objet = get_object_or_404(Prestation, pk=code)
    return _page(request, form, titre=f"Prestation {objet}", retour="financements:prestations",
                 nom_retour="Prestations", historique=historique(objet))  # fmt: skip
