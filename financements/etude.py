"""Où en est un droit : ce qu’il appelle, ce qui l’empêche, ce que le réel pourrait donner, ce qui reste à rendre.

On ne fait ici que lire ; les gestes sont dans ``financements.actions.paiements``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum
from django.utils import timezone

from agrements.choix import EtatAgrement
from comptes.models import Utilisateur
from financements.calculs import LIBELLES_POSTES, Donnees, Poste
from financements.choix import ENGAGES, EtatIndu, NatureDroit, OrigineVersion
from financements.convention import manque_de_convention
from financements.couverture import regles_de_paiement
from financements.echeancier import EcheanceIndu, Regles, Suite, Verse, plan_de_remboursement, suite
from financements.estimation import Fourchette, estimer
from financements.models import Droit, Indu, Paiement, Recouvrement, ReglesDePaiement, VersionDroit
from financements.payables import payable_de
from partenaires.models import Structure
from socle.montants import ZERO, en_euros

DEFINITIFS = (NatureDroit.REEL, NatureDroit.APRES_CONTROLE)
INDUS_OUVERTS = (EtatIndu.NOTIFIE, EtatIndu.ECHELONNE)


@dataclass(frozen=True, slots=True)
class Etude:
    """Ce qu’un droit appelle : la suite, et ce qui l’empêche aujourd’hui (phrases à montrer)."""

    version: VersionDroit | None
    suite: Suite
    obstacles: tuple[str, ...]
    indu_ouvert: Indu | None
    reste_a_rendre: Decimal
    regles: ReglesDePaiement | None
    estimation: Fourchette | None = None

    @property
    def a_verifier(self) -> str:
        """Les lignes dont ce droit dépend, d’après sa règle : « pilotage, et la logistique »."""
        assert self.version is not None
        bareme = self.version.bareme
        postes = " et ".join(LIBELLES_POSTES[Poste(poste)].lower() for poste in bareme.postes)
        return f"vos charges : {postes}{', puis logistique' if bareme.quote_part else ''}"


def regles_pures(regles: ReglesDePaiement, exercice: int) -> Regles:
    return Regles(
        acomptes=(
            (regles.acompte_1, date(exercice, regles.acompte_1_mois, regles.acompte_1_jour)),
            (regles.acompte_2, date(exercice, regles.acompte_2_mois, regles.acompte_2_jour)),
        ),
        plafond=regles.plafond_acomptes,
    )


def rendu_sur(indu: Indu) -> Decimal:
    """Ce qui a été rendu ; lit ``recouvrements`` préchargés s’ils le sont."""
    return sum((r.montant for r in indu.recouvrements.all() if r.annule_le is None), ZERO)


def reste_d_indu(indu: Indu) -> Decimal:
    return indu.montant - rendu_sur(indu)


def plan_de(indu: Indu) -> tuple[EcheanceIndu, ...]:
    """Les échéances d’un indu et où elles en sont aujourd’hui."""
    return plan_de_remboursement(
        indu.montant, indu.echeances, indu.premiere_echeance, rendu_sur(indu), timezone.localdate()
    )


def suivis(indus: QuerySet[Indu]) -> list[tuple[Indu, Decimal, tuple[EcheanceIndu, ...]]]:
    """Chaque indu, son reste à rendre et son plan ; deux requêtes, quel qu’en soit le nombre."""
    complets = indus.select_related("droit__prestation").prefetch_related("recouvrements")
    return [(indu, reste_d_indu(indu), plan_de(indu)) for indu in complets]


def retards(agent: Utilisateur) -> list[tuple[Indu, EcheanceIndu]]:
    """Les indus du portefeuille dont une échéance est passée sans être rendue, avec la plus ancienne."""
    ouverts = Indu.objects.filter(
        etat__in=INDUS_OUVERTS,
        premiere_echeance__lt=timezone.localdate(),
        droit__in=Droit.objects.du_portefeuille(agent),
    ).select_related("droit__structure", "droit__prestation")
    suivies = [(indu, plan) for indu, _, plan in suivis(ouverts)]
    return [(indu, due) for indu, plan in suivies if (due := next((e for e in plan if e.en_retard), None))]


def _indu_ouvert(structure: Structure) -> Indu | None:
    return (
        Indu.objects.filter(droit__structure=structure, etat__in=INDUS_OUVERTS)
        .select_related("droit__prestation")
        .order_by("notifie_le", "pk")
        .first()
    )


def etudier(droit: Droit, *, sans: Paiement | None = None) -> Etude:
    """Lit tout ce qui décide du prochain versement d’un droit ; ``sans`` : comme si ce paiement n’était pas engagé."""
    versions = list(droit.versions.select_related("bareme__prestation", "agrement").order_by("numero"))
    courante = next((v for v in versions if v.courante), None)
    indu = _indu_ouvert(droit.structure)
    reste = reste_d_indu(indu) if indu else ZERO
    if courante is None:
        return Etude(None, Suite((), ZERO), ("Aucun montant n’est encore calculé.",), indu, reste, None)
    regles = regles_de_paiement(droit.exercice)
    paiements = droit.paiements.filter(etat__in=ENGAGES)
    if sans is not None:
        paiements = paiements.exclude(pk=sans.pk)
    engages = [Verse(p.nature, p.montant) for p in paiements]
    rendus = Recouvrement.objects.filter(indu__droit=droit, annule_le__isnull=True)
    recouvre = rendus.aggregate(somme=Sum("montant"))["somme"] or ZERO
    prevu = next((v.montant for v in versions if v.nature == NatureDroit.PREVISIONNEL), courante.montant)
    definitif = courante.nature in DEFINITIFS
    prochaine = suite(
        droit=courante.montant,
        prevu=prevu,
        definitif=definitif,
        regles=regles_pures(regles, droit.exercice),
        verses=engages,
        recouvre=recouvre,
        le=timezone.localdate(),
    )
    promis = sum((v.montant for v in engages), ZERO) + sum((p.montant for p in prochaine.propositions), ZERO)
    return Etude(
        version=courante,
        suite=prochaine,
        obstacles=tuple(_obstacles(droit, courante, regles, definitif)),
        indu_ouvert=indu,
        reste_a_rendre=reste,
        regles=regles,
        estimation=None if definitif else _estimation(courante, promis - recouvre, regles.marge_estimation),
    )


def trop_grand(paiement: Paiement, droit: Droit) -> str:
    """Pourquoi ce paiement engagé ne peut plus partir tel quel, si le droit a changé depuis ; vide s’il le peut."""
    suivants = etudier(droit, sans=paiement).suite.propositions
    permis = sum((p.montant for p in suivants if p.nature == paiement.nature), ZERO)
    if paiement.montant <= permis:
        return ""
    return (
        f"Le droit a changé depuis la proposition : {paiement.get_nature_display()} de {en_euros(permis)} au plus, "
        f"au lieu de {en_euros(paiement.montant)}. Annulez ce paiement, puis proposez-le à nouveau."
    )


def retenu(paiement: Paiement, *, sauf_obstacles: bool = False) -> str:
    """Pourquoi ce paiement ne peut pas partir, droit ou autre objet ; vide s’il le peut.

    ``sauf_obstacles`` : ne regarde que les suspensions et le montant, pour un lot de paiements déjà validés.
    """
    if paiement.droit is None:
        return payable_de(paiement).obstacle(paiement)
    if sauf_obstacles and paiement.droit.suspendu_le is not None:
        return f"versements suspendus ({paiement.droit.motif_suspension})."
    if not sauf_obstacles and (obstacles := etudier(paiement.droit).obstacles):
        return obstacles[0]
    return trop_grand(paiement, paiement.droit)


def _estimation(version: VersionDroit, promis: Decimal, marge: Decimal) -> Fourchette | None:
    """Ce que le réel pourrait donner ; un montant forcé ne se déduit pas des charges, il n’a pas de fourchette."""
    if version.origine == OrigineVersion.DEROGATION:
        return None
    return estimer(version.bareme.regle, Donnees.depuis_json(version.donnees), promis=promis, marge=marge)


def _obstacles(droit: Droit, courante: VersionDroit, regles: ReglesDePaiement, definitif: bool) -> list[str]:
    obstacles = []
    if droit.suspendu_le is not None:
        obstacles.append(f"Versements suspendus : {droit.motif_suspension}")
    elif courante.agrement.etat == EtatAgrement.SUSPENDU:
        obstacles.append("L’agrément est suspendu : les versements sont retenus.")
    if not droit.structure.gestionnaire.iban:
        obstacles.append("L’IBAN du gestionnaire n’est pas connu.")
    if manque := manque_de_convention(droit, regles.seuil_convention):
        obstacles.append(manque)
    if not definitif and regles.exige_dernier_reel:
        anciens = Droit.objects.filter(
            structure=droit.structure_id, prestation=droit.prestation_id, exercice__in=[droit.exercice - 2]
        )
        sans_reel = anciens.exclude(versions__nature__in=DEFINITIFS).first()
        if sans_reel is not None:
            obstacles.append(f"Le réel {sans_reel.exercice} n’est pas liquidé : pas d’acompte avant.")
    return obstacles
