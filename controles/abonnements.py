"""Ce que l’app apporte à la fiche des structures et à l’instruction d’un agrément."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from agrements.rappels import Rappel, declarer_rappels
from comptes.http import Requete
from controles.choix import GESTES_FAITS, GESTES_INTERNES, EtatSanction
from controles.models import Controle, EvenementControle, Recommandation, Sanction
from courriers.actions import court
from documents.models import Acte
from partenaires.fiche import (
    DOCUMENTS_MONTRES,
    LIGNES_PAR_SOURCE,
    Document,
    LigneDeJournal,
    Onglet,
    declarer_documents,
    declarer_journal,
    declarer_onglet,
)
from partenaires.models import Structure
from socle.dates import en_jour
from socle.texte import auteur

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


@declarer_journal
def vie_des_controles(request: Requete, structure: Structure) -> list[LigneDeJournal]:
    """Les contrôles annoncés ou commencés ; la structure ne lit pas la préparation de la Caf."""
    visibles = Controle.objects.visibles_par(request.user).filter(structure=structure)
    gestes = EvenementControle.objects.filter(controle__in=visibles).exclude(vers="")
    if not request.user.est_agent:
        gestes = gestes.exclude(geste__in=GESTES_INTERNES)
    evenements = gestes.select_related("controle", "par").order_by("-le", "-pk")[:LIGNES_PAR_SOURCE]
    return [
        LigneDeJournal(
            e.le, f"{GESTES_FAITS[e.geste].capitalize()}, {e.controle.numero}", auteur(e.par),
            (e.motif,) if e.motif and request.user.est_agent else (), e.controle.get_absolute_url(),
        )
        for e in evenements
    ]  # fmt: skip


@declarer_documents
def lettres_de_controle(request: Requete, structure: Structure) -> list[Document]:
    """Les lettres et rapports ; chacun s’ouvre depuis son contrôle, où la lecture est datée."""
    visibles = Controle.objects.visibles_par(request.user).filter(structure=structure)
    adresses = {f"controle-{c.pk}": c.get_absolute_url() for c in visibles}
    lettres = Acte.objects.filter(objet__in=adresses, produit_le__isnull=False)[:DOCUMENTS_MONTRES]
    return [Document(a.demande_le, a.titre, a.get_nature_display(), adresses[a.objet]) for a in lettres]


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
