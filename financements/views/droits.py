"""Les droits : une liste à trier, une fiche où chaque euro s’explique, les gestes qui en découlent."""

from __future__ import annotations

from typing import Any

from dateutil.relativedelta import relativedelta
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import ROLES_CAF, Role
from comptes.http import Requete
from financements.actions import droits as actions
from financements.actions import paiements
from financements.choix import ENGAGES, EtatPaiement, GestePaiement, NaturePaiement
from financements.droits import (
    LIQUIDATEURS,
    paiement_possible,
    peut_decider_d_un_forcage,
    peut_forcer,
    suit,
)
from financements.etude import DEFINITIFS, INDUS_OUVERTS, etudier, reste_d_indu, suivis, trop_grand
from financements.exports import ENTETES, ecrire_classeur, lignes_de_droits, nom_du_jour
from financements.filtres import DroitFiltre
from financements.forms import ForcageForm, InduForm, MotifFacultatifForm, MotifForm, RemboursementForm
from financements.models import Derogation, Droit, Indu
from socle.droits import exiger
from socle.listes import fragment, paginer
from socle.vues import refus_en_message, tenter

AGENTS = tuple(sorted(ROLES_CAF))
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def droit_visible(request: Requete, pk: int) -> Droit:
    visibles = Droit.objects.visibles_par(request.user).select_related("structure__gestionnaire", "prestation")
    return get_object_or_404(visibles.avec_position(), pk=pk)


def _filtres(request: Requete) -> tuple[DroitFiltre, Any]:
    visibles = Droit.objects.visibles_par(request.user).avec_position()
    filtre = DroitFiltre(request.GET or None, queryset=visibles, request=request)
    return filtre, filtre.qs if filtre.is_valid() else visibles


@lecture
@reserve_a(*AGENTS)
def liste(request: Requete) -> HttpResponse:
    filtre, retenus = _filtres(request)
    complets = retenus.select_related("structure__commune", "structure__gestionnaire", "prestation")
    page = paginer(request, complets, total=retenus)
    gabarit = "financements/droits.html#resultats" if fragment(request) else "financements/droits.html"
    return render(request, gabarit, {"page": page, "filtre": filtre})


@lecture
@reserve_a(*AGENTS)
def exporter(request: Requete) -> HttpResponseBase:
    """La liste filtrée, en classeur."""
    _, retenus = _filtres(request)
    flux = ecrire_classeur("Droits", ENTETES, lignes_de_droits(retenus))
    return FileResponse(flux, as_attachment=True, filename=nom_du_jour("droits"), content_type=XLSX)


@lecture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    """« Comment votre montant est calculé », toutes ses versions, ce qui est versé et ce qui suit."""
    droit = droit_visible(request, pk)
    versions = list(
        droit.versions.select_related("bareme__prestation", "declaration__declaration__campagne", "par", "approuve_par")
    )
    numero = request.GET.get("version", "")
    montree = next((v for v in versions if str(v.numero) == numero), versions[0] if versions else None)
    etude = etudier(droit)
    lignes = [
        (
            p,
            paiement_possible(GestePaiement.ANNULER, request.user, p) if request.user.est_agent else False,
            trop_grand(p, droit) if p.etat in (EtatPaiement.PROPOSE, EtatPaiement.VALIDE) else "",
        )
        for p in droit.paiements.select_related("lot", "propose_par", "valide_par", "droit__structure__gestionnaire")
    ]
    agit = request.user.est_agent and bool(suit(request.user, droit.structure))
    derogations = list(droit.derogations.select_related("demande_par", "decide_par"))
    contexte = {
        "droit": droit,
        "versions": versions,
        "montree": montree,
        "etude": etude,
        "natures": dict(NaturePaiement.choices),
        "paiements": lignes,
        "en_route": any(p.etat in ENGAGES and p.etat != EtatPaiement.PAYE for p, *_ in lignes),
        "indus": suivis(droit.indus.all()),
        "derogations": derogations,
        "agit": agit,
        "peut_forcer": request.user.est_agent and bool(peut_forcer(request.user, droit)),
        "decideur": request.user.tient(Role.RESPONSABLE),
        "indu_a_notifier": agit
        and etude.suite.trop_verse
        and etude.version is not None
        and etude.version.nature in DEFINITIFS
        and not droit.indus.filter(etat__in=INDUS_OUVERTS).exists(),
    }
    return render(request, "financements/droit.html", contexte)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def forcer(request: Requete, pk: int) -> HttpResponse:
    droit = droit_visible(request, pk)
    exiger(peut_forcer(request.user, droit))
    form = ForcageForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: actions.demander_forcage(droit, par=request.user, **form.cleaned_data)):
        messages.success(request, "La demande attend l’accord du responsable ; le droit ne change pas avant.")
        return redirect(droit)
    contexte = {"sujet": droit, "form": form, "titre": "Forcer un montant", "bouton": "Demander ce montant"}
    return render(request, "financements/geste_droit.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def decider(request: Requete, pk: int) -> HttpResponse:
    derogation = get_object_or_404(Derogation.objects.select_related("droit__structure", "demande_par"), pk=pk)
    exiger(peut_decider_d_un_forcage(request.user, derogation.demande_par_id))
    form = MotifFacultatifForm(request.POST if request.method == "POST" else None)
    approuver = "approuver" in request.POST
    if form.is_valid() and tenter(
        form,
        lambda: actions.decider_du_forcage(derogation, approuver=approuver, par=request.user, **form.cleaned_data),
        champ="motif",
    ):
        messages.success(request, "Le montant forcé est retenu." if approuver else "La demande est refusée.")
        return redirect(derogation.droit)
    contexte = {"derogation": derogation, "droit": derogation.droit, "form": form}
    return render(request, "financements/decider.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def versements(request: Requete, pk: int) -> HttpResponse:
    """Suspend ou reprend les versements d’un droit."""
    droit = droit_visible(request, pk)
    exiger(suit(request.user, droit.structure))
    if droit.suspendu_le is not None:
        if request.method == "POST":
            actions.reprendre_versements(droit, par=request.user)
            messages.success(request, "Les versements reprennent.")
            return redirect(droit)
        return render(request, "financements/geste_droit.html", {
            "sujet": droit, "titre": "Reprendre les versements", "bouton": "Reprendre les versements",
            "phrase": f"Suspendus : {droit.motif_suspension}",
        })  # fmt: skip
    form = MotifForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        actions.suspendre_versements(droit, motif=form.cleaned_data["motif"], par=request.user)
        messages.success(request, "Les versements de ce droit sont suspendus.")
        return redirect(droit)
    contexte = {"sujet": droit, "form": form, "titre": "Suspendre les versements", "bouton": "Suspendre"}
    return render(request, "financements/geste_droit.html", contexte, status=422 if form.is_bound else 200)


@ecriture
@reserve_a(*LIQUIDATEURS)
def proposer(request: Requete, pk: int, nature: str) -> HttpResponse:
    if nature not in NaturePaiement.values:
        raise Http404
    droit = droit_visible(request, pk)
    with refus_en_message(request):
        paiements.proposer(droit, nature=nature, par=request.user, compenser="compenser" in request.POST)
        messages.success(request, "Le versement est proposé.")
    return redirect(droit)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def indu(request: Requete, pk: int) -> HttpResponse:
    droit = droit_visible(request, pk)
    exiger(suit(request.user, droit.structure))
    dans_deux_mois = (timezone.localdate() + relativedelta(months=2)).replace(day=1)
    form = InduForm(request.POST if request.method == "POST" else None, initial={"premiere_echeance": dans_deux_mois})
    if form.is_valid() and tenter(form, lambda: paiements.notifier_indu(droit, par=request.user, **form.cleaned_data)):
        messages.success(request, "L’indu est notifié : la lettre est en préparation.")
        return redirect(droit)
    etude = etudier(droit)
    contexte = {
        "sujet": droit, "form": form, "titre": "Notifier un indu", "bouton": "Notifier",
        "phrase": "Versé en trop : le montant vient du calcul.", "montant": etude.suite.trop_verse,
    }  # fmt: skip
    return render(request, "financements/geste_droit.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def rembourser(request: Requete, pk: int) -> HttpResponse:
    dette = get_object_or_404(Indu.objects.select_related("droit__structure__gestionnaire", "droit__prestation"), pk=pk)
    exiger(suit(request.user, dette.droit.structure))
    form = RemboursementForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form,
        lambda: paiements.enregistrer_remboursement(dette, par=request.user, **form.cleaned_data),
        champ="montant",
    ):
        messages.success(request, "Le remboursement est enregistré.")
        return redirect(dette.droit)
    contexte = {
        "sujet": dette.droit, "form": form, "titre": "Enregistrer un remboursement", "bouton": "Enregistrer",
        "phrase": "Reste à rendre :", "montant": reste_d_indu(dette),
    }  # fmt: skip
    return render(request, "financements/geste_droit.html", contexte, status=422 if form.is_bound else 200)
