"""La procédure contradictoire sur un agrément : l’ouvrir, y répondre, la clore sans suite."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from agrements.actions import agrements as vie
from agrements.choix import GesteAgrement
from agrements.cycle import SUR_PLACE_AGREMENT
from agrements.droits import peut_clore, peut_sur_agrement
from agrements.forms import MotifForm, ObservationsForm, ProcedureForm
from agrements.models import Agrement, ProcedureAgrement
from agrements.views.vie import agrement_visible
from comptes.acces import lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from socle.droits import exiger
from socle.vues import tenter


def _ouverte(agrement: Agrement) -> ProcedureAgrement | None:
    return agrement.procedures.filter(issue="").select_related("agrement", "ouverte_par").first()


def _page(request: Requete, agrement: Agrement, **contexte: object) -> HttpResponse:
    form = contexte["form"]
    statut = 422 if getattr(form, "is_bound", False) else 200
    return render(request, "agrements/procedure.html", {"agrement": agrement, **contexte}, status=statut)


@lecture_ecriture
@reserve_a(Role.CHARGE_CONSEIL, Role.RESPONSABLE)
def ouvrir(request: Requete, pk: int) -> HttpResponse:
    agrement = agrement_visible(request, pk)
    exiger(peut_sur_agrement(GesteAgrement.OUVRIR_PROCEDURE, request.user, agrement))
    if agrement.etat not in SUR_PLACE_AGREMENT[GesteAgrement.OUVRIR_PROCEDURE] or _ouverte(agrement):
        messages.warning(request, "Aucune procédure ne peut s’ouvrir sur cet agrément aujourd’hui.")
        return redirect(agrement)
    form = ProcedureForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: vie.ouvrir_procedure(agrement, par=request.user, **form.cleaned_data), champ="motif"
    ):
        messages.success(request, "La procédure est ouverte : la lettre part à la structure.")
        return redirect(agrement)
    return _page(
        request, agrement, form=form, titre="Ouvrir une procédure", bouton="Ouvrir la procédure", grave=True,
        phrases=[
            f"La structure est invitée à présenter ses observations sous {vie.OBSERVATIONS_JOURS} jours ; rien n’est "
            "décidé. Un autre que vous suspendra, retirera ou classera.",
            "Ce que vous écrivez est repris mot pour mot dans la lettre.",
        ],
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL)
def observer(request: Requete, pk: int) -> HttpResponse:
    agrement = agrement_visible(request, pk)
    exiger(peut_sur_agrement(GesteAgrement.OBSERVER, request.user, agrement))
    procedure = _ouverte(agrement)
    if procedure is None or procedure.observations_le is not None:
        messages.info(request, "Aucune observation n’est attendue de vous sur cet agrément.")
        return redirect(agrement)
    form = ObservationsForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: vie.observer(procedure, par=request.user, **form.cleaned_data), champ="observations"
    ):
        messages.success(request, "Vos observations sont envoyées à la Caf.")
        return redirect(agrement)
    return _page(
        request, agrement, form=form, procedure=procedure, titre="Présenter vos observations", bouton="Envoyer",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def clore(request: Requete, pk: int) -> HttpResponse:
    agrement = agrement_visible(request, pk)
    procedure = _ouverte(agrement)
    if procedure is None:
        messages.info(request, "Aucune procédure n’est ouverte sur cet agrément.")
        return redirect(agrement)
    exiger(peut_clore(request.user, procedure))
    form = MotifForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: vie.clore_sans_suite(procedure, par=request.user, **form.cleaned_data), champ="motif"
    ):
        messages.success(request, "La procédure est close sans suite.")
        return redirect(agrement)
    return _page(
        request, agrement, form=form, procedure=procedure, titre="Clore la procédure sans suite",
        bouton="Clore sans suite", phrases=["L’agrément reste ce qu’il est. La structure lit vos raisons."],
    )  # fmt: skip
