"""Qui est prévenu de quoi, par quelle voie. Un courriel ne porte jamais une décision : il invite à se connecter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils import timezone

from agrements import actes
from agrements.models import (
    Decision,
    DemandeComplements,
    Dossier,
    EvenementAgrement,
    Piece,
    ProcedureAgrement,
    VersionDossier,
)
from comptes.choix import Role
from comptes.models import Utilisateur
from courriers.actions import annoncer, prevenir
from partenaires.interlocuteurs import agents, dirigeants, equipe
from socle.dates import en_jour


def _direction(dossier: Dossier) -> list[Utilisateur]:
    return dirigeants(dossier.structure_id)


def _charge(dossier: Dossier) -> list[Utilisateur]:
    return [dossier.charge] if dossier.charge else agents(Role.RESPONSABLE)


def _annoncer(
    dossier: Dossier,
    evenement: str,
    destinataires: Iterable[Utilisateur],
    texte: str,
    *,
    lien: str = "",
    sauf: Utilisateur | None = None,
) -> None:
    annoncer(
        cle=f"dossier-{dossier.pk}-{evenement}",
        destinataires=destinataires,
        texte=texte,
        lien=lien or dossier.get_absolute_url(),
        sujet=f"Du nouveau sur le dossier {dossier.numero}",
        gabarit="agrements/courriels/du_nouveau",
        contexte={"numero": dossier.numero, "structure": dossier.structure.nom},
        sauf=sauf,
    )


def _rang(dossier: Dossier) -> int:
    """Distingue deux passages par le même état : la clé d’unicité reste propre à chaque passage."""
    return dossier.evenements.count()


def _jour_de(version: VersionDossier) -> str:
    return en_jour(timezone.localtime(version.deposee_le).date())


def visa_demande(dossier: Dossier, *, par: Utilisateur) -> None:
    _annoncer(
        dossier,
        f"visa-{_rang(dossier)}",
        equipe(dossier.structure_id, Role.REPRESENTANT_LEGAL),
        f"{par} vous demande de viser le projet social de {dossier.structure}.",
        sauf=par,
    )


def visa_rendu(dossier: Dossier, *, par: Utilisateur, favorable: bool) -> None:
    texte = "a visé le projet : vous pouvez le déposer." if favorable else "n’a pas visé le projet : lisez ses raisons."
    _annoncer(
        dossier,
        f"visa-rendu-{_rang(dossier)}",
        equipe(dossier.structure_id, Role.DIRECTION),
        f"{par} {texte}",
        sauf=par,
    )


def dossier_depose(dossier: Dossier, version: VersionDossier, *, par: Utilisateur) -> None:
    actes.accuse_reception(dossier, version)
    _annoncer(
        dossier,
        f"depot-{version.numero}",
        _direction(dossier),
        f"Le dossier {dossier.numero} est déposé le {_jour_de(version)} : l’accusé de réception vous y attend.",
        sauf=par,
    )
    _annoncer(
        dossier,
        f"a-instruire-{version.numero}",
        _charge(dossier),
        f"{dossier.structure} a déposé son dossier {dossier.numero} le {_jour_de(version)} : complétude à vérifier.",
    )


def complements_demandes(dossier: Dossier, demande: DemandeComplements, lignes: list[dict[str, str]]) -> None:
    assert demande.echeance_le is not None
    demande.acte = actes.demande_de_complements(dossier, demande, lignes, demande.echeance_le)
    _annoncer(
        dossier,
        f"complements-{demande.numero}",
        _direction(dossier),
        f"La Caf attend des compléments sur le dossier {dossier.numero} pour le {en_jour(demande.echeance_le)}.",
    )


def complements_renvoyes(dossier: Dossier, version: VersionDossier, *, par: Utilisateur) -> None:
    actes.accuse_reception(dossier, version)
    _annoncer(
        dossier,
        f"renvoi-{version.numero}",
        _charge(dossier),
        f"{dossier.structure} a renvoyé ses compléments le {_jour_de(version)} "
        f"({dossier.numero}, version {version.numero}).",
    )


def dossier_retire(dossier: Dossier, *, par: Utilisateur) -> None:
    if dossier.depose_le is None:
        return
    _annoncer(dossier, "retrait", _charge(dossier), f"{dossier.structure} retire sa demande {dossier.numero}.")


def dossier_irrecevable(dossier: Dossier) -> None:
    _annoncer(
        dossier,
        "irrecevable",
        _direction(dossier),
        f"Le dossier {dossier.numero} a été examiné : connectez-vous pour lire la suite donnée.",
    )


def instruction_finie(dossier: Dossier) -> None:
    _annoncer(
        dossier,
        f"instruit-{_rang(dossier)}",
        agents(Role.SECRETARIAT),
        f"{dossier.numero}, {dossier.structure} : prêt à être inscrit en commission.",
    )


def dossier_affecte(dossier: Dossier, *, par: Utilisateur) -> None:
    _annoncer(
        dossier,
        f"affecte-{_rang(dossier)}",
        _charge(dossier),
        f"{par} vous confie le dossier {dossier.numero} de {dossier.structure}.",
        sauf=par,
    )


def dossier_suit_le_secteur(dossier: Dossier) -> None:
    _annoncer(
        dossier,
        f"secteur-{_rang(dossier)}",
        _charge(dossier),
        f"Le dossier {dossier.numero} de {dossier.structure} vous suit avec son secteur.",
    )


def agrement_change(evenement: EvenementAgrement) -> None:
    """Une lettre motivée, avec ses recours ; la direction et le représentant légal sont prévenus, le chargé aussi."""
    agrement = evenement.agrement
    dossier = agrement.decision.dossier
    actes.decision_sur_agrement(evenement)
    geste, objet = evenement.get_geste_display(), agrement.get_objet_display()
    for destinataires, texte in (
        (_direction(dossier), f"{geste.capitalize()} de votre agrément ({objet}) : lisez la lettre."),
        (_charge(dossier), f"{agrement.structure}, {geste} de l’agrément par {evenement.par}."),
    ):
        _annoncer(dossier, f"agrement-{evenement.pk}", destinataires, texte, sauf=evenement.par)


def procedure_ouverte(procedure: ProcedureAgrement) -> None:
    """La structure est invitée à répondre ; les responsables, hors celui qui ouvre, savent qu’une décision viendra."""
    agrement = procedure.agrement
    dossier = agrement.decision.dossier
    objet = agrement.get_objet_display()
    _annoncer(
        dossier,
        f"procedure-{procedure.pk}",
        _direction(dossier),
        f"La Caf vous écrit au sujet de votre agrément ({objet}) : vos observations sont attendues jusqu’au "
        f"{en_jour(procedure.observations_avant_le)}.",
        lien=agrement.get_absolute_url(),
    )
    _annoncer(
        dossier,
        f"procedure-{procedure.pk}-caf",
        {p.pk: p for p in (*agents(Role.RESPONSABLE), *_charge(dossier))}.values(),
        f"{agrement.structure} : procédure ouverte sur l’agrément ({objet}) par {procedure.ouverte_par}.",
        lien=agrement.get_absolute_url(),
        sauf=procedure.ouverte_par,
    )


def procedure_observee(procedure: ProcedureAgrement) -> None:
    agrement = procedure.agrement
    dossier = agrement.decision.dossier
    prevenus = (*agents(Role.RESPONSABLE), *_charge(dossier), procedure.ouverte_par)
    _annoncer(
        dossier,
        f"procedure-{procedure.pk}-observee",
        {p.pk: p for p in prevenus}.values(),
        f"{agrement.structure} a présenté ses observations sur la procédure qui vise son agrément.",
        lien=agrement.get_absolute_url(),
    )


def procedure_sans_suite(procedure: ProcedureAgrement) -> None:
    dossier = procedure.agrement.decision.dossier
    _annoncer(
        dossier,
        f"procedure-{procedure.pk}-close",
        {p.pk: p for p in (*_direction(dossier), *_charge(dossier), procedure.ouverte_par)}.values(),
        f"La procédure ouverte sur l’agrément de {procedure.agrement.structure} est close sans suite.",
        lien=procedure.agrement.get_absolute_url(),
        sauf=procedure.close_par,
    )


def notification_prete(decision: Decision) -> None:
    """Appelée quand la lettre est produite : c’est elle qui fait la notification, pas le courriel."""
    dossier = decision.dossier
    _annoncer(
        dossier,
        f"decision-{decision.pk}",
        _direction(dossier),
        f"Le conseil d’administration s’est prononcé sur le dossier {dossier.numero} : lisez la notification.",
    )


def piece_expire(piece: Piece, libelle: str, le: date) -> None:
    """Deux nouvelles au plus par pièce et par échéance : l’une dans le mois qui la précède, l’autre le jour venu."""
    assert piece.valable_jusqu_au is not None
    jour = en_jour(piece.valable_jusqu_au)
    if piece.valable_jusqu_au > le:
        rappel, suite = "30-jours", f"expire le {jour} : préparez-en une plus récente."
    else:
        rappel, suite = "echeance", f"arrive à échéance le {jour} : elle ne se joint plus à un dossier."
    for personne in dirigeants(piece.structure_id):
        prevenir(
            cle=f"piece-{piece.pk}-{piece.valable_jusqu_au.isoformat()}-{rappel}-{personne.pk}",
            destinataire=personne,
            texte=f"{piece.structure}, « {libelle} » {suite}",
            lien=f"{piece.structure.get_absolute_url()}?onglet=documents",
        )
