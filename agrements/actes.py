"""Les actes officiels d’un dossier : ce que chaque PDF dira, figé au moment de la décision.

La mise en page est dans ``documents`` ; ici, on compose le contexte (voir ``documents.gabarits`` pour la liste des
mentions) et on demande l’acte dans la transaction du geste : si elle échoue, aucun acte.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone

from agrements.choix import Objet, SensDecision
from agrements.models import Decision, DemandeComplements, Dossier, Seance, VersionDossier
from documents.actions import demander_acte
from documents.models import Acte, NatureActe
from socle.dates import en_jour


def _commun(dossier: Dossier) -> dict[str, Any]:
    structure = dossier.structure
    gestionnaire = structure.gestionnaire
    charge = dossier.charge
    return {
        "caf": settings.PORTAIL_CAF,
        "demonstration": settings.PORTAIL_DEMONSTRATION,
        "numero": dossier.numero,
        "date": en_jour(timezone.localdate()),
        "structure": structure.nom,
        "gestionnaire": gestionnaire.nom,
        "adresse": structure.adresse,
        "code_postal": structure.code_postal,
        "ville": structure.commune.nom,
        "interlocuteur": charge.get_full_name() if charge else "",
        "objets": [Objet(objet).label for objet in dossier.objets],
        "type": dossier.get_type_display(),
        "regime": dossier.regime.libelle,
    }


def accuse_reception(dossier: Dossier, version: VersionDossier) -> Acte:
    libelles = {exigence.code: exigence.libelle for exigence in dossier.regime.referentiel.pieces}
    return demander_acte(
        cle=f"accuse-{version.pk}",
        objet=f"dossier-{dossier.pk}",
        nature=NatureActe.ACCUSE_RECEPTION,
        titre=f"Accusé de réception du dossier {dossier.numero}",
        gabarit="accuse_reception",
        contexte={
            **_commun(dossier),
            "depose_le": en_jour(timezone.localtime(version.deposee_le).date()),
            "depose_par": version.deposee_par.get_full_name(),
            "version": version.numero,
            "empreinte": version.empreinte,
            "pieces": [libelles.get(piece["exigence"], piece["nom"]) for piece in version.contenu["pieces"]],
        },
    )


def demande_de_complements(
    dossier: Dossier, demande: DemandeComplements, lignes: list[dict[str, str]], echeance: date
) -> Acte:
    """``lignes`` : ``{"libelle", "texte"}`` par remarque, dans l’ordre du dossier."""
    return demander_acte(
        cle=f"complements-{demande.pk}",
        objet=f"dossier-{dossier.pk}",
        nature=NatureActe.DEMANDE_COMPLEMENTS,
        titre=f"Demande de compléments n° {demande.numero}, dossier {dossier.numero}",
        gabarit="demande_complements",
        contexte={
            **_commun(dossier),
            "message": demande.message,
            "remarques": lignes,
            "echeance": en_jour(echeance),
        },
    )


_GABARITS = {
    SensDecision.AGREE: "notification_agrement",
    SensDecision.AGREE_RESERVES: "notification_agrement",
    SensDecision.AJOURNE: "notification_ajournement",
    SensDecision.REFUSE: "notification_refus",
}


def notification(
    dossier: Dossier,
    *,
    seance: Seance,
    sens: str,
    motivation: str,
    reserves: str,
    debut: date | None,
    fin: date | None,
) -> Acte:
    """La lettre de décision. Une par séance et par dossier : rappelée, rend celle qui existe."""
    return demander_acte(
        cle=f"decision-{seance.pk}-{dossier.pk}",
        objet=f"dossier-{dossier.pk}",
        nature=NatureActe.NOTIFICATION,
        titre=f"Décision du {en_jour(seance.tenue_le)}, dossier {dossier.numero}",
        gabarit=_GABARITS[SensDecision(sens)],
        contexte={
            **_commun(dossier),
            "seance": en_jour(seance.tenue_le),
            "instance": seance.get_instance_display(),
            "sens": SensDecision(sens).label,
            "motivation": motivation,
            "reserves": reserves,
            "debut": en_jour(debut) if debut else "",
            "fin": en_jour(fin) if fin else "",
            "recours_mois": dossier.regime.referentiel.delais["recours_mois"],
        },
    )


def decision_de(acte: Acte) -> Decision | None:
    return Decision.objects.select_related("dossier__structure").filter(acte=acte).first()
