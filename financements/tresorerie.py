"""Le fil de trésorerie d’une structure : mois par mois, ce qui est payé et ce qui est attendu."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from financements.choix import ENGAGES, EtatPaiement
from financements.models import Droit, Paiement
from partenaires.models import Structure
from socle.dates import MOIS
from socle.montants import ZERO


@dataclass(frozen=True, slots=True)
class Mois:
    """``largeurs`` en pour cent du plus grand mois : un dessin sans script."""

    libelle: str
    paye: Decimal
    attendu: Decimal
    largeur_paye: int
    largeur_attendu: int


def attendus(structure: Structure, exercice: int, etudes: list[tuple[Droit, Any]]) -> list[dict[str, Any]]:
    """Les versements attendus : engagés et pas encore payés, puis ceux que l’échéancier prévoit."""
    de_l_annee = Q(droit__exercice=exercice) | Q(droit__isnull=True, prevu_le__year=exercice)
    engages = Paiement.objects.filter(de_l_annee, structure=structure, etat__in=ENGAGES).exclude(etat=EtatPaiement.PAYE)
    lignes = [
        {
            "le": p.prevu_le,
            "libelle": f"{p.sujet}, {p.get_nature_display()}",
            "montant": p.montant - p.compense,
            "sur": True,
        }
        for p in engages.select_related("droit__prestation")
    ]
    noms = dict(Paiement._meta.get_field("nature").flatchoices)
    for droit, etude in etudes:
        lignes += [
            {
                "le": p.prevu_le,
                "libelle": f"{droit.prestation} {exercice}, {noms[p.nature]}",
                "montant": p.montant,
                "sur": False,
            }
            for p in etude.suite.propositions
        ]
    return sorted(lignes, key=lambda ligne: ligne["le"])


def fil(structure: Structure, exercice: int, a_venir: list[dict[str, Any]]) -> list[Mois]:
    payes: dict[tuple[int, int], Decimal] = {}
    prevus: dict[tuple[int, int], Decimal] = {}
    de_l_annee = Q(droit__exercice=exercice) | Q(droit__isnull=True, paye_le__year=exercice)
    for paiement in Paiement.objects.filter(de_l_annee, structure=structure, etat=EtatPaiement.PAYE):
        assert paiement.paye_le is not None
        _ajouter(payes, paiement.paye_le, paiement.montant - paiement.compense)
    for ligne in a_venir:
        _ajouter(prevus, ligne["le"], ligne["montant"])
    mois = sorted({(exercice, m) for m in range(1, 13)} | payes.keys() | prevus.keys())
    plus_grand = max([*payes.values(), *prevus.values()], default=ZERO) or Decimal(1)

    def largeur(montant: Decimal) -> int:
        return max(int(montant * 100 / plus_grand), 1) if montant else 0

    return [
        Mois(
            f"{MOIS[m - 1]} {a}",
            payes.get((a, m), ZERO),
            prevus.get((a, m), ZERO),
            largeur(payes.get((a, m), ZERO)),
            largeur(prevus.get((a, m), ZERO)),
        )
        for a, m in mois
    ]


def _ajouter(cumul: dict[tuple[int, int], Decimal], le: date, montant: Decimal) -> None:
    cle = (le.year, le.month)
    cumul[cle] = cumul.get(cle, ZERO) + montant
