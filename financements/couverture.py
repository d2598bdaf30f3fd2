"""Quelles prestations un exercice doit à une structure, d’après ses agréments et les règles de l’année."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from agrements.choix import EtatAgrement
from agrements.models import Agrement
from financements.models import Prestation, ReglesDePaiement
from partenaires.models import Structure
from socle.erreurs import Refus


@dataclass(frozen=True, slots=True)
class Ouverture:
    """Une prestation ouverte dans l’exercice, de ``debut`` à ``fin`` compris ; ``agrement`` : le plus récent.

    ``interruptions`` : les jours, bornes comprises, où aucun agrément ne courait entre les deux.
    """

    prestation: Prestation
    agrement: Agrement
    debut: date
    fin: date
    interruptions: tuple[tuple[date, date], ...] = ()


def _periode(agrement: Agrement, exercice: int) -> tuple[date, date] | None:
    fin = agrement.fin
    if agrement.etat == EtatAgrement.RETIRE and agrement.retire_le is not None:
        fin = min(fin, agrement.retire_le - timedelta(days=1))
    debut, fin = max(agrement.debut, date(exercice, 1, 1)), min(fin, date(exercice, 12, 31))
    return (debut, fin) if debut <= fin else None


def ouvertures(structure: Structure, exercice: int) -> list[Ouverture]:
    """Les prestations de l’exercice et la période de chacune ; deux agréments qui se suivent n’en font qu’une.

    Une suspension retient les versements, pas le droit ; un trou entre deux agréments, lui, ne compte pas.
    """
    agrements = list(structure.agrements.filter(debut__year__lte=exercice, fin__year__gte=exercice).order_by("debut"))
    trouvees = []
    for prestation in Prestation.objects.de_l_exercice(exercice):
        retenus = [
            (agrement, periode)
            for agrement in agrements
            if agrement.objet in prestation.objets and (periode := _periode(agrement, exercice))
        ]
        if not retenus:
            continue
        debut, fin = retenus[0][1]
        interruptions = []
        for _, (suivant, terme) in retenus[1:]:
            if suivant > fin + timedelta(days=1):
                interruptions.append((fin + timedelta(days=1), suivant - timedelta(days=1)))
            fin = max(fin, terme)
        trouvees.append(Ouverture(prestation, retenus[-1][0], debut, fin, tuple(interruptions)))
    return trouvees


def regles_de_paiement(exercice: int) -> ReglesDePaiement:
    """Les règles de l’exercice, ou les dernières fixées avant lui. Lève Refus s’il n’y en a aucune."""
    regles = ReglesDePaiement.objects.filter(exercice__lte=exercice).order_by("-exercice").first()
    if regles is None:
        raise Refus(f"Aucune règle de paiement n’est fixée pour {exercice} : demandez à l’administrateur fonctionnel.")
    return regles
