"""Ce que toute page montre : menu du rôle, structure, nouvelles non lues. Une requête au plus, à l’affichage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from comptes.choix import Role
from comptes.http import Requete
from comptes.models import Utilisateur
from partenaires.actions import AUTEURS
from partenaires.courante import structures_habilitees
from partenaires.demo.comptes import COMPTES_A_ESSAYER, MOT_DE_PASSE

ENTREES_PARTENAIRE = (
    ("accueil:espace", "Mon espace"),
    ("agrements:liste", "Mes dossiers"),
    ("financements:accueil", "Mes financements"),
    ("aides:liste", "Mes aides"),
    ("senacs:accueil", "Senacs"),
    ("controles:liste", "Contrôles"),
    ("partenaires:liste", "Ma structure"),
)
MENU_PUBLIC = (
    ("accueil:accueil", "Accueil"),
    ("accueil:creer", "Créer un centre social"),
    ("accueil:gerer", "Gérer un centre social"),
    ("accueil:carte", "Où sont-ils ?"),
    ("accueil:realisations", "Réalisations"),
    ("accueil:questions", "Questions"),
    ("accueil:contact", "Contact"),
)
ENTREES_AGENT = (
    ("accueil:espace", "Aujourd’hui"),
    ("agrements:liste", "Dossiers"),
    ("agrements:agrements", "Agréments"),
    ("partenaires:liste", "Structures"),
    ("agrements:seances", "Séances"),
    ("financements:declarations", "Déclarations"),
    ("financements:droits", "Droits"),
    ("financements:paiements", "Paiements"),
    ("aides:liste", "Aides"),
)


def menu(utilisateur: Utilisateur) -> list[tuple[str, str]]:
    if not utilisateur.est_agent:
        return list(ENTREES_PARTENAIRE)
    entrees = list(ENTREES_AGENT)
    if utilisateur.roles - {Role.SECRETARIAT}:
        entrees.append(("controles:liste", "Contrôles"))
    if utilisateur.tient(Role.RESPONSABLE, Role.ADMINISTRATEUR):
        entrees += [("partenaires:secteurs", "Secteurs"), ("partenaires:agents", "Agents")]
    if utilisateur.tient(*AUTEURS):
        entrees.append(("accueil:articles", "Articles"))
    return entrees


MENU_ARGENT = (
    ("financements:declarations", "Déclarations"),
    ("financements:droits", "Droits"),
    ("financements:paiements", "Paiements"),
    ("financements:lots", "Lots et retours"),
    ("financements:conventions", "Conventions"),
    ("financements:campagnes", "Campagnes"),
    ("financements:baremes", "Barèmes"),
    ("financements:recalculs", "Recalculs"),
    ("financements:changements", "Changements de régime"),
    ("financements:regles", "Règles"),
    ("financements:prestations", "Prestations"),
    ("financements:simulateur", "Simulateur"),
)


# Les pages d’une rubrique qui ne commencent pas par son adresse : celles qui commencent par l’adresse de ces listes.
PROLONGEMENTS = {
    "aides:liste": ("senacs:suivi",),
    "financements:accueil": (
        "financements:declarations",
        "financements:droits",
        "financements:conventions",
        "financements:simulateur",
    ),
    "financements:paiements": ("financements:lots",),
    "financements:declarations": ("financements:campagnes",),
    "financements:droits": (
        "financements:conventions",
        "financements:recalculs",
        "financements:baremes",
        "financements:scenarios",
    ),
}


def entree_courante(entrees: Iterable[tuple[str, str]], chemin: str) -> str:
    """L’entrée du menu dont cette page est le prolongement : la plus longue adresse qui la commence, ou rien."""
    noms = [nom for nom, _ in entrees]
    adresses = {reverse(suite): nom for nom in noms for suite in PROLONGEMENTS.get(nom, ())}
    adresses |= {reverse(nom): nom for nom in noms}
    prefixes = [adresse for adresse in adresses if chemin == adresse or (adresse != "/" and chemin.startswith(adresse))]
    return adresses[max(prefixes, key=len)] if prefixes else ""


def habillage(request: Requete) -> dict[str, Any]:
    utilisateur = getattr(request, "user", None)
    contexte: dict[str, Any] = {
        "portail": settings.PORTAIL_NOM,
        "caf": settings.PORTAIL_CAF,
        "demonstration": settings.PORTAIL_DEMONSTRATION,
        "session_duree": settings.SESSION_COOKIE_AGE,
        "session_preavis": settings.SESSION_PREAVIS,
        "menu_public": MENU_PUBLIC,
    }
    if settings.PORTAIL_DEMONSTRATION:
        contexte["demo_comptes"] = COMPTES_A_ESSAYER
        contexte["demo_mot_de_passe"] = MOT_DE_PASSE
    if getattr(utilisateur, "is_authenticated", False):
        contexte["menu"] = SimpleLazyObject(lambda: menu(request.user))
        contexte["menu_courant"] = SimpleLazyObject(lambda: entree_courante(menu(request.user), request.path))
        contexte["menu_argent"] = MENU_ARGENT
        contexte["non_lues"] = SimpleLazyObject(lambda: request.user.notifications.filter(lue_le__isnull=True).count())
        contexte["mes_structures"] = SimpleLazyObject(lambda: list(structures_habilitees(request).values()))
        contexte["structure_courante"] = request.structure
    else:
        contexte["menu_courant"] = SimpleLazyObject(lambda: entree_courante(MENU_PUBLIC, request.path))
    return contexte
