"""Une sanction, du projet à la décision. Ces pages n’existent pas tant que les règles du contrôle les ferment."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from comptes.acces import lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from controles.actions import sanctions as actions
from controles.choix import EtatSanction, Geste
from controles.cycle import SUR_PLACE
from controles.droits import peut, peut_decider_de_la_sanction
from controles.forms.suites import DeciderSanctionForm, ObservationsForm, SanctionForm
from controles.models import Controle, Sanction
from controles.views.commun import controle_visible, jouer
from controles.views.suites import lien_des_suites, suites_lisibles
from socle.droits import exiger
from socle.vues import tenter


def _ouvertes(controle: Controle) -> None:
    if not controle.regles.sanctions_actives:
        raise Http404


@lecture_ecriture
@reserve_a(Role.CONTROLEUR)
def proposer(request: Requete, pk: int) -> HttpResponse:
    """Le manquement, le degré, l’exercice ; le montant de chaque choix est sous les yeux, personne ne le saisit."""
    controle = controle_visible(request, pk)
    _ouvertes(controle)
    exiger(peut(Geste.PROPOSER_SANCTION, request.user, controle))
    possibles = actions.manquements(controle)
    if not possibles or controle.etat not in SUR_PLACE[Geste.PROPOSER_SANCTION]:
        messages.info(request, "Aucun manquement retenu n’attend une sanction.")
        return redirect("controles:suites", pk)
    exercices = sorted({*controle.exercices, *(c.exercice for c in possibles if c.exercice)}, reverse=True)
    echelle = controle.regles.echelle_lue
    form = SanctionForm(
        request.POST if request.method == "POST" else None, constats=possibles, degres=echelle, exercices=exercices
    )
    if form.is_valid() and tenter(form, lambda: actions.proposer(controle, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le projet de sanction part à la structure ; elle peut y répondre.")
        return redirect("controles:suites", pk)
    bases = [(exercice, *actions.base_de(controle, exercice)) for exercice in exercices]
    contexte = {
        "controle": controle,
        "form": form,
        "retour": lien_des_suites(controle),
        "degres": echelle,
        "bases": [(e, base, dite, [actions.montant_de(base, d) for d in echelle]) for e, base, dite in bases],
    }
    return render(request, "controles/suites/proposer.html", contexte, status=422 if form.errors else 200)


def _sanction(request: Requete, pk: int, sanction_pk: int) -> Sanction:
    controle = suites_lisibles(request, pk)
    _ouvertes(controle)
    completes = Sanction.objects.select_related(
        "constat", "proposee_par", "decidee_par", "observations_par", "acte_projet", "acte_decision"
    )
    sanction: Sanction = get_object_or_404(completes, pk=sanction_pk, controle=controle)
    sanction.controle = controle
    return sanction


@lecture
@ouverte_aux_connectes
def page(request: Requete, pk: int, sanction_pk: int) -> HttpResponse:
    sanction = _sanction(request, pk, sanction_pk)
    controle = sanction.controle
    ouverte = sanction.etat == EtatSanction.PROPOSEE and controle.etat in SUR_PLACE[Geste.DECIDER_SANCTION]
    obstacle = actions.trop_tot(sanction)
    decideur = ouverte and bool(peut_decider_de_la_sanction(request.user, sanction))
    attendue = ouverte and sanction.observations_le is None
    contexte = {
        "controle": controle,
        "onglet": "suites",
        "sanction": sanction,
        "observe": attendue and bool(peut(Geste.OBSERVER_SANCTION, request.user, controle)),
        "decide": decideur and not obstacle,
        "obstacle": obstacle if decideur else "",
    }
    return render(request, "controles/suites/sanction.html", contexte)


@lecture_ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL)
def observer(request: Requete, pk: int, sanction_pk: int) -> HttpResponse:
    sanction = _sanction(request, pk, sanction_pk)
    exiger(peut(Geste.OBSERVER_SANCTION, request.user, sanction.controle))
    retour = reverse("controles:sanction", args=[pk, sanction_pk])
    if sanction.etat != EtatSanction.PROPOSEE or sanction.observations_le is not None:
        messages.info(request, "Aucune observation n’est attendue de vous sur cette sanction.")
        return redirect(retour)
    return jouer(
        request, ObservationsForm(request.POST if request.method == "POST" else None),
        lambda **champs: actions.observer(sanction, par=request.user, **champs),
        titre="Présenter vos observations", bouton="Envoyer", retour=retour, controle=sanction.controle,
        reussite="Vos observations sont envoyées à la Caf.",
        chapeau="La Caf les lit avant de décider. Rien n’est prononcé aujourd’hui.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def decider(request: Requete, pk: int, sanction_pk: int) -> HttpResponse:
    sanction = _sanction(request, pk, sanction_pk)
    exiger(peut_decider_de_la_sanction(request.user, sanction))
    retour = reverse("controles:sanction", args=[pk, sanction_pk])
    obstacle = actions.trop_tot(sanction)
    if sanction.etat != EtatSanction.PROPOSEE or obstacle:
        messages.warning(request, obstacle or "Cette sanction est déjà décidée.")
        return redirect(retour)
    return jouer(
        request, DeciderSanctionForm(request.POST if request.method == "POST" else None),
        lambda **champs: actions.decider(sanction, par=request.user, **champs),
        titre="Décider de la sanction", bouton="Enregistrer la décision", grave=True, retour=retour,
        controle=sanction.controle, reussite="La décision est enregistrée : la lettre part à la structure.",
        chapeau="La structure a été entendue, ou son délai est passé. Votre décision part en lettre, avec vos raisons "
        "et les voies de recours.",
    )  # fmt: skip
