"""« À faire aujourd’hui » pour les contrôles en cours : du plan à la signature, chaque ligne mène au geste."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.db.models import Count, QuerySet
from django.urls import reverse

from accueil.a_faire import BORNE, Tache
from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from controles.choix import ETATS_DE_VISITE, ETATS_OUVERTS, Etat, EtatPlan, EtatSanction, EtatSuite
from controles.models import Controle, PieceDemandee, PlanControle
from partenaires.models import Structure
from socle.dates import en_jour


def _tache(controle: Controle, libelle: str, page: str, echeance: date | None, le: date, detail: str = "") -> Tache:
    return Tache(
        libelle,
        reverse(page, args=[controle.pk]),
        echeance,
        detail or f"{controle.numero}, {controle.structure}",
        bool(echeance and echeance < le),
    )


def _preparer(c: Controle, le: date) -> Tache:
    if c.inopine and c.exercices:
        return _tache(c, "Mener une visite inopinée", "controles:visite", c.visite_le, le)
    page = "controles:controle" if c.exercices else "controles:preparer"
    libelle = "Notifier le contrôle" if c.exercices else "Préparer un contrôle"
    return _tache(c, libelle, page, c.visite_le, le)


_GESTES_DU_CONTROLEUR: dict[str, Callable[[Controle, date], Tache]] = {
    Etat.PROGRAMME: _preparer,
    Etat.NOTIFIE: lambda c, le: _tache(c, "Mener la visite" if c.visite_le else "Examiner les pièces",
                                       "controles:visite", c.visite_le, le),
    Etat.EN_COURS: lambda c, le: _tache(c, "Finir la fiche, émettre le rapport provisoire", "controles:controle",
                                        None, le),
    Etat.A_CONCLURE: lambda c, le: _tache(c, "Conclure les points", "controles:conclure", None, le),
}  # fmt: skip


def _du_controleur(agent: Utilisateur, le: date) -> list[Tache]:
    siens = Controle.objects.filter(controleur=agent).select_related("structure")
    a_mener = siens.filter(etat__in=_GESTES_DU_CONTROLEUR).order_by("visite_le", "pk")
    taches = [_GESTES_DU_CONTROLEUR[c.etat](c, le) for c in a_mener[:BORNE]]
    a_clore: QuerySet[Controle] = (
        siens.filter(etat=Etat.SUITES)
        .exclude(suites__etat=EtatSuite.A_DECIDER)
        .exclude(sanctions__etat=EtatSanction.PROPOSEE)
    )
    taches += [_tache(c, "Clore le contrôle", "controles:controle", None, le) for c in a_clore.order_by("pk")[:BORNE]]
    return taches


def comptes(controleur: Utilisateur) -> list[tuple[str, str, int]]:
    """Ses contrôles ouverts par état, dans l’ordre du travail : (libellé, état, nombre)."""
    ouverts = Controle.objects.filter(controleur=controleur, etat__in=ETATS_OUVERTS)
    par_etat = dict(ouverts.order_by().values_list("etat").annotate(n=Count("pk")))
    return [(e.label, e.value, par_etat[e.value]) for e in ETATS_OUVERTS if e.value in par_etat]


def pour_la_caf(agent: Utilisateur, le: date) -> list[Tache]:
    """Le contrôleur mène les siens ; le responsable qui ne contrôle pas valide le plan."""
    if agent.tient(Role.CONTROLEUR):
        return _du_controleur(agent, le)
    if not agent.tient(Role.RESPONSABLE):
        return []
    plans = PlanControle.objects.filter(etat=EtatPlan.A_VALIDER).order_by("annee")
    return [
        Tache("Valider le plan de contrôle", p.get_absolute_url(), None, str(p).capitalize()) for p in plans[:BORNE]
    ]


def pour_la_structure(structure: Structure, roles: frozenset[Role], le: date) -> list[Tache]:
    """Lire et répondre au rapport, envoyer les pièces demandées, préparer la visite."""
    if not roles & ROLES_PARTENAIRE:
        return []
    siens = Controle.objects.filter(structure=structure).select_related("structure")
    taches = []
    for c in siens.filter(etat=Etat.CONTRADICTOIRE):
        page = "controles:repondre" if c.provisoire_lu_le else "controles:controle"
        taches.append(_tache(c, "Répondre au rapport de contrôle", page, c.reponse_avant_le, le, c.numero))
    for c in siens.filter(definitif_le__isnull=False, definitif_lu_le__isnull=True)[:BORNE]:
        taches.append(_tache(c, "Lire le rapport définitif du contrôle", "controles:controle", None, le, c.numero))
    for c in siens.filter(etat=Etat.NOTIFIE, visite_le__gte=le)[:BORNE]:
        detail = f"{c.numero}, pièces à tenir prêtes"
        taches.append(_tache(c, "Préparer la visite de contrôle", "controles:controle", c.visite_le, le, detail))
    pieces = PieceDemandee.objects.filter(
        controle__structure=structure, controle__etat__in=ETATS_DE_VISITE, en_ligne=True, remises__isnull=True
    ).select_related("controle")
    taches += [
        Tache(
            "Envoyer une pièce au contrôleur", f"{reverse('controles:pieces', args=[p.controle_id])}#piece-{p.pk}",
            p.requise_le, f"{p}, avant le {en_jour(p.requise_le)}" if p.requise_le else str(p),
            bool(p.requise_le and p.requise_le < le),
        )
        for p in pieces[:BORNE]
    ]  # fmt: skip
    return taches
