"""« À faire aujourd’hui » pour les suites des contrôles : chaque ligne mène au geste."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.urls import reverse

from accueil.a_faire import BORNE, Tache
from agrements.models import ProcedureAgrement
from comptes.choix import Role
from comptes.models import Utilisateur
from controles.choix import Etat, EtatSanction, EtatSuite
from controles.models import Recommandation, Sanction, SuiteFinanciere
from partenaires.models import AffectationCommune, AffectationGestionnaire, Structure

_DIRIGENT = frozenset({Role.DIRECTION, Role.REPRESENTANT_LEGAL})
PROCHE = timedelta(days=30)


def pour_la_caf(agent: Utilisateur, le: date) -> list[Tache]:
    """Le chargé suit les recommandations, le technicien liquide, le responsable sanctionne et tranche."""
    taches: list[Tache] = []
    if agent.tient(Role.CHARGE_CONSEIL):
        siennes = AffectationCommune.objects.tenues_par(agent, le).values("commune")
        taches += _recommandations("Suivre une recommandation", Q(structure__commune__in=siennes), le)
    if agent.tient(Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE) and not agent.tient(Role.CONTROLEUR):
        taches += _suites(agent, le)
    if agent.tient(Role.RESPONSABLE):
        if not agent.tient(Role.CONTROLEUR):
            taches += _sanctions_a_decider(agent, le)
        taches += _procedures_a_decider(agent, le)
    return taches


def pour_la_structure(structure: Structure, roles: frozenset[Role], le: date) -> list[Tache]:
    if not roles & _DIRIGENT:
        return []
    sanctions = Sanction.objects.filter(
        controle__structure=structure, controle__etat=Etat.SUITES, etat=EtatSanction.PROPOSEE,
        observations_le__isnull=True,
    ).select_related("controle")  # fmt: skip
    procedures = ProcedureAgrement.objects.filter(
        agrement__structure=structure, issue="", observations_le__isnull=True
    ).select_related("agrement")
    return [
        *(
            _tache(
                "Répondre à un projet de sanction",
                reverse("controles:observer_sanction", args=[s.controle_id, s.pk]),
                s.observations_avant_le, s.controle.numero, le,
            )
            for s in sanctions[:BORNE]
        ),
        *(
            _tache(
                "Présenter vos observations sur votre agrément",
                reverse("agrements:observer_procedure", args=[p.agrement_id]),
                p.observations_avant_le, p.agrement.get_objet_display(), le,
            )
            for p in procedures[:BORNE]
        ),
        *_recommandations("Tenir une recommandation de la Caf", Q(structure=structure), le),
    ]  # fmt: skip


def _tache(libelle: str, lien: str, echeance: date, detail: str, le: date) -> Tache:
    return Tache(libelle, lien, echeance, detail, echeance < le)


def _recommandations(libelle: str, lesquelles: Q, le: date) -> list[Tache]:
    """Les échues, et celles à tenir dans les trente jours."""
    proches: QuerySet[Recommandation] = (
        Recommandation.objects.ouvertes()
        .filter(lesquelles, echeance_le__lte=le + PROCHE)
        .select_related("structure")
        .order_by("echeance_le", "pk")
    )
    return [
        _tache(libelle, r.get_absolute_url(), r.echeance_le, f"{str(r).rstrip('.')}, {r.structure}", le)
        for r in proches[:BORNE]
    ]


def _suites(agent: Utilisateur, le: date) -> list[Tache]:
    """Celles du portefeuille ; au responsable, celles que personne n’a en portefeuille."""
    a_decider = SuiteFinanciere.objects.filter(etat=EtatSuite.A_DECIDER, controle__etat=Etat.SUITES)
    affectations = AffectationGestionnaire.objects
    if agent.tient(Role.RESPONSABLE):
        suivis = affectations.en_cours(le).values("gestionnaire")
        a_decider = a_decider.exclude(controle__structure__gestionnaire__in=suivis)
    else:
        siens = affectations.tenues_par(agent, le).values("gestionnaire")
        a_decider = a_decider.filter(controle__structure__gestionnaire__in=siens)
    return [
        Tache(
            "Décider d’une suite de contrôle", reverse("controles:suites", args=[s.controle_id]), None,
            f"{s.droit.prestation} {s.droit.exercice}, {s.controle.structure}",
        )
        for s in a_decider.exclude(controleur=agent).select_related("droit__prestation", "controle__structure")[:BORNE]
    ]  # fmt: skip


def _sanctions_a_decider(agent: Utilisateur, le: date) -> list[Tache]:
    mures = Sanction.objects.filter(
        Q(observations_le__isnull=False) | Q(observations_avant_le__lt=le), etat=EtatSanction.PROPOSEE,
        controle__etat=Etat.SUITES,
    ).exclude(proposee_par=agent)  # fmt: skip
    return [
        Tache(
            "Décider d’une sanction", reverse("controles:sanction", args=[s.controle_id, s.pk]), None,
            f"{s.controle.numero}, {s.controle.structure}",
        )
        for s in mures.select_related("controle__structure")[:BORNE]
    ]  # fmt: skip


def _procedures_a_decider(agent: Utilisateur, le: date) -> list[Tache]:
    mures = ProcedureAgrement.objects.filter(
        Q(observations_le__isnull=False) | Q(observations_avant_le__lt=le), issue=""
    ).exclude(ouverte_par=agent)
    return [
        Tache("Décider d’une procédure sur un agrément", p.agrement.get_absolute_url(), None, str(p.agrement))
        for p in mures.select_related("agrement__structure")[:BORNE]
    ]
