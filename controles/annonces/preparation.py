"""Qui est prévenu avant la visite. Un courriel invite à se connecter, sans rien dire de plus."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.urls import reverse

from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from controles.models import Controle, PieceRemise
from courriers.actions import annoncer
from partenaires.interlocuteurs import agents, dirigeants, equipe
from socle.dates import en_jour


def direction(controle: Controle) -> list[Utilisateur]:
    return dirigeants(controle.structure_id)


def prevenir(
    controle: Controle, evenement: str, destinataires: Iterable[Utilisateur], texte: str, *,
    lien: str = "", sauf: Utilisateur | None = None,
) -> None:  # fmt: skip
    """Une nouvelle et un courriel, une seule fois par événement et par personne."""
    annoncer(
        cle=f"controle-{controle.pk}-{evenement}",
        destinataires=destinataires,
        texte=texte,
        lien=lien or controle.get_absolute_url(),
        sujet=f"Du nouveau sur le contrôle {controle.numero}",
        gabarit="controles/courriels/du_nouveau",
        contexte={"numero": controle.numero, "structure": controle.structure.nom},
        sauf=sauf,
    )


def rang(controle: Controle) -> int:
    """Distingue deux passages par le même geste."""
    return controle.evenements.count()


def inopine_autorise(controle: Controle) -> None:
    prevenir(
        controle, "inopine", [controle.controleur], f"Une visite inopinée est autorisée : {controle.structure}."
    )  # fmt: skip


def notifie(controle: Controle) -> None:
    quand = f" Visite le {en_jour(controle.visite_le)}." if controle.visite_le else ""
    prevenir(
        controle, "notifie", direction(controle),
        f"La Caf vous annonce un contrôle : lisez la lettre et les pièces à tenir prêtes.{quand}",
    )  # fmt: skip
    prevenir(controle, "notifie-caf", agents(Role.RESPONSABLE), f"Contrôle notifié à {controle.structure}.")


def commence_sans_preavis(controle: Controle) -> None:
    prevenir(
        controle, "inopine-commence", direction(controle),
        "Un contrôle sur place est commencé dans votre structure : lisez la lettre qui vous est remise.",
    )  # fmt: skip


def reporte(controle: Controle) -> None:
    assert controle.visite_le is not None
    prevenir(
        controle, f"reporte-{rang(controle)}", direction(controle),
        f"La visite de contrôle est reportée au {en_jour(controle.visite_le)}.",
    )  # fmt: skip


def confie(controle: Controle) -> None:
    prevenir(
        controle, f"confie-{rang(controle)}", [controle.controleur],
        f"Un contrôle vous est confié : {controle.structure}.",
    )  # fmt: skip


def pieces_demandees(controle: Controle, requise_le: date, dernier: int) -> None:
    prevenir(
        controle, f"pieces-{dernier}", equipe(controle.structure_id, *ROLES_PARTENAIRE),
        f"Le contrôleur vous demande des pièces avant le {en_jour(requise_le)}.",
        lien=reverse("controles:pieces", args=[controle.pk]),
    )  # fmt: skip


def piece_remise(controle: Controle, remise: PieceRemise) -> None:
    prevenir(
        controle, f"remise-{remise.pk}", [controle.controleur], f"{controle.structure} a remis : {remise.piece}.",
        lien=reverse("controles:pieces", args=[controle.pk]),
    )  # fmt: skip


def annule(controle: Controle) -> None:
    prevenir(controle, "annule", direction(controle), "Le contrôle annoncé par la Caf est annulé : lisez la lettre.")
