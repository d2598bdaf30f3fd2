"""Ce que l’argent attend de chacun aujourd’hui."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Count
from django.urls import reverse

from accueil.a_faire import BORNE, Tache
from comptes.choix import Role
from comptes.models import Utilisateur
from financements.choix import EtatConvention, EtatDeclaration, EtatDerogation, EtatPaiement, EtatRecalcul
from financements.etude import retards
from financements.models import Bareme, Campagne, Convention, Declaration, Derogation, Droit, Paiement, Recalcul
from financements.reference import RETARD_ADMIS
from partenaires.models import Structure
from socle.texte import accorde

_GESTES = {
    EtatDeclaration.EN_PREPARATION: ("Continuer la déclaration", (Role.DIRECTION, Role.SAISIE)),
    EtatDeclaration.A_VISER: ("Lire et viser la déclaration", (Role.REPRESENTANT_LEGAL,)),
    EtatDeclaration.VISEE: ("Déposer la déclaration visée", (Role.DIRECTION, Role.REPRESENTANT_LEGAL)),
    EtatDeclaration.A_CORRIGER: ("Corriger la déclaration", (Role.DIRECTION, Role.SAISIE, Role.REPRESENTANT_LEGAL)),
}


def pour_la_structure(structure: Structure, roles: frozenset[Role], le: date) -> list[Tache]:
    """Déclarations à ouvrir, à continuer, à viser ; conventions à signer. Quatre requêtes au plus."""
    taches = []
    declarees = {d.campagne_id: d for d in structure.declarations.select_related("campagne").order_by("pk")}
    for declaration in declarees.values():
        if geste := _GESTES.get(EtatDeclaration(declaration.etat)):
            libelle, admis = geste
            if roles.intersection(admis):
                limite = declaration.campagne.limite
                taches.append(
                    Tache(libelle, declaration.get_absolute_url(), limite, str(declaration.campagne), limite < le)
                )
    if roles & {Role.DIRECTION, Role.SAISIE}:
        taches += _a_ouvrir(structure, set(declarees), le)
    if Role.REPRESENTANT_LEGAL in roles:
        a_signer = Convention.objects.filter(structure=structure, etat=EtatConvention.A_SIGNER)
        taches += [Tache("Signer la convention", c.get_absolute_url(), None, c.numero) for c in a_signer]
    return taches


def _a_ouvrir(structure: Structure, connues: set[int], le: date) -> list[Tache]:
    """Les campagnes en cours, pour une structure qu’un agrément fait attendre cette année-là."""
    campagnes = Campagne.objects.ouvertes(le).filter(limite__gte=le - RETARD_ADMIS).exclude(pk__in=connues)
    agrements = list(structure.agrements.exclude(etat="retire").values_list("debut__year", "fin__year"))
    return [
        Tache("Commencer la déclaration", reverse("financements:accueil"), c.limite, str(c).capitalize(), c.limite < le)
        for c in campagnes
        if any(debut <= c.exercice <= fin for debut, fin in agrements)
    ]


def pour_la_caf(agent: Utilisateur, le: date) -> list[Tache]:
    """Le technicien contrôle et paie ; le responsable tranche ; l’administrateur publie."""
    taches: list[Tache] = []
    if agent.tient(Role.TECHNICIEN_CONSEIL):
        taches += _du_technicien(agent)
    if agent.tient(Role.RESPONSABLE):
        taches += _du_responsable(agent)
    if agent.tient(Role.RESPONSABLE, Role.ADMINISTRATEUR):
        brouillons = Bareme.objects.filter(etat="brouillon").exclude(saisi_par=agent).select_related("prestation")
        taches += [
            Tache("Vérifier et publier un barème", b.get_absolute_url(), b.effet_le, str(b), b.effet_le < le)
            for b in brouillons[:BORNE]
        ]
    return taches


def _du_technicien(agent: Utilisateur) -> list[Tache]:
    deposees = Declaration.objects.du_portefeuille(agent).filter(etat=EtatDeclaration.DEPOSEE).pour_liste()
    taches = [
        Tache("Contrôler la déclaration", d.get_absolute_url(), d.campagne.limite, f"{d.campagne}, {d.structure}")
        for d in deposees.order_by("deposee_le")[:BORNE]
    ]
    droits: Any = Droit.objects.du_portefeuille(agent).avec_position()
    trop_verses = droits.filter(reste__lt=0)
    taches += [
        Tache("Suivre un trop-versé", d.get_absolute_url(), None, str(d))
        for d in trop_verses.select_related("structure", "prestation")[:BORNE]
    ]
    taches += [
        Tache("Suivre un remboursement en retard", indu.droit.get_absolute_url(), retard.le, str(indu.droit), True)
        for indu, retard in retards(agent)
    ]
    return [*taches, *_paiements(agent)]


def _paiements(agent: Utilisateur) -> list[Tache]:
    """Comptés, pas énumérés : une série se traite d’un geste."""
    a_valider = Paiement.objects.filter(etat=EtatPaiement.PROPOSE)
    comptes = dict(
        Paiement.objects.filter(etat__in=[EtatPaiement.PROPOSE, EtatPaiement.VALIDE])
        .values_list("etat")
        .annotate(n=Count("pk"))
    )
    miens = a_valider.filter(propose_par=agent, double_regard=True).count()
    taches = []
    if reste := comptes.get(EtatPaiement.PROPOSE, 0) - miens:
        lien = reverse("financements:paiements") + "?etat=propose"
        taches.append(Tache("Valider des paiements", lien, None, accorde(reste, "proposé")))
    if valides := comptes.get(EtatPaiement.VALIDE, 0):
        taches.append(Tache("Ordonnancer un lot", reverse("financements:creer_lot"), None, accorde(valides, "validé")))
    return taches


def _du_responsable(agent: Utilisateur) -> list[Tache]:
    forcages = Derogation.objects.filter(etat=EtatDerogation.PROPOSEE).exclude(demande_par=agent)
    taches = [
        Tache("Décider d’un montant forcé", reverse("financements:decider", args=[f.pk]), None, str(f.droit))
        for f in forcages.select_related("droit__structure", "droit__prestation")[:BORNE]
    ]
    recalculs = Recalcul.objects.filter(etat=EtatRecalcul.SIMULE)
    taches += [Tache("Approuver ou annuler un recalcul", r.get_absolute_url(), None, str(r)) for r in recalculs[:BORNE]]
    signees = Convention.objects.filter(etat=EtatConvention.SIGNEE_PARTENAIRE).select_related("structure")
    taches += [Tache("Signer une convention", c.get_absolute_url(), None, str(c)) for c in signees[:BORNE]]
    return [*taches, *_paiements(agent)]
