"""Les barèmes : saisir, faire vérifier et publier par un collègue, remplacer ; et ce qui change de régime."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from financements.actions import baremes as actions
from financements.bascules import bascules
from financements.choix import EtatBareme
from financements.droits import peut_publier, peut_regler
from financements.forms import BaremeForm, ChoixDeBareme
from financements.models import Bareme
from financements.reference import taux_atteste
from financements.views.droits import AGENTS
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import paginer
from socle.texte import annee
from socle.vues import refus_en_message, tenter

REGLEURS = (Role.ADMINISTRATEUR, Role.RESPONSABLE)


@lecture
@reserve_a(*AGENTS)
def liste(request: Requete) -> HttpResponse:
    exercice = annee(request.GET.get("exercice", ""))
    baremes = Bareme.objects.exclude(etat=EtatBareme.ABANDONNE)
    if exercice is not None:
        baremes = baremes.filter(exercice=exercice)
    complets = baremes.select_related("prestation", "saisi_par", "publie_par")
    contexte = {
        "page": paginer(request, complets, total=baremes),
        "exercices": Bareme.objects.values_list("exercice", flat=True).order_by("-exercice").distinct(),
        "exercice": exercice,
        "regle": bool(peut_regler(request.user)),
    }
    return render(request, "financements/baremes.html", contexte)


def _initial(prestation_pk: str, exercice: int, publie: Bareme | None) -> dict[str, Any]:
    """Ce qu’on sait déjà : le barème publié, sinon celui de l’année d’avant, et le taux attesté."""
    modele = publie or (
        Bareme.objects.filter(prestation=prestation_pk, exercice__lt=exercice, etat=EtatBareme.PUBLIE)
        .order_by("-exercice")
        .first()
    )
    initial: dict[str, Any] = {"effet_le": f"{exercice}-01-01", "prorata": "aucun"}
    if modele is not None:
        initial |= {c: getattr(modele, c) for c in actions.CHAMPS if c not in ("effet_le", "source", "prix_plafond")}
        initial["taux"] = modele.taux
    elif (taux := taux_atteste(prestation_pk, exercice)) is not None:
        initial["taux"] = taux
    return initial


@lecture_ecriture
@reserve_a(*REGLEURS)
def creer(request: Requete) -> HttpResponse:
    """Deux temps : quelle prestation et quel exercice, puis les valeurs, préremplies de ce qu’on sait."""
    choix = ChoixDeBareme(request.GET if "prestation" in request.GET else None)
    if not choix.is_valid():
        return render(
            request, "financements/creer_bareme.html", {"choix": choix}, status=422 if choix.is_bound else 200
        )
    prestation, exercice = choix.cleaned_data["prestation"], choix.cleaned_data["exercice"]
    publie = Bareme.objects.publies(exercice).filter(prestation=prestation).first()
    form = BaremeForm(
        request.POST if request.method == "POST" else None,
        remplace=publie is not None,
        initial=_initial(prestation.pk, exercice, publie),
    )
    if form.is_valid():
        try:
            bareme = actions.saisir(prestation=prestation, exercice=exercice, par=request.user, **form.cleaned_data)
        except Refus as refus:
            form.add_error("motif" if "motif" in form.fields else None, str(refus))
        except ValidationError as erreur:
            form.add_error(None, list(erreur.messages))
        else:
            messages.success(request, "Le brouillon est gardé : un collègue le vérifie et le publie.")
            return redirect(bareme)
    contexte = {"form": form, "prestation": prestation, "exercice": exercice, "publie": publie}
    return render(request, "financements/creer_bareme.html", contexte, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*AGENTS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    bareme = get_object_or_404(
        Bareme.objects.select_related("prestation", "saisi_par", "publie_par", "remplace").annotate(
            droits=Count("versions_de_droit__droit", distinct=True)
        ),
        pk=pk,
    )
    contexte = {
        "bareme": bareme,
        "publiable": bareme.etat == EtatBareme.BROUILLON and bool(peut_publier(request.user, bareme)),
        "raison": "" if bareme.etat != EtatBareme.BROUILLON else peut_publier(request.user, bareme).motif,
        "regle": bool(peut_regler(request.user)),
        "brouillon": bareme.etat == EtatBareme.BROUILLON,
    }
    return render(request, "financements/bareme.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def modifier(request: Requete, pk: int) -> HttpResponse:
    bareme = get_object_or_404(Bareme.objects.select_related("prestation"), pk=pk)
    initial = {c: getattr(bareme, c) for c in (*actions.CHAMPS, "motif")}
    form = BaremeForm(
        request.POST if request.method == "POST" else None, remplace=bareme.remplace_id is not None, initial=initial
    )
    if form.is_valid() and tenter(form, lambda: actions.corriger(bareme, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le brouillon est corrigé : il se publie par un collègue.")
        return redirect(bareme)
    contexte = {"form": form, "prestation": bareme.prestation, "exercice": bareme.exercice, "bareme": bareme}
    return render(request, "financements/creer_bareme.html", contexte, status=422 if form.is_bound else 200)


@ecriture
@reserve_a(*REGLEURS)
def publier(request: Requete, pk: int) -> HttpResponse:
    bareme = get_object_or_404(Bareme, pk=pk)
    exiger(peut_publier(request.user, bareme))
    with refus_en_message(request):
        actions.publier(bareme, par=request.user)
        messages.success(request, "Le barème est publié. S’il change des droits déjà calculés, un recalcul est simulé.")
    return redirect(bareme)


@ecriture
@reserve_a(*REGLEURS)
def abandonner(request: Requete, pk: int) -> HttpResponse:
    bareme = get_object_or_404(Bareme, pk=pk)
    with refus_en_message(request):
        actions.abandonner(bareme, par=request.user)
        messages.success(request, "Le brouillon est abandonné.")
        return redirect("financements:baremes")
    return redirect(bareme)


@lecture
@reserve_a(*AGENTS)
def changements(request: Requete) -> HttpResponse:
    """« Quelles structures changent de régime, et que deviennent leurs droits ? »"""
    exercice = annee(request.GET.get("exercice", "")) or timezone.localdate().year + 1
    lignes = bascules(exercice)
    contexte = {"exercice": exercice, "avant": exercice - 1, "page": paginer(request, lignes)}
    return render(request, "financements/changements.html", contexte)
