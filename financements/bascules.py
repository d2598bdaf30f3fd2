"""D’un exercice au suivant : quelles structures changent de prestations, et que deviennent leurs droits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal

from agrements.models import Agrement
from financements.calculs import DonneeRefusee, Donnees, Prorata, liquider
from financements.models import Bareme, Prestation, VersionDroit
from partenaires.models import Structure
from socle.montants import ZERO


@dataclass(frozen=True, slots=True)
class Bascule:
    """``avant`` vide : aucun droit calculé avant. ``apres`` vide : pas encore calculable, ``raison`` le dit."""

    structure: Structure
    quittees: tuple[str, ...]
    nouvelles: tuple[str, ...]
    avant: Decimal | None
    apres: Decimal | None
    raison: str


def _ouvertes(exercice: int) -> dict[int, set[str]]:
    """Par structure, les prestations que ses agréments ouvrent cette année-là ; deux requêtes."""
    prestations = list(Prestation.objects.de_l_exercice(exercice))
    ouvertes: dict[int, set[str]] = defaultdict(set)
    agrements = Agrement.objects.filter(debut__year__lte=exercice, fin__year__gte=exercice).exclude(etat="retire")
    for structure, objet in agrements.values_list("structure_id", "objet"):
        for prestation in prestations:
            if objet in prestation.objets:
                ouvertes[structure].add(prestation.pk)
    return ouvertes


def bascules(exercice: int) -> list[Bascule]:
    """Les structures dont les prestations changent entre l’année d’avant et ``exercice`` ; cinq requêtes."""
    avant, apres = _ouvertes(exercice - 1), _ouvertes(exercice)
    changent = [pk for pk in avant.keys() & apres.keys() if avant[pk] != apres[pk]]
    structures = Structure.objects.filter(pk__in=changent).select_related("commune").order_by("nom_tri", "pk")
    baremes = {b.prestation_id: b for b in Bareme.objects.publies(exercice)}
    courants: dict[int, list[VersionDroit]] = defaultdict(list)
    for version in VersionDroit.objects.filter(
        courante=True, droit__exercice=exercice - 1, droit__structure__in=changent
    ).select_related("droit"):
        courants[version.droit.structure_id].append(version)
    sigles = dict(Prestation.objects.values_list("pk", "sigle"))
    return [_bascule(s, avant[s.pk], apres[s.pk], courants[s.pk], baremes, sigles, exercice) for s in structures]


def _bascule(
    structure: Structure,
    avant: set[str],
    apres: set[str],
    versions: list[VersionDroit],
    baremes: dict[str, Bareme],
    sigles: dict[str, str],
    exercice: int,
) -> Bascule:
    connu = sum((v.montant for v in versions), ZERO) if versions else None
    montant, raison = _projeter(apres, versions, baremes, sigles, exercice)
    return Bascule(
        structure,
        tuple(sorted(sigles[p] for p in avant - apres)),
        tuple(sorted(sigles[p] for p in apres - avant)),
        connu,
        montant,
        raison,
    )


def _projeter(
    apres: set[str], versions: list[VersionDroit], baremes: dict[str, Bareme], sigles: dict[str, str], exercice: int
) -> tuple[Decimal | None, str]:
    """Les mêmes comptes, sous les règles de l’exercice : une projection, jamais un droit."""
    if not versions:
        return None, "Aucun droit calculé l’année d’avant : rien à projeter."
    donnees = Donnees.depuis_json(versions[0].donnees)
    annee = Donnees(charges=donnees.charges, volontaires=donnees.volontaires, etp=donnees.etp)
    total = ZERO
    for prestation in sorted(apres):
        bareme = baremes.get(prestation)
        if bareme is None:
            return None, f"Le barème {sigles[prestation]} {exercice} n’est pas publié."
        try:
            total += liquider(replace(bareme.regle, prorata=Prorata.AUCUN), annee).droit
        except DonneeRefusee as erreur:
            return None, str(erreur)
    return total, ""
