"""Qui apprend les suites d’un contrôle. Aucun courriel ne porte un montant ni une décision, pas même par son lien."""

from __future__ import annotations

from datetime import date, timedelta

from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from controles.annonces.preparation import direction, prevenir
from controles.models import Controle, Recommandation, Sanction, SuiteFinanciere
from courriers.actions import annoncer
from financements.annonces import techniciens
from partenaires.interlocuteurs import agents, charge_de, dirigeants
from socle.dates import en_jour
from socle.texte import accorde

DELAI_DE_RAPPEL = timedelta(days=30)


def lien_des_suites(controle: Controle) -> str:
    return reverse("controles:suites", args=[controle.pk])


def suites_ouvertes(controle: Controle, suites: list[SuiteFinanciere], recommandations: list[Recommandation]) -> None:
    """À la signature : le technicien a des droits à revoir, le chargé de conseil des recommandations à suivre."""
    if suites:
        combien = accorde(len(suites), "suite", "financière")
        prevenir(
            controle, "suites-a-decider", techniciens(controle.structure),
            f"{controle.structure}, contrôle {controle.numero} : {combien} à décider.",
            lien=lien_des_suites(controle),
        )  # fmt: skip
    if recommandations:
        combien = accorde(len(recommandations), "recommandation")
        prevenir(
            controle, "recommandations", charges(controle),
            f"{controle.structure}, contrôle {controle.numero} : {combien} à suivre.",
            lien=f"{reverse('controles:recommandations')}?structure={controle.structure_id}",
        )  # fmt: skip


def charges(controle: Controle) -> list[Utilisateur]:
    """Le chargé de conseil du secteur ; à défaut, le responsable."""
    charge = charge_de(controle.structure, timezone.localdate())
    return [charge] if charge else agents(Role.RESPONSABLE)


def versements_suspendus(controle: Controle, rang: int) -> None:
    prevenir(
        controle, f"versements-{rang}", direction(controle),
        "La Caf retient des versements pendant le contrôle de votre structure : lisez pourquoi.",
        lien=reverse("financements:accueil"),
    )  # fmt: skip


def versements_repris(controle: Controle, rang: int) -> None:
    prevenir(
        controle, f"versements-{rang}", direction(controle), "Les versements retenus par la Caf reprennent.",
        lien=reverse("financements:accueil"),
    )  # fmt: skip


def sanction_proposee(sanction: Sanction) -> None:
    controle = sanction.controle
    prevenir(
        controle, f"sanction-{sanction.pk}-projet", direction(controle),
        f"La Caf vous communique un projet après son contrôle. Vos observations sont attendues jusqu’au "
        f"{en_jour(sanction.observations_avant_le)}.",
        lien=lien_des_suites(sanction.controle),
    )  # fmt: skip
    prevenir(
        controle, f"sanction-{sanction.pk}-a-venir", agents(Role.RESPONSABLE),
        f"Sanction proposée après le contrôle {controle.numero}, {controle.structure} : elle vous reviendra.",
        lien=lien_des_suites(sanction.controle), sauf=sanction.proposee_par,
    )  # fmt: skip


def sanction_observee(sanction: Sanction) -> None:
    prevenir(
        sanction.controle, f"sanction-{sanction.pk}-observee", [sanction.proposee_par, *agents(Role.RESPONSABLE)],
        f"{sanction.controle.structure} a présenté ses observations sur une sanction proposée.",
        lien=lien_des_suites(sanction.controle),
    )  # fmt: skip


def sanction_decidee(sanction: Sanction) -> None:
    prevenir(
        sanction.controle, f"sanction-{sanction.pk}-decidee", direction(sanction.controle),
        "La Caf s’est prononcée après son contrôle : lisez la lettre.", lien=lien_des_suites(sanction.controle),
    )  # fmt: skip
    prevenir(
        sanction.controle, f"sanction-{sanction.pk}-decidee-caf", [sanction.proposee_par],
        f"La sanction proposée pour {sanction.controle.structure} est décidée.",
        lien=lien_des_suites(sanction.controle), sauf=sanction.decidee_par,
    )  # fmt: skip


def recommandation_suivie(recommandation: Recommandation, rang: int) -> None:
    structure = recommandation.structure
    annoncer(
        cle=f"recommandation-{recommandation.pk}-suivi-{rang}",
        destinataires=dirigeants(structure.pk),
        texte="Votre chargé de conseil a fait le point sur une recommandation du contrôle.",
        lien=recommandation.get_absolute_url(),
        sujet=f"Du nouveau sur une recommandation, {structure}",
        gabarit="controles/courriels/recommandation",
        contexte={"structure": structure.nom},
    )


def rappeler(recommandation: Recommandation, le: date) -> None:
    """Deux rappels au plus : dans les trente jours qui précèdent l’échéance, puis à l’échéance."""
    echeance = recommandation.echeance_le
    if echeance > le:
        quand, suite = "proche", f"est à tenir avant le {en_jour(echeance)}"
    else:
        quand, suite = "echeance", f"arrive à échéance le {en_jour(echeance)}"
    structure = recommandation.structure
    for cote, destinataires, texte in (
        ("structure", dirigeants(structure.pk), f"Une recommandation {suite}."),
        ("caf", _charge(recommandation), f"{structure} : une recommandation {suite}."),
    ):
        annoncer(
            cle=f"recommandation-{recommandation.pk}-{echeance.isoformat()}-{quand}-{cote}",
            destinataires=destinataires,
            texte=texte,
            lien=recommandation.get_absolute_url(),
            sujet=f"Rappel : une recommandation, {structure}",
            gabarit="controles/courriels/recommandation",
            contexte={"structure": structure.nom},
        )


def _charge(recommandation: Recommandation) -> list[Utilisateur]:
    charge = charge_de(recommandation.structure, timezone.localdate())
    return [charge] if charge else agents(Role.RESPONSABLE)
