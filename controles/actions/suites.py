"""Les suites financières d’un contrôle : nées à la signature, décidées par qui liquide, jamais par qui contrôle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agrements.actions import agrements as vie
from agrements.models import Agrement, ProcedureAgrement
from comptes.models import Utilisateur
from controles.actes import suites as actes
from controles.actions.franchir import consigner
from controles.actions.franchir import ouvrir as ouvrir_pour
from controles.annonces import suites as annonces
from controles.choix import ETATS_DEFINITIFS, Conclusion, EtatSuite, Geste, NatureConstat
from controles.consequences import EffetFinancier, etudier, etudier_le_droit
from controles.droits import peut_decider_de_la_suite
from controles.models import Controle, Recommandation, SuiteFinanciere
from financements import annonces as annonces_financieres
from financements.actions import droits
from financements.calculs import Donnees
from financements.models import Droit
from socle.droits import exiger
from socle.erreurs import Refus
from socle.montants import en_euros
from socle.texte import epurer

RESPONSABLE_PAR_DEFAUT = "la direction"
RECOMMANDATION_MOIS = 6  # délai laissé pour tenir une recommandation ; à confirmer par la Caf


def ouvrir(controle: Controle, par: Utilisateur) -> tuple[list[SuiteFinanciere], list[Recommandation]]:
    """Fait naître ce que le rapport définitif entraîne. Dans la transaction de la signature, une fois l’état franchi.

    Lève Refus tant que le rapport n’est pas signé : rien ne change avant.
    """
    if controle.etat not in ETATS_DEFINITIFS:
        raise Refus("Le rapport définitif n’est pas signé : ce contrôle n’a pas encore de suites.")
    suites = [
        SuiteFinanciere.objects.create(
            controle=controle, controleur=controle.controleur, droit=effet.droit, **_etude(effet)
        )
        for effet in etudier(controle)
        if effet.touche and effet.droit is not None
    ]
    recommandations = _recommander(controle)
    annonces.suites_ouvertes(controle, suites, recommandations)
    return suites, recommandations


def _etude(effet: EffetFinancier) -> dict[str, Any]:
    """Ce qu’une suite garde d’un effet étudié."""
    return {
        "sur_version": effet.sur_version,
        "corrections": {c.champ: str(c.admis) for c in effet.corrections},
        "donnees": effet.donnees.en_json() if effet.donnees else {},
        "explication": {
            "phrases": effet.phrases,
            "lignes": list(effet.lignes),
            "avertissements": list(effet.avertissements),
        },
        "avant": effet.avant,
        "apres": effet.apres,
    }


def _recommander(controle: Controle) -> list[Recommandation]:
    """Une recommandation par constat qui en porte une et n’est pas levé ; l’échéance laisse six mois."""
    echeance = timezone.localdate() + relativedelta(months=RECOMMANDATION_MOIS)
    retenus = controle.constats.exclude(recommandation="").exclude(conclusion=Conclusion.LEVE).select_related("point")
    return [
        Recommandation.objects.create(
            structure=controle.structure,
            constat=constat,
            code=constat.point.code,
            libelle=constat.recommandation,
            responsable=RESPONSABLE_PAR_DEFAUT,
            echeance_le=echeance,
        )
        for constat in retenus
    ]


def _a_decider(suite: SuiteFinanciere, par: Utilisateur) -> tuple[Controle, SuiteFinanciere]:
    """Verrouille le contrôle puis la suite ; lève si elle n’est plus à décider, ou pas par cette personne."""
    controle = ouvrir_pour(suite.controle, Geste.DECIDER_SUITE, par=par)
    suite = (
        SuiteFinanciere.objects.select_for_update(of=("self",))
        .select_related("droit__structure__gestionnaire", "droit__prestation", "sur_version", "controle")
        .get(pk=suite.pk)
    )
    exiger(peut_decider_de_la_suite(par, suite))
    if suite.etat != EtatSuite.A_DECIDER:
        raise Refus(f"Cette suite est déjà « {suite.get_etat_display().lower()} ».")
    return controle, suite


def _decider(suite: SuiteFinanciere, etat: str, *, par: Utilisateur, **champs: Any) -> None:
    suite.etat, suite.decide_par, suite.decide_le = etat, par, timezone.now()
    for nom, valeur in champs.items():
        setattr(suite, nom, valeur)
    suite.full_clean()
    suite.save()


@transaction.atomic
def appliquer(suite: SuiteFinanciere, *, par: Utilisateur) -> SuiteFinanciere:
    """Fait du droit contrôlé une nouvelle version, et l’écrit à la structure.

    Lève Refus si le droit a été révisé depuis l’étude (on recalcule d’abord), ou si elle n’y change rien.
    """
    controle, suite = _a_decider(suite, par)
    if not suite.donnees:
        raise Refus("Ces corrections ne donnent pas de nouveau droit : recalculez cette suite, ou écartez-la.")
    phrases = suite.explication["phrases"]
    version = droits.appliquer_un_controle(
        suite.droit,
        sur_version=suite.sur_version,
        donnees=Donnees.depuis_json(suite.donnees),
        par=par,
        motif=f"Contrôle {controle.numero}. " + " ; ".join(phrases) + ".",
    )
    if version.montant != suite.apres:
        raise Refus("Le calcul a changé depuis l’étude : recalculez cette suite, puis décidez.")
    _decider(suite, EtatSuite.APPLIQUEE, par=par, version_droit=version)
    annonces_financieres.droit_apres_controle(version, avant=suite.avant, controle=controle.numero, corrections=phrases)
    consigner(controle, Geste.DECIDER_SUITE, par=par, details=_dit(suite, "appliquée"))
    return suite


@transaction.atomic
def ecarter(suite: SuiteFinanciere, *, motif: str, par: Utilisateur) -> SuiteFinanciere:
    """Garde le droit tel qu’il est, et dit pourquoi."""
    controle, suite = _a_decider(suite, par)
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi cette suite est écartée."})
    _decider(suite, EtatSuite.ECARTEE, par=par, motif=motif)
    consigner(controle, Geste.DECIDER_SUITE, par=par, motif=motif, details=_dit(suite, "écartée"))
    return suite


@transaction.atomic
def recalculer(suite: SuiteFinanciere, *, par: Utilisateur) -> SuiteFinanciere:
    """Reprend l’étude sur la version en vigueur du droit. Lève Refus si la suite y est déjà étudiée."""
    controle, suite = _a_decider(suite, par)
    Droit.objects.verrouiller(suite.droit_id)
    effet = etudier_le_droit(controle, suite.droit)
    if effet is None or effet.sur_version is None:
        raise Refus("Ce contrôle ne corrige plus ce droit : écartez cette suite.")
    if effet.sur_version.pk == suite.sur_version_id and suite.donnees:
        raise Refus("Cette suite est déjà étudiée sur le droit en vigueur.")
    for nom, valeur in _etude(effet).items():
        setattr(suite, nom, valeur)
    if not effet.touche:
        suite.donnees = {}
    suite.full_clean()
    suite.save()
    consigner(controle, Geste.DECIDER_SUITE, par=par, details=_dit(suite, "recalculée"))
    return suite


def _raison(controle: Controle) -> str:
    return f"Contrôle {controle.numero} : "


def retenus(controle: Controle) -> list[Droit]:
    """Les droits dont ce contrôle, et lui seul, retient les versements."""
    droits_retenus = Droit.objects.filter(
        structure=controle.structure_id, motif_suspension__startswith=_raison(controle), suspendu_le__isnull=False
    )
    return list(droits_retenus.select_related("prestation").order_by("-exercice", "prestation__ordre"))


def a_suspendre(controle: Controle) -> list[Droit]:
    """Les droits que rien ne retient encore, le plus récent d’abord."""
    libres = Droit.objects.filter(structure=controle.structure_id, suspendu_le__isnull=True)
    return list(libres.select_related("prestation").order_by("-exercice", "prestation__ordre"))


@transaction.atomic
def suspendre_versements(
    controle: Controle, *, droits_choisis: Sequence[int], motif: str, par: Utilisateur
) -> list[Droit]:
    """Retient les versements de ces droits, par décision motivée du responsable : un contrôle seul ne retient rien.

    Source : charte de contrôle de la branche (domaine E.1), « le lancement d’un contrôle ne suspend pas ».
    """
    controle = ouvrir_pour(controle, Geste.SUSPENDRE_VERSEMENTS, par=par)
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi les versements sont suspendus."})
    libres = {droit.pk: droit for droit in a_suspendre(controle)}
    choisis = [libres[pk] for pk in sorted(set(droits_choisis)) if pk in libres]
    if not choisis or len(choisis) != len(set(droits_choisis)):
        raise ValidationError({"droits_choisis": "Choisissez des droits dont les versements ne sont pas suspendus."})
    for droit in choisis:
        droits.suspendre_versements(droit, motif=f"{_raison(controle)}{motif}", par=par)
    noms = [f"{droit.prestation} {droit.exercice}" for droit in choisis]
    evenement = consigner(
        controle, Geste.SUSPENDRE_VERSEMENTS, par=par, motif=motif, details={"droits": ", ".join(noms)}
    )
    actes.versements_suspendus(controle, evenement.pk, noms, motif, par)
    annonces.versements_suspendus(controle, evenement.pk)
    return choisis


@transaction.atomic
def reprendre_versements(controle: Controle, *, motif: str, par: Utilisateur) -> list[Droit]:
    """Rend à leurs versements tous les droits que ce contrôle retenait ; ce qu’autre chose retient le reste."""
    controle = ouvrir_pour(controle, Geste.REPRENDRE_VERSEMENTS, par=par)
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi les versements reprennent."})
    a_rendre = retenus(controle)
    if not a_rendre:
        raise Refus("Ce contrôle ne retient aucun versement.")
    for droit in a_rendre:
        droits.reprendre_versements(droit, par=par)
    noms = [f"{droit.prestation} {droit.exercice}" for droit in a_rendre]
    evenement = consigner(
        controle, Geste.REPRENDRE_VERSEMENTS, par=par, motif=motif, details={"droits": ", ".join(noms)}
    )
    actes.versements_repris(controle, evenement.pk, noms, motif, par)
    annonces.versements_repris(controle, evenement.pk)
    return a_rendre


MANQUEMENT_RETENU = Q(nature=NatureConstat.MANQUEMENT, conclusion__in=[Conclusion.MAINTENU, Conclusion.MODIFIE])


@transaction.atomic
def saisir_agrement(controle: Controle, *, agrement: Agrement, motif: str, par: Utilisateur) -> ProcedureAgrement:
    """Ouvre sur l’agrément une procédure de suspension ou de retrait ; elle vit ensuite dans les agréments.

    Lève Refus sans manquement retenu par le rapport définitif, ou si une procédure est déjà ouverte.
    """
    controle = ouvrir_pour(controle, Geste.SAISIR_AGREMENT, par=par)
    if not controle.constats.filter(MANQUEMENT_RETENU).exists():
        raise Refus("Aucun manquement n’est retenu par le rapport : l’agrément n’est pas en cause.")
    if agrement.structure_id != controle.structure_id:
        raise Refus("Cet agrément n’est pas celui de la structure contrôlée.")
    procedure = vie.ouvrir_procedure(
        agrement,
        motif=motif,
        origine=f"contrôle {controle.numero}",
        sujet=f"controle-{controle.pk}",
        par=par,
    )
    consigner(
        controle, Geste.SAISIR_AGREMENT, par=par, motif=procedure.motif,
        details={"agrément": agrement.get_objet_display()},
    )  # fmt: skip
    return procedure


def _dit(suite: SuiteFinanciere, issue: str) -> dict[str, str]:
    return {
        "droit": f"{suite.droit.prestation} {suite.droit.exercice}",
        "issue": issue,
        "avant": en_euros(suite.avant),
        "après": en_euros(suite.apres),
    }
