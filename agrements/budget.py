"""Le budget prévisionnel : charges et produits du plan comptable associatif, contributions volontaires en 86 et 87.

Source : règlement ANC 2018-06 (870 dons en nature, 875 bénévolat). Pur, en décimaux.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from socle.montants import ZERO, en_euros

# Les lignes d’où partir, pour ne pas recopier un plan comptable : groupes du Cerfa 15059, dons et bénévolat de l’ANC.
MODELE: tuple[tuple[str, str], ...] = (
    ("60", "Achats"),
    ("61", "Services extérieurs"),
    ("62", "Autres services extérieurs"),
    ("63", "Impôts et taxes"),
    ("64", "Charges de personnel"),
    ("65", "Autres charges de gestion courante"),
    ("66", "Charges financières"),
    ("68", "Dotations aux amortissements"),
    ("70", "Participations des usagers, ventes et prestations"),
    ("741", "Subventions de l’État"),
    ("743", "Subventions du Département"),
    ("744", "Subventions de la commune ou de l’intercommunalité"),
    ("745", "Caf et autres organismes sociaux"),
    ("747", "Aides à l’emploi"),
    ("748", "Aides privées"),
    ("75", "Cotisations, dons et autres produits de gestion courante"),
    ("76", "Produits financiers"),
    ("86", "Emplois des contributions volontaires"),
    ("870", "Dons en nature"),
    ("871", "Prestations en nature"),
    ("875", "Bénévolat"),
)
_COMPTE = re.compile(r"[67]\d{1,7}|8[67]\d{0,6}")


@dataclass(frozen=True, slots=True)
class Totaux:
    """En euros. ``ecart`` : produits moins charges, hors contributions volontaires."""

    charges: Decimal
    produits: Decimal
    emplois_volontaires: Decimal  # 86
    contributions_volontaires: Decimal  # 87

    @property
    def ecart(self) -> Decimal:
        return self.produits - self.charges

    @property
    def ecart_volontaire(self) -> Decimal:
        return self.contributions_volontaires - self.emplois_volontaires


def compte_connu(compte: str) -> bool:
    return bool(_COMPTE.fullmatch(compte))


def totaliser(lignes: Iterable[Mapping[str, Any]]) -> Totaux:
    sommes = {"6": ZERO, "7": ZERO, "86": ZERO, "87": ZERO}
    for ligne in lignes:
        compte = str(ligne["compte"])
        classe = compte[:2] if compte[:2] in ("86", "87") else compte[:1]
        sommes[classe] += Decimal(str(ligne["montant"]))
    return Totaux(sommes["6"], sommes["7"], sommes["86"], sommes["87"])


@dataclass(frozen=True, slots=True)
class Partie:
    """Un bloc du budget tel qu’on le lit : ses lignes dans l’ordre des comptes, et leur total."""

    libelle: str
    lignes: tuple[Mapping[str, Any], ...]
    total: Decimal


def en_parties(lignes: Iterable[Mapping[str, Any]]) -> list[Partie]:
    """Charges, produits, puis contributions volontaires ; un bloc vide ne se montre pas, une ligne à zéro non plus."""
    remplies = [ligne for ligne in lignes if Decimal(str(ligne["montant"]))]
    noms = {
        "6": "Charges",
        "7": "Produits",
        "86": "Emplois des contributions volontaires",
        "87": "Contributions volontaires",
    }
    blocs: dict[str, list[Mapping[str, Any]]] = {classe: [] for classe in noms}
    for ligne in sorted(remplies, key=lambda ligne: str(ligne["compte"])):
        compte = str(ligne["compte"])
        blocs[compte[:2] if compte[:2] in ("86", "87") else compte[:1]].append(ligne)
    return [
        Partie(noms[classe], tuple(bloc), sum((Decimal(str(ligne["montant"])) for ligne in bloc), ZERO))
        for classe, bloc in blocs.items()
        if bloc
    ]


def phrase_d_ecart(lignes: Iterable[Mapping[str, Any]]) -> str:
    """« Il manque 1 200,00 € de produits… » ; vide quand le budget est équilibré."""
    totaux = totaliser(lignes)
    if totaux.ecart < 0:
        return f"Le budget n’est pas équilibré : il manque {en_euros(-totaux.ecart)} de produits."
    if totaux.ecart > 0:
        return f"Le budget n’est pas équilibré : les produits dépassent les charges de {en_euros(totaux.ecart)}."
    if totaux.ecart_volontaire:
        return (
            "Les contributions volontaires (87) et leur emploi (86) diffèrent de "
            f"{en_euros(abs(totaux.ecart_volontaire))} : ils doivent être égaux."
        )
    return ""
