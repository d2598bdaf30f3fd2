"""Qui apprend quoi du plan : le responsable qu’il attend, les contrôleurs ce qui leur est confié, nul autre."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from controles.models import Controle, LignePlan, PlanControle
from courriers.actions import annoncer
from partenaires.interlocuteurs import agents
from socle.texte import accorde


def _annoncer(
    plan: PlanControle, evenement: str, destinataires: Iterable[Utilisateur], texte: str, *, sauf: Utilisateur
) -> None:
    """L’instant distingue deux passages par le même état ; le plan est verrouillé, il n’y en a qu’un à la fois."""
    annoncer(
        cle=f"plan-{plan.pk}-{evenement}-{timezone.now():%Y%m%d%H%M%S%f}",
        destinataires=destinataires,
        texte=texte,
        lien=plan.get_absolute_url(),
        sujet=f"Du nouveau sur le plan de contrôle {plan.annee}",
        gabarit="controles/courriels/du_plan",
        contexte={"annee": plan.annee},
        sauf=sauf,
    )


def soumis(plan: PlanControle, *, par: Utilisateur) -> None:
    responsables = [a for a in agents(Role.RESPONSABLE) if not a.tient(Role.CONTROLEUR)]
    texte = f"{par} vous soumet le plan de contrôle {plan.annee} : validez-le, ou renvoyez-le avec vos raisons."
    _annoncer(plan, "soumis", responsables, texte, sauf=par)


def renvoye(plan: PlanControle, *, par: Utilisateur) -> None:
    texte = f"{par} renvoie le plan de contrôle {plan.annee} : lisez ce qui est à reprendre."
    _annoncer(plan, "renvoye", agents(Role.CONTROLEUR), texte, sauf=par)


def valide(plan: PlanControle, lignes: Sequence[LignePlan], *, par: Utilisateur) -> None:
    confies = Counter(ligne.controleur for ligne in lignes)
    for controleur, nombre in confies.items():
        assert controleur is not None  # une ligne sans contrôleur empêche de valider
        texte = f"Le plan de contrôle {plan.annee} est validé : {accorde(nombre, 'contrôle')} pour vous."
        _annoncer(plan, "valide", [controleur], texte, sauf=par)


def programme(controle: Controle, *, par: Utilisateur) -> None:
    """Un contrôle décidé hors du plan."""
    annoncer(
        cle=f"controle-{controle.pk}-programme",
        destinataires=[controle.controleur],
        texte=f"{par} vous confie un contrôle hors du plan : {controle.structure}.",
        lien=controle.get_absolute_url(),
        sujet=f"Un contrôle vous est confié : {controle.numero}",
        gabarit="controles/courriels/controle_confie",
        contexte={"numero": controle.numero},
        sauf=par,
    )
