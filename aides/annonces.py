"""Qui est prévenu de quoi. Un courriel ne porte jamais une décision ni un montant : il invite à se connecter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.urls import reverse

from aides.models import BilanAide, DecisionAide, Demande
from comptes.choix import Role
from comptes.models import Utilisateur
from courriers.actions import annoncer
from financements.annonces import techniciens
from partenaires.interlocuteurs import agents, dirigeants, equipe
from socle.dates import en_jour


def direction(demande: Demande) -> list[Utilisateur]:
    return dirigeants(demande.structure_id)


def _charge(demande: Demande) -> list[Utilisateur]:
    return [demande.charge] if demande.charge else agents(Role.RESPONSABLE)


def prevenir(
    demande: Demande, evenement: str, destinataires: Iterable[Utilisateur], texte: str, *,
    lien: str = "", sauf: Utilisateur | None = None,
) -> None:  # fmt: skip
    """Une nouvelle et un courriel, une seule fois par événement et par personne."""
    annoncer(
        cle=f"aide-{demande.pk}-{evenement}",
        destinataires=destinataires,
        texte=texte,
        lien=lien or demande.get_absolute_url(),
        sujet=f"Du nouveau sur la demande d’aide {demande.numero}",
        gabarit="aides/courriels/du_nouveau",
        contexte={"numero": demande.numero, "structure": demande.structure.nom},
        sauf=sauf,
    )


def _rang(demande: Demande) -> int:
    """Distingue deux passages par le même état."""
    return demande.evenements.count()


def visa_demande(demande: Demande, *, par: Utilisateur) -> None:
    prevenir(
        demande, f"visa-{_rang(demande)}", equipe(demande.structure_id, Role.REPRESENTANT_LEGAL),
        f"{par} vous demande de viser la demande d’aide « {demande.intitule} ».",
        lien=reverse("aides:verifier", args=[demande.pk]), sauf=par,
    )  # fmt: skip


def visa_rendu(demande: Demande, *, par: Utilisateur, favorable: bool) -> None:
    suite = "a visé la demande : vous pouvez la déposer." if favorable else "n’a pas visé : lisez ses raisons."
    prevenir(
        demande, f"visa-rendu-{_rang(demande)}", equipe(demande.structure_id, Role.DIRECTION),
        f"« {demande.intitule} » : {par} {suite}", sauf=par,
    )  # fmt: skip


def deposee(demande: Demande, numero: int, *, par: Utilisateur) -> None:
    prevenir(
        demande, f"deposee-{numero}", _charge(demande),
        f"{demande.structure} a déposé une demande d’aide : « {demande.intitule} » ({demande.version}).",
    )  # fmt: skip


def complements_demandes(demande: Demande, numero: int) -> None:
    prevenir(
        demande, f"complements-{numero}", direction(demande),
        f"La Caf attend des compléments à votre demande d’aide « {demande.intitule} ».",
    )  # fmt: skip


def instruite(demande: Demande) -> None:
    prevenir(
        demande, f"instruite-{_rang(demande)}", agents(Role.SECRETARIAT),
        f"Demande d’aide à inscrire en séance : « {demande.intitule} », {demande.structure}.",
    )  # fmt: skip


def irrecevable(demande: Demande) -> None:
    prevenir(demande, "irrecevable", direction(demande), f"Du nouveau sur votre demande d’aide « {demande.intitule} ».")


def demarrage_autorise(demande: Demande) -> None:
    prevenir(
        demande, f"demarrage-{_rang(demande)}", direction(demande),
        f"La Caf vous répond sur le démarrage anticipé de « {demande.intitule} ».",
    )  # fmt: skip


def decision_prete(decision: DecisionAide) -> None:
    prevenir(
        decision.demande, f"decision-{decision.pk}", direction(decision.demande),
        f"La décision sur votre demande d’aide « {decision.demande.intitule} » est rendue : lisez la lettre.",
    )  # fmt: skip


def a_payer(demande: Demande, evenement: str, texte: str) -> None:
    prevenir(demande, f"{evenement}-{_rang(demande)}", techniciens(demande.structure), texte)


def a_la_direction(demande: Demande, evenement: str, texte: str) -> None:
    prevenir(demande, evenement, direction(demande), texte)


def au_charge(demande: Demande, evenement: str, texte: str) -> None:
    prevenir(demande, f"{evenement}-{_rang(demande)}", _charge(demande), texte)


def limite_proche(demande: Demande, jours: int) -> None:
    assert demande.limite_le is not None
    prevenir(
        demande, f"limite-{jours}-{demande.limite_le.isoformat()}", direction(demande),
        f"« {demande.intitule} » est à réaliser avant le {en_jour(demande.limite_le)}, au-delà ce qui n’est pas versé "
        f"est perdu : {'joignez vos factures' if demande.version.sur_factures else 'terminez le projet'}, ou demandez "
        "une prorogation.",
    )  # fmt: skip


def bilan_attendu(bilan: BilanAide, rappel: str) -> None:
    demande = bilan.demande
    prevenir(
        demande, f"bilan-{rappel}-{bilan.attendu_le.isoformat()}", direction(demande),
        f"Le bilan de « {demande.intitule} » est attendu le {en_jour(bilan.attendu_le)}.",
        lien=reverse("aides:bilan", args=[demande.pk]),
    )  # fmt: skip


def destination_a_attester(demande: Demande, annee: int, le: date) -> None:
    prevenir(
        demande, f"destination-{annee}-{le.isoformat()}", direction(demande),
        f"Attestez la destination sociale de « {demande.intitule} » pour {annee}.",
    )  # fmt: skip
