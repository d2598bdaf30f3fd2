"""L’état d’un plan et de ses règles, le sous-menu des contrôles."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from comptes.choix import ROLES_CAF, Role
from controles.choix import FAMILLES_PLAN, FAMILLES_REGLES
from controles.models import PlanControle, ReglesControle

register = template.Library()

PAGES = (
    ("liste", "controles:liste", "Contrôles", ROLES_CAF),
    ("plans", "controles:plans", "Plan", {Role.CONTROLEUR, Role.RESPONSABLE}),
    ("recommandations", "controles:recommandations", "Recommandations", ROLES_CAF),
    ("regles", "controles:liste_regles", "Règles", {Role.CONTROLEUR, Role.RESPONSABLE, Role.ADMINISTRATEUR}),
    ("statistiques", "controles:statistiques", "Statistiques",
     {Role.CONTROLEUR, Role.RESPONSABLE, Role.ADMINISTRATEUR}),
)  # fmt: skip


@register.simple_tag(takes_context=True)
def pages_des_controles(context: template.Context) -> list[tuple[str, str, str]]:
    """Les pages où cette personne entre : un lien qui refuse n’est pas montré."""
    utilisateur = context["request"].user
    return [(cle, nom, libelle) for cle, nom, libelle, roles in PAGES if utilisateur.tient(*roles)]


@register.simple_tag
def etat_plan(plan: PlanControle) -> SafeString:
    return format_html('<span class="etat etat-{}">{}</span>', FAMILLES_PLAN[plan.etat], plan.get_etat_display())


@register.simple_tag
def etat_regles(regles: ReglesControle) -> SafeString:
    return format_html('<span class="etat etat-{}">{}</span>', FAMILLES_REGLES[regles.etat], regles.get_etat_display())
