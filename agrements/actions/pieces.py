"""Ce que le calendrier dit des pièces du coffre : elles expirent, on prévient à temps, une fois."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from agrements import annonces
from agrements.models import Piece, VersionRegime


def rappeler_les_peremptions(le: date) -> int:
    """Prévient à trente jours, puis à l’échéance ; rejouable : la clé de chaque nouvelle porte la pièce et sa date.

    Une pièce déjà renouvelée, retirée, ou d’une structure fermée, ne se rappelle pas. Rend le nombre de pièces vues.
    """
    regimes = VersionRegime.objects.filter(publie_le__isnull=False).order_by("effet_du")
    libelles = {piece.code: piece.libelle for regime in regimes for piece in regime.referentiel.pieces}
    pieces = list(Piece.objects.qui_expirent(le))
    for piece in pieces:
        with transaction.atomic():
            annonces.piece_expire(piece, libelles.get(piece.nature, piece.nom_classe), le)
    return len(pieces)
