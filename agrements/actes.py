"""Les actes officiels d’un dossier : ce que chaque PDF dira, figé au moment de la décision.

La mise en page est dans ``documents`` ; ici, on compose le contexte (voir ``documents.gabarits`` pour la liste des
mentions) et on demande l’acte dans la transaction du geste : si elle échoue, aucun acte.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from agrements.choix import GesteAgrement, Objet, SensDecision
from agrements.models import (
    Agrement,
    Decision,
    DemandeComplements,
    Dossier,
    EvenementAgrement,
    Seance,
    VersionDossier,
)
from comptes.choix import Role
from comptes.models import Fonction
from documents.actions import demander_acte
from documents.gabarits import GABARITS
from documents.models import Acte, NatureActe
from partenaires.entete import entete
from socle.dates import en_duree, en_jour


def _commun(dossier: Dossier) -> dict[str, Any]:
    return {
        **entete(dossier.structure, numero=dossier.numero, interlocuteur=dossier.charge),
        "objets": [Objet(objet).label for objet in dossier.objets],
        "type": dossier.get_type_display(),
        "regime": dossier.regime.libelle,
    }


def _signature(le: date) -> dict[str, str]:
    """Le responsable en fonction ce jour-là signe, s’il est seul à l’être ; sinon la lettre part par délégation."""
    tenants = Fonction.objects.en_cours(le).filter(role=Role.RESPONSABLE, utilisateur__is_active=True)
    noms = {f.utilisateur_id: f.utilisateur.get_full_name() for f in tenants.select_related("utilisateur")}
    if len(noms) != 1:
        return {}
    return {"signataire": next(iter(noms.values())), "signataire_qualite": "responsable de l’action sociale"}


def _prevues(gabarit: str, mentions: dict[str, str]) -> dict[str, str]:
    """Les mentions que ce gabarit sait montrer, et qui disent quelque chose."""
    cles = GABARITS[gabarit].cles
    return {cle: valeur for cle, valeur in mentions.items() if cle in cles and valeur}


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
            **_prevues(
                "accuse_reception",
                {
                    **_signature(timezone.localdate()),
                    "reponse_avant": en_jour(dossier.echeance_le) if dossier.echeance_le else "",
                },
            ),
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
            **_prevues("demande_complements", _signature(timezone.localdate())),
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
    gabarit = _GABARITS[SensDecision(sens)]
    duree = en_duree(debut, fin) if debut and fin else ""
    return demander_acte(
        cle=f"decision-{seance.pk}-{dossier.pk}",
        objet=f"dossier-{dossier.pk}",
        nature=NatureActe.NOTIFICATION,
        titre=f"Décision du {en_jour(seance.tenue_le)}, dossier {dossier.numero}",
        gabarit=gabarit,
        contexte={
            **_commun(dossier),
            **_prevues(gabarit, {**_signature(timezone.localdate()), "duree": duree}),
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


# geste → (nom, décision en toutes lettres, ce qu’elle entraîne) ; effets : voir ``agrements.views.vie`` et l’argent
_DECISIONS_SUR_AGREMENT = {
    GesteAgrement.SUSPENDRE: (
        "suspension",
        "de suspendre cet agrément à compter de ce jour",
        "Les versements de prestations de service sont retenus tant que la suspension n’est pas levée ; la date de fin "
        "de l’agrément ne change pas.",
    ),
    GesteAgrement.LEVER_SUSPENSION: (
        "levée de la suspension",
        "de lever la suspension de cet agrément à compter de ce jour",
        "Les versements de prestations de service peuvent reprendre ; l’agrément court jusqu’à sa date de fin.",
    ),
    GesteAgrement.RETIRER: (
        "retrait",
        "de retirer cet agrément à compter de ce jour",
        "L’agrément n’ouvre plus droit aux prestations de service à compter de ce jour. Pour y prétendre à nouveau, un "
        "nouvel agrément est nécessaire.",
    ),
}


def _acte_sur_agrement(
    agrement: Agrement, gabarit: str, *, cle: str, titre: str, facultatives: dict[str, str], **mentions: Any
) -> Acte:
    """Une lettre sur un agrément, rangée avec celles du dossier qui l’a porté."""
    dossier = agrement.decision.dossier
    cles = GABARITS[gabarit].cles
    return demander_acte(
        cle=f"agrement-{agrement.pk}-{cle}",
        objet=f"dossier-{dossier.pk}",
        nature=NatureActe.AGREMENT,
        titre=f"{titre}, {agrement.get_objet_display()}",
        gabarit=gabarit,
        contexte={
            **{mention: valeur for mention, valeur in _commun(dossier).items() if mention in cles},
            **_prevues(gabarit, facultatives),
            "objet": agrement.get_objet_display(),
            "periode": f"du {en_jour(agrement.debut)} au {en_jour(agrement.fin)}",
            **mentions,
        },
    )


def decision_sur_agrement(evenement: EvenementAgrement) -> Acte:
    """La lettre d’une suspension, de sa levée ou d’un retrait ; une par événement."""
    agrement = evenement.agrement
    nom, decide, effet = _DECISIONS_SUR_AGREMENT[GesteAgrement(evenement.geste)]
    return _acte_sur_agrement(
        agrement,
        "decision_agrement",
        cle=str(evenement.pk),
        titre=f"{nom.capitalize()} de l’agrément",
        facultatives=_signature(timezone.localdate()),
        geste=nom,
        decide=decide,
        motif=evenement.motif,
        effet=effet,
        recours_mois=agrement.decision.dossier.regime.referentiel.delais["recours_mois"],
    )


def procedure_ouverte(agrement: Agrement, *, motif: str, origine: str, avant_le: date, rang: int) -> Acte:
    """L’invitation à présenter des observations (CRPA, articles L. 121-1 et L. 122-1), avant toute décision."""
    return _acte_sur_agrement(
        agrement,
        "procedure_agrement",
        cle=f"procedure-{rang}",
        titre="Procédure ouverte sur l’agrément",
        facultatives={**_signature(timezone.localdate()), "origine": origine},
        motif=motif,
        observations_avant=en_jour(avant_le),
    )


def actes_de_l_agrement(agrement: Agrement) -> QuerySet[Acte]:
    """Les lettres de sa vie après la décision : suspensions, levées, retrait. La dernière d’abord."""
    lettres = Acte.objects.filter(nature=NatureActe.AGREMENT, objet=f"dossier-{agrement.decision.dossier_id}")
    return lettres.filter(cle__startswith=f"agrement-{agrement.pk}-").order_by("-demande_le", "-pk")


def decision_de(acte: Acte) -> Decision | None:
    return Decision.objects.select_related("dossier__structure").filter(acte=acte).first()
