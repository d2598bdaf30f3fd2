"""Faut-il une convention signée avant de payer ? Source : loi 2000-321, article 10 ; décret 2001-495 (domaine E.4)."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Sum

from financements.models import Convention, Droit, VersionDroit
from partenaires.choix import STATUTS_PUBLICS
from socle.montants import ZERO, en_euros


def manque_de_convention(droit: Droit, seuil: Decimal) -> str:
    """La phrase de l’obstacle, ou rien. Le seuil s’apprécie sur ce que l’organisme privé reçoit dans l’année."""
    gestionnaire = droit.structure.gestionnaire
    if gestionnaire.statut in STATUTS_PUBLICS:
        return ""
    total = (
        VersionDroit.objects.filter(
            courante=True, droit__exercice=droit.exercice, droit__structure__gestionnaire=gestionnaire
        ).aggregate(somme=Sum("montant"))["somme"]
        or ZERO
    )
    if total <= seuil:
        return ""
    couvertes = Convention.objects.signees(droit.exercice).filter(
        structure=droit.structure_id, prestations__contains=[droit.prestation_id]
    )
    if couvertes.exists():
        return ""
    return (
        f"{gestionnaire} reçoit {en_euros(total)} en {droit.exercice} : au-delà de {en_euros(seuil)}, aucun versement "
        "sans convention signée par les deux parties."
    )
