"""Ce que tous les courriers d’un contrôle partagent ; chaque PDF est figé au moment du geste (``documents``)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from comptes.choix import Role
from controles.models import Controle
from documents.actions import demander_acte
from documents.models import Acte, NatureActe
from partenaires.interlocuteurs import equipe
from socle.dates import en_heure, en_jour

RECOURS_MOIS = 2  # droit commun : article R. 421-1 du code de justice administrative ; à confirmer par la Caf


def objet_de(controle: Controle) -> str:
    return f"controle-{controle.pk}"


def commun(controle: Controle) -> dict[str, Any]:
    structure = controle.structure
    representants = equipe(structure.pk, Role.REPRESENTANT_LEGAL)
    attention = f"{representants[0].get_full_name()}, représentation légale" if representants else ""
    mentions = {
        "caf": settings.PORTAIL_CAF,
        "demonstration": settings.PORTAIL_DEMONSTRATION,
        "numero": controle.numero,
        "date": en_jour(timezone.localdate()),
        "structure": structure.nom,
        "gestionnaire": structure.gestionnaire.nom,
        "adresse": structure.adresse,
        "code_postal": structure.code_postal,
        "ville": structure.commune.nom,
        "interlocuteur": controle.controleur.get_full_name(),
        "interlocuteur_joindre": controle.controleur.courriel,
    }
    return {**mentions, "attention": attention} if attention else mentions


def releve(*lignes: tuple[str, str]) -> list[dict[str, str]]:
    return [{"nom": nom, "valeur": valeur} for nom, valeur in lignes if valeur]


def visite_dite(controle: Controle) -> str:
    """« 4 mars 2027 à 9 h 00 », vide pour un contrôle sur pièces."""
    if controle.visite_le is None:
        return ""
    heure = f" à {en_heure(controle.visite_heure)}" if controle.visite_heure else ""
    return f"{en_jour(controle.visite_le)}{heure}"


def reperes(controle: Controle) -> list[dict[str, str]]:
    lieu = controle.lieu or (controle.structure.adresse if controle.visite_le else "")
    return releve(
        ("Contrôle", controle.get_mode_display()),
        ("Objet", controle.objet),
        ("Exercices", controle.exercices_dits),
        ("Visite", visite_dite(controle)),
        ("Lieu", lieu),
        ("Contrôleur", controle.controleur.get_full_name()),
    )


def courrier(controle: Controle, *, cle: str, titre: str, objet: str, paragraphes: list[str], **mentions: Any) -> Acte:
    """Une lettre sur ce contrôle. Rappelée avec la même clé, rend celle qui existe."""
    return demander_acte(
        cle=f"controle-{controle.pk}-{cle}",
        objet=objet_de(controle),
        nature=NatureActe.CONTROLE,
        titre=f"{titre}, {controle.numero}",
        gabarit="courrier_controle",
        contexte={
            **commun(controle),
            "objet_du_courrier": objet,
            "paragraphes": [p for p in paragraphes if p],
            "releve": [],
            "pieces": [],
            "points": [],
            **{nom: valeur for nom, valeur in mentions.items() if valeur},
        },
    )
