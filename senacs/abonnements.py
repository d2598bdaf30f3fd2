"""Ce que Senacs apporte à la fiche des structures."""

from __future__ import annotations

from typing import Any

from comptes.http import Requete
from partenaires.fiche import LIGNES_PAR_SOURCE, LigneDeJournal, Onglet, declarer_journal, declarer_onglet
from partenaires.models import Structure
from senacs.models import Contribution, EvenementSenacs
from socle.texte import auteur


@declarer_journal
def vie_de_senacs(request: Requete, structure: Structure) -> list[LigneDeJournal]:
    visibles = Contribution.objects.visibles_par(request.user).filter(structure=structure)
    evenements = EvenementSenacs.objects.filter(contribution__in=visibles).select_related(
        "contribution__campagne", "par"
    )
    return [
        LigneDeJournal(
            e.le, f"{e.contribution.campagne} : {e.get_geste_display()}", auteur(e.par), (e.motif,) if e.motif else (),
            e.contribution.get_absolute_url(),
        )
        for e in evenements.order_by("-le", "-pk")[:LIGNES_PAR_SOURCE]
    ]  # fmt: skip


def _senacs(request: Requete, structure: Structure) -> dict[str, Any]:
    visibles = Contribution.objects.visibles_par(request.user).filter(structure=structure)
    return {"contributions": visibles.pour_liste().order_by("-campagne__annee")[:12]}


declarer_onglet(Onglet("senacs", "Senacs", 47, "senacs/_onglet.html", _senacs))
