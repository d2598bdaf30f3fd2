"""Combien de contrôles, de quel mode, par qui, avec quelles suites : à n’importe quel jour."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from comptes.acces import lecture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from controles.forms.plans import StatistiquesForm
from controles.statistiques import ENTETES, MESURES, MONTANTS, annees_controlees, compter, en_lignes
from financements.exports import ecrire_classeur
from socle.listes import fragment

LECTEURS = (Role.CONTROLEUR, Role.RESPONSABLE, Role.ADMINISTRATEUR)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _choix(request: Requete) -> StatistiquesForm:
    """Sans rien dans l’adresse : l’année en cours, aujourd’hui."""
    aujourd_hui = timezone.localdate()
    donnees = {
        "annee": request.GET.get("annee") or str(aujourd_hui.year),
        "le": request.GET.get("le") or aujourd_hui.isoformat(),
    }
    return StatistiquesForm(donnees)


def _page(request: Requete, form: StatistiquesForm) -> HttpResponse:
    bon = form.is_valid()
    contexte: dict[str, Any] = {
        "form": form, "stats": None, "mesures": MESURES, "montants": MONTANTS, "annees": annees_controlees(),
        "reperes": [],
    }  # fmt: skip
    if bon:
        annee = form.cleaned_data["annee"]
        contexte |= {"stats": compter(annee, form.cleaned_data["le"]), "reperes": _reperes(annee)}
    gabarit = "controles/statistiques.html#resultats" if fragment(request) and bon else "controles/statistiques.html"
    return render(request, gabarit, contexte, status=200 if bon else 422)


def _reperes(annee: int) -> list[date]:
    """Les fins de trimestre déjà passées : les jours qu’on demande le plus."""
    fins = (date(annee, 3, 31), date(annee, 6, 30), date(annee, 9, 30), date(annee, 12, 31))
    return [fin for fin in fins if fin < timezone.localdate()]


@lecture
@reserve_a(*LECTEURS)
def fiche(request: Requete) -> HttpResponse:
    return _page(request, _choix(request))


@lecture
@reserve_a(*LECTEURS)
def exporter(request: Requete) -> HttpResponseBase:
    """Les mêmes chiffres, en classeur ; aucune structure n’y est nommée."""
    form = _choix(request)
    if not form.is_valid():
        return _page(request, form)
    annee, le = form.cleaned_data["annee"], form.cleaned_data["le"]
    flux = ecrire_classeur(f"Contrôles {annee} au {le:%d-%m-%Y}", ENTETES, en_lignes(compter(annee, le)))
    nom = f"controles-{annee}-au-{le.isoformat()}.xlsx"
    return FileResponse(flux, as_attachment=True, filename=nom, content_type=XLSX)
