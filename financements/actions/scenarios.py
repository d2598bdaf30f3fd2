"""Les scénarios budgétaires : « et si le plafond montait de 2 % ? » ; aucun ne touche un vrai droit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from financements.calculs import DonneeRefusee, Donnees, Prorata, Regle, au_centime, liquider
from financements.droits import peut_lancer_recalcul
from financements.models import Bareme, Prestation, Scenario, VersionDroit
from socle.droits import exiger
from socle.erreurs import Refus
from socle.montants import ZERO


def _regle(bareme: Bareme, scenario: Scenario) -> Regle:
    plafond = Fraction(bareme.prix_plafond) * (100 + Fraction(scenario.variation_plafond)) / 100
    taux = min(Fraction(100), Fraction(bareme.taux) * (100 + Fraction(scenario.variation_taux)) / 100)
    return replace(
        bareme.regle,
        prix_plafond=au_centime(plafond),
        taux=Decimal(taux.numerator) / Decimal(taux.denominator),
    )


def _montants(versions: list[VersionDroit], scenario: Scenario) -> dict[int, Decimal]:
    """Par structure, le total sous les hypothèses. Lève Refus si une règle manque pour la fusion."""
    baremes = {b.prestation_id: b for b in Bareme.objects.publies(scenario.exercice)}
    successeurs = dict(Prestation.objects.filter(successeur__isnull=False).values_list("pk", "successeur"))
    totaux: dict[int, Decimal] = defaultdict(lambda: ZERO)
    fusionnees: set[tuple[int, str]] = set()
    for version in versions:
        structure, bareme = version.droit.structure_id, version.bareme
        donnees = Donnees.depuis_json(version.donnees)
        suivante = successeurs.get(version.droit.prestation_id) if scenario.fusion else None
        if suivante is not None:
            if (structure, suivante) in fusionnees:
                continue
            fusionnees.add((structure, suivante))
            bareme = baremes.get(suivante) or _dernier(suivante)
            donnees = Donnees(charges=donnees.charges, volontaires=donnees.volontaires, etp=donnees.etp)
        try:
            regle = _regle(bareme, scenario)
            if suivante is not None:
                regle = replace(regle, prorata=Prorata.AUCUN)
            totaux[structure] += liquider(regle, donnees).droit
        except DonneeRefusee as erreur:
            raise Refus(f"{version.droit} : {erreur}") from erreur
    return totaux


def _dernier(prestation: str) -> Bareme:
    bareme = Bareme.objects.filter(prestation=prestation).exclude(etat="abandonne").order_by("-exercice").first()
    if bareme is None:
        raise Refus(
            "La prestation unique n’a pas encore de barème : saisissez-en un brouillon pour simuler la fusion. "
            "Le portail n’invente ni taux ni plafond."
        )
    return bareme


def calculer(scenario: Scenario) -> dict[str, Any]:
    """Avant et après, par structure ; une enveloppe qui baisse réduit tous les montants au prorata."""
    versions = list(
        VersionDroit.objects.filter(courante=True, droit__exercice=scenario.exercice)
        .select_related("droit__structure", "droit__prestation", "bareme__prestation")
        .order_by("droit__structure__nom_tri", "droit__structure_id")
    )
    if not versions:
        raise Refus(f"Aucun droit n’est calculé pour {scenario.exercice} : il n’y a rien à comparer.")
    avant: dict[int, Decimal] = defaultdict(lambda: ZERO)
    noms = {}
    for version in versions:
        avant[version.droit.structure_id] += version.montant
        noms[version.droit.structure_id] = str(version.droit.structure)
    apres = _montants(versions, scenario)
    total_avant = sum(avant.values(), ZERO)
    total = sum(apres.values(), ZERO)
    if scenario.variation_enveloppe is not None:
        enveloppe = Fraction(total_avant) * (100 + Fraction(scenario.variation_enveloppe)) / 100
        if total and Fraction(total) > enveloppe:
            apres = {s: au_centime(Fraction(m) * enveloppe / Fraction(total)) for s, m in apres.items()}
            total = sum(apres.values(), ZERO)
    return {
        "avant": str(total_avant),
        "apres": str(total),
        "lignes": [
            {"structure": s, "nom": noms[s], "avant": str(avant[s]), "apres": str(apres.get(s, ZERO))} for s in avant
        ],
    }


@transaction.atomic
def creer(scenario: Scenario, *, par: Utilisateur) -> Scenario:
    """Calcule et garde un scénario. Lève Refus, ValidationError."""
    exiger(peut_lancer_recalcul(par))
    scenario.cree_par, scenario.calcule_le = par, timezone.now()
    scenario.full_clean(exclude=["resultat"])
    scenario.resultat = calculer(scenario)
    scenario.save()
    return scenario


@transaction.atomic
def retenir(scenario: Scenario, *, par: Utilisateur) -> Scenario:
    """Celui qu’on présentera en séance ; un seul par exercice."""
    exiger(peut_lancer_recalcul(par))
    tous = Scenario.objects.select_for_update(of=("self",)).filter(exercice=scenario.exercice)
    list(tous)
    tous.update(retenu=False)
    Scenario.objects.filter(pk=scenario.pk).update(retenu=True)
    scenario.retenu = True
    return scenario
