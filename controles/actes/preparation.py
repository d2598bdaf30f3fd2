"""Les lettres d’avant la visite : notification, report, annulation."""

from __future__ import annotations

from datetime import date

from controles.actes.commun import courrier, reperes, visite_dite
from controles.choix import Mode
from controles.models import Controle
from documents.models import Acte
from socle.dates import en_jour

SANS_EFFET = (
    "L’ouverture de ce contrôle ne suspend pas les versements de la Caf. Les pièces sont à garder dans un lieu unique, "
    "pendant la convention et les six ans qui suivent le dernier versement."
)


def _envoi_dit(controle: Controle) -> str:
    requise = controle.pieces_demandees.filter(requise_le__isnull=False).values_list("requise_le", flat=True).first()
    return f"Déposez-les dans le portail jusqu’au {en_jour(requise)} compris ; il les range." if requise else ""


def notification(controle: Controle) -> Acte:
    """Au représentant légal : objet, période, pièces (domaine E.1 ; charte de contrôle de la branche)."""
    sur_place = controle.mode == Mode.SUR_PLACE
    pieces = [str(p) for p in controle.pieces_demandees.all()]
    return courrier(
        controle,
        cle="notification",
        titre="Notification de contrôle",
        objet=f"contrôle {controle.get_mode_display()} de votre structure",
        paragraphes=[
            "La Caf contrôle l’usage des aides collectives qu’elle verse, quel que soit le statut de qui les reçoit. "
            f"Votre structure fait l’objet d’un contrôle {controle.get_mode_display()}.",
            f"Le contrôleur se présentera dans vos locaux le {visite_dite(controle)}. La direction, et si elle le "
            "souhaite la présidence, le reçoivent."
            if sur_place
            else f"Vous n’avez personne à recevoir : le contrôle se mène sur les pièces. {_envoi_dit(controle)}",
            "Les constats vous seront communiqués dans un rapport provisoire. Vous pourrez y répondre point par point, "
            "pièces à l’appui, avant toute conclusion.",
        ],
        releve=reperes(controle),
        pieces=pieces,
        suite=SANS_EFFET,
    )


def remise_sur_place(controle: Controle) -> Acte:
    """La lettre d’une visite inopinée, remise à l’arrivée : elle dit les mêmes droits que la notification."""
    return courrier(
        controle,
        cle="notification",
        titre="Contrôle sur place sans préavis",
        objet="contrôle sur place de votre structure",
        paragraphes=[
            "La Caf contrôle l’usage des aides collectives qu’elle verse, quel que soit le statut de qui les reçoit. "
            "Un contrôleur se présente ce jour dans vos locaux, sans préavis, sur autorisation motivée.",
            "Les constats vous seront communiqués dans un rapport provisoire. Vous pourrez y répondre point par point, "
            "pièces à l’appui, avant toute conclusion.",
        ],
        releve=reperes(controle),
        pieces=[str(p) for p in controle.pieces_demandees.all()],
        suite=SANS_EFFET,
    )


def report(controle: Controle, avant: date, motif: str) -> Acte:
    assert controle.visite_le is not None
    return courrier(
        controle,
        cle=f"report-{controle.evenements.count()}",
        titre="Report de la visite de contrôle",
        objet="report de la visite de contrôle",
        paragraphes=[
            f"La visite prévue le {en_jour(avant)} est reportée au {visite_dite(controle)}. Le reste de la "
            "notification ne change pas."
        ],
        releve=reperes(controle),
        motivation=motif,
    )


def annulation(controle: Controle, motif: str) -> Acte:
    return courrier(
        controle,
        cle="annulation",
        titre="Annulation du contrôle",
        objet="annulation du contrôle de votre structure",
        paragraphes=["Le contrôle qui vous avait été annoncé est annulé. Vous n’avez rien à faire."],
        motivation=motif,
    )
