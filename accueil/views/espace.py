"""La première page de chaque rôle."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accueil import a_faire, aides, argent, controles, visites
from agrements.choix import ETATS_OUVERTS, Etat
from agrements.etapes import frise
from agrements.models import Dossier, Seance
from comptes.acces import ecriture, lecture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from partenaires.actions import traiter_contact
from partenaires.models import roles_dans_la_structure


@lecture
@ouverte_aux_connectes
def espace(request: Requete) -> HttpResponse:
    if request.user.est_agent:
        return render(request, "accueil/espace_agent.html", _agent(request))
    return render(request, "accueil/espace_structure.html", _structure(request))


def _structure(request: Requete) -> dict[str, Any]:
    aujourd_hui = timezone.localdate()
    structure = request.structure
    if not structure:
        return {"structure": None}
    roles = roles_dans_la_structure(request.user, structure.pk)
    dossiers = structure.dossiers.avec_lecture().select_related("charge", "structure")
    dossier = dossiers.order_by("-cree_le", "-pk").first()
    return {
        "structure": structure,
        "taches": a_faire.trier(
            a_faire.pour_la_structure(structure, roles, aujourd_hui)
            + argent.pour_la_structure(structure, roles, aujourd_hui)
            + aides.pour_la_structure(structure, roles, aujourd_hui)
            + controles.pour_la_structure(structure, roles, aujourd_hui)
            + visites.pour_la_structure(structure, roles, aujourd_hui)
        ),
        "dossier": dossier,
        "frise": frise(dossier, list(dossier.evenements.all()), agent=False) if dossier else [],
        "agrements": structure.agrements.visibles_par(request.user).order_by("-fin")[:4],
        "nouvelles": request.user.notifications.all()[:5],
    }


def _agent(request: Requete) -> dict[str, Any]:
    agent = request.user
    aujourd_hui = timezone.localdate()
    contexte: dict[str, Any] = {
        "taches": [],
        "controles": None,
        "contacts": [],
        "seances": Seance.objects.a_venir(aujourd_hui)[:4],
    }
    visibles = Dossier.objects.visibles_par(agent)
    if agent.tient(Role.SECRETARIAT):
        contexte["taches"] = a_faire.pour_le_secretariat(agent, aujourd_hui)
    elif agent.tient(Role.CHARGE_CONSEIL, Role.RESPONSABLE):
        tous = agent.tient(Role.RESPONSABLE)
        contexte["taches"] = a_faire.pour_l_instruction(agent, aujourd_hui, tous=tous)
        if not tous:
            visibles = visibles.suivis_par(agent, aujourd_hui)
    contexte["taches"] = a_faire.trier(
        contexte["taches"]
        + argent.pour_la_caf(agent, aujourd_hui)
        + aides.pour_la_caf(agent, aujourd_hui)
        + controles.pour_la_caf(agent, aujourd_hui)
        + visites.pour_la_caf(agent, aujourd_hui)
    )
    if agent.roles == {Role.CONTROLEUR}:  # ni dossiers ni échéances : ses contrôles
        return {**contexte, "controles": visites.comptes(agent)}
    comptes = dict(visibles.filter(etat__in=ETATS_OUVERTS).values_list("etat").annotate(n=Count("pk")))
    contexte["comptes"] = [(e.label, e.value, comptes[e.value]) for e in Etat if e.value in comptes]
    contexte["echeances"] = a_faire.echeances(agent, aujourd_hui)
    contexte["contacts"] = agent.demandes_de_contact.filter(traitee_le__isnull=True).select_related("commune")[:20]
    contexte["mes_dossiers"] = agent.tient(Role.CHARGE_CONSEIL)
    return contexte


@ecriture
@reserve_a(Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR)
def contact_traite(request: Requete, pk: int) -> HttpResponse:
    demande = get_object_or_404(request.user.demandes_de_contact, pk=pk)
    traiter_contact(demande, par=request.user)
    messages.success(request, "La demande est marquée traitée.")
    return redirect("accueil:espace")
