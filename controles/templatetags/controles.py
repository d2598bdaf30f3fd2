"""L’état d’un contrôle, d’un constat, d’une suite, avec le mot de qui le lit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import uuid4

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from comptes.choix import Role
from controles.choix import (
    ETATS_DE_VISITE,
    ETATS_DEFINITIFS,
    FAMILLES,
    FAMILLES_CONCLUSION,
    FAMILLES_CONSTAT,
    FAMILLES_PLAN,
    FAMILLES_RECOMMANDATION,
    FAMILLES_REGLES,
    FAMILLES_SANCTION,
    FAMILLES_SUITE,
    LIBELLES_PARTENAIRE,
    Etat,
    NatureConstat,
)
from controles.contenu import Fiche
from controles.droits import a_ouvert, lit_les_constats
from controles.models import (
    Constat,
    Controle,
    PieceDemandee,
    PlanControle,
    PointControle,
    Recommandation,
    ReglesControle,
    Sanction,
    SuiteFinanciere,
)
from financements.calculs import pourcent
from socle.montants import en_euros, nombre_fr

register = template.Library()


def _etat(famille: str, libelle: str) -> SafeString:
    return format_html('<span class="etat etat-{}">{}</span>', famille, libelle)


@register.simple_tag(takes_context=True)
def etat_controle(context: template.Context, controle: Controle) -> SafeString:
    agent = context["request"].user.est_agent
    return _etat(FAMILLES[controle.etat], controle.get_etat_display() if agent else LIBELLES_PARTENAIRE[controle.etat])


@register.simple_tag
def nature_constat(nature: str) -> SafeString:
    return _etat(FAMILLES_CONSTAT[nature], NatureConstat(nature).label.capitalize()) if nature else SafeString("")


@register.simple_tag
def conclusion_constat(constat: Constat) -> SafeString:
    if not constat.conclusion:
        return _etat("attente", "À conclure")
    return _etat(FAMILLES_CONCLUSION[constat.conclusion], constat.get_conclusion_display().capitalize())


@register.simple_tag
def etat_plan(plan: PlanControle) -> SafeString:
    return _etat(FAMILLES_PLAN[plan.etat], plan.get_etat_display())


@register.simple_tag
def etat_regles(regles: ReglesControle) -> SafeString:
    return _etat(FAMILLES_REGLES[regles.etat], regles.get_etat_display())


@register.simple_tag
def etat_suite(suite: SuiteFinanciere) -> SafeString:
    return _etat(FAMILLES_SUITE[suite.etat], suite.get_etat_display())


@register.simple_tag
def etat_sanction(sanction: Sanction) -> SafeString:
    return _etat(FAMILLES_SANCTION[sanction.etat], sanction.get_etat_display())


@register.simple_tag
def etat_recommandation(recommandation: Recommandation) -> SafeString:
    return _etat(FAMILLES_RECOMMANDATION[recommandation.etat], recommandation.get_etat_display())


@register.filter
def mesure(valeur: Decimal | None, unite: str) -> str:
    """« 120 000,00 € », « 0,5 ETP » ; vide si rien n’est mesuré."""
    if valeur is None:
        return ""
    return en_euros(valeur) if unite == "€" else f"{nombre_fr(valeur)}\u00a0{unite}".strip()


@register.filter
def part(taux: Decimal) -> str:
    """« 15 % » d’un taux de 0 à 1."""
    return pourcent(taux * 100)


@register.filter
def ecart(valeur: Decimal | None, unite: str) -> str:
    """Le même, avec son signe."""
    if not valeur:
        return ""
    return f"{'+' if valeur > 0 else ''}{mesure(valeur, unite)}"


@register.simple_tag
def champ_de_point(point: PointControle, attribut: str) -> str:
    return f"point.{point.uid}.{attribut}"


@register.simple_tag
def champ_de_piece(piece: PieceDemandee) -> str:
    return f"piece.{piece.pk}"


@register.simple_tag
def champ_libre() -> str:
    """Le champ d’un constat à ajouter ; sa clé est neuve à chaque page."""
    return f"libre.{uuid4()}.libelle"


@register.simple_tag
def cle_neuve() -> str:
    return str(uuid4())


@register.simple_tag
def valeur_saisie(fiche: Fiche, champ: str, saisies: Mapping[str, str]) -> str:
    """Ce que la page montre : la saisie refusée si elle l’est, sinon ce qui est gardé."""
    if champ in saisies:
        return saisies[champ]
    valeur = fiche.valeur(champ)
    return nombre_fr(Decimal(valeur)).replace("\u202f", " ") if champ.endswith(".releve") and valeur else valeur


@register.simple_tag
def version_saisie(fiche: Fiche, champ: str) -> int:
    saisie = fiche.saisies.get(champ)
    return saisie.version if saisie else 0


@register.simple_tag
def erreur_saisie(erreurs: Mapping[str, str], champ: str) -> str:
    return erreurs.get(champ, "")


@register.simple_tag(takes_context=True)
def onglets_du_controle(context: template.Context, controle: Controle) -> list[tuple[str, str, str]]:
    """(code, libellé, adresse), dans l’ordre du travail."""
    personne = context["request"].user
    controleur = personne.tient(Role.CONTROLEUR) and controle.controleur_id == personne.pk
    lit = controle.provisoire_le is not None and bool(lit_les_constats(personne, controle))
    ouvert = lit and (personne.est_agent or a_ouvert(controle))
    onglets = [("fiche", "Le contrôle", "controles:controle", True)]
    onglets += [
        ("dossier", "Dossier", "controles:dossier", personne.tient(Role.CONTROLEUR, Role.RESPONSABLE)),
        ("pieces", "Pièces", "controles:pieces", controle.notifie_le is not None or controleur),
        ("visite", "Fiche de contrôle", "controles:visite", controleur and controle.etat in ETATS_DE_VISITE),
        (
            "saisies",
            "Saisies reçues",
            "controles:saisies",
            controle.commence_le is not None and personne.tient(Role.CONTROLEUR, Role.RESPONSABLE),
        ),
        ("rapport", "Rapport", "controles:rapport", ouvert),
        ("conclure", "Conclure", "controles:conclure", controleur and controle.etat == Etat.A_CONCLURE),
        ("suites", "Suites", "controles:suites", ouvert and controle.etat in ETATS_DEFINITIFS),
    ]
    return [(code, libelle, reverse(nom, args=[controle.pk])) for code, libelle, nom, montre in onglets if montre]
