"""Les prêts : tableau d’amortissement, mandat, prélèvements, impayés, remboursement anticipé."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from aides.actions import prets
from aides.choix import EtatEcheance, EtatPret, Geste, ModeAnticipe
from aides.droits import gestes_possibles, peut
from aides.forms import AnticipeForm, ConstaterForm, MandatForm, PreleverForm
from aides.models import EcheancePret, LotPrelevement, Pret
from aides.views.argent import decidee
from aides.views.commun import page_formulaire
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.reponses import servir
from financements.donneur import creancier
from financements.droits import LIQUIDATEURS
from financements.forms import RetourForm
from financements.sepa import OrdreInvalide, RetourIllisible, lire_retour
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import paginer
from socle.montants import ZERO
from socle.texte import accorde, entier
from socle.vues import tenter


def _pret(request: Requete, pk: int) -> Pret:
    demande = decidee(request, pk)
    pret = getattr(demande, "pret", None)
    if pret is None:
        raise Http404
    return pret


@lecture
@ouverte_aux_connectes
def pret(request: Requete, pk: int) -> HttpResponse:
    """Le tableau d’amortissement, ce qui est payé, ce qui vient."""
    trouve = _pret(request, pk)
    echeances = prets.en_vigueur(trouve)
    solde = prets.solde_anticipe(trouve, timezone.localdate()) if trouve.premiere_echeance else None
    contexte = {
        "demande": trouve.demande,
        "pret": trouve,
        "echeances": echeances,
        "reste": prets.capital_restant(trouve),
        "solde": solde if trouve.etat == EtatPret.EN_COURS else None,
        "anticipes": list(trouve.anticipes.select_related("par")),
        "gestes": gestes_possibles(request.user, trouve.demande),
        "onglet": "pret",
        "interets": sum((e.interets for e in echeances), ZERO),
    }
    return render(request, "aides/pret.html", contexte)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def mandat(request: Requete, pk: int) -> HttpResponse:
    trouve = _pret(request, pk)
    exiger(peut(Geste.GERER_PRET, request.user, trouve.demande))
    form = MandatForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: prets.enregistrer_mandat(trouve, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le mandat est gardé ; le tableau d’amortissement est notifié.")
        return redirect(trouve)
    return page_formulaire(
        request, form, titre="Enregistrer le mandat", bouton="Enregistrer", retour=trouve.get_absolute_url(),
        chapeau=f"Prêt « {trouve.demande.intitule} ».",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def constater(request: Requete, pk: int, echeance_pk: int) -> HttpResponse:
    trouve = _pret(request, pk)
    exiger(peut(Geste.GERER_PRET, request.user, trouve.demande))
    echeance = get_object_or_404(trouve.echeances.select_related("pret__demande"), pk=echeance_pk)
    initial = {"le": timezone.localdate(), "payee": "oui"}
    form = ConstaterForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid() and tenter(form, lambda: prets.constater(echeance, par=request.user, **form.cleaned_data)):
        messages.success(request, "L’échéance est constatée.")
        return redirect(trouve)
    return page_formulaire(
        request, form, titre=f"Constater l’échéance {echeance.rang}", bouton="Constater",
        retour=trouve.get_absolute_url(), chapeau=trouve.demande.intitule, suite={"Échéance": echeance.total},
    )  # fmt: skip


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def anticiper(request: Requete, pk: int) -> HttpResponse:
    trouve = _pret(request, pk)
    exiger(peut(Geste.GERER_PRET, request.user, trouve.demande))
    if trouve.etat != EtatPret.EN_COURS:
        messages.warning(request, "Ce prêt n’est pas en remboursement.")
        return redirect(trouve)
    initial = {"le": timezone.localdate(), "mode": ModeAnticipe.DUREE}
    form = AnticipeForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid() and tenter(form, lambda: prets.rembourser(trouve, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le remboursement est enregistré.")
        return redirect(trouve)
    capital, interets = prets.solde_anticipe(trouve, timezone.localdate())
    return page_formulaire(
        request, form, titre="Remboursement anticipé", bouton="Enregistrer", retour=trouve.get_absolute_url(),
        chapeau=trouve.demande.intitule,
        suite={"Capital restant dû": capital, "Intérêts courus aujourd’hui, pour un remboursement total": interets},
    )  # fmt: skip


AGENTS = (
    Role.CHARGE_CONSEIL, Role.TECHNICIEN_CONSEIL, Role.CONTROLEUR, Role.SECRETARIAT, Role.RESPONSABLE,
    Role.ADMINISTRATEUR,
)  # fmt: skip


@lecture
@reserve_a(*AGENTS)
def liste_prets(request: Requete) -> HttpResponse:
    """Les prêts, leur reste dû et leurs impayés ; les lots de prélèvement partis."""
    tous = Pret.objects.select_related("demande__structure__commune", "demande__version__dispositif").order_by("-pk")
    page = paginer(request, tous, total=Pret.objects.all())
    ids = [p.pk for p in page]
    restes: dict[int, Any] = dict.fromkeys(ids, ZERO)
    impayes = dict.fromkeys(ids, 0)
    for e in EcheancePret.objects.filter(pret__in=ids, etat__in=prets.DUES):
        restes[e.pret_id] += e.capital
        impayes[e.pret_id] += e.etat == EtatEcheance.IMPAYEE
    contexte = {
        "page": page,
        "lignes": [(p, restes[p.pk], impayes[p.pk]) for p in page],
        "lots": LotPrelevement.objects.select_related("cree_par")[:10],
        "preleve": request.user.tient(*LIQUIDATEURS),
        "form": RetourForm(),
    }
    return render(request, "aides/prets.html", contexte)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def prelever(request: Requete) -> HttpResponse:
    """Choisir parmi les échéances dues, fixer une date, faire partir l’ordre : tout ou rien."""
    form = PreleverForm(
        request.POST if request.method == "POST" else None, initial={"execution_le": timezone.localdate()}
    )
    valide = form.is_valid()
    jusqu_au = form.cleaned_data["execution_le"] if valide else timezone.localdate()
    dues = prets.a_prelever(jusqu_au)
    cles = sorted({pk for cle in request.POST.getlist("echeance") if (pk := entier(cle)) is not None})
    if valide and "partir" in request.POST:
        try:
            lot = prets.prelever(cles, execution_le=jusqu_au, creancier=creancier(), par=request.user)
        except Refus as refus:
            form.add_error(None, str(refus))
        except OrdreInvalide as erreur:
            form.add_error(None, f"L’ordre serait refusé par la banque : {erreur}")
        else:
            messages.success(request, f"Le lot {lot.reference} est parti : remettez l’ordre à la banque.")
            return redirect("aides:prets")
    choisies = set(cles) if "partir" in request.POST else {e.pk for e in dues}
    contexte = {
        "form": form,
        "dues": [(e, e.pk in choisies) for e in dues],
        "total": sum((e.total for e in dues), ZERO),
    }
    return render(request, "aides/prelever.html", contexte, status=422 if form.errors else 200)


@ecriture
@reserve_a(*LIQUIDATEURS)
def retour(request: Requete) -> HttpResponse:
    """Lit le compte rendu de la banque ; relu, il ne change plus rien."""
    form = RetourForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.warning(request, "Choisissez le fichier que la banque a rendu.")
        return redirect("aides:prets")
    fichier = form.cleaned_data["fichier"]
    try:
        payees, impayees, inconnues = prets.lire_retours(lire_retour(fichier.read(), fichier.name), par=request.user)
    except (RetourIllisible, Refus) as erreur:
        messages.warning(request, str(erreur))
    else:
        messages.success(request, f"{accorde(payees, 'échéance', 'payée')}, {accorde(impayees, 'impayée')}.")
        if inconnues:
            messages.warning(request, f"Références inconnues : {', '.join(inconnues[:10])}.")
    return redirect("aides:prets")


@lecture
@reserve_a(*LIQUIDATEURS)
def ordre(request: Requete, lot_pk: int) -> HttpResponseBase:
    lot = get_object_or_404(LotPrelevement, pk=lot_pk)
    return servir(lot.fichier, f"{lot.reference}.xml", "application/xml")
