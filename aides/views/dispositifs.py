"""Décrire un dispositif sans une ligne de code : le lire, l’écrire, l’essayer, le publier à deux."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify

from aides.actions import dispositifs as actions
from aides.calculs import Donnees, calculer
from aides.choix import EtatDispositif
from aides.constats import Cas, constater, mesurer
from aides.definition import CONDITIONS, CRITERES
from aides.droits import peut_publier, peut_regler
from aides.forms_dispositif import LISTES, DispositifForm, EssaiForm
from aides.models import Dispositif, VersionDispositif
from aides.views.instruction import LECTEURS
from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from financements.calculs import DonneeRefusee
from financements.simulation import lignes_en_json
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import paginer
from socle.montants import ZERO
from socle.vues import refus_en_message, refuser

REGLEURS = (Role.ADMINISTRATEUR, Role.RESPONSABLE)


@lecture
@reserve_a(*LECTEURS)
def liste(request: Requete) -> HttpResponse:
    versions = VersionDispositif.objects.exclude(etat=EtatDispositif.ABANDONNE)
    contexte = {
        "page": paginer(request, versions.select_related("dispositif", "saisi_par", "publie_par"), total=versions),
        "regle": bool(peut_regler(request.user)),
    }
    return render(request, "aides/dispositifs/liste.html", contexte)


def _listes(request: Requete, version: VersionDispositif | None) -> dict[str, Any]:
    formsets = {}
    for cle, (_, classe) in LISTES.items():
        initial = [dict(ligne) for ligne in getattr(version, cle)] if version else []
        if cle == "parts":
            for ligne in initial:
                ligne["question"] = ligne.get("question", "")
        formsets[cle] = classe(request.POST if request.method == "POST" else None, initial=initial, prefix=cle)
    return formsets


def _lignes(formset: Any) -> list[dict[str, Any]]:
    """Les lignes remplies, dans l’ordre, sans celles qu’on retire ; montants en chaînes, prêts à être gardés."""
    lignes = []
    for form in formset:
        donnees = dict(getattr(form, "cleaned_data", {}) or {})
        if not donnees or donnees.pop("DELETE", False) or not donnees.get("libelle"):
            continue
        lignes.append({cle: _en_json(v) for cle, v in donnees.items() if v is not None})
    return lignes


def _en_json(valeur: Any) -> Any:
    return valeur if isinstance(valeur, bool | int) else str(valeur)


def _codes(listes: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Donne à chaque question son repère, à chaque pièce le sien : le même texte garde le même."""
    for rang, question in enumerate(listes["questions"], start=1):
        question["code"] = f"question_{rang}"
    for piece in listes["pieces"]:
        piece["code"] = piece.get("code") or slugify(piece["libelle"]).replace("-", "_")[:60]
    return listes


def _saisie(
    request: Requete, form: DispositifForm, listes: dict[str, Any], version: VersionDispositif | None,
    dispositif: Dispositif | None,
) -> VersionDispositif | None:  # fmt: skip
    """Écrit le brouillon ; chaque refus revient près de son champ, ou en tête de sa liste."""
    fausses = [LISTES[cle][0] for cle, f in listes.items() if not f.is_valid()]
    if not form.is_valid() or fausses:
        if fausses:
            form.add_error(None, f"À corriger plus bas : {', '.join(fausses).lower()}.")
        return None
    champs = {**form.cleaned_data, **_codes({cle: _lignes(f) for cle, f in listes.items()})}
    nom = champs.pop("nom")
    try:
        if version is not None:
            return actions.corriger(version, par=request.user, **champs)
        if dispositif is not None:
            return actions.saisir(dispositif, par=request.user, **champs)
        return actions.creer(nom=nom, code=slugify(nom)[:40], par=request.user, **champs)
    except ValidationError as erreur:
        refuser(form, erreur)
    except Refus as refus:
        form.add_error(None, str(refus))
    return None


def _initial(version: VersionDispositif) -> dict[str, Any]:
    initial = {nom: getattr(version, nom, None) for nom in DispositifForm.base_fields}
    initial["nom"] = version.dispositif.nom
    for condition in version.conditions_lues:
        initial[f"condition_{condition.nature}"] = True
        initial[f"parametre_{condition.nature}"] = condition.parametre
    return initial


GROUPES = (
    ("L’aide", ("nom", "forme", "objet", "resume", "exercice_du", "exercice_au", "article", "source", "demonstration")),
    ("À qui", ("types", "statuts", "une_par_exercice")),
    ("Le calcul", ("mode", "forfait", "taux", "plafond", "plafond_part", "minimum", "borne_au_besoin", "regime_taxe")),
    ("Ce qui est demandé", ("avec_depenses", "avec_plan", "avec_budget")),
    ("La décision", ("instance", "ouvre_le", "ferme_le", "lettre_accord", "lettre_refus")),
    ("Après", ("convention_exigee", "avance_part", "sur_factures", "delai_mois", "bilan_mois", "destination_ans")),
    ("Le prêt", ("pret_taux", "pret_echeances", "pret_periodicite", "pret_differe")),
)


def _formulaire(
    request: Requete, form: DispositifForm, listes: dict[str, Any], titre: str, retour: str
) -> HttpResponse:
    conditions = [
        (form[f"condition_{n}"], form[f"parametre_{n}"] if modele.parametre else None)
        for n, modele in CONDITIONS.items()
    ]
    contexte = {
        "form": form,
        "groupes": [(nom, [form[c] for c in champs if c in form.fields]) for nom, champs in GROUPES],
        "conditions": conditions,
        "listes": [(LISTES[cle][0], cle, formset) for cle, formset in listes.items()],
        "motif": form["motif"],
        "titre": titre,
        "retour": retour,
    }
    return render(request, "aides/dispositifs/ecrire.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*REGLEURS)
def creer(request: Requete) -> HttpResponse:
    """Un dispositif neuf."""
    exiger(peut_regler(request.user))
    annee = timezone.localdate().year
    initial = {
        "exercice_du": annee, "exercice_au": annee, "ouvre_le": timezone.localdate(), "borne_au_besoin": True,
        "avec_depenses": True, "avec_plan": True, "convention_exigee": True,
        "condition_agrement": True, "condition_engagement_republicain": True, "condition_non_commence": True,
    }  # fmt: skip
    form = DispositifForm(request.POST if request.method == "POST" else None, initial=initial)
    listes = _listes(request, None)
    if request.method == "POST" and (version := _saisie(request, form, listes, None, None)):
        messages.success(request, "Le brouillon est gardé : un collègue le vérifie et le publie.")
        return redirect(version)
    return _formulaire(request, form, listes, "Décrire un dispositif", "aides:dispositifs")


@lecture_ecriture
@reserve_a(*REGLEURS)
def modifier(request: Requete, pk: int) -> HttpResponse:
    """Corrige un brouillon ; sur une version publiée, prépare celle qui la remplacera."""
    exiger(peut_regler(request.user))
    version = get_object_or_404(VersionDispositif.objects.select_related("dispositif"), pk=pk)
    brouillon = version if version.etat == EtatDispositif.BROUILLON else None
    form = DispositifForm(request.POST if request.method == "POST" else None, initial=_initial(version))
    form.fields["nom"].disabled = True
    if brouillon is None:
        form.initial["motif"] = ""
    listes = _listes(request, version)
    if request.method == "POST" and (ecrite := _saisie(request, form, listes, brouillon, version.dispositif)):
        messages.success(request, "Le brouillon est gardé : un collègue le vérifie et le publie.")
        return redirect(ecrite)
    titre = "Corriger le brouillon" if brouillon else "Préparer la version suivante"
    return _formulaire(request, form, listes, f"{titre} : {version.dispositif}", "aides:dispositifs")


@lecture
@reserve_a(*LECTEURS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    """La règle entière, lisible ; et un essai sur une structure, avec son explication."""
    version = get_object_or_404(
        VersionDispositif.objects.select_related("dispositif", "saisi_par", "publie_par"), pk=pk
    )
    brouillon = version.etat == EtatDispositif.BROUILLON
    verdict = peut_publier(request.user, version)
    essai = EssaiForm(request.GET if "structure" in request.GET else None)
    contexte = {
        "version": version,
        "brouillon": brouillon,
        "publiable": brouillon and bool(verdict),
        "raison": verdict.motif if brouillon else "",
        "regle": bool(peut_regler(request.user)),
        "criteres": CRITERES,
        "essai": essai,
        "resultat": _essayer(version, essai) if essai.is_valid() else None,
        "demandes": version.demandes.exclude(depose_le=None).count(),
    }
    return render(request, "aides/dispositifs/fiche.html", contexte)


def _essayer(version: VersionDispositif, essai: EssaiForm) -> dict[str, Any]:
    structure = essai.cleaned_data["structure"]
    le = timezone.localdate()
    exercice = max(version.exercice_du, min(le.year, version.exercice_au))
    cout = essai.cleaned_data["cout"] or essai.cleaned_data["depenses"] or ZERO
    autres = essai.cleaned_data["autres"] or ZERO
    cas = Cas(structure, version, exercice, le, cout=cout, autres=autres)
    donnees = Donnees(essai.cleaned_data["depenses"] or ZERO, cout, autres, mesurer(cas, {}))
    try:
        calcul = calculer(version.regle_pour(structure), donnees)
    except DonneeRefusee as erreur:
        return {"erreur": str(erreur), "constats": constater(cas), "montant": ZERO, "explication": []}
    return {
        "erreur": "",
        "constats": constater(cas),
        "montant": calcul.montant,
        "explication": lignes_en_json(calcul.lignes),
    }


@ecriture
@reserve_a(*REGLEURS)
def publier(request: Requete, pk: int) -> HttpResponse:
    version = get_object_or_404(VersionDispositif, pk=pk)
    exiger(peut_publier(request.user, version))
    with refus_en_message(request):
        actions.publier(version, par=request.user)
        messages.success(request, "Le dispositif est publié : les structures peuvent le demander.")
    return redirect(version)


@ecriture
@reserve_a(*REGLEURS)
def abandonner(request: Requete, pk: int) -> HttpResponse:
    version = get_object_or_404(VersionDispositif, pk=pk)
    with refus_en_message(request):
        actions.abandonner(version, par=request.user)
        messages.success(request, "Le brouillon est abandonné.")
        return redirect("aides:dispositifs")
    return redirect(version)
