"""L’état d’une demande d’aide, d’un bilan, d’un prêt, avec le mot de qui le lit."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aides.choix import (
    DECISION_A_LIRE,
    FAMILLES,
    FAMILLES_BILAN,
    FAMILLES_DISPOSITIF,
    FAMILLES_ECHEANCE,
    FAMILLES_PRET,
    LIBELLES_PARTENAIRE,
)
from aides.models import BilanAide, Demande, EcheancePret, Pret, VersionDispositif

register = template.Library()


def _etat(famille: str, libelle: str) -> SafeString:
    return format_html('<span class="etat etat-{}">{}</span>', famille, libelle)


@register.simple_tag(takes_context=True)
def etat_demande(context: template.Context, demande: Demande) -> SafeString:
    """La structure n’apprend la décision que par sa lettre."""
    if context["request"].user.est_agent:
        return _etat(FAMILLES[demande.etat], demande.get_etat_display())
    if demande.decision_a_lire:
        return _etat("attente", DECISION_A_LIRE)
    return _etat(FAMILLES[demande.etat], LIBELLES_PARTENAIRE[demande.etat])


@register.simple_tag
def etat_bilan(bilan: BilanAide) -> SafeString:
    return _etat(FAMILLES_BILAN[bilan.etat], bilan.get_etat_display())


@register.simple_tag
def etat_pret(pret: Pret) -> SafeString:
    return _etat(FAMILLES_PRET[pret.etat], pret.get_etat_display())


@register.simple_tag
def etat_echeance(echeance: EcheancePret) -> SafeString:
    return _etat(FAMILLES_ECHEANCE[echeance.etat], echeance.get_etat_display())


@register.simple_tag
def etat_dispositif(version: VersionDispositif) -> SafeString:
    return _etat(FAMILLES_DISPOSITIF[version.etat], version.get_etat_display())
