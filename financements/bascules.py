"""D’un exercice au suivant : quelles structures changent de prestations, et que deviennent leurs droits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils import timezone

from agrements.models import Agrement
from financements.calculs import DonneeRefusee, Donnees, Prorata, liquider
from financements.models import Bareme, Prestation, VersionDroit
from partenaires.models import Structure
from socle.montants import ZERO


@dataclass(frozen=True, slots=True)
class Bascule:
    """``avant`` vide : aucun droit calculé avant. ``apres`` vide : pas encore calculable, ``raison`` le dit.

    ``a_renouveler`` : son agrément finit avant cette année-là ; la ligne suppose qu’il est renouvelé à l’identique.
    ``exercice_connu`` : l’année des derniers droits, celle d’``avant``.
    """

    structure: Structure
    quittees: tuple[str, ...]
    nouvelles: tuple[str, ...]
    avant: Decimal | None
    apres: Decimal | None
    raison: str
    a_renouveler: bool
    exercice_connu: int | None


def _ouvertes(exercice: int) -> tuple[dict[int, set[str]], set[int]]:
    """Par structure, les prestations ouvertes cette année-là, et les structures qui devront renouveler d’ici là.

    Un agrément qui court aujourd’hui, ou plus tard, est supposé renouvelé à l’identique. Deux requêtes.
    """
    prestations = list(Prestation.objects.de_l_exercice(exercice))
    ouvertes: dict[int, set[str]] = defaultdict(set)
    a_renouveler: set[int] = set()
    horizon = min(exercice, timezone.localdate().year)
    agrements = Agrement.objects.filter(debut__year__lte=exercice, fin__year__gte=horizon).exclude(etat="retire")
    for structure, objet, fin in agrements.values_list("structure_id", "objet", "fin"):
        for prestation in prestations:
            if objet in prestation.objets:
                ouvertes[structure].add(prestation.pk)
                if fin.year < exercice:
                    a_renouveler.add(structure)
    return ouvertes, a_renouveler


def bascules(exercice: int) -> list[Bascule]:
    """Les structures dont les prestations changent entre l’année d’avant et ``exercice`` ; requêtes en nombre fixe."""
    (avant, _), (apres, a_renouveler) = _ouvertes(exercice - 1), _ouvertes(exercice)
    changent = [pk for pk in avant.keys() & apres.keys() if avant[pk] != apres[pk]]
    structures = Structure.objects.filter(pk__in=changent).select_related("commune").order_by("nom_tri", "pk")
    baremes = {b.prestation_id: b for b in Bareme.objects.publies(exercice)}
    courants: dict[int, list[VersionDroit]] = defaultdict(list)
    connus = VersionDroit.objects.filter(courante=True, droit__exercice__lt=exercice, droit__structure__in=changent)
    for version in connus.select_related("droit").order_by("-droit__exercice", "pk"):
        versions = courants[version.droit.structure_id]
        if not versions or versions[0].droit.exercice == version.droit.exercice:
            versions.append(version)
    sigles = dict(Prestation.objects.values_list("pk", "sigle"))
    return [
        _bascule(s, avant[s.pk], apres[s.pk], courants[s.pk], baremes, sigles, exercice, s.pk in a_renouveler)
        for s in structures
    ]


def _bascule(
    structure: Structure,
    avant: set[str],
    apres: set[str],
    versions: list[VersionDroit],
    baremes: dict[str, Bareme],
    sigles: dict[str, str],
    exercice: int,
    a_renouveler: bool,
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
        a_renouveler,
        versions[0].droit.exercice if versions else None,
    )


def _projeter(
    apres: set[str], versions: list[VersionDroit], baremes: dict[str, Bareme], sigles: dict[str, str], exercice: int
) -> tuple[Decimal | None, str]:
    """Les mêmes comptes, sous les règles de l’exercice : une projection, jamais un droit."""
    if not versions:
        return None, "Aucun droit calculé avant : rien à projeter."
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
