"""Un cas de simulation, lu d’où qu’il vienne (JSON, formulaire), calculé par les mêmes règles que les vrais droits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from financements.calculs import DonneeRefusee, Donnees, Ligne, Liquidation, Poste, Prorata, Regle, liquider, situer
from socle.montants import MAXIMUM, ZERO, MontantIllisible, lire_montant
from socle.texte import annee

# La composition usuelle des assiettes (domaine C.2), pour un cas qui donne lui-même son taux et son plafond.
ASSIETTES: dict[str, tuple[tuple[Poste, ...], bool]] = {
    "agc": ((Poste.PILOTAGE,), True),
    "acf": ((Poste.REFERENT,), True),
    "al": ((Poste.PILOTAGE, Poste.ACTIVITES, Poste.LOGISTIQUE), False),
    "unique": ((Poste.PILOTAGE,), True),
}
EXERCICES = range(2000, 2100)
CHAMPS = frozenset(
    {
        "prestation", "exercice", "assiette", "pilotage", "logistique", "activites", "referent", "taux", "plafond",
        "etp", "etp_minimum", "debut", "fin", "prorata", "etp_prorata", "deja_verse",
    }
)  # fmt: skip

type Bareme = Callable[[str, int], Regle | None]
type Taux = Callable[[str, int], Decimal | None]


@dataclass(frozen=True, slots=True)
class Resultat:
    liquidation: Liquidation
    solde: Decimal
    indu: Decimal
    regle: Regle

    def en_json(self) -> dict[str, Any]:
        """Montants en chaînes à deux décimales ; les ``montant`` des lignes font le droit."""
        return {
            "droit": str(self.liquidation.droit),
            "assiette": str(self.liquidation.assiette),
            "plafond_applique": str(self.liquidation.plafond_applique),
            "solde": str(self.solde),
            "indu": str(self.indu),
            "lignes": en_lignes(self.liquidation),
        }


def en_lignes(liquidation: Liquidation) -> list[dict[str, Any]]:
    """L’explication telle qu’on la garde et qu’on la montre : écran, PDF, journal, sortie JSON."""
    return lignes_en_json(liquidation.lignes)


def lignes_en_json(lignes: Iterable[Ligne]) -> list[dict[str, Any]]:
    return [
        {
            "libelle": ligne.libelle,
            "formule": ligne.formule,
            "valeurs": [{"nom": nom, "valeur": valeur} for nom, valeur in ligne.valeurs.items()],
            "montant": str(ligne.montant),
            "regle": ligne.regle,
            "source": ligne.source,
        }
        for ligne in lignes
    ]


def _montant(cas: Mapping[str, Any], champ: str, maximum: Decimal = MAXIMUM, decimales: int = 10) -> Decimal | None:
    valeur = cas.get(champ)
    if valeur is None or valeur == "":
        return None
    if isinstance(valeur, bool) or not isinstance(valeur, str | int | Decimal):
        raise DonneeRefusee(champ, f"« {champ} » : écrivez un nombre.")
    texte = valeur if isinstance(valeur, str) else f"{Decimal(valeur):f}" if Decimal(valeur).adjusted() < 30 else ""
    try:
        return lire_montant(texte, decimales=decimales, maximum=maximum)
    except (MontantIllisible, InvalidOperation) as erreur:
        raise DonneeRefusee(champ, f"« {champ} » : {_en_suite(str(erreur))}") from erreur


def _en_suite(phrase: str) -> str:
    return phrase[:1].lower() + phrase[1:]


def _jour(cas: Mapping[str, Any], champ: str) -> date | None:
    valeur = cas.get(champ)
    if valeur is None or valeur == "" or type(valeur) is date:
        return valeur or None
    try:
        return date.fromisoformat(valeur)
    except (TypeError, ValueError) as erreur:
        raise DonneeRefusee(champ, f"« {champ} » : écrivez une date, par exemple 2026-04-01.") from erreur


def _exercice(cas: Mapping[str, Any]) -> int:
    valeur = cas.get("exercice")
    if isinstance(valeur, bool) or not isinstance(valeur, str | int | Decimal):
        raise DonneeRefusee("exercice", "« exercice » : écrivez une année, par exemple 2026.")
    exercice = annee(str(valeur))
    if exercice is None or exercice not in EXERCICES:
        raise DonneeRefusee("exercice", "« exercice » : écrivez une année, par exemple 2026.")
    return exercice


def _oui_non(cas: Mapping[str, Any], champ: str, sinon: bool) -> bool:
    valeur = cas.get(champ, sinon)
    if not isinstance(valeur, bool):
        raise DonneeRefusee(champ, f"« {champ} » : répondez true ou false.")
    return valeur


def _prorata(cas: Mapping[str, Any], sinon: Prorata) -> Prorata:
    valeur = cas.get("prorata") or sinon
    if not isinstance(valeur, str) or valeur not in set(Prorata):
        raise DonneeRefusee("prorata", "« prorata » : choisissez « mois », « jours » ou « aucun ».")
    return Prorata(valeur)


def _regle(cas: Mapping[str, Any], bareme: Bareme, taux_connu: Taux) -> Regle:
    """Le barème publié, dont le cas peut remplacer chaque paramètre ; à défaut, les paramètres du cas seuls."""
    prestation = cas.get("prestation")
    if not isinstance(prestation, str) or prestation not in ASSIETTES:
        raise DonneeRefusee("prestation", f"« prestation » : choisissez parmi {', '.join(ASSIETTES)}.")
    exercice = _exercice(cas)
    taux = _montant(cas, "taux", Decimal(100), 6)
    plafond = _montant(cas, "plafond")
    publie = bareme(prestation, exercice) if taux is None or plafond is None else None
    if taux is None:
        taux = publie.taux if publie else taux_connu(prestation, exercice)
    if taux is None:
        raise DonneeRefusee("taux", f"« taux » : aucun taux connu pour {prestation} en {exercice}, donnez-le.")
    if plafond is None and publie is None:
        raise DonneeRefusee("plafond", f"« plafond » : aucun barème publié pour {prestation} en {exercice}, donnez-le.")
    postes, quote_part = ASSIETTES[prestation]
    regle = publie or Regle(prestation, exercice, taux, ZERO, postes, quote_part, libelle="Simulation")
    return replace(
        regle,
        taux=taux,
        prix_plafond=regle.prix_plafond if plafond is None else plafond,
        prorata=_prorata(cas, regle.prorata),
        prorata_etp=_oui_non(cas, "etp_prorata", regle.prorata_etp),
        etp_minimum=_montant(cas, "etp_minimum", Decimal(100), 4) or regle.etp_minimum,
    )


def _charges(cas: Mapping[str, Any]) -> dict[Poste, Decimal]:
    montants = {poste: _montant(cas, poste) for poste in Poste}
    if montants[Poste.PILOTAGE] is None and montants[Poste.REFERENT] is None:
        raise DonneeRefusee("assiette", "« assiette » manque ; à défaut, donnez « pilotage ».")
    return {poste: montant or ZERO for poste, montant in montants.items()}


def _sans_referent(cas: Mapping[str, Any], regle: Regle) -> Regle:
    """Sans salaire du référent, les charges directes de la fonction sont dites par ``pilotage``."""
    if Poste.REFERENT in regle.postes and cas.get(Poste.REFERENT) in (None, ""):
        return replace(regle, postes=(Poste.PILOTAGE,))
    return regle


def simuler(cas: object, *, bareme: Bareme, taux_connu: Taux) -> Resultat:
    """Calcule un cas. ``bareme`` et ``taux_connu`` rendent ce qui est publié pour (prestation, exercice), ou rien.

    Lève DonneeRefusee, qui nomme le champ.
    """
    if not isinstance(cas, Mapping):
        raise DonneeRefusee("cas", "Chaque cas est un objet JSON.")
    if inconnus := sorted(set(map(str, cas)) - CHAMPS):
        raise DonneeRefusee(inconnus[0], f"« {inconnus[0]} » n’est pas un champ connu.")
    regle = _sans_referent(cas, _regle(cas, bareme, taux_connu))
    if not cas.get("prorata") and not cas.get("debut") and not cas.get("fin"):
        regle = replace(regle, prorata=Prorata.AUCUN)  # sans dates, l’année entière
    assiette = _montant(cas, "assiette")
    detaillees = [poste for poste in Poste if cas.get(poste) not in (None, "")]
    if assiette is not None and detaillees:
        raise DonneeRefusee(
            "assiette", f"« assiette » et « {detaillees[0]} » : donnez l’une ou le détail, pas les deux."
        )
    donnees = Donnees(
        assiette=assiette,
        charges={} if assiette is not None else _charges(cas),
        etp=_montant(cas, "etp", Decimal(1000), 4),
        debut=_jour(cas, "debut"),
        fin=_jour(cas, "fin"),
    )
    if donnees.debut and donnees.fin and donnees.fin < donnees.debut:
        raise DonneeRefusee("fin", "« fin » précède « debut ».")
    liquidation = liquider(regle, donnees)
    position = situer(liquidation.droit, _montant(cas, "deja_verse", decimales=2) or ZERO)
    return Resultat(liquidation, position.solde, position.indu, regle)


def _constante(nom: str) -> object:
    raise DonneeRefusee("json", f"« {nom} » n’est pas un nombre.")


def lire_json(texte: str) -> object:
    """Les nombres restent exacts (décimaux). Lève DonneeRefusee si ce n’est pas du JSON."""
    try:
        return json.loads(texte, parse_float=Decimal, parse_int=Decimal, parse_constant=_constante)
    except (ValueError, RecursionError) as erreur:
        if isinstance(erreur, DonneeRefusee):
            raise
        raise DonneeRefusee("json", "L’entrée n’est pas du JSON lisible.") from erreur
