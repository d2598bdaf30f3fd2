"""Les autres structures, rangées pour la comparaison anonyme : trois requêtes, quel qu’en soit le nombre."""

from __future__ import annotations

from decimal import Decimal

from financements.choix import EtatDeclaration, TypeDeclaration
from financements.formulaire import depuis_json, totaliser
from financements.models import Declaration
from partenaires.models import Structure
from senacs.comparaison import Pair, Repere, classe_de, comparer
from senacs.models import CampagneSenacs, Contribution, ReponseSenacs

COMPARES = ("charges", "produits", "etp", "salaries", "benevoles", "benevoles_heures", "participants")


def territoire_de(structure: Structure) -> str:
    if structure.quartiers_prioritaires.all():
        return "qpv"
    return "frr" if structure.commune.en_frr else "autre"


def pairs_de(structure: Structure, campagne: CampagneSenacs) -> list[Pair]:
    """Toutes les autres structures du même type qui ont des comptes réels ou des réponses pour cette enquête."""
    valeurs: dict[int, dict[str, Decimal]] = {}
    reelles = Declaration.objects.filter(
        campagne__exercice=campagne.exercice, campagne__type=TypeDeclaration.REEL, etat=EtatDeclaration.VALIDEE
    ).select_related("version_courante")
    for declaration in reelles:
        assert declaration.version_courante is not None
        totaux = totaliser(depuis_json(declaration.version_courante.contenu))
        valeurs[declaration.structure_id] = {"charges": totaux.charges, "produits": totaux.produits}
    reponses = ReponseSenacs.objects.filter(contribution__campagne=campagne, champ__in=COMPARES).exclude(valeur="")
    for cle, champ, valeur in reponses.values_list("contribution__structure", "champ", "valeur"):
        valeurs.setdefault(cle, {})[champ] = Decimal(str(valeur))
    autres = (
        Structure.objects.filter(pk__in=valeurs, type=structure.type)
        .exclude(pk=structure.pk)
        .select_related("commune")
        .prefetch_related("quartiers_prioritaires")
    )
    return [Pair(s.pk, _taille(valeurs[s.pk]), territoire_de(s), valeurs[s.pk]) for s in autres]


def _taille(valeurs: dict[str, Decimal]) -> str:
    return classe_de(valeurs["charges"]).code if "charges" in valeurs else ""


def reperes(contribution: Contribution, siennes: dict[str, Decimal]) -> dict[str, Repere | None]:
    """Par champ comparé, les repères du groupe ; ``None`` quand l’anonymat ne se garderait pas."""
    tous = pairs_de(contribution.structure, contribution.campagne)
    territoire = territoire_de(contribution.structure)
    return {champ: comparer(champ, _taille(siennes), territoire, tous) for champ in COMPARES if champ in siennes}
