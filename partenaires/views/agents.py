"""Les agents de la Caf : qui a quel rôle, depuis quand ; inviter, donner, retirer, fermer."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from comptes.models import Fonction, Utilisateur
from partenaires import actions_agents as actions
from partenaires.droits import peut_gerer_les_agents
from partenaires.filtres import AgentFiltre
from partenaires.forms import AgentForm, MotifDeCompteForm, RetraitForm, RoleForm
from partenaires.transmission import suivi_par
from socle.listes import fragment, paginer
from socle.vues import refus_en_message, tenter

LECTEURS = (Role.ADMINISTRATEUR, Role.RESPONSABLE)


def _agents() -> Any:
    """Toute personne qui a tenu un jour un rôle de la Caf."""
    return Utilisateur.objects.filter(Exists(Fonction.objects.filter(utilisateur=OuterRef("pk"))))


@lecture
@reserve_a(*LECTEURS)
def liste(request: Requete) -> HttpResponse:
    jour = timezone.localdate()
    filtre = AgentFiltre(request.GET or None, queryset=_agents())
    retenus = filtre.qs if filtre.is_valid() else _agents()
    ouvertes = Q(secteurs__fin__isnull=True) & Q(secteurs__isnull=False)
    complets = retenus.prefetch_related(
        Prefetch("fonctions", Fonction.objects.filter(Q(fin__isnull=True) | Q(fin__gte=jour)).order_by("role", "debut"))
    ).annotate(
        communes=Count("secteurs", filter=ouvertes, distinct=True),
        gestionnaires=Count("portefeuille", filter=Q(portefeuille__fin__isnull=True), distinct=True),
        second_facteur=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)),
    )
    contexte = {
        "page": paginer(request, complets.order_by("nom", "prenom", "pk"), total=retenus),
        "filtre": filtre,
        "gere": bool(peut_gerer_les_agents(request.user)),
    }
    gabarit = "partenaires/agents/liste.html#resultats" if fragment(request) else "partenaires/agents/liste.html"
    return render(request, gabarit, contexte)


@lecture_ecriture
@reserve_a(Role.ADMINISTRATEUR)
def inviter(request: Requete) -> HttpResponse:
    form = AgentForm(request.POST if request.method == "POST" else None, initial={"debut": timezone.localdate()})
    if form.is_valid() and tenter(form, lambda: actions.inviter_un_agent(par=request.user, **form.cleaned_data)):
        messages.success(request, "Le compte est ouvert ; la personne reçoit son lien par courriel.")
        return redirect("partenaires:agents")
    return render(request, "partenaires/agents/inviter.html", {"form": form}, status=422 if form.is_bound else 200)


def _fiche(request: Requete, agent: Utilisateur, *, statut: int = 200, **formulaires: forms.BaseForm) -> HttpResponse:
    jour = timezone.localdate()
    contexte = {
        "agent": agent,
        "fonctions": agent.fonctions.order_by("-debut", "role"),
        "aujourd_hui": jour,
        "second_facteur": Authenticator.objects.filter(user=agent, type=Authenticator.Type.TOTP).exists(),
        "suivi": suivi_par(agent),
        "evenements": agent.evenements_de_compte.select_related("par")[:50],
        "gere": bool(peut_gerer_les_agents(request.user)),
        "donner": RoleForm(initial={"debut": jour}),
        **formulaires,
    }
    return render(request, "partenaires/agents/fiche.html", contexte, status=statut)


@lecture
@reserve_a(*LECTEURS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    return _fiche(request, get_object_or_404(_agents(), pk=pk))


@ecriture
@reserve_a(Role.ADMINISTRATEUR)
def donner(request: Requete, pk: int) -> HttpResponse:
    agent = get_object_or_404(_agents(), pk=pk)
    form = RoleForm(request.POST)
    if form.is_valid() and tenter(form, lambda: actions.donner_un_role(agent, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le rôle est donné.")
        return redirect("partenaires:agent", agent.pk)
    return _fiche(request, agent, statut=422, donner=form)


@lecture_ecriture
@reserve_a(Role.ADMINISTRATEUR)
def retirer(request: Requete, pk: int, fonction_pk: int) -> HttpResponse:
    agent = get_object_or_404(_agents(), pk=pk)
    fonction = get_object_or_404(agent.fonctions, pk=fonction_pk)
    form = RetraitForm(request.POST if request.method == "POST" else None, initial={"fin": timezone.localdate()})
    if form.is_valid() and tenter(
        form, lambda: actions.retirer_un_role(fonction, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le rôle est retiré.")
        return redirect("partenaires:agent", agent.pk)
    contexte = {"agent": agent, "form": form, "bouton": "Retirer ce rôle", "suivi": suivi_par(agent),
                "titre": f"Retirer un rôle : {fonction.get_role_display()}"}  # fmt: skip
    return render(request, "partenaires/agents/geste.html", contexte, status=422 if form.is_bound else 200)


_MOTIVES = {
    "fermer": ("Fermer le compte", actions.fermer_le_compte, "Le compte est fermé."),
    "oublier-second-facteur": (
        "Oublier le second facteur", actions.oublier_le_second_facteur,
        "Le second facteur est oublié : la personne en activera un autre à sa prochaine connexion.",
    ),
}  # fmt: skip
_DIRECTS = {
    "rouvrir": (actions.rouvrir_le_compte, "Le compte est rouvert."),
    "renvoyer": (actions.renvoyer_l_invitation_d_un_agent, "Une nouvelle invitation part."),
}


@lecture_ecriture
@reserve_a(Role.ADMINISTRATEUR)
def geste(request: Requete, pk: int, nom: str) -> HttpResponse:
    agent = get_object_or_404(_agents(), pk=pk)
    if nom in _DIRECTS and request.method == "POST":
        action, phrase = _DIRECTS[nom]
        with refus_en_message(request):
            action(agent, par=request.user)
            messages.success(request, phrase)
        return redirect("partenaires:agent", agent.pk)
    if nom not in _MOTIVES:
        raise Http404
    titre, motive, phrase = _MOTIVES[nom]
    form = MotifDeCompteForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: motive(agent, par=request.user, **form.cleaned_data)):
        messages.success(request, phrase)
        return redirect("partenaires:agent", agent.pk)
    suivi = suivi_par(agent) if nom == "fermer" else []
    contexte = {"agent": agent, "form": form, "titre": f"{titre} de {agent}", "bouton": titre, "suivi": suivi}
    return render(request, "partenaires/agents/geste.html", contexte, status=422 if form.is_bound else 200)
