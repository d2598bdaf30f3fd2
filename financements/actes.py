"""Les documents officiels de l’argent : chaque PDF dit ce qui est dû, pourquoi, et sous quelle règle."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from comptes.models import Utilisateur
from documents.actions import demander_acte
from documents.models import Acte, NatureActe
from financements.calculs import pourcent
from financements.couverture import regles_de_paiement
from financements.echeancier import plan_de_remboursement
from financements.formulaire import depuis_json, totaliser
from financements.models import (
    Bareme,
    Convention,
    Declaration,
    Indu,
    Prestation,
    Recalcul,
    VersionDeclaration,
    VersionDroit,
)
from partenaires.entete import RECOURS_MOIS, entete, represente_par
from partenaires.interlocuteurs import technicien_de
from partenaires.models import Structure
from socle.dates import MOIS, en_jour, jour_et_mois
from socle.montants import ZERO, en_euros


def _commun(structure: Structure, exercice: int, reference: str) -> dict[str, Any]:
    technicien = technicien_de(structure.gestionnaire, timezone.localdate())
    return {
        **entete(structure, numero=reference, interlocuteur=technicien),
        "exercice": exercice,
    }


def objet_de(structure_pk: int) -> str:
    """Ce dont ces actes parlent : l’argent d’une structure."""
    return f"argent-{structure_pk}"


def accuse_declaration(declaration: Declaration, version: VersionDeclaration, visee_par: Utilisateur | None) -> Acte:
    totaux = totaliser(depuis_json(version.contenu))
    campagne = declaration.campagne
    return demander_acte(
        cle=f"accuse-declaration-{version.pk}",
        objet=objet_de(declaration.structure_id),
        nature=NatureActe.ACCUSE_RECEPTION,
        titre=f"Accusé de réception, {campagne}",
        gabarit="accuse_declaration",
        contexte={
            **_commun(declaration.structure, campagne.exercice, f"DEC-{campagne.exercice}-{declaration.pk:05d}"),
            "campagne": str(campagne),
            "depose_le": en_jour(timezone.localtime(version.deposee_le).date()),
            "depose_par": version.deposee_par.get_full_name(),
            "visee_par": visee_par.get_full_name() if visee_par else "",
            "version": version.numero,
            "empreinte": version.empreinte,
            "totaux": [
                {"libelle": "Charges", "montant": en_euros(totaux.charges)},
                {"libelle": "Produits", "montant": en_euros(totaux.produits)},
                {"libelle": "Contributions volontaires", "montant": en_euros(totaux.contributions_volontaires)},
            ],
        },
    )


def _droits(versions: Iterable[VersionDroit], avant: dict[int, Decimal]) -> list[dict[str, Any]]:
    return [
        {
            "prestation": version.droit.prestation.libelle,
            "montant": en_euros(version.montant),
            "avant": en_euros(avant[version.droit_id]) if version.droit_id in avant else "",
            "bareme": version.bareme.regle.libelle,
            "source": version.bareme.regle.source,
            "lignes": [
                {
                    "libelle": ligne["libelle"],
                    "formule": ligne["formule"],
                    "valeurs": " ; ".join(f"{v['nom']} : {v['valeur']}" for v in ligne["valeurs"]),
                    "montant": en_euros(Decimal(ligne["montant"])),
                }
                for ligne in version.explication
            ],
        }
        for version in versions
    ]


def _total(versions: list[VersionDroit]) -> str:
    return en_euros(sum((v.montant for v in versions), ZERO))


def notification_droit(
    declaration: Declaration, versions: list[VersionDroit], avant: dict[int, Decimal], suite: str
) -> Acte:
    campagne = declaration.campagne
    assert declaration.version_courante_id is not None
    return demander_acte(
        cle=f"droit-{declaration.version_courante_id}",
        objet=objet_de(declaration.structure_id),
        nature=NatureActe.NOTIFICATION_DROIT,
        titre=f"Notification de droit, {campagne}",
        gabarit="notification_droit",
        contexte={
            **_commun(
                declaration.structure, campagne.exercice, f"PS-{campagne.exercice}-{declaration.structure_id:05d}"
            ),
            "introduction": f"Votre déclaration « {campagne} » est validée. Voici votre droit et son calcul.",
            "droits": _droits(versions, avant),
            "total": _total(versions),
            "suite": suite,
            "recours_mois": RECOURS_MOIS,
        },
    )


def cle_de_revision(recalcul: Recalcul, structure_pk: int) -> str:
    return f"revision-{recalcul.pk}-{structure_pk}"


def revision_droit(
    recalcul: Recalcul, structure: Structure, versions: list[VersionDroit], avant: dict[int, Decimal], suite: str
) -> Acte:
    """Une lettre par structure et par recalcul : la clé empêche la seconde. Le total compte les droits inchangés."""
    courantes = VersionDroit.objects.filter(
        courante=True, droit__structure=structure, droit__exercice=recalcul.exercice
    )
    return demander_acte(
        cle=cle_de_revision(recalcul, structure.pk),
        objet=objet_de(structure.pk),
        nature=NatureActe.REVISION_DROIT,
        titre=f"Révision de votre prestation, {recalcul.exercice}",
        gabarit="revision_droit",
        contexte={
            **_commun(structure, recalcul.exercice, f"REV-{recalcul.exercice}-{recalcul.pk}-{structure.pk:05d}"),
            "introduction": f"La règle de calcul de {recalcul.exercice} a changé ({recalcul.motif}). Votre droit est "
            "révisé ainsi.",
            "droits": _droits(versions, avant),
            "total": _total(list(courantes)),
            "suite": suite,
            "recours_mois": RECOURS_MOIS,
        },
    )


def droit_apres_controle(
    version: VersionDroit, avant: Decimal, controle: str, corrections: list[str], suite: str
) -> Acte:
    """Une lettre par version née d’un contrôle ; ``corrections`` : une phrase par donnée corrigée."""
    droit = version.droit
    courantes = VersionDroit.objects.filter(
        courante=True, droit__structure=droit.structure_id, droit__exercice=droit.exercice
    )
    return demander_acte(
        cle=f"apres-controle-{version.pk}",
        objet=objet_de(droit.structure_id),
        nature=NatureActe.REVISION_DROIT,
        titre=f"Droit revu après contrôle, {droit.prestation} {droit.exercice}",
        gabarit="droit_apres_controle",
        contexte={
            **_commun(droit.structure, droit.exercice, controle),
            "prestation": droit.prestation.libelle,
            "introduction": "Le rapport définitif du contrôle de votre structure est signé. Les données qu’il retient "
            "changent le calcul de votre droit, qui est revu ainsi.",
            "corrections": corrections,
            "droits": _droits([version], {droit.pk: avant}),
            "total": _total(list(courantes)),
            "suite": suite,
            "recours_mois": RECOURS_MOIS,
        },
    )


def notification_indu(indu: Indu, verse: Decimal) -> Acte:
    droit = indu.droit
    return demander_acte(
        cle=f"indu-{indu.pk}",
        objet=objet_de(droit.structure_id),
        nature=NatureActe.NOTIFICATION_INDU,
        titre=f"Somme versée en trop, {droit.prestation} {droit.exercice}",
        gabarit="notification_indu",
        contexte={
            **_commun(droit.structure, droit.exercice, f"INDU-{droit.exercice}-{indu.pk:05d}"),
            "prestation": droit.prestation.libelle,
            "montant": en_euros(indu.montant),
            "droit": en_euros(indu.version_droit.montant),
            "verse": en_euros(verse),
            "motif": indu.motif,
            "echeances": [
                {"rang": e.rang, "le": en_jour(e.le), "montant": en_euros(e.montant)}
                for e in plan_de_remboursement(indu.montant, indu.echeances, indu.premiere_echeance, ZERO, date.min)
            ],
            "recours_mois": RECOURS_MOIS,
        },
    )


def convention(convention: Convention) -> Acte:
    structure, agrement = convention.structure, convention.agrement
    baremes = {b.prestation_id: b for b in Bareme.objects.publies(convention.exercice)}
    regles = regles_de_paiement(convention.exercice)
    courantes = VersionDroit.objects.filter(
        courante=True, droit__structure=structure, droit__exercice=convention.exercice
    )
    prevus = dict(courantes.values_list("droit__prestation", "montant"))
    prestations = []
    for prestation in Prestation.objects.filter(pk__in=convention.prestations):
        bareme = baremes.get(prestation.pk)
        prestations.append(
            {
                "libelle": prestation.libelle,
                "taux": pourcent(bareme.taux) if bareme else "celui du barème de l’exercice",
                "regle": "prix plafond du barème de chaque exercice",
                "montant": en_euros(prevus[prestation.pk]) if prestation.pk in prevus else "à calculer",
            }
        )
    acomptes = " et ".join(
        f"{pourcent(part)} à partir du {jour_et_mois(jour, mois)}"
        for part, mois, jour in (
            (regles.acompte_1, regles.acompte_1_mois, regles.acompte_1_jour),
            (regles.acompte_2, regles.acompte_2_mois, regles.acompte_2_jour),
        )
    )
    return demander_acte(
        cle=f"convention-{convention.pk}",
        objet=objet_de(structure.pk),
        nature=NatureActe.CONVENTION,
        titre=f"Convention d’objectifs et de financement {convention.numero}",
        gabarit="convention",
        contexte={
            **_commun(structure, convention.exercice, convention.numero),
            "avenant": convention.avenant_de.numero if convention.avenant_de else "",
            "objet_avenant": convention.objet_avenant,
            "agrement": f"{agrement.get_objet_display()}, du {en_jour(agrement.debut)} au {en_jour(agrement.fin)}",
            "debut": en_jour(date(convention.exercice, 1, 1)),
            "fin": en_jour(date(convention.dernier_exercice, 12, 31)),
            "prestations": prestations,
            "acomptes": acomptes,
            "siret": structure.gestionnaire.siret,
            "represente": represente_par(structure.pk),
        },
    )


def attestation(structure: Structure, versements: list[dict[str, Any]], exercice: int, cle: str) -> Acte:
    """``versements`` : ``{"le": date, "libelle", "montant": Decimal}`` dans l’ordre des dates."""
    return demander_acte(
        cle=cle,
        objet=objet_de(structure.pk),
        nature=NatureActe.ATTESTATION,
        titre=f"Attestation de versements attendus du {en_jour(timezone.localdate())}",
        gabarit="attestation_versements",
        contexte={
            **_commun(structure, exercice, f"ATT-{exercice}-{structure.pk:05d}"),
            "versements": [
                {
                    "mois": f"{MOIS[v['le'].month - 1]} {v['le'].year}",
                    "libelle": v["libelle"],
                    "montant": en_euros(v["montant"]),
                }
                for v in versements
            ],
            "total": en_euros(sum((v["montant"] for v in versements), ZERO)),
        },
    )
