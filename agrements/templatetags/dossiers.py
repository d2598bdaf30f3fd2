"""L’état d’un dossier, avec le mot de qui le lit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from agrements import budget
from agrements.choix import FAMILLES_ETAT, EtatAgrement
from agrements.contenu import texte_lisible
from agrements.etapes import libelle_du_dossier
from agrements.filtres import filtre_propre, voisins
from agrements.models import Agrement, Dossier
from agrements.referentiel import Champ
from agrements.surlignage import Passage, surligner

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


@register.filter
def parties_du_budget(lignes: Any) -> list[budget.Partie]:
    return budget.en_parties(lignes or ())


@register.filter
def ecart_du_budget(lignes: Any) -> str:
    return budget.phrase_d_ecart(lignes or ())


@register.simple_tag
def valeur_citee(champ: Champ, valeur: Any, passages: Sequence[Passage] = ()) -> SafeString:
    """La réponse, ses passages cités surlignés ; ceux d’un tableau, que l’écran découpe, sont dits dessous."""
    rendu = render_to_string("agrements/_valeur.html", {"champ": champ, "valeur": valeur})
    html, absents = surligner(rendu, passages or ())
    lisible = " ".join(texte_lisible(champ, valeur).split())
    dessous = format_html_join(
        "",
        '<p class="discret mt-2 mb-0" data-hors-citation>Cité pour le critère {} : <mark>« {} »</mark></p>',
        ((p.numero, p.extrait) for p in absents if p.extrait in lisible),
    )
    return mark_safe(html) + dessous  # noqa: S308 — le gabarit a échappé ; surligner n’ajoute que ses marques


def _suite(context: template.Context) -> str:
    request = context["request"]
    if "liste" not in request.GET:
        return ""
    porte = QueryDict(mutable=True)
    porte["liste"] = filtre_propre(QueryDict(request.GET["liste"][:1000]))
    return f"?{porte.urlencode()}"


@register.simple_tag(takes_context=True)
def suite_de_liste(context: template.Context) -> str:
    """À coller aux liens d’un dossier : d’un onglet à l’autre, on garde la liste d’où l’on vient."""
    return _suite(context)


@register.inclusion_tag("agrements/_voisins.html", takes_context=True)
def voisins_dans_la_liste(context: template.Context, dossier: Dossier) -> dict[str, Any]:
    suite = _suite(context)
    if not suite:
        return {"depuis_une_liste": False}
    filtre = QueryDict(suite[1:])["liste"]
    precedent, suivant = voisins(context["request"], dossier, filtre)
    retour = f"{reverse('agrements:liste')}?{filtre}" if filtre else reverse("agrements:liste")
    return {
        "depuis_une_liste": True, "precedent": precedent, "suivant": suivant, "suite": suite, "retour": retour,
    }  # fmt: skip
