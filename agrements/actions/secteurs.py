"""Les dossiers ouverts suivent le secteur : quand une commune change de chargé de conseil, ses dossiers aussi."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.db import transaction

from agrements import annonces
from agrements.actions.franchir import consigner
from agrements.choix import ETATS_OUVERTS, ETATS_PRIVES, Geste
from agrements.models import Dossier
from comptes.models import Utilisateur
from partenaires.interlocuteurs import secteurs_transmis


@transaction.atomic
def suivre_les_secteurs(
    le: date, *, par: Utilisateur | None = None, quittees: Mapping[str, Utilisateur] | None = None
) -> int:
    """Confie au nouveau chargé les dossiers que l’ancien suivait dans les communes transmises ce jour-là.

    ``quittees`` : par commune, qui vient de la rendre ; reçue et rendue le même jour, elle n’a laissé aucune trace.
    Un dossier confié à la main à quelqu’un d’autre ne bouge pas. Rejouable. Rend le nombre de dossiers.
    """
    suivis = 0
    for transmis in secteurs_transmis(le, quittees):
        dossiers = (
            Dossier.objects.filter(transmis.suivis, structure__commune=transmis.commune, etat__in=ETATS_OUVERTS)
            .exclude(etat__in=ETATS_PRIVES)
            .select_for_update(of=("self",), no_key=True)
            .select_related("charge", "structure")
        )
        for dossier in dossiers:
            ancien, dossier.charge = dossier.charge, transmis.agent
            dossier.save(update_fields=["charge"])
            details = {"ancien": str(ancien), "nouveau": str(transmis.agent)}
            consigner(dossier, Geste.AFFECTER, par=par, motif="Transmission du secteur.", details=details)
            annonces.dossier_suit_le_secteur(dossier)
            suivis += 1
    return suivis
