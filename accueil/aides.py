"""« À faire aujourd’hui » pour les aides locales et Senacs : chaque ligne mène au geste."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q
from django.urls import reverse

from accueil.a_faire import BORNE, Tache
from aides.actions.prets import a_prelever
from aides.choix import ETATS_OUVERTS, ETATS_PRIVES, Etat, EtatBilan, EtatDispositif, EtatPret, NatureARendre
from aides.models import (
    AttestationDestination,
    BilanAide,
    ConventionAide,
    Demande,
    Facture,
    Pret,
    SommeARendre,
    VersionDispositif,
)
from comptes.choix import Role
from comptes.models import Utilisateur
from partenaires.models import AffectationGestionnaire, Structure
from senacs.choix import EtatContribution
from socle.montants import en_euros
from socle.texte import accorde

_EQUIPE = (Role.DIRECTION, Role.SAISIE, Role.REPRESENTANT_LEGAL)
_DIRIGENT = (Role.DIRECTION, Role.REPRESENTANT_LEGAL)
_DE_LA_STRUCTURE = {
    Etat.EN_PREPARATION: ("Continuer la demande d’aide", "aides:demande", _EQUIPE),
    Etat.A_VISER: ("Lire et viser la demande d’aide", "aides:verifier", (Role.REPRESENTANT_LEGAL,)),
    Etat.VISEE: ("Déposer la demande d’aide visée", "aides:demande", _DIRIGENT),
    Etat.INCOMPLETE: ("Compléter la demande d’aide", "aides:demande", _EQUIPE),
}


def pour_la_structure(structure: Structure, roles: frozenset[Role], le: date) -> list[Tache]:
    taches = _senacs(structure, roles, le)
    actives = structure.demandes_d_aide.filter(
        Q(etat__in=ETATS_OUVERTS) | Q(decisions__lue_le__isnull=True, decisions__isnull=False)
    )
    for demande in actives.distinct().avec_lecture().order_by("-modifie_le")[:BORNE]:
        if demande.decision_a_lire:
            taches.append(Tache("Lire la décision", demande.get_absolute_url(), None, demande.intitule))
        elif geste := _DE_LA_STRUCTURE.get(Etat(demande.etat)):
            libelle, page, admis = geste
            if roles.intersection(admis):
                taches.append(_tache(libelle, demande, page, le))
    if Role.REPRESENTANT_LEGAL in roles:
        a_signer = ConventionAide.objects.filter(
            demande__structure=structure, signee_partenaire_le__isnull=True, acte__produit_le__isnull=False,
            demande__etat=Etat.ACCORDEE,
        ).exclude(demande__in=structure.demandes_d_aide.a_lire()).select_related("demande")  # fmt: skip
        taches += [
            Tache(
                "Signer et déposer la convention",
                reverse("aides:argent", args=[c.demande_id]),
                None,
                c.demande.intitule,
            )
            for c in a_signer[:BORNE]
        ]
    if roles.intersection(_DIRIGENT):
        taches += _suites(structure, le)
    return taches


def _tache(libelle: str, demande: Demande, page: str, le: date) -> Tache:
    echeance = demande.echeance_le if demande.etat not in ETATS_PRIVES else None
    lien = reverse(page, args=[demande.pk])
    return Tache(libelle, lien, echeance, f"{demande.intitule}, {demande.structure}", bool(echeance and echeance < le))


def _senacs(structure: Structure, roles: frozenset[Role], le: date) -> list[Tache]:
    attendues = (
        structure.contributions_senacs.filter(campagne__ouverture__lte=le)
        .exclude(etat=EtatContribution.CONTRIBUEE)
        .select_related("campagne")
    )
    if Role.DIRECTION not in roles:
        return []
    return [
        Tache(f"Répondre à {c.campagne}", c.get_absolute_url(), c.campagne.limite, "", c.campagne.limite < le)
        for c in attendues[:1]
    ]


def _suites(structure: Structure, le: date) -> list[Tache]:
    bilans = BilanAide.objects.filter(
        demande__structure=structure, etat__in=[EtatBilan.A_RENDRE, EtatBilan.A_REPRENDRE],
        attendu_le__lte=le + timedelta(days=60),
    ).exclude(demande__in=structure.demandes_d_aide.a_lire()).select_related("demande")  # fmt: skip
    taches = [
        Tache("Rendre un bilan", reverse("aides:bilan", args=[b.demande_id]), b.attendu_le, b.demande.intitule,
              b.attendu_le < le)
        for b in bilans[:BORNE]
    ]  # fmt: skip
    attestations = AttestationDestination.objects.filter(demande__structure=structure, attestee_le__isnull=True)
    taches += [
        Tache(
            f"Attester la destination sociale {a.annee}", reverse("aides:attester", args=[a.demande_id, a.annee]), None,
            a.demande.intitule,
        )
        for a in attestations.select_related("demande")[:BORNE]
    ]  # fmt: skip
    a_rendre = SommeARendre.objects.filter(demande__structure=structure, rendue_le__isnull=True, montant__gt=0)
    taches += [
        Tache("Rendre une somme à la Caf", reverse("aides:argent", args=[s.demande_id]), None,
              f"{s.demande.intitule}, {en_euros(s.montant)}")
        for s in a_rendre.select_related("demande")[:BORNE]
    ]  # fmt: skip
    return taches


def pour_la_caf(agent: Utilisateur, le: date) -> list[Tache]:
    """Le chargé instruit et lit les bilans, le secrétariat inscrit, le technicien vérifie, le responsable signe."""
    taches: list[Tache] = []
    visibles = Demande.objects.visibles_par(agent).select_related("structure")
    if agent.tient(Role.CHARGE_CONSEIL, Role.RESPONSABLE):
        siennes = visibles if agent.tient(Role.RESPONSABLE) else visibles.suivies_par(agent, le)
        deposees = siennes.filter(etat=Etat.DEPOSEE).order_by("echeance_le", "pk")[:BORNE]
        taches += [_tache("Instruire la demande d’aide", d, "aides:instruire", le) for d in deposees]
        ajournees = siennes.filter(etat=Etat.AJOURNEE).order_by("decide_le", "pk")[:BORNE]
        taches += [_tache("Reprendre l’instruction de l’aide", d, "aides:demande", le) for d in ajournees]
        rendus = BilanAide.objects.filter(etat=EtatBilan.RENDU, demande__in=siennes).select_related(
            "demande__structure"
        )
        taches += [
            Tache("Lire un bilan", reverse("aides:bilan", args=[b.demande_id]), None, str(b.demande))
            for b in rendus[:BORNE]
        ]
    if agent.tient(Role.SECRETARIAT):
        instruites = visibles.filter(etat=Etat.INSTRUITE).order_by("depose_le")[:BORNE]
        taches += [_tache("Inscrire la demande d’aide à une séance", d, "aides:inscrire", le) for d in instruites]
    if agent.tient(Role.TECHNICIEN_CONSEIL):
        taches += _du_technicien(agent, le)
    if agent.tient(Role.RESPONSABLE):
        a_signer = ConventionAide.objects.filter(signee_partenaire_le__isnull=False, signee_le__isnull=True)
        taches += [
            Tache("Signer une convention d’aide", reverse("aides:argent", args=[c.demande_id]), None, str(c.demande))
            for c in a_signer.select_related("demande__structure")[:BORNE]
        ]
        dementies = AttestationDestination.objects.filter(maintenue=False).exclude(
            demande__sommes_a_rendre__nature=NatureARendre.DESTINATION
        )
        taches += [
            Tache(
                f"Destination sociale {a.annee} démentie", reverse("aides:argent", args=[a.demande_id]), None,
                str(a.demande),
            )
            for a in dementies.select_related("demande__structure")[:BORNE]
        ]  # fmt: skip
    if agent.tient(Role.RESPONSABLE, Role.ADMINISTRATEUR):
        brouillons = VersionDispositif.objects.filter(etat=EtatDispositif.BROUILLON).exclude(saisi_par=agent)
        taches += [
            Tache("Relire et publier un dispositif", v.get_absolute_url(), v.ouvre_le, str(v), v.ouvre_le < le)
            for v in brouillons.select_related("dispositif")[:BORNE]
        ]
    return taches


def _du_technicien(agent: Utilisateur, le: date) -> list[Tache]:
    suivis = AffectationGestionnaire.objects.tenues_par(agent, le).values("gestionnaire")
    factures = Facture.objects.filter(
        verifiee_le__isnull=True, demande__structure__gestionnaire__in=suivis
    ).select_related("demande__structure")
    taches = [
        Tache(
            "Vérifier une facture", reverse("aides:verifier_facture", args=[f.demande_id, f.pk]), None, str(f.demande)
        )
        for f in factures[:BORNE]
    ]
    prets = Pret.objects.filter(
        etat=EtatPret.A_SIGNER, demande__convention__signee_le__isnull=False,
        demande__structure__gestionnaire__in=suivis,
    ).select_related("demande__structure")  # fmt: skip
    taches += [
        Tache("Enregistrer le mandat d’un prêt", reverse("aides:mandat", args=[p.demande_id]), None, str(p.demande))
        for p in prets[:BORNE]
    ]
    if dues := len(a_prelever(le)):
        taches.append(Tache("Prélever les échéances dues", reverse("aides:prelever"), le, accorde(dues, "échéance")))
    return taches
