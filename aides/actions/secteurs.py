"""Les demandes d’aide ouvertes suivent le secteur, comme les dossiers d’agrément."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.db import transaction

from aides import annonces
from aides.actions.franchir import consigner
from aides.choix import ETATS_PRIVES, Etat, Geste
from aides.models import Demande
from comptes.models import Utilisateur
from partenaires.interlocuteurs import secteurs_transmis

TERMINEES = (Etat.REFUSEE, Etat.IRRECEVABLE, Etat.RETIREE, Etat.CADUQUE)


@transaction.atomic
def suivre_les_secteurs(
    le: date, *, par: Utilisateur | None = None, quittees: Mapping[str, Utilisateur] | None = None
) -> int:
    """Confie au nouveau chargé les demandes que l’ancien suivait dans les communes transmises. Rejouable."""
    suivies = 0
    for transmis in secteurs_transmis(le, quittees):
        demandes = (
            Demande.objects.filter(transmis.suivis, structure__commune=transmis.commune)
            .exclude(etat__in=(*ETATS_PRIVES, *TERMINEES))
            .select_for_update(of=("self",), no_key=True)
            .select_related("charge", "structure")
        )
        for demande in demandes:
            ancien, demande.charge = demande.charge, transmis.agent
            demande.save(update_fields=["charge"])
            details = {"ancien": str(ancien), "nouveau": str(transmis.agent)}
            consigner(demande, Geste.AFFECTER, par=par, motif="Transmission du secteur.", details=details)
            annonces.au_charge(demande, "secteur", f"Vous suivez désormais l’aide « {demande.intitule} ».")
            suivies += 1
    return suivies
