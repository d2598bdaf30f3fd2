"""L’en-tête que toutes les lettres adressées à une structure partagent."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from partenaires.interlocuteurs import equipe
from partenaires.models import Structure
from socle.dates import en_jour

RECOURS_MOIS = 2  # droit commun : article R. 421-1 du code de justice administrative ; à confirmer par la Caf


def entete(structure: Structure, *, numero: str, interlocuteur: Utilisateur | None) -> dict[str, Any]:
    """Les mentions d’en-tête, datées d’aujourd’hui (``documents.gabarit.COURANTES``) ; l’acte les fige."""
    return {
        "caf": settings.PORTAIL_CAF,
        "demonstration": settings.PORTAIL_DEMONSTRATION,
        "numero": numero,
        "date": en_jour(timezone.localdate()),
        "structure": structure.nom,
        "gestionnaire": structure.gestionnaire.nom,
        "adresse": structure.adresse,
        "code_postal": structure.code_postal,
        "ville": structure.commune.nom,
        "interlocuteur": interlocuteur.get_full_name() if interlocuteur else "",
    }


def represente_par(structure_pk: int) -> str:
    """« Dominique Exemple, représentation légale », vide si personne ne l’est aujourd’hui."""
    representants = equipe(structure_pk, Role.REPRESENTANT_LEGAL)
    return f"{representants[0].get_full_name()}, représentation légale" if representants else ""
