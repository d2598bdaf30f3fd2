"""Ce que les pages de saisie de toutes les demandes font de la même façon : un champ à l’écran, sa réponse gardée."""

from __future__ import annotations

import json
from typing import Any, Protocol

from django.http import JsonResponse
from django.utils import timezone

from agrements.budget import MODELE
from agrements.contenu import texte_lisible
from agrements.referentiel import Champ
from agrements.reponses import avertissements
from socle.dates import en_heure

STRUCTUREES = ("tableau", "arbre", "budget")


class Gardee(Protocol):
    """Une réponse gardée, d’un dossier ou d’une demande d’aide."""

    valeur: Any
    version: int
    modifie_par: Any
    modifie_le: Any


def donnees_du_champ(
    champ: Champ, ligne: Gardee | None, *, ouvert: bool, url: str, remarque: Any = None
) -> dict[str, Any]:
    """Ce que ``agrements/partenaire/_champ.html`` montre. ``url`` : où le champ se garde pendant la frappe."""
    valeur = ligne.valeur if ligne else ""
    colonnes: list[dict[str, Any]] = [
        {"code": c.code, "libelle": c.libelle, "nature": c.nature, "choix": c.choix} for c in champ.colonnes
    ]
    if champ.nature == "budget":
        colonnes = [
            {"code": "compte", "libelle": "Compte", "nature": "texte"},
            {"code": "libelle", "libelle": "Libellé", "nature": "texte"},
            {"code": "montant", "libelle": "Montant (€)", "nature": "montant"},
        ]
    return {
        "champ": champ,
        "valeur": valeur,
        "brut": json.dumps(valeur or [], ensure_ascii=False) if champ.nature in STRUCTUREES else valeur,
        "version": ligne.version if ligne else 0,
        "modifie": ligne,
        "ouvert": ouvert,
        "url": url,
        "remarque": remarque,
        "colonnes": json.dumps(colonnes, ensure_ascii=False),
        "modele": json.dumps(MODELE, ensure_ascii=False) if champ.nature == "budget" else "",
        "lisible": texte_lisible(champ, valeur),
        "avertissements": avertissements(champ, valeur),
        "erreur": "",
    }


def gardee(reponse: Gardee, suivi: Any, alertes: list[str]) -> JsonResponse:
    """Le champ est gardé : sa version neuve, l’heure, et où en est sa section."""
    return JsonResponse(
        {
            "version": reponse.version,
            "enregistre_a": en_heure(timezone.localtime(reponse.modifie_le).time()),
            "etat": suivi.etat,
            "etat_libelle": suivi.etat.label,
            "avertissements": alertes,
        }
    )


def perimee(definition: Champ, actuelle: Gardee) -> JsonResponse:
    """Un collègue a écrit : son texte, pour que les deux se voient côte à côte."""
    structuree = definition.nature in STRUCTUREES
    return JsonResponse(
        {
            "version": actuelle.version,
            "valeur": json.dumps(actuelle.valeur, ensure_ascii=False) if structuree else actuelle.valeur,
            "affichage": texte_lisible(definition, actuelle.valeur),
            "par": str(actuelle.modifie_par),
            "le": en_heure(timezone.localtime(actuelle.modifie_le).time()),
        },
        status=409,
    )


def phrase_de_conflit(definition: Champ, actuelle: Gardee) -> str:
    """La même chose, sans JavaScript."""
    return (
        f"{actuelle.modifie_par} a modifié ce champ pendant que vous écriviez. Son texte : "
        f"« {texte_lisible(definition, actuelle.valeur)[:2000]} ». Le vôtre est ci-dessous : rassemblez les deux."
    )


def perdue() -> JsonResponse:
    return JsonResponse({"erreur": "Rechargez la page : ce champ a perdu son numéro de version."}, status=422)


def refusee(phrase: object) -> JsonResponse:
    return JsonResponse({"erreur": str(phrase)}, status=422)
