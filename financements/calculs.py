"""Le calcul des prestations de service, sans base ni Django : une règle, des données, un droit et son explication.

``droit = taux × min(assiette, prix plafond × proratas)`` (domaine C.2). Tout se calcule en fractions exactes ; un seul
arrondi, au centime, le demi vers le haut, sur le droit (C.3 : à confirmer par la Caf). Ce qui change d’une année ou
d’une prestation à l’autre est une donnée de la ``Regle`` : aucun calcul ne regarde l’exercice ni le nom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from socle.dates import en_jour
from socle.montants import ZERO, en_euros


class Prorata(StrEnum):
    AUCUN = "aucun"
    MOIS = "mois"
    JOURS = "jours"


class Poste(StrEnum):
    """Ce qui peut entrer dans une assiette. Le référent familles est une part des activités, jamais un ajout."""

    PILOTAGE = "pilotage"
    ACTIVITES = "activites"
    LOGISTIQUE = "logistique"
    REFERENT = "referent"


FONCTIONS = (Poste.PILOTAGE, Poste.ACTIVITES, Poste.LOGISTIQUE)  # les colonnes d’une charge
LIBELLES_POSTES = {
    Poste.PILOTAGE: "Pilotage",
    Poste.ACTIVITES: "Activités",
    Poste.LOGISTIQUE: "Logistique",
    Poste.REFERENT: "Salaires du référent familles",
}


class DonneeRefusee(ValueError):
    """Une donnée manque ou n’a pas de sens ; ``champ`` la nomme, ``str(erreur)`` est la phrase à montrer."""

    def __init__(self, champ: str, message: str) -> None:
        super().__init__(message)
        self.champ = champ


@dataclass(frozen=True, slots=True)
class Regle:
    """Un barème, tel que le calcul le lit. ``taux`` en pour cent, ``prix_plafond`` en euros pour une année entière.

    ``postes`` : ceux qui entrent en entier dans l’assiette. ``quote_part`` : leur part de la logistique s’y ajoute,
    ``logistique × postes / (pilotage + activités)``.
    """

    prestation: str
    exercice: int
    taux: Decimal
    prix_plafond: Decimal
    postes: tuple[Poste, ...] = (Poste.PILOTAGE,)
    quote_part: bool = True
    avec_contributions_volontaires: bool = False
    prorata: Prorata = Prorata.AUCUN
    prorata_etp: bool = False
    etp_minimum: Decimal | None = None
    libelle: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Donnees:
    """Ce que la structure a déclaré : ou bien une ``assiette``, ou bien des charges par poste, en euros.

    ``volontaires`` : les emplois de contributions volontaires (comptes 86), par poste. ``debut`` et ``fin`` bornent,
    jours compris, la part de l’exercice couverte par l’agrément ; ``interruptions`` : les jours, de l’un à l’autre
    compris, où il ne courait pas entre ces bornes.
    """

    assiette: Decimal | None = None
    charges: Mapping[Poste, Decimal] = field(default_factory=dict)
    volontaires: Mapping[Poste, Decimal] = field(default_factory=dict)
    etp: Decimal | None = None
    debut: date | None = None
    fin: date | None = None
    interruptions: tuple[tuple[date, date], ...] = ()

    def en_json(self) -> dict[str, Any]:
        """Ce qu’on garde avec un droit, pour le recalculer des années plus tard : montants en chaînes, dates ISO."""
        return {
            "assiette": None if self.assiette is None else str(self.assiette),
            "charges": {str(poste): str(montant) for poste, montant in self.charges.items()},
            "volontaires": {str(poste): str(montant) for poste, montant in self.volontaires.items()},
            "etp": None if self.etp is None else str(self.etp),
            "debut": self.debut and self.debut.isoformat(),
            "fin": self.fin and self.fin.isoformat(),
            "interruptions": [[de.isoformat(), a.isoformat()] for de, a in self.interruptions],
        }

    @classmethod
    def depuis_json(cls, garde: Mapping[str, Any]) -> Donnees:
        return cls(
            assiette=None if garde["assiette"] is None else Decimal(garde["assiette"]),
            charges={Poste(poste): Decimal(montant) for poste, montant in garde["charges"].items()},
            volontaires={Poste(poste): Decimal(montant) for poste, montant in garde["volontaires"].items()},
            etp=None if garde["etp"] is None else Decimal(garde["etp"]),
            debut=date.fromisoformat(garde["debut"]) if garde["debut"] else None,
            fin=date.fromisoformat(garde["fin"]) if garde["fin"] else None,
            interruptions=tuple(
                (date.fromisoformat(de), date.fromisoformat(a)) for de, a in garde.get("interruptions", [])
            ),
        )

    def periodes(self) -> list[tuple[date, date]]:
        """Les périodes couvertes, bornes comprises, dans l’ordre. Suppose ``debut`` et ``fin`` connus."""
        assert self.debut is not None
        assert self.fin is not None
        couvertes, depuis = [], self.debut
        for de, a in sorted(self.interruptions):
            couvertes.append((depuis, de - timedelta(days=1)))
            depuis = a + timedelta(days=1)
        return [*couvertes, (depuis, self.fin)]


@dataclass(frozen=True, slots=True)
class Ligne:
    """Une ligne de l’explication : ce qu’elle ajoute ou retire au droit, en mots et en euros.

    ``valeurs`` : les nombres de la formule, nommés, tels qu’on les lit.
    """

    libelle: str
    formule: str
    valeurs: Mapping[str, str]
    montant: Decimal
    regle: str
    source: str


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Le droit et pourquoi. Les montants des ``lignes`` font le droit, au centime."""

    droit: Decimal
    assiette: Decimal
    plafond_applique: Decimal
    lignes: tuple[Ligne, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Où en est l’argent : un seul des deux est non nul, et ``droit + indu = déjà versé + solde``."""

    solde: Decimal
    indu: Decimal


def au_centime(valeur: Fraction) -> Decimal:
    """Le seul arrondi du calcul : au centime, le demi-centime en s’éloignant de zéro."""
    centimes = (abs(valeur) * 200 + 1) // 2
    return (Decimal(centimes) if valeur >= 0 else -Decimal(centimes)).scaleb(-2)


def mois_couverts(*periodes: tuple[date, date]) -> int:
    """Les mois civils que touche une au moins de ces périodes d’une même année ; tout mois commencé compte une fois."""
    return len({mois for debut, fin in periodes for mois in range(debut.month, fin.month + 1)})


def _positif(valeur: Decimal | None, champ: str) -> Fraction:
    if valeur is None:
        raise DonneeRefusee(champ, f"« {champ} » manque.")
    if not valeur.is_finite():
        raise DonneeRefusee(champ, f"« {champ} » n’est pas un nombre.")
    if valeur < 0:
        raise DonneeRefusee(champ, f"« {champ} » ne peut pas être négatif.")
    return Fraction(valeur)


def pourcent(taux: Decimal) -> str:
    """« 42,4 % »."""
    texte = f"{taux.normalize():f}"
    return f"{texte.replace('.', ',')}\u00a0%"


@dataclass(frozen=True, slots=True)
class _Part:
    """Un morceau d’assiette, ou ce qu’on en retire ; ``valeur`` exacte, avant taux."""

    libelle: str
    formule: str
    valeurs: Mapping[str, str]
    valeur: Fraction
    regle: str


def _parts_de_l_assiette(regle: Regle, donnees: Donnees) -> list[_Part]:
    if donnees.assiette is not None:
        assiette = _positif(donnees.assiette, "assiette")
        valeurs = {"assiette": en_euros(donnees.assiette)}
        return [_Part("Dépenses retenues", "assiette déclarée", valeurs, assiette, "assiette")]
    montants = {poste: _montant(regle, donnees, poste) for poste in Poste}
    parts = []
    for poste in regle.postes:
        valeurs = {LIBELLES_POSTES[poste].lower(): en_euros(au_centime(montants[poste]))}
        if regle.avec_contributions_volontaires and donnees.volontaires.get(poste):
            valeurs["dont contributions volontaires"] = en_euros(donnees.volontaires[poste])
        parts.append(_Part(LIBELLES_POSTES[poste], "dépenses déclarées", valeurs, montants[poste], "assiette"))
    if regle.quote_part:
        parts.append(_quote_part(regle, montants))
    return parts


def _montant(regle: Regle, donnees: Donnees, poste: Poste) -> Fraction:
    montant = _positif(donnees.charges.get(poste, ZERO), poste)
    if regle.avec_contributions_volontaires:
        montant += _positif(donnees.volontaires.get(poste, ZERO), f"{poste} (contributions volontaires)")
    return montant


def _quote_part(regle: Regle, montants: Mapping[Poste, Fraction]) -> _Part:
    directs = sum((montants[poste] for poste in regle.postes), Fraction(0))
    cle = montants[Poste.PILOTAGE] + montants[Poste.ACTIVITES]
    logistique = montants[Poste.LOGISTIQUE]
    part = logistique * directs / cle if cle else Fraction(0)
    noms = " + ".join(LIBELLES_POSTES[poste].lower() for poste in regle.postes)
    valeurs = {
        "logistique": en_euros(au_centime(logistique)),
        noms: en_euros(au_centime(directs)),
        "pilotage + activités": en_euros(au_centime(cle)),
        "quote-part": en_euros(au_centime(part)),
    }
    formule = f"logistique × {noms} ÷ (pilotage + activités)" if cle else "aucune charge de pilotage ni d’activités"
    return _Part("Quote-part de la logistique", formule, valeurs, part, "clé de répartition de la logistique")


def _prorata_de_periode(regle: Regle, donnees: Donnees) -> tuple[Fraction, str]:
    """La part de l’année couverte, et comment on l’écrit. Dates absentes, à l’envers ou hors année : DonneeRefusee."""
    if regle.prorata is Prorata.AUCUN:
        return Fraction(1), ""
    debut, fin = donnees.debut, donnees.fin
    if debut is None:
        raise DonneeRefusee("debut", "« debut » manque : le plafond se calcule au prorata de la période.")
    if fin is None:
        raise DonneeRefusee("fin", "« fin » manque : le plafond se calcule au prorata de la période.")
    if fin < debut:
        raise DonneeRefusee("fin", f"« fin » ({en_jour(fin)}) précède « debut » ({en_jour(debut)}).")
    for champ, jour in (("debut", debut), ("fin", fin)):
        if jour.year != regle.exercice:
            raise DonneeRefusee(champ, f"« {champ} » ({en_jour(jour)}) n’est pas dans l’exercice {regle.exercice}.")
    if regle.prorata is Prorata.MOIS:
        part, total, unite = mois_couverts(*donnees.periodes()), 12, "mois"
    else:
        part = sum((a - de).days + 1 for de, a in donnees.periodes())
        total, unite = (date(regle.exercice, 12, 31) - date(regle.exercice, 1, 1)).days + 1, "jours"
    trous = "".join(f", sans agrément du {en_jour(de)} au {en_jour(a)}" for de, a in donnees.interruptions)
    return Fraction(part, total), f"{part}/{total} {unite}{trous}"


def _plafond(regle: Regle, donnees: Donnees) -> tuple[Fraction, str, dict[str, str]]:
    plafond = _positif(regle.prix_plafond, "plafond")
    valeurs = {"prix plafond": en_euros(regle.prix_plafond)}
    formule = "prix plafond"
    periode, ecriture = _prorata_de_periode(regle, donnees)
    if ecriture:
        formule += " × part de l’année couverte"
        valeurs["part de l’année couverte"] = ecriture
    etp = Fraction(1)
    if regle.prorata_etp:
        etp = min(_positif(donnees.etp, "etp"), Fraction(1))
        formule += " × ETP (1 au plus)"
        valeurs["ETP"] = f"{etp.numerator / etp.denominator:g}".replace(".", ",")
    applique = plafond * periode * etp
    valeurs["plafond appliqué"] = en_euros(au_centime(applique))
    return applique, formule, valeurs


def _sous_le_minimum(regle: Regle, donnees: Donnees) -> bool:
    if regle.etp_minimum is None:
        return False
    return _positif(donnees.etp, "etp") < Fraction(regle.etp_minimum)


def liquider(regle: Regle, donnees: Donnees) -> Liquidation:
    """Calcule le droit et son explication. Lève DonneeRefusee ; ne rend jamais 0 faute de donnée."""
    taux = _positif(regle.taux, "taux") / 100
    if taux > 1:
        raise DonneeRefusee("taux", "« taux » s’écrit en pour cent, entre 0 et 100.")
    parts = _parts_de_l_assiette(regle, donnees)
    assiette = sum((part.valeur for part in parts), Fraction(0))
    plafond, formule, valeurs = _plafond(regle, donnees)
    if assiette > plafond:
        parts.append(
            _Part(
                "Dépenses au-delà du plafond, non financées",
                f"assiette − {formule}" if formule == "prix plafond" else f"assiette − ({formule})",
                {"assiette": en_euros(au_centime(assiette)), **valeurs},
                plafond - assiette,
                "plafond",
            )
        )
    if _sous_le_minimum(regle, donnees):
        assert regle.etp_minimum is not None
        assert donnees.etp is not None
        minimum = {
            "ETP déclaré": f"{donnees.etp.normalize():f}".replace(".", ","),
            "ETP minimum": f"{regle.etp_minimum.normalize():f}".replace(".", ","),
        }
        retenue = -min(assiette, plafond)
        parts.append(
            _Part("Temps de travail insuffisant", "ETP déclaré < ETP minimum", minimum, retenue, "ETP minimum")
        )
    lignes, droit = _lignes(regle, parts, taux)
    return Liquidation(droit, au_centime(assiette), au_centime(plafond), lignes)


def _lignes(regle: Regle, parts: list[_Part], taux: Fraction) -> tuple[tuple[Ligne, ...], Decimal]:
    """Applique le taux à chaque part ; l’arrondi du cumul reporte chaque fraction de centime sur la ligne suivante."""
    lignes = []
    cumul, droit = Fraction(0), ZERO
    nom = regle.libelle or f"{regle.prestation.upper()} {regle.exercice}"
    for part in parts:
        cumul += part.valeur * taux
        atteint = au_centime(cumul)
        lignes.append(
            Ligne(
                libelle=part.libelle,
                formule=f"({part.formule}) × {pourcent(regle.taux)}",
                valeurs={**part.valeurs, "taux": pourcent(regle.taux)},
                montant=atteint - droit,
                regle=f"{nom}, {part.regle}",
                source=regle.source,
            )
        )
        droit = atteint
    return tuple(lignes), droit


def situer(droit: Decimal, deja_verse: Decimal) -> Position:
    """Ce qu’il reste à verser, ou ce qui a été versé en trop. Lève DonneeRefusee si le versé est négatif."""
    _positif(deja_verse, "deja_verse")
    return Position(solde=max(droit - deja_verse, ZERO), indu=max(deja_verse - droit, ZERO))


def partager(montant: Decimal, parts: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Coupe un montant selon des pour cent, sans perdre un centime sur leur somme.

    35 et 35 de 63 600,01 € : les deux font 70 % arrondi une fois. Lève DonneeRefusee si les parts dépassent 100.
    """
    if sum(parts) > 100 or any(part < 0 for part in parts):
        raise DonneeRefusee("parts", "Les parts sont positives et ne dépassent pas 100 % ensemble.")
    coupes = []
    cumul, rendu = Decimal(0), ZERO
    for part in parts:
        cumul += part
        atteint = au_centime(Fraction(montant) * Fraction(cumul) / 100)
        coupes.append(atteint - rendu)
        rendu = atteint
    return tuple(coupes)
