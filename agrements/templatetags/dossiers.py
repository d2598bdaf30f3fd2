"""L’état d’un dossier, avec le mot de qui le lit."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agrements.choix import FAMILLES_ETAT, EtatAgrement
from agrements.etapes import libelle_du_dossier
from agrements.models import Agrement, Dossier

register = template.Library()
_FAMILLES_AGREMENT = {
    EtatAgrement.A_VENIR: "attente",
    EtatAgrement.EN_COURS: "succes",
    EtatAgrement.SUSPENDU: "refus",
    EtatAgrement.RETIRE: "refus",
}


@register.simple_tag(takes_context=True)
def etat_dossier(context: template.Context, dossier: Dossier) -> SafeString:
    agent = context["request"].user.est_agent
    famille = FAMILLES_ETAT[dossier.etat] if agent or not dossier.decision_a_lire else "attente"
    return format_html('<span class="etat etat-{}">{}</span>', famille, libelle_du_dossier(dossier, agent=agent))


@register.simple_tag
def etat_agrement(agrement: Agrement) -> SafeString:
    famille = _FAMILLES_AGREMENT.get(EtatAgrement(agrement.etat), "neutre")
    return format_html('<span class="etat etat-{}">{}</span>', famille, agrement.get_etat_display())
