"""Ce qu’un contrôle a entraîné : une page pour tout lire, une page par décision."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from agrements.choix import GesteAgrement
from agrements.cycle import SUR_PLACE_AGREMENT
from agrements.models import Agrement, ProcedureAgrement
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from controles.actions import sanctions, suites
from controles.choix import ETATS_DEFINITIFS, EtatSuite, Geste
from controles.consequences import etudier
from controles.cycle import SUR_PLACE
from controles.droits import a_ouvert, gestes_possibles, lit_les_constats, peut, peut_decider_de_la_suite
from controles.forms.controles import MotifForm
from controles.forms.suites import SaisirAgrementForm, SuspendreForm
from controles.models import Controle, Recommandation, SuiteFinanciere
from controles.views.commun import controle_visible, jouer
from financements.droits import LIQUIDATEURS
from financements.models import Droit
from socle.droits import exiger
from socle.vues import refus_en_message


def suites_lisibles(request: Requete, pk: int) -> Controle:
    """Le contrôle, si la personne peut en lire les suites : la structure, une fois le rapport définitif rendu."""
    controle = controle_visible(request, pk)
    if not request.user.est_agent and controle.etat not in ETATS_DEFINITIFS:
        raise Http404
    exiger(lit_les_constats(request.user, controle))
    return controle


def lien_des_suites(controle: Controle) -> str:
    return reverse("controles:suites", args=[controle.pk])


@lecture
@ouverte_aux_connectes
def page(request: Requete, pk: int) -> HttpResponse:
    """Toutes les conséquences d’un contrôle ; la structure lit les siennes, sans les gestes."""
    controle = suites_lisibles(request, pk)
    if not request.user.est_agent and not a_ouvert(controle):
        messages.info(request, "Ouvrez d’abord le rapport définitif : ses suites en découlent.")
        return redirect(controle)
    gestes = gestes_possibles(request.user, controle)
    procedures = ProcedureAgrement.objects.filter(sujet=f"controle-{controle.pk}")
    contexte = {
        "controle": controle,
        "onglet": "suites",
        "suites": _lignes(controle, decide=Geste.DECIDER_SUITE in gestes, agent=request.user.est_agent),
        "sans_effet": [e for e in etudier(controle) if not e.touche] if controle.etat in ETATS_DEFINITIFS else [],
        "gestes": gestes,
        "retenus": suites.retenus(controle),
        "sanctions_ouvertes": controle.regles.sanctions_actives,
        "a_sanctionner": Geste.PROPOSER_SANCTION in gestes and sanctions.manquements(controle),
        "sanctions": controle.sanctions.select_related("constat"),
        "procedures": procedures.select_related("agrement", "ouverte_par"),
        "peut_saisir": Geste.SAISIR_AGREMENT in gestes
        and controle.constats.filter(suites.MANQUEMENT_RETENU).exists()
        and bool(_en_cause(controle)),
        "recommandations": Recommandation.objects.filter(constat__controle=controle),
    }
    return render(request, "controles/suites/suites.html", contexte)


def _lignes(controle: Controle, *, decide: bool, agent: bool) -> list[dict[str, object]]:
    """Chaque suite, ce qu’on peut y faire, et où en est l’argent du droit ; deux requêtes."""
    liste = list(controle.suites.select_related("droit__prestation", "sur_version", "version_droit", "decide_par"))
    positions = {}
    if agent and liste:
        positions = {d.pk: d for d in Droit.objects.filter(pk__in=[s.droit_id for s in liste]).avec_position()}
    return [
        {
            "suite": suite,
            "ecart": suite.apres - suite.avant,
            "decide": decide and suite.etat == EtatSuite.A_DECIDER,
            "perimee": suite.etat == EtatSuite.A_DECIDER and not suite.sur_version.courante,
            "position": positions.get(suite.droit_id),
        }
        for suite in liste
    ]


def _suite(request: Requete, pk: int, suite_pk: int) -> SuiteFinanciere:
    controle = controle_visible(request, pk)
    visibles = SuiteFinanciere.objects.select_related(
        "droit__prestation", "droit__structure__gestionnaire", "sur_version__bareme__prestation"
    )
    suite: SuiteFinanciere = get_object_or_404(visibles, pk=suite_pk, controle=controle)
    suite.controle = controle
    exiger(peut_decider_de_la_suite(request.user, suite))
    return suite


def _close(request: Requete, suite: SuiteFinanciere) -> HttpResponse | None:
    if suite.etat == EtatSuite.A_DECIDER and suite.controle.etat in SUR_PLACE[Geste.DECIDER_SUITE]:
        return None
    messages.warning(request, f"Cette suite est « {suite.get_etat_display().lower()} » : il n’y a plus à décider.")
    return redirect("controles:suites", suite.controle_id)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def appliquer(request: Requete, pk: int, suite_pk: int) -> HttpResponse:
    """Avant, après, ligne par ligne ; le bouton fait la nouvelle version du droit et sa lettre."""
    suite = _suite(request, pk, suite_pk)
    if close := _close(request, suite):
        return close
    if request.method == "POST":
        with refus_en_message(request):
            suites.appliquer(suite, par=request.user)
            messages.success(request, "Le droit est revu : la lettre part à la structure.")
        return redirect("controles:suites", pk)
    contexte = {"controle": suite.controle, "suite": suite, "perimee": not suite.sur_version.courante}
    return render(request, "controles/suites/appliquer.html", contexte)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def ecarter(request: Requete, pk: int, suite_pk: int) -> HttpResponse:
    suite = _suite(request, pk, suite_pk)
    if close := _close(request, suite):
        return close
    return jouer(
        request, MotifForm(request.POST if request.method == "POST" else None),
        lambda **champs: suites.ecarter(suite, par=request.user, **champs),
        titre=f"Écarter la suite, {suite.droit.prestation} {suite.droit.exercice}", bouton="Écarter la suite",
        retour=lien_des_suites(suite.controle), controle=suite.controle,
        reussite="La suite est écartée ; le droit ne change pas.",
        chapeau="Le droit garde son montant. Votre raison reste au dossier.",
    )  # fmt: skip


@ecriture
@reserve_a(*LIQUIDATEURS)
def recalculer(request: Requete, pk: int, suite_pk: int) -> HttpResponse:
    suite = _suite(request, pk, suite_pk)
    with refus_en_message(request):
        suites.recalculer(suite, par=request.user)
        messages.success(request, "La suite est recalculée sur le droit en vigueur.")
    return redirect("controles:suites", pk)


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def suspendre(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.SUSPENDRE_VERSEMENTS, request.user, controle))
    libres = suites.a_suspendre(controle)
    if not libres or controle.etat not in SUR_PLACE[Geste.SUSPENDRE_VERSEMENTS]:
        messages.info(request, "Ce contrôle ne peut retenir aucun versement aujourd’hui.")
        return redirect(controle)
    return jouer(
        request, SuspendreForm(request.POST if request.method == "POST" else None, droits=libres),
        lambda **champs: suites.suspendre_versements(controle, par=request.user, **champs),
        titre="Suspendre des versements", bouton="Suspendre", grave=True, retour=controle.get_absolute_url(),
        controle=controle, reussite="Les versements sont suspendus : la lettre part à la structure.",
        chapeau="Un contrôle ne suspend pas, à lui seul, ce que la Caf verse. Cette décision est la vôtre, motivée, et "
        "la structure en reçoit la lettre ; les droits ne changent pas.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def reprendre(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.REPRENDRE_VERSEMENTS, request.user, controle))
    retenus = suites.retenus(controle)
    if not retenus:
        messages.info(request, "Ce contrôle ne retient aucun versement.")
        return redirect(controle)
    noms = ", ".join(f"{d.prestation} {d.exercice}" for d in retenus)
    return jouer(
        request, MotifForm(request.POST if request.method == "POST" else None),
        lambda **champs: suites.reprendre_versements(controle, par=request.user, **champs),
        titre="Reprendre les versements", bouton="Reprendre les versements", retour=controle.get_absolute_url(),
        controle=controle, reussite="Les versements reprennent : la lettre part à la structure.",
        chapeau=f"Retenus par ce contrôle : {noms}. La structure reçoit une lettre.",
    )  # fmt: skip


def _en_cause(controle: Controle) -> list[Agrement]:
    """Les agréments de la structure sur lesquels une procédure peut s’ouvrir."""
    vivants = SUR_PLACE_AGREMENT[GesteAgrement.OUVRIR_PROCEDURE]
    agrements = Agrement.objects.filter(structure=controle.structure_id, etat__in=vivants)
    return list(agrements.exclude(procedures__issue=""))


@lecture_ecriture
@reserve_a(Role.CONTROLEUR)
def saisir_agrement(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.SAISIR_AGREMENT, request.user, controle))
    en_cause = _en_cause(controle)
    manquements = list(controle.constats.filter(suites.MANQUEMENT_RETENU))
    if not en_cause or not manquements or controle.etat not in SUR_PLACE[Geste.SAISIR_AGREMENT]:
        messages.info(request, "Aucune procédure ne peut s’ouvrir sur l’agrément à partir de ce contrôle.")
        return redirect("controles:suites", pk)
    releves = {"motif": "\n".join(f"{c.libelle} : {c.faits}" for c in manquements)}
    return jouer(
        request,
        SaisirAgrementForm(request.POST if request.method == "POST" else None, agrements=en_cause, initial=releves),
        lambda **champs: suites.saisir_agrement(controle, par=request.user, **champs),
        titre="Ouvrir une procédure sur l’agrément", bouton="Ouvrir la procédure", grave=True,
        retour=lien_des_suites(controle), controle=controle,
        reussite="La procédure est ouverte : la structure est invitée à présenter ses observations.",
        chapeau="Rien n’est décidé : la structure répond d’abord, puis le responsable suspend, retire ou classe.",
    )  # fmt: skip
