"""Ce que tous les courriers d’un contrôle partagent ; chaque PDF est figé au moment du geste (``documents``)."""

from __future__ import annotations

from typing import Any

from controles.models import Controle
from documents.actions import demander_acte
from documents.gabarit import releve
from documents.models import Acte, NatureActe
from partenaires.entete import entete, represente_par
from socle.dates import en_heure, en_jour


def objet_de(controle: Controle) -> str:
    return f"controle-{controle.pk}"


def commun(controle: Controle) -> dict[str, Any]:
    attention = represente_par(controle.structure_id)
    mentions = {
        **entete(controle.structure, numero=controle.numero, interlocuteur=controle.controleur),
        "interlocuteur_joindre": controle.controleur.courriel,
    }
    return {**mentions, "attention": attention} if attention else mentions


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
