"""Les paiements en série : valider une sélection, composer un lot, remettre l’ordre, lire le retour."""

from __future__ import annotations

import csv
import io

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.http import Requete
from documents.reponses import servir
from financements.actions import paiements as actions
from financements.choix import EtatPaiement, GestePaiement
from financements.donneur import donneur
from financements.droits import LIQUIDATEURS, paiement_possible
from financements.filtres import PaiementFiltre
from financements.forms import LotForm, MotifForm, RetourForm
from financements.models import Lot, Paiement
from financements.sepa import OrdreInvalide, RetourIllisible, lire_retour
from financements.views.droits import AGENTS
from socle.erreurs import Refus
from socle.listes import fragment, paginer
from socle.montants import ZERO
from socle.texte import accorde, entier

RETOUR_MAX = 10 * 1024 * 1024


@lecture
@reserve_a(*AGENTS)
def liste(request: Requete) -> HttpResponse:
    visibles = Paiement.objects.visibles_par(request.user)
    filtre = PaiementFiltre(request.GET or None, queryset=visibles, request=request)
    retenus = filtre.qs if filtre.is_valid() else visibles
    page = paginer(request, retenus.pour_liste(), total=retenus)
    paye = request.user.tient(*LIQUIDATEURS)
    contexte = {
        "page": page,
        "filtre": filtre,
        "lignes": [(p, paye and paiement_possible(GestePaiement.VALIDER, request.user, p)) for p in page],
        "somme": retenus.aggregate(somme=Sum("montant"))["somme"] or ZERO,
        "paye": paye,
    }
    gabarit = "financements/paiements.html#resultats" if fragment(request) else "financements/paiements.html"
    return render(request, gabarit, contexte)


def _cles(request: Requete) -> list[int]:
    return sorted({pk for cle in request.POST.getlist("paiement") if (pk := entier(cle)) is not None})


@ecriture
@reserve_a(*LIQUIDATEURS)
def valider(request: Requete) -> HttpResponse:
    """Valide une sélection ; chacun pour soi : un refus n’empêche pas les autres, et se dit."""
    valides, refus_dits = 0, []
    for paiement in Paiement.objects.filter(pk__in=_cles(request)).pour_liste():
        try:
            actions.valider(paiement, par=request.user)
            valides += 1
        except (Refus, PermissionDenied) as refus:
            refus_dits.append(f"{paiement} : {refus}")
    if valides:
        messages.success(request, f"{accorde(valides, 'paiement', 'validé')}.")
    for phrase in refus_dits[:10]:
        messages.warning(request, phrase)
    if not valides and not refus_dits:
        messages.warning(request, "Cochez au moins un paiement.")
    return redirect("financements:paiements")


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def annuler(request: Requete, pk: int) -> HttpResponse:
    paiement = get_object_or_404(Paiement.objects.visibles_par(request.user).pour_liste(), pk=pk)
    form = MotifForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.annuler(paiement, motif=form.cleaned_data["motif"], par=request.user)
        except Refus as refus:
            form.add_error(None, str(refus))
        else:
            messages.success(request, "Le paiement est annulé.")
            return redirect(paiement)
    contexte = {
        "sujet": paiement, "form": form, "titre": "Annuler un paiement", "bouton": "Annuler ce paiement",
        "montant": paiement.montant,
    }  # fmt: skip
    return render(request, "financements/geste_droit.html", contexte, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*AGENTS)
def lots(request: Requete) -> HttpResponse:
    prets = Paiement.objects.filter(etat=EtatPaiement.VALIDE).aggregate(somme=Sum("montant"))["somme"] or ZERO
    page = paginer(request, Lot.objects.select_related("cree_par"), total=Lot.objects.all())
    contexte = {"page": page, "prets": prets, "form": RetourForm(), "paye": request.user.tient(*LIQUIDATEURS)}
    return render(request, "financements/lots.html", contexte)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def creer_lot(request: Requete) -> HttpResponse:
    """Choisir parmi les paiements validés, fixer une date, ordonnancer : tout ou rien."""
    prets = Paiement.objects.filter(etat=EtatPaiement.VALIDE).pour_liste()
    form = LotForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            lot = actions.ordonnancer(
                _cles(request), execution_le=form.cleaned_data["execution_le"], donneur=donneur(), par=request.user
            )
        except Refus as refus:
            form.add_error(None, str(refus))
        except OrdreInvalide as erreur:
            form.add_error(None, f"L’ordre de virement serait refusé par la banque : {erreur}")
        else:
            messages.success(request, f"Le lot {lot.reference} est ordonnancé : remettez l’ordre à la comptabilité.")
            return redirect(lot)
    choisis = set(_cles(request)) if form.is_bound else {p.pk for p in prets}
    contexte = {
        "form": form,
        "prets": [(p, p.pk in choisis) for p in prets],
        "total": sum((p.montant for p in prets), ZERO),
        "aujourd_hui": timezone.localdate(),
    }
    return render(request, "financements/creer_lot.html", contexte, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*AGENTS)
def lot(request: Requete, pk: int) -> HttpResponse:
    retenu = get_object_or_404(Lot.objects.select_related("cree_par"), pk=pk)
    page = paginer(request, retenu.paiements.pour_liste().order_by("pk"), total=retenu.paiements.all())
    return render(request, "financements/lot.html", {"lot": retenu, "page": page})


@lecture
@reserve_a(*LIQUIDATEURS)
def ordre_xml(request: Requete, pk: int) -> HttpResponseBase:
    retenu = get_object_or_404(Lot, pk=pk)
    return servir(retenu.fichier, f"{retenu.reference}.xml", "application/xml")


@lecture
@reserve_a(*LIQUIDATEURS)
def ordre_csv(request: Requete, pk: int) -> HttpResponse:
    """Le même lot, pour la comptabilité : point-virgule, UTF-8 avec marque, montants à virgule."""
    retenu = get_object_or_404(Lot, pk=pk)
    flux = io.StringIO()
    ecrire = csv.writer(flux, delimiter=";")
    ecrire.writerow(["reference", "gestionnaire", "iban", "montant", "prestation", "exercice", "nature", "execution"])
    for p in retenu.paiements.pour_liste().order_by("pk"):
        gestionnaire = p.structure.gestionnaire
        sujet, exercice = (p.droit.prestation.sigle, p.droit.exercice) if p.droit else (p.libelle, p.propose_le.year)
        ecrire.writerow(
            [
                p.reference, _sans_formule(gestionnaire.nom), gestionnaire.iban,
                f"{p.montant - p.compense:.2f}".replace(".", ","), _sans_formule(sujet), exercice,
                p.get_nature_display(), retenu.execution_le.isoformat(),
            ]
        )  # fmt: skip
    reponse = HttpResponse("\ufeff" + flux.getvalue(), content_type="text/csv; charset=utf-8")
    reponse.headers["Content-Disposition"] = f'attachment; filename="{retenu.reference}.csv"'
    return reponse


def _sans_formule(texte: str) -> str:
    """Un tableur prendrait pour une formule ce qui commence ainsi : une apostrophe l’en empêche (OWASP)."""
    return f"'{texte}" if texte[:1] in ("=", "+", "-", "@", "\t", "\r") else texte


@ecriture
@reserve_a(*LIQUIDATEURS)
def retour(request: Requete) -> HttpResponse:
    """Lit le retour de la banque ; relu, il ne change plus rien."""
    form = RetourForm(request.POST, request.FILES)
    if form.is_valid():
        fichier = form.cleaned_data["fichier"]
        try:
            if fichier.size > RETOUR_MAX:
                raise RetourIllisible("Ce fichier dépasse 10 Mo : est-ce bien un retour de virements ?")
            bilan = actions.lire_retours(lire_retour(fichier.read(), fichier.name), par=request.user)
        except (RetourIllisible, Refus) as erreur:
            form.add_error("fichier", str(erreur))
        else:
            comptes = ((bilan.payes, "payé"), (bilan.rejetes, "rejeté"), (bilan.deja, "déjà connu"))
            phrase = ", ".join(accorde(nombre, mot) for nombre, mot in comptes) + "."
            messages.success(request, phrase)
            if bilan.inconnus:
                messages.warning(request, f"Références inconnues : {', '.join(bilan.inconnus[:10])}.")
            return redirect("financements:lots")
    page = paginer(request, Lot.objects.select_related("cree_par"))
    return render(
        request, "financements/lots.html", {"page": page, "prets": ZERO, "form": form, "paye": True}, status=422
    )
