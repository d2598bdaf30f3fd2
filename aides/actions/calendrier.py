"""Deux avertissements avant la caducité, un rappel de bilan, une attestation par an : chacun une fois, et rejouable."""

from __future__ import annotations

from datetime import date, timedelta

import structlog
from django.db import transaction

from aides import annonces
from aides.actions import suites
from aides.choix import ETATS_ACCORDES, Etat, EtatBilan
from aides.models import BilanAide, Demande
from aides.versements import etudier
from socle.erreurs import Refus

journal = structlog.get_logger(__name__)

AVERTIR = (90, 30)  # jours avant le délai ; à confirmer par la Caf
RAPPELER = (30, 0, -30)  # jours avant (après) la date d’un bilan


def suivre_le_calendrier(le: date) -> None:
    _delais(le)
    _bilans(le)
    _destinations(le)


def _delais(le: date) -> None:
    """On avertit dès qu’un seuil est passé, même un jour manqué, une fois par délai ; jamais qui a tout reçu."""
    proches = Demande.objects.filter(etat=Etat.ACCORDEE, limite_le__lte=le + timedelta(days=max(AVERTIR)))
    for demande in proches.select_related("structure__gestionnaire", "version__dispositif"):
        assert demande.limite_le is not None
        if not etudier(demande).non_verse:
            continue
        reste = (demande.limite_le - le).days
        if reste < 0:
            try:
                suites.constater_caducite(demande, par=None)
            except Refus as refus:
                journal.info("caducite_attendue", demande=demande.pk, raison=str(refus))
            continue
        seuil = min((jours for jours in AVERTIR if reste <= jours), default=None)
        if seuil is not None:
            with transaction.atomic():
                annonces.limite_proche(demande, seuil)


def _bilans(le: date) -> None:
    attendus = BilanAide.objects.filter(
        etat__in=[EtatBilan.A_RENDRE, EtatBilan.A_REPRENDRE], attendu_le__lte=le + timedelta(days=max(RAPPELER))
    ).select_related("demande__structure")
    for bilan in attendus:
        reste = (bilan.attendu_le - le).days
        seuil = min(jours for jours in RAPPELER if reste <= jours)
        with transaction.atomic():
            annonces.bilan_attendu(bilan, str(seuil))


def _destinations(le: date) -> None:
    """Au 1er janvier, on demande l’attestation de l’année qui s’ouvre ; l’horloge rattrape un jour manqué."""
    engagees = Demande.objects.filter(
        etat__in=ETATS_ACCORDES, version__destination_ans__gt=0, decide_le__isnull=False
    ).select_related("version__dispositif", "structure")
    for demande in engagees.exclude(attestations__annee=le.year):
        suites.demander_attestation(demande, le.year, le)
