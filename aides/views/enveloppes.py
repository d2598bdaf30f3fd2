"""Les enveloppes : voté, engagé, proposé, reste ; les mouvements ; les scénarios de répartition."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from aides.actions import enveloppes as actions
from aides.choix import ETATS_PROPOSES
from aides.droits import peut_regler, peut_repartir
from aides.forms import AbonderForm, ScenarioForm, TransfererForm, VoterForm
from aides.models import Enveloppe, ScenarioAllocation
from aides.views.commun import page_formulaire
from aides.views.instruction import LECTEURS
from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import fragment, paginer
from socle.montants import ZERO, MontantIllisible, lire_montant
from socle.texte import annee, entier
from socle.vues import refus_en_message, tenter

REGLEURS = (Role.ADMINISTRATEUR, Role.RESPONSABLE)


@lecture
@reserve_a(*LECTEURS)
def liste(request: Requete) -> HttpResponse:
    exercice = annee(request.GET.get("exercice", ""))
    toutes = Enveloppe.objects.all()
    retenues = toutes.filter(exercice=exercice) if exercice else toutes
    contexte = {
        "page": paginer(request, retenues.pour_liste(), total=retenues),
        "exercices": toutes.values_list("exercice", flat=True).order_by("-exercice").distinct(),
        "exercice": exercice,
        "regle": bool(peut_regler(request.user)),
    }
    return render(request, "aides/enveloppes/liste.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def voter(request: Requete) -> HttpResponse:
    exiger(peut_regler(request.user))
    form = VoterForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: actions.voter(par=request.user, **form.cleaned_data)):
        messages.success(request, "L’enveloppe est ouverte.")
        return redirect("aides:enveloppes")
    return page_formulaire(
        request, form, titre="Ouvrir une enveloppe", bouton="Ouvrir", retour="/aides/enveloppes/",
        chapeau="Le montant est celui que le conseil d’administration a voté.",
    )  # fmt: skip


@lecture
@reserve_a(*LECTEURS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    enveloppe = get_object_or_404(Enveloppe.objects.pour_liste(), pk=pk)
    mouvements = enveloppe.mouvements.select_related(
        "par", "demande__structure", "contrepartie__dispositif", "contrepartie__epci"
    )
    proposees = enveloppe.demandes.filter(etat__in=ETATS_PROPOSES).select_related("structure")
    contexte = {
        "enveloppe": enveloppe,
        "page": paginer(request, mouvements, total=enveloppe.mouvements.all()),
        "scenarios": enveloppe.scenarios.select_related("cree_par", "retenu_par"),
        "proposees": proposees.order_by("structure__nom_tri", "pk")[:100],
        "regle": bool(peut_regler(request.user)),
        "repartit": bool(peut_repartir(request.user)),
        "apres": enveloppe.reste - enveloppe.propose,  # type: ignore[attr-defined]
    }
    return render(request, "aides/enveloppes/fiche.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def abonder(request: Requete, pk: int) -> HttpResponse:
    enveloppe = get_object_or_404(Enveloppe.objects.select_related("dispositif", "epci"), pk=pk)
    exiger(peut_regler(request.user))
    form = AbonderForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: actions.abonder(enveloppe, par=request.user, **form.cleaned_data)):
        messages.success(request, "L’enveloppe est ajustée.")
        return redirect(enveloppe)
    return page_formulaire(
        request, form, titre="Ajuster l’enveloppe", bouton="Enregistrer", retour=enveloppe.get_absolute_url(),
        chapeau=str(enveloppe), suite={"Voté": enveloppe.vote, "Engagé": enveloppe.engage},
    )  # fmt: skip


@lecture_ecriture
@reserve_a(*REGLEURS)
def transferer(request: Requete, pk: int) -> HttpResponse:
    enveloppe = get_object_or_404(Enveloppe.objects.select_related("dispositif", "epci"), pk=pk)
    exiger(peut_regler(request.user))
    form = TransfererForm(request.POST if request.method == "POST" else None, de=enveloppe)
    if form.is_valid() and tenter(form, lambda: actions.transferer(enveloppe, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le transfert est fait, des deux côtés.")
        return redirect(enveloppe)
    return page_formulaire(
        request, form, titre="Transférer vers une autre enveloppe", bouton="Transférer",
        retour=enveloppe.get_absolute_url(), chapeau=str(enveloppe), suite={"Reste": enveloppe.reste},
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def essayer(request: Requete, pk: int) -> HttpResponse:
    enveloppe = get_object_or_404(Enveloppe.objects.select_related("dispositif", "epci"), pk=pk)
    exiger(peut_repartir(request.user))
    form = ScenarioForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        neufs: list[ScenarioAllocation] = []
        if tenter(form, lambda: neufs.append(actions.essayer(enveloppe, par=request.user, **form.cleaned_data))):
            return redirect(neufs[0])
    return page_formulaire(
        request, form, titre="Essayer une répartition", bouton="Ouvrir le scénario",
        retour=enveloppe.get_absolute_url(), chapeau=f"{enveloppe}. Rien ne change tant qu’il n’est pas retenu.",
    )  # fmt: skip


def _contexte(scenario: ScenarioAllocation, erreurs: dict[int, str], saisies: dict[int, str]) -> dict[str, Any]:
    lignes = list(
        scenario.lignes.select_related("demande__structure__commune").prefetch_related("demande__avis")
        .order_by("demande__structure__nom_tri", "pk")
    )  # fmt: skip
    total = sum((ligne.montant for ligne in lignes), ZERO)
    return {
        "scenario": scenario,
        "enveloppe": scenario.enveloppe,
        "lignes": [
            {
                "ligne": ligne,
                "avis": next(iter(ligne.demande.avis.all()), None),
                "saisie": saisies.get(ligne.demande_id, ""),
                "erreur": erreurs.get(ligne.demande_id, ""),
            }
            for ligne in lignes
        ],
        "total": total,
        "reste": scenario.enveloppe.reste - total,
        "depassement": total - scenario.enveloppe.reste,
        "modifiable": scenario.retenu_le is None,
    }


def _repartir(request: Requete, scenario: ScenarioAllocation) -> tuple[dict[int, str], dict[int, str]]:
    """Garde chaque montant lisible, les baisses d’abord : elles font la place des hausses. Rend erreurs et saisies."""
    connues = dict(scenario.lignes.values_list("demande_id", "montant"))
    lues: list[tuple[int, Decimal]] = []
    erreurs: dict[int, str] = {}
    saisies: dict[int, str] = {}
    for cle, brut in request.POST.items():
        demande_pk = entier(cle.removeprefix("montant-")) if cle.startswith("montant-") else None
        if demande_pk is None or demande_pk not in connues:
            continue
        saisies[demande_pk] = str(brut)
        try:
            lues.append((demande_pk, lire_montant(str(brut))))
        except MontantIllisible as erreur:
            erreurs[demande_pk] = str(erreur)
    for demande_pk, montant in sorted(lues, key=lambda lue: lue[1] - connues[lue[0]]):
        try:
            actions.repartir(scenario, demande_pk=demande_pk, montant=montant, par=request.user)
        except Refus as refus:
            erreurs[demande_pk] = str(refus)
    return erreurs, {pk: saisies[pk] for pk in erreurs}


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def scenario(request: Requete, pk: int) -> HttpResponse:
    """Les demandes et leurs montants ; le reste de l’enveloppe suit chaque frappe. Sans JavaScript, un seul bouton."""
    trouve = get_object_or_404(
        ScenarioAllocation.objects.select_related("enveloppe__dispositif", "enveloppe__epci"), pk=pk
    )
    exiger(peut_repartir(request.user))
    erreurs: dict[int, str] = {}
    saisies: dict[int, str] = {}
    if request.method == "POST":
        erreurs, saisies = _repartir(request, trouve)
        if not erreurs and not fragment(request):
            messages.success(request, "Le scénario est enregistré.")
            return redirect(trouve)
    contexte = _contexte(trouve, erreurs, saisies)
    gabarit = "aides/enveloppes/scenario.html#repartition" if fragment(request) else "aides/enveloppes/scenario.html"
    return render(request, gabarit, contexte, status=422 if erreurs else 200)


@ecriture
@reserve_a(Role.RESPONSABLE)
def retenir(request: Requete, pk: int) -> HttpResponse:
    trouve = get_object_or_404(ScenarioAllocation, pk=pk)
    exiger(peut_repartir(request.user))
    with refus_en_message(request):
        actions.retenir(trouve, par=request.user)
        messages.success(request, "Le scénario est retenu : ses montants sont ceux proposés à l’instance.")
    return redirect(trouve)
