"""Écrire les règles du contrôle, les faire publier par un autre, en changer à une date : jamais les réécrire."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from comptes.models import Utilisateur
from controles import referentiel
from controles.choix import EtatRegles
from controles.droits import peut_publier, peut_regler
from controles.models import ReglesControle
from controles.referentiel import ReglesIncoherentes
from socle.dates import en_jour
from socle.droits import exiger
from socle.erreurs import Refus

DONNEES = Path(__file__).parents[1] / "donnees" / "regles.json"
LECTURES: dict[str, Callable[[Any], Any]] = {
    "poids": referentiel.lire_poids,
    "points": referentiel.lire_points,
    "pieces": referentiel.lire_pieces,
    "echelle": referentiel.lire_echelle,
}
EXIGEES = {"poids": "Réglez au moins un critère de risque.", "points": "Écrivez au moins un point de la fiche."}


def _date_refusee(regles: ReglesControle) -> str:
    """Pourquoi ces règles ne peuvent pas prendre effet ce jour-là ; vide : elles le peuvent.

    Les toutes premières peuvent remonter dans le temps : elles disent ce qui valait déjà.
    """
    publiees = ReglesControle.objects.filter(etat=EtatRegles.PUBLIEE).exclude(pk=regles.pk)
    if publiees.filter(effet_le=regles.effet_le).exists():
        return f"Des règles prennent déjà effet le {en_jour(regles.effet_le)} : choisissez un autre jour."
    if regles.effet_le < timezone.localdate() and publiees.exists():
        return "Cette date est passée : les règles prennent effet aujourd’hui ou plus tard."
    return ""


def _verifier(regles: ReglesControle) -> None:
    """Lève ValidationError, chaque phrase près de son champ : ce qui ne peut pas s’appliquer ne se garde pas."""
    erreurs: dict[str, str] = {}
    for champ, lire in LECTURES.items():
        try:
            lues = lire(getattr(regles, champ))
        except ReglesIncoherentes as erreur:
            erreurs[erreur.champ] = str(erreur)
        else:
            if not lues and champ in EXIGEES:
                erreurs[champ] = EXIGEES[champ]
    if phrase := _date_refusee(regles):
        erreurs["effet_le"] = phrase
    if erreurs:
        raise ValidationError(erreurs)


def _garder(regles: ReglesControle) -> ReglesControle:
    _verifier(regles)
    regles.full_clean()
    regles.save()
    return regles


@transaction.atomic
def saisir(*, par: Utilisateur, **champs: Any) -> ReglesControle:
    """Écrit un brouillon. Lève ValidationError."""
    exiger(peut_regler(par))
    return _garder(ReglesControle(saisie_par=par, **champs))


def _brouillon(regles: ReglesControle) -> ReglesControle:
    regles = ReglesControle.objects.verrouiller(regles.pk)
    if regles.etat != EtatRegles.BROUILLON:
        raise Refus(f"Ces règles sont « {regles.get_etat_display().lower()} » : préparez-en de nouvelles.")
    return regles


@transaction.atomic
def corriger(regles: ReglesControle, *, par: Utilisateur, **champs: Any) -> ReglesControle:
    """Corrige un brouillon ; qui le corrige en devient l’auteur, et ne pourra pas le publier."""
    exiger(peut_regler(par))
    regles = _brouillon(regles)
    for nom, valeur in champs.items():
        setattr(regles, nom, valeur)
    regles.saisie_par = par
    return _garder(regles)


@transaction.atomic
def publier(regles: ReglesControle, *, par: Utilisateur) -> ReglesControle:
    """Publie ; les plans et les contrôles déjà ouverts gardent les leurs. Lève PermissionDenied ou Refus."""
    regles = ReglesControle.objects.verrouiller(regles.pk)
    exiger(peut_publier(par, regles))
    regles = _brouillon(regles)
    if phrase := _date_refusee(regles):
        raise Refus(phrase)
    regles.etat, regles.publiee_par, regles.publiee_le = EtatRegles.PUBLIEE, par, timezone.now()
    _verifier(regles)
    regles.full_clean()
    try:
        with transaction.atomic():
            regles.save(update_fields=["etat", "publiee_par", "publiee_le"])
    except IntegrityError as erreur:  # un collègue vient de publier les siennes pour le même jour
        raise Refus(f"Des règles prennent déjà effet le {en_jour(regles.effet_le)} : changez la date.") from erreur
    return regles


@transaction.atomic
def abandonner(regles: ReglesControle, *, par: Utilisateur) -> ReglesControle:
    exiger(peut_regler(par))
    regles = _brouillon(regles)
    regles.etat = EtatRegles.ABANDONNEE
    regles.save(update_fields=["etat"])
    return regles


@transaction.atomic
def charger_regles() -> ReglesControle | None:
    """Publie les règles livrées si le portail n’en a aucune ; rejouable, ne modifie rien."""
    if ReglesControle.objects.exists():
        return None
    livrees = json.loads(DONNEES.read_text(encoding="utf-8"))
    regles = ReglesControle(
        **{**livrees, "effet_le": date.fromisoformat(livrees["effet_le"])},
        etat=EtatRegles.PUBLIEE,
        publiee_le=timezone.now(),
    )
    return _garder(regles)
