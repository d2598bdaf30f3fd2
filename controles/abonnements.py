"""Ce que l’app apporte à la fiche des structures et à l’instruction d’un agrément."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from agrements.rappels import Rappel, declarer_rappels
from comptes.http import Requete
from controles.choix import EtatSanction
from controles.models import Controle, Recommandation, Sanction
from courriers.actions import court
from partenaires.fiche import Onglet, declarer_onglet
from partenaires.models import Structure
from socle.dates import en_jour

MONTRES = 30
RAPPELS = 10


@declarer_rappels
def recommandations_a_suivre(structure: Structure, le: date) -> list[Rappel]:
    """À la prochaine instruction, ce que les contrôles ont demandé et qui n’est pas encore tenu."""
    ouvertes = Recommandation.objects.ouvertes().filter(structure=structure).pour_liste()
    return [
        Rappel(
            court(r.libelle, 160),
            f"{r.constat.controle.numero}, {r.responsable}, avant le {en_jour(r.echeance_le)}",
            r.get_absolute_url(),
            r.echeance_le < le,
        )
        for r in ouvertes.order_by("echeance_le", "pk")[:RAPPELS]
    ]


def _controles(request: Requete, structure: Structure) -> dict[str, Any]:
    visibles = Controle.objects.visibles_par(request.user).filter(structure=structure)
    prononcees = Sanction.objects.filter(controle__in=visibles, etat=EtatSanction.PRONONCEE)
    recommandations = Recommandation.objects.visibles_par(request.user).ouvertes().filter(structure=structure)
    return {
        "controles": visibles.pour_liste()[:MONTRES],
        "sanctions": prononcees.select_related("controle"),
        "recommandations": recommandations.pour_liste()[:MONTRES],
        "aujourd_hui": timezone.localdate(),
    }


declarer_onglet(Onglet("controles", "Contrôles", 40, "controles/_onglet.html", _controles))
