"""Qui suit quoi à la Caf : secteurs, portefeuilles, absences."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from comptes.acces import lecture_ecriture, reserve_a
from comptes.choix import ROLES_CAF, Role
from comptes.http import Requete
from comptes.models import Utilisateur
from partenaires import actions_secteurs as actions
from partenaires.forms import AbsenceForm, MonAbsenceForm, TransmettrePortefeuilleForm, TransmettreSecteurForm
from partenaires.interlocuteurs import charges_par_commune
from partenaires.models import AffectationGestionnaire, Commune, Suppleance
from socle.erreurs import Refus
from socle.texte import accorde, cle_de_tri


@lecture_ecriture
@reserve_a(Role.RESPONSABLE, Role.ADMINISTRATEUR)
def secteurs(request: Requete) -> HttpResponse:
    """Qui suit quoi ; transmettre un secteur ou un portefeuille en un geste, déclarer une absence."""
    classes = {"secteur": TransmettreSecteurForm, "portefeuille": TransmettrePortefeuilleForm, "absence": AbsenceForm}
    geste = request.POST.get("geste", "")
    formulaires: dict[str, Any] = {
        nom: classe(request.POST if nom == geste else None, prefix=nom) for nom, classe in classes.items()
    }
    form = formulaires.get(geste)
    if form is not None and form.is_valid():
        try:
            messages.success(request, _agir(request, geste, form.cleaned_data))
            return redirect("partenaires:secteurs")
        except (Refus, ValidationError) as erreur:
            form.add_error(None, erreur if isinstance(erreur, ValidationError) else str(erreur))
    contexte = {**_tableau(), "formulaires": formulaires}
    return render(request, "partenaires/secteurs.html", contexte, status=422 if request.method == "POST" else 200)


def _agir(request: Requete, geste: str, donnees: dict[str, Any]) -> str:
    """Fait le geste et rend la phrase de réussite. Lève Refus, ValidationError."""
    if geste == "secteur":
        nombre = actions.transmettre_secteur(par=request.user, communes=None, **donnees)
        return f"{accorde(nombre, 'commune', 'transmise')}."
    if geste == "portefeuille":
        nombre = actions.transmettre_portefeuille(par=request.user, **donnees)
        return f"{accorde(nombre, 'gestionnaire')} transmis."
    actions.declarer_absence(par=request.user, **donnees)
    return "L’absence est déclarée ; le suppléant est prévenu et voit les dossiers."


def _par_nom(agent: Utilisateur) -> str:
    return cle_de_tri(f"{agent.nom} {agent.prenom}")


def _tableau() -> dict[str, Any]:
    aujourd_hui = timezone.localdate()
    noms = dict(Commune.objects.values_list("pk", "nom"))
    suivies: dict[Utilisateur, list[str]] = {}
    orphelines = dict(noms)
    for commune_id, agent in charges_par_commune(noms, aujourd_hui).items():
        suivies.setdefault(agent, []).append(orphelines.pop(commune_id))
    en_poste = Utilisateur.objects.filter(fonctions__role=Role.CHARGE_CONSEIL).distinct()
    agents = {a.pk: a for a in (*en_poste, *suivies)}.values()
    charges = [{"agent": a, "communes": sorted(suivies.get(a, []))} for a in sorted(agents, key=_par_nom)]
    portefeuilles: dict[Utilisateur, list[str]] = {
        t: [] for t in Utilisateur.objects.filter(fonctions__role=Role.TECHNICIEN_CONSEIL).distinct()
    }
    for affectation in AffectationGestionnaire.objects.en_cours(aujourd_hui).select_related("agent", "gestionnaire"):
        portefeuilles.setdefault(affectation.agent, []).append(str(affectation.gestionnaire))
    absences = Suppleance.objects.filter(fin__gte=aujourd_hui).select_related("absent", "suppleant")
    return {
        "charges": charges,
        "orphelines": sorted(orphelines.values()),
        "techniciens": [
            {"agent": t, "gestionnaires": sorted(portefeuilles[t], key=cle_de_tri)}
            for t in sorted(portefeuilles, key=_par_nom)
        ],
        "absences": absences,
    }


@lecture_ecriture
@reserve_a(*sorted(ROLES_CAF))
def mon_absence(request: Requete) -> HttpResponse:
    """Un agent dit quand il s’absente et qui le supplée, sans passer par son responsable."""
    form = MonAbsenceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.declarer_absence(par=request.user, absent=request.user, **form.cleaned_data)
        except (Refus, ValidationError) as erreur:
            form.add_error(None, erreur if isinstance(erreur, ValidationError) else str(erreur))
        else:
            messages.success(request, "Votre absence est déclarée ; votre suppléant est prévenu.")
            return redirect("partenaires:mon_absence")
    absences = Suppleance.objects.filter(absent=request.user, fin__gte=timezone.localdate()).select_related("suppleant")
    contexte = {"form": form, "absences": absences}
    return render(request, "partenaires/mon_absence.html", contexte, status=422 if form.is_bound else 200)
