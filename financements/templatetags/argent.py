"""Les pastilles d’état de l’argent. Présentation seulement."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from financements.choix import FAMILLES_DECLARATION, FAMILLES_PAIEMENT, NatureDroit
from financements.models import Declaration, Paiement

register = template.Library()


def _pastille(famille: str, libelle: str) -> SafeString:
    return format_html('<span class="etat etat-{}">{}</span>', famille, libelle)


@register.simple_tag(takes_context=True)
def etat_declaration(context: dict[str, object], declaration: Declaration) -> SafeString:
    """Chaque public a ses mots : la Caf ne lit pas « La Caf attend vos corrections »."""
    agent = getattr(context.get("user"), "est_agent", False)
    libelle = declaration.get_etat_display() if agent else declaration.libelle_partenaire
    return _pastille(FAMILLES_DECLARATION[declaration.etat], libelle)


@register.filter
def nature_de_droit(code: str | None) -> str:
    return str(NatureDroit(code).label) if code else ""


@register.simple_tag
def etat_paiement(paiement: Paiement) -> SafeString:
    return _pastille(FAMILLES_PAIEMENT[paiement.etat], paiement.get_etat_display())
