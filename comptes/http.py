from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from comptes.models import Utilisateur

if TYPE_CHECKING:
    # La structure vient de ``partenaires``, au-dessus : seul son type est ignoré ici.
    type StructureCourante = Any


class Requete(HttpRequest):
    """La requête d’une personne connectée : ce que reçoit toute vue gardée.

    ``structure`` est la structure au nom de laquelle la personne agit (``None`` pour un agent de la Caf) ;
    ``partenaires.middleware`` la pose.
    """

    user: Utilisateur
    htmx: HtmxDetails
    structure: StructureCourante
