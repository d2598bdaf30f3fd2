"""Calculer et réviser les droits : une version par événement, liée à ce qui l’a faite, jamais modifiée."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from agrements.models import Agrement
from comptes.models import Utilisateur
from financements import annonces
from financements.calculs import DonneeRefusee, Donnees, Liquidation, liquider
from financements.choix import NATURE_DE_DECLARATION, EtatDerogation, NatureDroit, OrigineVersion
from financements.couverture import Ouverture, ouvertures
from financements.droits import peut_decider_d_un_forcage, peut_forcer, suit
from financements.etude import DEFINITIFS
from financements.formulaire import depuis_json, en_donnees
from financements.models import Bareme, Declaration, Derogation, Droit, VersionDeclaration, VersionDroit
from financements.simulation import en_lignes
from partenaires.models import Structure
from socle.droits import exiger
from socle.erreurs import Refus
from socle.montants import en_euros

SUSPENDU_AVEC_L_AGREMENT = "Agrément suspendu : "


class CalculBloque(Refus):
    """Le droit ne peut pas se calculer : la phrase dit ce qui manque. Jamais un zéro à la place."""


@dataclass(frozen=True, slots=True)
class Calcul:
    ouverture: Ouverture
    bareme: Bareme
    donnees: Donnees
    liquidation: Liquidation


def donnees_de(version: VersionDeclaration, ouverture: Ouverture, bareme: Bareme) -> Donnees:
    return en_donnees(
        depuis_json(version.contenu),
        bareme.postes,
        debut=ouverture.debut,
        fin=ouverture.fin,
        interruptions=ouverture.interruptions,
    )


def calculer(structure: Structure, exercice: int, version: VersionDeclaration) -> list[Calcul]:
    """Un calcul par prestation ouverte. Lève CalculBloque : pas d’agrément, pas de barème, donnée manquante."""
    trouvees = ouvertures(structure, exercice)
    if not trouvees:
        raise CalculBloque(f"Aucun agrément n’ouvre de prestation à {structure} en {exercice}.")
    baremes = {b.prestation_id: b for b in Bareme.objects.publies(exercice)}
    calculs = []
    for ouverture in trouvees:
        bareme = baremes.get(ouverture.prestation.pk)
        if bareme is None:
            raise CalculBloque(
                f"Le barème {ouverture.prestation} {exercice} n’est pas publié : le droit ne peut pas se calculer."
            )
        donnees = donnees_de(version, ouverture, bareme)
        try:
            calculs.append(Calcul(ouverture, bareme, donnees, liquider(bareme.regle, donnees)))
        except DonneeRefusee as erreur:
            raise CalculBloque(f"{ouverture.prestation} {exercice} : {erreur}") from erreur
    return calculs


def ajouter_version(
    droit: Droit,
    *,
    nature: str,
    origine: str,
    liquidation: Liquidation,
    donnees: dict[str, Any],
    bareme: Bareme,
    declaration: VersionDeclaration,
    agrement: Agrement,
    par: Utilisateur | None,
    motif: str = "",
) -> VersionDroit:
    """La nouvelle version devient la courante. À appeler sous le verrou du droit, dans une transaction."""
    precedente = droit.versions.filter(courante=True).first()
    if precedente is not None:
        VersionDroit.objects.filter(pk=precedente.pk).update(courante=False)
    version = VersionDroit(
        droit=droit,
        numero=precedente.numero + 1 if precedente else 1,
        nature=nature,
        origine=origine,
        montant=liquidation.droit,
        assiette=liquidation.assiette,
        plafond_applique=liquidation.plafond_applique,
        donnees=donnees,
        explication=en_lignes(liquidation),
        bareme=bareme,
        declaration=declaration,
        agrement=agrement,
        par=par,
        motif=motif,
        le=timezone.now(),
    )
    version.full_clean(exclude=["droit"])
    version.save()
    return version


def liquider_declaration(declaration: Declaration, *, par: Utilisateur) -> list[VersionDroit]:
    """Fait naître ou révise les droits que cette déclaration ouvre. Dans la transaction de la validation."""
    version = declaration.version_courante
    assert version is not None
    campagne = declaration.campagne
    rendues = []
    for calcul in calculer(declaration.structure, campagne.exercice, version):
        droit, _ = Droit.objects.get_or_create(
            structure=declaration.structure, prestation=calcul.ouverture.prestation, exercice=campagne.exercice
        )
        droit = Droit.objects.verrouiller(droit.pk)
        rendues.append(
            ajouter_version(
                droit,
                nature=NATURE_DE_DECLARATION[campagne.type],
                origine=OrigineVersion.LIQUIDATION,
                liquidation=calcul.liquidation,
                donnees=calcul.donnees.en_json(),
                bareme=calcul.bareme,
                declaration=version,
                agrement=calcul.ouverture.agrement,
                par=par,
            )
        )
    return rendues


@transaction.atomic
def demander_forcage(droit: Droit, *, montant: Decimal, motif: str, par: Utilisateur) -> Derogation:
    """Demande un autre montant que le calcul ; un autre en décide. Lève Refus sans raison ou sans calcul d’abord."""
    droit = Droit.objects.verrouiller(droit.pk)
    exiger(peut_forcer(par, droit))
    courante = droit.versions.filter(courante=True).first()
    if courante is None:
        raise Refus("Ce droit n’a pas encore de montant : validez d’abord une déclaration.")
    if not motif.strip():
        raise Refus("Dites pourquoi ce montant doit être forcé.")
    if droit.derogations.filter(etat=EtatDerogation.PROPOSEE).exists():
        raise Refus("Un montant forcé attend déjà une décision sur ce droit.")
    derogation = Derogation(
        droit=droit,
        montant=montant,
        motif=motif.strip(),
        demande_par=par,
        demande_le=timezone.now(),
        sur_version=courante,
    )
    derogation.full_clean(exclude=["droit"])
    derogation.save()
    annonces.forcage_demande(derogation)
    return derogation


@transaction.atomic
def decider_du_forcage(
    derogation: Derogation, *, approuver: bool, motif: str, par: Utilisateur
) -> tuple[Derogation, VersionDroit | None]:
    """Approuve ou refuse. Si le droit a été révisé depuis la demande, l’approbation est refusée : on redemande."""
    droit = Droit.objects.verrouiller(derogation.droit_id)
    derogation = Derogation.objects.select_for_update(of=("self",)).get(pk=derogation.pk)
    exiger(peut_decider_d_un_forcage(par, derogation.demande_par_id))
    if derogation.etat != EtatDerogation.PROPOSEE:
        raise Refus("Cette demande a déjà reçu une décision.")
    if not approuver and not motif.strip():
        raise Refus("Dites pourquoi ce montant est refusé.")
    courante = droit.versions.get(courante=True)
    if approuver and courante.pk != derogation.sur_version_id:
        raise Refus("Le droit a été révisé depuis cette demande : refusez-la, puis demandez à nouveau s’il le faut.")
    derogation.etat = EtatDerogation.APPROUVEE if approuver else EtatDerogation.REFUSEE
    derogation.decide_par, derogation.decide_le, derogation.motif_decision = par, timezone.now(), motif.strip()
    derogation.full_clean(exclude=["droit"])
    derogation.save()
    version = _version_forcee(droit, courante, derogation, par) if approuver else None
    return derogation, version


def _version_forcee(droit: Droit, courante: VersionDroit, derogation: Derogation, par: Utilisateur) -> VersionDroit:
    ecart = derogation.montant - courante.montant
    ligne = {
        "libelle": "Montant forcé",
        "formule": "montant décidé − montant calculé",
        "valeurs": [
            {"nom": "décidé", "valeur": en_euros(derogation.montant)},
            {"nom": "calculé", "valeur": en_euros(courante.montant)},
        ],
        "montant": str(ecart),
        "regle": "forçage motivé, approuvé par une seconde personne",
        "source": derogation.motif,
    }
    VersionDroit.objects.filter(pk=courante.pk).update(courante=False)
    version = VersionDroit(
        droit=droit,
        numero=courante.numero + 1,
        nature=courante.nature,
        origine=OrigineVersion.DEROGATION,
        montant=derogation.montant,
        assiette=courante.assiette,
        plafond_applique=courante.plafond_applique,
        donnees=courante.donnees,
        explication=[*courante.explication, ligne],
        bareme=courante.bareme,
        declaration=courante.declaration,
        agrement=courante.agrement,
        par=derogation.demande_par,
        approuve_par=par,
        motif=derogation.motif,
        le=timezone.now(),
    )
    version.full_clean(exclude=["droit"])
    version.save()
    return version


@transaction.atomic
def suspendre_versements(droit: Droit, *, motif: str, par: Utilisateur) -> Droit:
    """Retient les versements d’un droit, avec sa raison ; le droit, lui, ne change pas."""
    droit = Droit.objects.verrouiller(droit.pk)
    exiger(suit(par, droit.structure))
    if not motif.strip():
        raise Refus("Dites pourquoi les versements sont suspendus.")
    droit.suspendu_le, droit.motif_suspension = timezone.localdate(), motif.strip()
    droit.save(update_fields=["suspendu_le", "motif_suspension"])
    return droit


@transaction.atomic
def reprendre_versements(droit: Droit, *, par: Utilisateur) -> Droit:
    droit = Droit.objects.verrouiller(droit.pk)
    exiger(suit(par, droit.structure))
    droit.suspendu_le, droit.motif_suspension = None, ""
    droit.save(update_fields=["suspendu_le", "motif_suspension"])
    return droit


def appliquer_un_controle(
    droit: Droit, *, sur_version: VersionDroit, donnees: Donnees, par: Utilisateur, motif: str
) -> VersionDroit:
    """Les données contrôlées font une nouvelle version « après contrôle ». Dans la transaction de l’app appelante.

    Contrôlé avant son réel, un droit garde sa nature : il reste provisoire, rien n’y devient un indu. Lève Refus si
    ``sur_version`` n’est plus la courante : la suite étudiée ne vaut plus.
    """
    droit = Droit.objects.verrouiller(droit.pk)
    exiger(suit(par, droit.structure))
    courante = droit.versions.get(courante=True)
    if courante.pk != sur_version.pk:
        raise Refus("Le droit a été révisé depuis : recalculez cette suite, puis décidez.")
    try:
        liquidation = liquider(courante.bareme.regle, donnees)
    except DonneeRefusee as erreur:
        raise CalculBloque(str(erreur)) from erreur
    return ajouter_version(
        droit,
        nature=NatureDroit.APRES_CONTROLE if courante.nature in DEFINITIFS else courante.nature,
        origine=OrigineVersion.CONTROLE,
        liquidation=liquidation,
        donnees=donnees.en_json(),
        bareme=courante.bareme,
        declaration=courante.declaration,
        agrement=courante.agrement,
        par=par,
        motif=motif,
    )


@transaction.atomic
def suspendre_pour_agrement(agrement: Agrement, *, motif: str, retire: bool = False) -> int:
    """Un agrément suspendu ou retiré retient les versements de ses droits ouverts. Rend le nombre de droits touchés."""
    raison = f"Agrément retiré : {motif}" if retire else f"{SUSPENDU_AVEC_L_AGREMENT}{motif}"
    droits = Droit.objects.filter(
        structure=agrement.structure_id,
        prestation__objets__contains=[agrement.objet],
        exercice__gte=timezone.localdate().year,
        suspendu_le__isnull=True,
    )
    return droits.update(suspendu_le=timezone.localdate(), motif_suspension=raison)


@transaction.atomic
def reprendre_avec_l_agrement(agrement: Agrement) -> int:
    """La suspension de l’agrément est levée : les versements qu’elle retenait, et eux seuls, peuvent reprendre."""
    retenus = Droit.objects.filter(
        structure=agrement.structure_id,
        prestation__objets__contains=[agrement.objet],
        motif_suspension__startswith=SUSPENDU_AVEC_L_AGREMENT,
    )
    return retenus.update(suspendu_le=None, motif_suspension="")
