"""Les comptes de démonstration : des noms inventés, des adresses qui n’existent pas, un seul mot de passe."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from comptes.choix import Role
from comptes.models import Fonction, Utilisateur
from partenaires.models import Habilitation, Structure

MOT_DE_PASSE = "demonstration-portail-avs"
DOMAINE = "demo.invalid"

CHARGES = (
    ("Camille", "Bellanger"), ("Hugo", "Chauveau"), ("Inès", "Delaunay"), ("Mathis", "Fouquet"), ("Sarah", "Gaudin"),
    ("Lucas", "Humeau"), ("Nora", "Jolivet"), ("Théo", "Landais"), ("Anaïs", "Moreau"), ("Youssef", "Pineau"),
)  # fmt: skip
TECHNICIENS = (
    ("Alice", "Aubry"), ("Bruno", "Brossard"), ("Chloé", "Cesbron"), ("David", "Denis"), ("Elsa", "Esnault"),
    ("Fabien", "Frémont"), ("Gaëlle", "Godard"), ("Henri", "Hervé"), ("Irène", "Jamin"),
)  # fmt: skip
CONTROLEURS = (("Paul", "Ménard"), ("Rita", "Oger"), ("Simon", "Perrault"))
DIRECTIONS = (
    ("Dominique", "Rousseau"), ("Fatou", "Baudry"), ("Éric", "Courant"), ("Lina", "Davy"), ("Marc", "Gélineau"),
    ("Sophie", "Leroux"), ("Karim", "Macé"), ("Claire", "Noyer"), ("Julien", "Papin"), ("Maïa", "Quélin"),
)  # fmt: skip


def _personne(courriel: str, prenom: str, nom: str, condense: str) -> Utilisateur:
    """Le mot de passe est condensé une fois pour tous : argon2 est lent, et c’est voulu."""
    personne, _neuve = Utilisateur.objects.get_or_create(
        courriel=f"{courriel}@{DOMAINE}", defaults={"prenom": prenom, "nom": nom, "password": condense}
    )
    return personne


def _agent(role: Role, courriel: str, prenom: str, nom: str, condense: str, depuis: date) -> Utilisateur:
    personne = _personne(courriel, prenom, nom, condense)
    Fonction.objects.get_or_create(utilisateur=personne, role=role, defaults={"debut": depuis})
    return personne


def semer_agents(condense: str) -> dict[str, list[Utilisateur]]:
    depuis = timezone.localdate() - timedelta(days=900)

    def equipe(role: Role, prefixe: str, noms: tuple[tuple[str, str], ...]) -> list[Utilisateur]:
        return [
            _agent(role, f"{prefixe}{rang}", prenom, nom, condense, depuis)
            for rang, (prenom, nom) in enumerate(noms, start=1)
        ]

    return {
        "charges": equipe(Role.CHARGE_CONSEIL, "charge", CHARGES),
        "techniciens": equipe(Role.TECHNICIEN_CONSEIL, "technicien", TECHNICIENS),
        "controleurs": equipe(Role.CONTROLEUR, "controleur", CONTROLEURS),
        "secretariat": [_agent(Role.SECRETARIAT, "secretariat", "Martine", "Sorin", condense, depuis)],
        "responsable": [_agent(Role.RESPONSABLE, "responsable", "Olivier", "Thibault", condense, depuis)],
        "administrateur": [_agent(Role.ADMINISTRATEUR, "administrateur", "Valérie", "Vigneron", condense, depuis)],
    }


def semer_partenaires(structures: list[Structure], condense: str) -> None:
    """Par structure : une direction et un représentant légal. La première direction en tient trois."""
    depuis = timezone.localdate() - timedelta(days=700)
    for rang, structure in enumerate(structures):
        if rang < 3:
            direction = _personne("direction", *DIRECTIONS[0], condense)
        else:
            prenom, nom = DIRECTIONS[rang % len(DIRECTIONS)]
            direction = _personne(f"direction{rang + 1}", prenom, f"{nom}", condense)
        president = _personne(
            "president" if rang < 3 else f"president{rang + 1}",
            DIRECTIONS[(rang + 4) % 10][0],
            DIRECTIONS[(rang + 7) % 10][1],
            condense,
        )
        paires = [(direction, Role.DIRECTION), (president, Role.REPRESENTANT_LEGAL)]
        if rang == 0:
            paires.append((_personne("saisie", "Léo", "Tessier", condense), Role.SAISIE))
        for personne, role in paires:
            Habilitation.objects.get_or_create(
                utilisateur=personne, structure=structure, role=role, defaults={"debut": depuis}
            )


COMPTES_A_ESSAYER = (
    {"courriel": f"direction@{DOMAINE}", "libelle": "directrice de trois structures"},
    {"courriel": f"president@{DOMAINE}", "libelle": "représentant légal"},
    {"courriel": f"charge1@{DOMAINE}", "libelle": "chargée de conseil et de développement"},
    {"courriel": f"secretariat@{DOMAINE}", "libelle": "secrétariat des instances"},
    {"courriel": f"responsable@{DOMAINE}", "libelle": "responsable"},
    {"courriel": f"administrateur@{DOMAINE}", "libelle": "administrateur fonctionnel"},
    {"courriel": f"technicien1@{DOMAINE}", "libelle": "technicienne conseil"},
    {"courriel": f"controleur1@{DOMAINE}", "libelle": "contrôleur"},
)
