"""Qui est prévenu du rapport à la clôture. Un courriel ne dit jamais un constat : il invite à se connecter."""

from __future__ import annotations

from datetime import date

from django.urls import reverse

from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from controles.annonces.preparation import direction, prevenir, rang
from controles.models import Controle
from partenaires.interlocuteurs import agents, charge_de, equipe
from socle.dates import en_jour
from socle.texte import accorde


def _charge(controle: Controle, le: date) -> list[Utilisateur]:
    charge = charge_de(controle.structure, le)
    return [charge] if charge else []


def provisoire_emis(controle: Controle, le: date) -> None:
    assert controle.reponse_avant_le is not None
    prevenir(
        controle, "provisoire", direction(controle),
        f"Le rapport provisoire du contrôle est arrivé : répondez à chaque constat avant le "
        f"{en_jour(controle.reponse_avant_le)}.",
        lien=reverse("controles:repondre", args=[controle.pk]),
    )  # fmt: skip
    prevenir(
        controle, "provisoire-caf", [*_charge(controle, le), *agents(Role.RESPONSABLE)],
        f"Le rapport provisoire du contrôle de {controle.structure} est notifié.",
    )  # fmt: skip


def delai_prolonge(controle: Controle) -> None:
    assert controle.reponse_avant_le is not None
    prevenir(
        controle, f"prolonge-{controle.reponse_avant_le.isoformat()}", direction(controle),
        f"Le délai pour répondre au rapport provisoire court jusqu’au {en_jour(controle.reponse_avant_le)}.",
        lien=reverse("controles:repondre", args=[controle.pk]),
    )  # fmt: skip


def echeance_proche(controle: Controle, rappel: int, reste: int) -> None:
    """Un rappel par palier (sept jours, deux jours), même si l’horloge l’a manqué d’un jour."""
    assert controle.reponse_avant_le is not None
    prevenir(
        controle, f"rappel-{rappel}-{controle.reponse_avant_le.isoformat()}",
        equipe(controle.structure_id, *ROLES_PARTENAIRE),
        f"Il vous reste {accorde(reste, 'jour')} pour répondre au rapport provisoire du contrôle.",
        lien=reverse("controles:repondre", args=[controle.pk]),
    )  # fmt: skip


def reponses_recues(controle: Controle) -> None:
    prevenir(
        controle, "reponses", [controle.controleur], f"{controle.structure} a répondu au rapport : concluez.",
        lien=reverse("controles:conclure", args=[controle.pk]),
    )  # fmt: skip


def silence(controle: Controle) -> None:
    prevenir(
        controle, "silence", [controle.controleur],
        f"{controle.structure} n’a pas répondu au rapport provisoire dans le délai : concluez.",
        lien=reverse("controles:conclure", args=[controle.pk]),
    )  # fmt: skip
    prevenir(
        controle, "silence-structure", direction(controle),
        "Le délai pour répondre au rapport provisoire est passé : le contrôleur conclut sur les pièces qu’il a.",
    )  # fmt: skip


def definitif_signe(controle: Controle, le: date) -> None:
    prevenir(controle, "definitif", direction(controle), "Le rapport définitif du contrôle est rendu : ouvrez-le.")
    prevenir(
        controle, "definitif-caf", [*_charge(controle, le), *agents(Role.RESPONSABLE)],
        f"Le rapport définitif du contrôle de {controle.structure} est signé.",
    )  # fmt: skip


def clos(controle: Controle) -> None:
    prevenir(controle, f"clos-{rang(controle)}", direction(controle), "Le contrôle de votre structure est clos.")
