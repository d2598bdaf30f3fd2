"""Ce qui se saisit pendant une visite : la grammaire des champs et ce que chacun accepte. Pur.

``visite.arrivee``, ``visite.depart`` : « 2027-03-04T09:05 » ; ``visite.notes`` ; ``visite.signataire`` ;
``visite.signature_controleur``, ``visite.signature_structure`` : des traits, ``[[[x, y], …], …]`` dans 1000 × 400 ;
``visite.refus_signature`` : pourquoi la structure ne signe pas ; ``piece.<clé>`` : « vue » ou « absente » ;
``point.<uid>.constat``, ``.releve`` (« 1234.50 »), ``.faits``, ``.recommandation`` ; ``libre.<uid>.libelle`` : un
constat ajouté sur place, qui devient un point.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from controles.choix import NatureConstat
from socle.erreurs import Refus
from socle.montants import MontantIllisible, lire_montant
from socle.texte import epurer

TEXTE_MAX = 5000
LIBELLE_MAX = 300
NOM_MAX = 200
SIGNATURE_MAX = 40_000
LARGEUR_SIGNATURE, HAUTEUR_SIGNATURE = 1000, 400

HEURES = ("arrivee", "depart")
SIGNATURES = ("signature_controleur", "signature_structure")
TEXTES_DE_VISITE = {"notes": TEXTE_MAX, "signataire": NOM_MAX, "refus_signature": TEXTE_MAX}
ATTRIBUTS = ("constat", "releve", "faits", "recommandation")
ETATS_DE_PIECE = ("vue", "absente")


class SaisieRefusee(Refus):
    """Le champ n’existe pas, ou la valeur n’a pas de sens ; la phrase se montre à côté."""


@dataclass(frozen=True, slots=True)
class Champ:
    """``famille`` : visite, piece, point ou libre ; ``cle`` : l’uid ou la clé, vide pour la visite."""

    famille: str
    cle: str
    attribut: str

    @property
    def uid(self) -> UUID:
        return UUID(self.cle)


def analyser(nom: str) -> Champ:
    """Lève SaisieRefusee si le champ n’est pas de la fiche."""
    morceaux = nom.split(".")
    if len(morceaux) == 2 and morceaux[0] == "visite":
        connus = (*HEURES, *SIGNATURES, *TEXTES_DE_VISITE)
        if morceaux[1] in connus:
            return Champ("visite", "", morceaux[1])
    elif len(morceaux) == 2 and morceaux[0] == "piece" and morceaux[1].isdecimal() and len(morceaux[1]) <= 9:
        return Champ("piece", morceaux[1], "vue")
    elif len(morceaux) == 3 and morceaux[0] in ("point", "libre"):
        attributs = ATTRIBUTS if morceaux[0] == "point" else ("libelle",)
        try:
            uid = UUID(morceaux[1])
        except ValueError:
            uid = None
        if uid is not None and str(uid) == morceaux[1] and morceaux[2] in attributs:
            return Champ(morceaux[0], morceaux[1], morceaux[2])
    raise SaisieRefusee("Ce champ n’existe pas dans la fiche de contrôle.")


def lire(champ: Champ, saisie: str) -> str:
    """La valeur à garder, mise au propre ; vide : le champ est effacé. Lève SaisieRefusee."""
    if champ.attribut in SIGNATURES:
        return _signature(saisie)
    texte = epurer(saisie).strip()
    if not texte:
        return ""
    if champ.attribut in HEURES:
        return _heure(texte)
    if champ.famille == "piece":
        return _parmi(texte, ETATS_DE_PIECE, "Dites si la pièce est vue ou absente.")
    if champ.attribut == "constat":
        return _parmi(texte, tuple(NatureConstat.values), "Choisissez une nature de constat.")
    if champ.attribut == "releve":
        try:
            return f"{lire_montant(texte):.2f}"
        except MontantIllisible as erreur:
            raise SaisieRefusee(str(erreur)) from erreur
    borne = LIBELLE_MAX if champ.attribut == "libelle" else TEXTES_DE_VISITE.get(champ.attribut, TEXTE_MAX)
    if len(texte) > borne:
        raise SaisieRefusee(f"{len(texte)} caractères pour {borne} au plus : raccourcissez.")
    return texte


def _parmi(texte: str, admis: tuple[str, ...], phrase: str) -> str:
    if texte not in admis:
        raise SaisieRefusee(phrase)
    return texte


def _heure(texte: str) -> str:
    try:
        lue = datetime.fromisoformat(texte)
    except ValueError as erreur:
        raise SaisieRefusee("Écrivez un jour et une heure, par exemple 04/03/2027 09:05.") from erreur
    return lue.replace(tzinfo=None, second=0, microsecond=0).isoformat(timespec="minutes")


def traits(signature: str) -> list[list[tuple[int, int]]]:
    """Les traits d’une signature déjà lue."""
    return [[(int(x), int(y)) for x, y in trait] for trait in json.loads(signature)] if signature else []


def _signature(saisie: str) -> str:
    if not saisie.strip():
        return ""
    phrase = "Cette signature est illisible : effacez-la, puis signez à nouveau."
    if len(saisie) > SIGNATURE_MAX:
        raise SaisieRefusee("Cette signature est trop longue : effacez-la, puis signez plus simplement.")
    try:
        lus = json.loads(saisie)
        bons = isinstance(lus, list) and all(
            isinstance(trait, list) and len(trait) >= 1 and all(_point(point) for point in trait) for trait in lus
        )
    except (ValueError, RecursionError) as erreur:
        raise SaisieRefusee(phrase) from erreur
    if not bons:
        raise SaisieRefusee(phrase)
    return json.dumps(lus, separators=(",", ":")) if lus else ""


def _point(point: object) -> bool:
    if not (isinstance(point, list) and len(point) == 2):
        return False
    x, y = point
    entiers = all(isinstance(v, int) and not isinstance(v, bool) for v in (x, y))
    return entiers and 0 <= x <= LARGEUR_SIGNATURE and 0 <= y <= HAUTEUR_SIGNATURE
