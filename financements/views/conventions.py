"""Les conventions : les préparer, suivre les signatures, déposer l’exemplaire signé."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from agrements.models import Agrement
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.erreurs import FichierRefuse
from documents.reponses import servir
from financements.actions import conventions as actions
from financements.choix import EtatConvention
from financements.droits import LIQUIDATEURS, suit
from financements.forms import AvenantForm, ConventionForm, ScanForm
from financements.models import Convention
from partenaires.models import roles_dans_la_structure
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import paginer


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    """Les conventions, et pour les agents les agréments qui n’en ont pas."""
    etat = request.GET.get("etat", "")
    visibles = Convention.objects.visibles_par(request.user)
    retenues = visibles.filter(etat=etat) if etat in EtatConvention.values else visibles
    contexte: dict[str, Any] = {
        "page": paginer(request, retenues.pour_liste(), total=retenues),
        "etat": etat,
        "etats": EtatConvention.choices,
    }
    if request.user.tient(*LIQUIDATEURS):
        sans = Agrement.objects.filter(fin__gte=timezone.localdate(), conventions__isnull=True).exclude(etat="retire")
        contexte["sans_convention"] = sans.select_related("structure__commune").order_by("debut", "pk")[:50]
    return render(request, "financements/conventions.html", contexte)


def _visible(request: Requete, pk: int) -> Convention:
    visibles = Convention.objects.visibles_par(request.user).pour_liste()
    return get_object_or_404(
        visibles.select_related("scan_partenaire", "scan_caf", "signee_par", "signee_partenaire_par", "avenant_de"),
        pk=pk,
    )


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def creer(request: Requete, agrement_pk: int) -> HttpResponse:
    agrement = get_object_or_404(Agrement.objects.select_related("structure__gestionnaire"), pk=agrement_pk)
    exiger(suit(request.user, agrement.structure))
    form = ConventionForm(
        request.POST if request.method == "POST" else None, initial={"dernier_exercice": agrement.fin.year}
    )
    if form.is_valid():
        try:
            convention = actions.creer(agrement, par=request.user, **form.cleaned_data)
        except Refus as refus:
            form.add_error("dernier_exercice", str(refus))
        except ValidationError as erreur:
            form.add_error(None, list(erreur.messages))
        else:
            messages.success(request, "La convention est préparée : le gestionnaire est prévenu.")
            return redirect(convention)
    contexte = {"agrement": agrement, "form": form, "titre": "Préparer une convention", "bouton": "Préparer"}
    return render(request, "financements/creer_convention.html", contexte, status=422 if form.is_bound else 200)


@lecture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk), ScanForm())


def _page(request: Requete, convention: Convention, form: ScanForm, statut: int = 200) -> HttpResponse:
    a_moi = (
        convention.etat == EtatConvention.A_SIGNER
        and Role.REPRESENTANT_LEGAL in roles_dans_la_structure(request.user, convention.structure_id)
    ) or (convention.etat == EtatConvention.SIGNEE_PARTENAIRE and request.user.tient(Role.RESPONSABLE))
    contexte = {
        "convention": convention,
        "form": form,
        "a_moi": a_moi,
        "avenants": convention.avenants.all(),
        "peut_avenant": convention.etat == EtatConvention.SIGNEE
        and request.user.est_agent
        and bool(suit(request.user, convention.structure)),
    }
    return render(request, "financements/convention.html", contexte, status=statut)


@ecriture
@ouverte_aux_connectes
def deposer_scan(request: Requete, pk: int) -> HttpResponse:
    convention = _visible(request, pk)
    form = ScanForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            actions.deposer_scan(
                convention,
                televerse=form.cleaned_data["fichier"],
                code=form.cleaned_data["code"],
                par=request.user,
            )
        except FichierRefuse as refus:
            form.add_error("fichier", str(refus))
        except actions.CodeIllisible as refus:
            form.add_error("code", str(refus))
        except Refus as refus:
            form.add_error("fichier", str(refus))
        else:
            messages.success(request, "L’exemplaire signé est reçu.")
            return redirect(convention)
    return _page(request, convention, form, 422)


@lecture
@ouverte_aux_connectes
def telecharger_scan(request: Requete, pk: int, partie: str) -> HttpResponseBase:
    convention = _visible(request, pk)
    fichier = {"gestionnaire": convention.scan_partenaire, "caf": convention.scan_caf}.get(partie)
    if fichier is None:
        raise Http404
    return servir(fichier.contenu, f"{convention.numero}-{partie}-{fichier.nom}", fichier.type_mime, en_ligne=True)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def avenant(request: Requete, pk: int) -> HttpResponse:
    convention = _visible(request, pk)
    exiger(suit(request.user, convention.structure))
    if convention.etat != EtatConvention.SIGNEE:
        raise PermissionDenied("Un avenant suppose une convention signée par les deux parties.")
    form = AvenantForm(
        request.POST if request.method == "POST" else None, initial={"dernier_exercice": convention.dernier_exercice}
    )
    if form.is_valid():
        try:
            nouvelle = actions.creer_avenant(convention, par=request.user, **form.cleaned_data)
        except Refus as refus:
            form.add_error("dernier_exercice", str(refus))
        else:
            messages.success(request, "L’avenant est préparé.")
            return redirect(nouvelle)
    contexte = {
        "agrement": convention.agrement,
        "form": form,
        "titre": "Préparer un avenant",
        "bouton": "Préparer l’avenant",
    }
    return render(request, "financements/creer_convention.html", contexte, status=422 if form.is_bound else 200)
