"""Les règles du contrôle : les lire en mots, les écrire, les faire publier par un autre."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from controles.actions import regles as actions
from controles.choix import EtatRegles
from controles.delais import delai_dit
from controles.droits import peut_publier, peut_regler
from controles.forms.regles import LISTES, REGLAGES, SaisieDeRegles
from controles.models import ReglesControle
from controles.referentiel import CRITERES, Critere, Poids
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import paginer
from socle.montants import nombre_fr
from socle.texte import accorde
from socle.vues import refus_en_message

LECTEURS = (Role.CONTROLEUR, Role.RESPONSABLE, Role.ADMINISTRATEUR)
REGLEURS = (Role.ADMINISTRATEUR, Role.RESPONSABLE)


def _en_vigueur() -> ReglesControle | None:
    return ReglesControle.objects.en_vigueur(timezone.localdate())


@lecture
@reserve_a(*LECTEURS)
def liste(request: Requete) -> HttpResponse:
    """Quelles règles valent aujourd’hui, lesquelles viennent, lesquelles ont valu."""
    versions = ReglesControle.objects.exclude(etat=EtatRegles.ABANDONNEE)
    contexte = {
        "page": paginer(request, versions.select_related("saisie_par", "publiee_par"), total=versions),
        "en_vigueur": _en_vigueur(),
        "regle": bool(peut_regler(request.user)),
    }
    return render(request, "controles/regles/liste.html", contexte)


def _palier_dit(poids: Poids) -> str:
    """« 15 % au moins : 2 points » ; d’un critère qui dit oui ou non : « 3 points »."""
    unite = CRITERES[poids.critere].unite
    points = accorde(poids.points, "point")
    if not unite:
        return points
    espace = "\u00a0" if unite[0] in "%€" else " "
    return f"{nombre_fr(poids.seuil)}{espace}{unite} : {points}"


def poids_en_mots(poids: tuple[Poids, ...]) -> list[tuple[str, list[str]]]:
    """Par critère réglé, ses paliers en phrases, du plus petit seuil au plus grand."""
    rendus = []
    for critere, mesure in CRITERES.items():
        siens = sorted((p for p in poids if p.critere == Critere(critere)), key=lambda p: p.seuil)
        if siens:
            rendus.append((mesure.libelle, [_palier_dit(p) for p in siens]))
    return rendus


@lecture
@reserve_a(*LECTEURS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    """Une version, entière et en mots."""
    regles = get_object_or_404(ReglesControle.objects.select_related("saisie_par", "publiee_par"), pk=pk)
    brouillon = regles.etat == EtatRegles.BROUILLON
    verdict = peut_publier(request.user, regles)
    poids = poids_en_mots(regles.poids_lus)
    sans_points = {m.libelle for m in CRITERES.values()} - {libelle for libelle, _ in poids}
    contexte = {
        "regles": regles,
        "en_vigueur": regles == _en_vigueur(),
        "brouillon": brouillon,
        "publiable": brouillon and bool(verdict),
        "raison": verdict.motif if brouillon else "",
        "regle": bool(peut_regler(request.user)),
        "poids": poids,
        "sans_points": [m.libelle for m in CRITERES.values() if m.libelle in sans_points],
        "themes": _par_theme(regles),
        "reponse": delai_dit(regles.reponse_jours, ouvres=regles.reponse_ouvres),
        "echelle": [(degre, nombre_fr(degre.taux * 100)) for degre in regles.echelle_lue],
        "usages": {"plans": regles.plans.count(), "controles": regles.controles.count()},
    }
    return render(request, "controles/regles/fiche.html", contexte)


def _par_theme(regles: ReglesControle) -> dict[str, list[Any]]:
    themes: dict[str, list[Any]] = {}
    for point in regles.points_lus:
        themes.setdefault(point.theme, []).append(point)
    return themes


def _formulaire(request: Requete, saisie: SaisieDeRegles, titre: str, retour: str) -> HttpResponse:
    listes = [(LISTES[c][0], c, lignes, saisie.erreurs.get(c, [])) for c, lignes in saisie.listes.items()]
    contexte = {
        "form": saisie.reglage,
        "poids": saisie.poids,
        "lignes_de_poids": saisie.poids.lignes(),
        "erreurs_de_poids": saisie.erreurs.get("poids", []),
        "listes": listes,
        "titre": titre,
        "retour": retour,
    }
    return render(request, "controles/regles/ecrire.html", contexte, status=422 if saisie.lie else 200)


def _ecrire(request: Requete, saisie: SaisieDeRegles, brouillon: ReglesControle | None) -> ReglesControle | None:
    """Garde le brouillon ; un refus revient près de ce qu’il dit, et rien de ce qui est écrit n’est perdu."""
    if not saisie.valide():
        return None
    try:
        if brouillon is not None:
            return actions.corriger(brouillon, par=request.user, **saisie.champs())
        return actions.saisir(par=request.user, **saisie.champs())
    except ValidationError as erreur:
        saisie.refuser(erreur)
    except Refus as refus:
        saisie.reglage.add_error(None, str(refus))
    return None


def _initial(modele: ReglesControle | None) -> dict[str, Any]:
    return {nom: getattr(modele, nom) for nom in REGLAGES} if modele else {"reponse_ouvres": True}


@lecture_ecriture
@reserve_a(*REGLEURS)
def creer(request: Requete) -> HttpResponse:
    """Prépare les règles suivantes, en partant de celles en vigueur."""
    exiger(peut_regler(request.user))
    modele = _en_vigueur()
    initial = _initial(modele)
    if modele is not None:
        initial["effet_le"] = date(timezone.localdate().year + 1, 1, 1)
    saisie = SaisieDeRegles(request.POST if request.method == "POST" else None, modele=modele, initial=initial)
    if request.method == "POST" and (regles := _ecrire(request, saisie, None)):
        messages.success(request, "Le brouillon est gardé : un collègue le vérifie et le publie.")
        return redirect(regles)
    return _formulaire(request, saisie, "Préparer de nouvelles règles", "controles:liste_regles")


@lecture_ecriture
@reserve_a(*REGLEURS)
def modifier(request: Requete, pk: int) -> HttpResponse:
    regles = get_object_or_404(ReglesControle, pk=pk)
    exiger(peut_regler(request.user))
    if regles.etat != EtatRegles.BROUILLON:
        messages.warning(request, "Des règles publiées ne se réécrivent pas : préparez celles qui les suivront.")
        return redirect(regles)
    saisie = SaisieDeRegles(
        request.POST if request.method == "POST" else None, modele=regles, initial=_initial(regles)
    )  # fmt: skip
    if request.method == "POST" and (gardees := _ecrire(request, saisie, regles)):
        messages.success(request, "Le brouillon est gardé : un collègue le vérifie et le publie.")
        return redirect(gardees)
    return _formulaire(request, saisie, "Corriger le brouillon", "controles:liste_regles")


@ecriture
@reserve_a(*REGLEURS)
def publier(request: Requete, pk: int) -> HttpResponse:
    regles = get_object_or_404(ReglesControle, pk=pk)
    exiger(peut_publier(request.user, regles))
    with refus_en_message(request):
        actions.publier(regles, par=request.user)
        messages.success(request, "Les règles sont publiées ; les plans déjà ouverts gardent les leurs.")
    return redirect(regles)


@ecriture
@reserve_a(*REGLEURS)
def abandonner(request: Requete, pk: int) -> HttpResponse:
    regles = get_object_or_404(ReglesControle, pk=pk)
    with refus_en_message(request):
        actions.abandonner(regles, par=request.user)
        messages.success(request, "Le brouillon est abandonné.")
        return redirect("controles:liste_regles")
    return redirect(regles)
