"""Importer les comptes : envoyer le fichier, rattacher ce qui ne l’est pas, voir, appliquer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from comptes.acces import ecriture, lecture_ecriture, reserve_a
from comptes.http import Requete
from financements.actions import importation as actions
from financements.choix import GesteDeclaration
from financements.contenu import Contenu
from financements.droits import peut
from financements.forms import ImportForm, RegleDeCleForm
from financements.formulaire import LIBELLES_FONCTIONS, SaisieRefusee, plan
from financements.importation import FichierIllisible, est_une_charge
from financements.models import Declaration, ImportComptes
from financements.repartition import CleInvalide, Regle
from financements.views.declarations import PARTENAIRES, declaration_visible
from socle.droits import exiger
from socle.erreurs import Refus
from socle.texte import accorde

TAILLE_MAX = 20 * 1024 * 1024
LIGNES_DE_CLE = 40


def _comptes() -> list[tuple[str, str]]:
    return [(c.compte, f"{c.compte} {c.libelle}") for c in plan().comptes.values()]


def _apercu(importe: ImportComptes) -> dict[str, Any]:
    reparti = actions.ventilation(importe)
    lignes = [
        {
            "compte": plan().comptes[compte],
            "fonction": LIBELLES_FONCTIONS.get(fonction, ""),
            "montant": montant,
        }
        for (compte, fonction), montant in sorted(reparti.montants.items())
        if compte in plan().comptes
    ]
    return {"importe": importe, "lignes": lignes, "non_rattaches": reparti.non_rattaches}


def _cles_a_completer(importe: ImportComptes, contenu: Contenu) -> list[RegleDeCleForm]:
    """Un formulaire par début de compte non rattaché, prérempli d’après la déclaration précédente."""
    vus: dict[str, str] = {}
    for solde in actions.ventilation(importe).non_rattaches:
        prefixe = solde.compte[:3]
        ligne = next((c for c in sorted(plan().comptes, key=len, reverse=True) if solde.compte.startswith(c)), "")
        vus.setdefault(prefixe, ligne)
    formulaires = []
    for rang, (prefixe, ligne) in enumerate(list(vus.items())[:LIGNES_DE_CLE]):
        parts = actions.parts_d_avant(ligne, contenu.avant) if est_une_charge(prefixe) else {}
        initial = {"prefixe": prefixe, "compte": ligne, **parts}
        formulaires.append(RegleDeCleForm(prefix=f"r{rang}", comptes=_comptes(), initial=initial))
    return formulaires


def _page(
    request: Requete,
    declaration: Declaration,
    *,
    form: ImportForm | None = None,
    cles: list[RegleDeCleForm] | None = None,
    statut: int = 200,
) -> HttpResponse:
    contenu = Contenu(declaration)
    importe = declaration.imports.filter(applique_le__isnull=True).first()
    if importe is not None:
        importe.declaration = declaration
    contexte: dict[str, Any] = {"declaration": declaration, "form": form or ImportForm()}
    if importe is not None:
        contexte |= _apercu(importe)
        contexte["cles"] = cles if cles is not None else _cles_a_completer(importe, contenu)
    contexte["regles"] = declaration.structure.gestionnaire.cles_repartition.all()
    return render(request, "financements/importer.html", contexte, status=statut)


@lecture_ecriture
@reserve_a(*PARTENAIRES)
def importer(request: Requete, pk: int) -> HttpResponse:
    """GET : où en est l’import. POST : envoie un fichier, ou applique l’aperçu (bouton « appliquer »)."""
    declaration = declaration_visible(request, pk)
    exiger(peut(GesteDeclaration.IMPORTER, request.user, declaration))
    if request.method != "POST":
        return _page(request, declaration)
    if "appliquer" in request.POST:
        return _appliquer(request, declaration)
    form = ImportForm(request.POST, request.FILES)
    if form.is_valid():
        fichier = form.cleaned_data["fichier"]
        try:
            if fichier.size > TAILLE_MAX:
                raise FichierIllisible("Ce fichier dépasse 20 Mo : exportez une balance plutôt que les écritures.")
            actions.televerser(declaration, nom=fichier.name, contenu=fichier.read(), par=request.user)
        except (FichierIllisible, Refus) as refus:
            form.add_error("fichier", str(refus))
        else:
            return redirect("financements:importer", pk)
    return _page(request, declaration, form=form, statut=422)


def _appliquer(request: Requete, declaration: Declaration) -> HttpResponse:
    importe = declaration.imports.filter(applique_le__isnull=True).first()
    if importe is None:
        messages.warning(request, "Il n’y a pas d’import à appliquer.")
        return redirect("financements:importer", declaration.pk)
    try:
        nombre = actions.appliquer(importe, par=request.user)
    except (Refus, SaisieRefusee) as refus:
        messages.warning(request, str(refus))
        return redirect("financements:importer", declaration.pk)
    messages.success(
        request, f"{accorde(nombre, 'case', 'remplie')} depuis vos comptes. Complétez l’activité, puis vérifiez."
    )
    return redirect(declaration)


@ecriture
@reserve_a(*PARTENAIRES)
def cle(request: Requete, pk: int) -> HttpResponse:
    """Garde les lignes de clé proposées ; une ligne fausse est montrée, les autres sont gardées."""
    declaration = declaration_visible(request, pk)
    exiger(peut(GesteDeclaration.IMPORTER, request.user, declaration))
    fausses = []
    for rang in range(LIGNES_DE_CLE):
        if f"r{rang}-prefixe" not in request.POST:
            continue  # celles qui étaient justes sont déjà gardées : seules les fausses reviennent
        form = RegleDeCleForm(request.POST, prefix=f"r{rang}", comptes=_comptes())
        if form.is_valid():
            try:
                donnees = form.cleaned_data
                parts: dict[str, Decimal] = form.parts if est_une_charge(donnees["prefixe"]) else {}
                actions.garder_la_cle(
                    declaration, [Regle(donnees["prefixe"], donnees["compte"], parts)], par=request.user
                )
            except CleInvalide as erreur:
                form.add_error(None, str(erreur))
        if form.errors:
            fausses.append(form)
    if fausses:
        return _page(request, declaration, cles=fausses, statut=422)
    messages.success(request, "La clé est gardée : elle resservira l’an prochain.")
    return redirect("financements:importer", pk)
