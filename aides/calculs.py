"""Le montant d’une aide et son explication. Sans Django : des données, une règle, un montant, des lignes qui le font.

Tout se calcule en fractions exactes, avec un seul arrondi au centime, le demi vers le haut (comme les prestations).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from aides.definition import PAR_TRANCHE, Critere, Mode, Part
from financements.calculs import DonneeRefusee, Ligne, au_centime, pourcent
from socle.montants import ZERO, en_euros, nombre_fr


@dataclass(frozen=True, slots=True)
class Regle:
    """La règle d’un dispositif. ``taux`` et ``plafond_part`` en pour cent ; ``plafond``, ``minimum`` en euros."""

    mode: Mode
    forfait: Decimal = ZERO
    taux: Decimal = ZERO
    parts: tuple[Part, ...] = ()
    plafond: Decimal | None = None
    plafond_part: Decimal | None = None
    minimum: Decimal | None = None
    borne_au_besoin: bool = False
    taxe: str = "TTC"
    libelle: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Mesure:
    """Ce qu’un critère vaut pour cette structure, et d’où on le sait."""

    valeur: Decimal
    preuve: str


@dataclass(frozen=True, slots=True)
class Donnees:
    """``depenses`` : éligibles, dans le régime de taxe de la structure ; ``autres`` : les autres financements."""

    depenses: Decimal = ZERO
    cout: Decimal = ZERO
    autres: Decimal = ZERO
    mesures: Mapping[str, Mesure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calcul:
    """Le montant et pourquoi. Les montants des ``lignes`` font le montant, au centime."""

    montant: Decimal
    lignes: tuple[Ligne, ...]


@dataclass(frozen=True, slots=True)
class _Morceau:
    libelle: str
    formule: str
    valeurs: Mapping[str, str]
    valeur: Fraction
    regle: str


def cle_de_mesure(part: Part) -> str:
    return f"question:{part.question}" if part.critere == Critere.QUESTION else str(part.critere)


def _positif(montant: Decimal, quoi: str) -> Fraction:
    if not montant.is_finite() or montant < 0:
        raise DonneeRefusee(quoi, f"« {quoi} » est un montant positif.")
    return Fraction(montant)


def calculer(regle: Regle, donnees: Donnees) -> Calcul:
    """Lève DonneeRefusee si une donnée manque ; ne rend jamais zéro à sa place."""
    morceaux = _base(regle, donnees)
    total = sum((m.valeur for m in morceaux), Fraction(0))
    for borne in _bornes(regle, donnees):
        if total > borne.valeur:
            morceaux.append(_retenue(borne, total))
            total = borne.valeur
    if regle.minimum is not None and 0 < au_centime(total) < regle.minimum:
        valeurs = {"montant calculé": en_euros(au_centime(total)), "minimum": en_euros(regle.minimum)}
        morceaux.append(_Morceau("Sous le minimum versé", "montant calculé < minimum", valeurs, -total, "minimum"))
    return _lignes(regle, morceaux)


def _base(regle: Regle, donnees: Donnees) -> list[_Morceau]:
    if regle.mode == Mode.FORFAIT:
        return [_Morceau("Forfait", "forfait du dispositif", {}, Fraction(regle.forfait), "forfait")]
    if regle.mode == Mode.TAUX:
        depenses = _positif(donnees.depenses, "dépenses éligibles")
        valeurs = {f"dépenses éligibles ({regle.taxe})": en_euros(donnees.depenses), "taux": pourcent(regle.taux)}
        return [
            _Morceau(
                "Part des dépenses éligibles", "dépenses éligibles × taux", valeurs,
                depenses * Fraction(regle.taux) / 100, "taux",
            )
        ]  # fmt: skip
    return [_part(part, donnees) for part in regle.parts]


def _part(part: Part, donnees: Donnees) -> _Morceau:
    cle = cle_de_mesure(part)
    mesure = Mesure(Decimal(1), "") if part.critere == Critere.FIXE else donnees.mesures.get(cle)
    if mesure is None:
        raise DonneeRefusee(cle, f"« {part.libelle} » : la donnée qui la calcule n’est pas connue.")
    quantite = _positif(mesure.valeur, part.libelle)
    valeur = Fraction(part.montant) * quantite / Fraction(part.tranche)
    valeurs = {"montant": en_euros(part.montant)}
    formule = "montant du critère"
    if part.critere in PAR_TRANCHE:
        formule = "montant × quantité ÷ tranche"
        valeurs |= {"quantité": nombre_fr(mesure.valeur), "tranche": nombre_fr(part.tranche)}
    if mesure.preuve:
        valeurs["constat"] = mesure.preuve
    if part.plafond is not None and valeur > Fraction(part.plafond):
        formule += ", dans la limite du plafond du critère"
        valeurs["plafond du critère"] = en_euros(part.plafond)
        valeur = Fraction(part.plafond)
    return _Morceau(part.libelle, formule, valeurs, valeur, "part")


def _bornes(regle: Regle, donnees: Donnees) -> list[_Morceau]:
    """Les plafonds, chacun en euros ; tous s’appliquent, le plus bas gagne."""
    bornes = []
    if regle.plafond is not None:
        valeurs = {"plafond": en_euros(regle.plafond)}
        bornes.append(_Morceau("Au-delà du plafond", "plafond", valeurs, Fraction(regle.plafond), "plafond"))
    if regle.plafond_part is not None:
        part = _positif(donnees.cout, "coût du projet") * Fraction(regle.plafond_part) / 100
        valeurs = {"coût du projet": en_euros(donnees.cout), "part au plus": pourcent(regle.plafond_part)}
        bornes.append(
            _Morceau("Au-delà de la part du coût", "coût du projet × part au plus", valeurs, part, "part du coût")
        )
    if regle.borne_au_besoin:
        besoin = max(_positif(donnees.cout, "coût du projet") - _positif(donnees.autres, "financements"), Fraction(0))
        valeurs = {"coût du projet": en_euros(donnees.cout), "autres financements": en_euros(donnees.autres)}
        bornes.append(
            _Morceau("Au-delà du besoin de financement", "coût − autres financements", valeurs, besoin, "besoin")
        )
    return bornes


def _retenue(borne: _Morceau, total: Fraction) -> _Morceau:
    valeurs = {**borne.valeurs, "montant avant": en_euros(au_centime(total))}
    return _Morceau(borne.libelle, f"{borne.formule} − montant calculé", valeurs, borne.valeur - total, borne.regle)


def _lignes(regle: Regle, morceaux: list[_Morceau]) -> Calcul:
    """L’arrondi du cumul reporte chaque fraction de centime sur la ligne suivante : leur somme est le montant."""
    lignes, cumul, rendu = [], Fraction(0), ZERO
    for morceau in morceaux:
        cumul += morceau.valeur
        atteint = au_centime(cumul)
        nom = f"{regle.libelle}, {morceau.regle}"
        lignes.append(Ligne(morceau.libelle, morceau.formule, morceau.valeurs, atteint - rendu, nom, regle.source))
        rendu = atteint
    return Calcul(rendu, tuple(lignes))


def au_prorata_du_reel(accorde: Decimal, retenu: Decimal, reel: Decimal) -> Decimal:
    """Ce que l’aide vaut quand le coût réel est plus bas que prévu ; jamais plus que ce qui est accordé."""
    if retenu <= 0:
        raise DonneeRefusee("retenu", "Aucune dépense n’est retenue : le prorata ne se calcule pas.")
    part = min(_positif(reel, "dépenses réelles") / Fraction(retenu), Fraction(1))
    return au_centime(Fraction(accorde) * part)


def a_rendre_si_rompue(verse: Decimal, total_jours: int, jours_tenus: int) -> Decimal:
    """Destination sociale rompue : la part de ce qui est versé qui répond au temps restant, au jour près."""
    if total_jours <= 0:
        raise DonneeRefusee("durée", "La durée de l’engagement est supérieure à zéro.")
    restants = min(max(total_jours - jours_tenus, 0), total_jours)
    return au_centime(_positif(verse, "montant versé") * Fraction(restants, total_jours))
