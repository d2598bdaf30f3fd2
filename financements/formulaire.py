"""La déclaration, telle qu’on la remplit : le plan de comptes, la grammaire des champs, les totaux. Sans Django.

Un champ s’écrit ``compte.fonction`` pour une charge (« 64.pilotage »), ``compte`` pour un produit (« 744 »),
``activite.code`` pour une donnée d’activité, ``explication.compte`` pour le texte qui explique une variation.
Un contenu est ``{champ: nombre ou texte}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path

from financements.calculs import FONCTIONS, Donnees, Poste
from socle.montants import MAXIMUM, ZERO, MontantIllisible, en_euros, lire_montant
from socle.texte import epurer

LIBELLES_FONCTIONS = {"pilotage": "Pilotage", "activites": "Activités", "logistique": "Logistique"}
VOLONTAIRES = "86"
LONGUEUR_EXPLICATION = 2000
ETP_MAX = Decimal(1000)

type Valeur = Decimal | str
type Contenu = Mapping[str, Valeur]


class ChampInconnu(KeyError):
    """Le champ n’existe pas dans une déclaration."""


class SaisieRefusee(ValueError):
    """La valeur n’a pas de sens pour ce champ ; ``str(erreur)`` est la phrase à montrer."""


@dataclass(frozen=True, slots=True)
class Compte:
    compte: str
    libelle: str
    referent: bool = False  # porte un « dont référent familles »

    @property
    def est_charge(self) -> bool:
        return self.compte.startswith(("6", VOLONTAIRES))

    @property
    def est_volontaire(self) -> bool:
        return self.compte.startswith("8")

    @property
    def champs(self) -> tuple[str, ...]:
        if not self.est_charge:
            return (self.compte,)
        return tuple(f"{self.compte}.{f}" for f in (*FONCTIONS, *([Poste.REFERENT] if self.referent else [])))


@dataclass(frozen=True, slots=True)
class Activite:
    code: str
    libelle: str
    unite: str
    entier: bool = False
    obligatoire: bool = False

    @property
    def champ(self) -> str:
        return f"activite.{self.code}"


@dataclass(frozen=True)
class Plan:
    source: str
    charges: tuple[Compte, ...]
    produits: tuple[Compte, ...]
    activite: tuple[Activite, ...]

    @cached_property
    def comptes(self) -> dict[str, Compte]:
        return {c.compte: c for c in (*self.charges, *self.produits)}

    @cached_property
    def champs(self) -> frozenset[str]:
        de_comptes = {champ for c in (*self.charges, *self.produits) for champ in c.champs}
        return frozenset(de_comptes | {a.champ for a in self.activite} | {f"explication.{c}" for c in self.comptes})


@cache
def plan() -> Plan:
    brut = json.loads((Path(__file__).parent / "donnees" / "plan_comptable.json").read_text(encoding="utf-8"))
    return Plan(
        brut["source"],
        tuple(Compte(**c) for c in brut["charges"]),
        tuple(Compte(**c) for c in brut["produits"]),
        tuple(Activite(**a) for a in brut["activite"]),
    )


def ligne_de(champ: str) -> str:
    """La ligne que la Caf commente : le compte, ou « activite »."""
    tete, _, reste = champ.partition(".")
    return reste if tete == "explication" else tete


def lire(champ: str, saisie: str) -> Valeur | None:
    """La valeur d’une case, ou rien si elle est vide. Lève ChampInconnu, SaisieRefusee."""
    if champ not in plan().champs:
        raise ChampInconnu(champ)
    if champ.startswith("explication."):
        texte = epurer(saisie).strip()
        if len(texte) > LONGUEUR_EXPLICATION:
            raise SaisieRefusee(f"{len(texte)} caractères pour {LONGUEUR_EXPLICATION} au plus : raccourcissez.")
        return texte or None
    if not saisie.strip():
        return None
    donnee = next((a for a in plan().activite if a.champ == champ), None)
    try:
        if donnee is None:
            return lire_montant(saisie)
        nombre = lire_montant(saisie, decimales=0 if donnee.entier else 2, maximum=MAXIMUM)
    except MontantIllisible as erreur:
        if donnee is None:
            raise SaisieRefusee(str(erreur)) from erreur
        exemple = "120" if donnee.entier else "0,5"
        raise SaisieRefusee(f"Écrivez un nombre positif, par exemple {exemple}.") from erreur
    if donnee.unite == "ETP" and nombre > ETP_MAX:
        raise SaisieRefusee("Ce nombre d’ETP est impossible : vérifiez la virgule.")
    return nombre


def nombre(contenu: Contenu, champ: str) -> Decimal:
    valeur = contenu.get(champ)
    if valeur is None or valeur == "":
        return ZERO
    return valeur if isinstance(valeur, Decimal) else Decimal(valeur)


def depuis_json(contenu: Mapping[str, str]) -> dict[str, Valeur]:
    """Le contenu d’une version déposée : les montants redeviennent des décimaux."""
    return {c: v if c.startswith("explication.") else Decimal(v) for c, v in contenu.items()}


def total_de(contenu: Contenu, compte: Compte) -> Decimal:
    """Le total d’une ligne ; le référent est un « dont », il ne s’ajoute pas."""
    if not compte.est_charge:
        return nombre(contenu, compte.compte)
    return sum((nombre(contenu, f"{compte.compte}.{f}") for f in FONCTIONS), ZERO)


@dataclass(frozen=True, slots=True)
class Totaux:
    """En euros. ``resultat`` = produits − charges, hors contributions volontaires."""

    par_fonction: Mapping[str, Decimal]
    charges: Decimal
    produits: Decimal
    emplois_volontaires: Decimal
    contributions_volontaires: Decimal

    @property
    def resultat(self) -> Decimal:
        return self.produits - self.charges

    @property
    def ecart_volontaire(self) -> Decimal:
        return self.contributions_volontaires - self.emplois_volontaires


def totaliser(contenu: Contenu) -> Totaux:
    ordinaires = [c for c in plan().charges if not c.est_volontaire]
    return Totaux(
        par_fonction={f: sum((nombre(contenu, f"{c.compte}.{f}") for c in ordinaires), ZERO) for f in FONCTIONS},
        charges=sum((total_de(contenu, c) for c in ordinaires), ZERO),
        produits=sum((total_de(contenu, c) for c in plan().produits if not c.est_volontaire), ZERO),
        emplois_volontaires=sum((total_de(contenu, c) for c in plan().charges if c.est_volontaire), ZERO),
        contributions_volontaires=sum((total_de(contenu, c) for c in plan().produits if c.est_volontaire), ZERO),
    )


def phrase_d_equilibre(totaux: Totaux, *, constate: bool) -> str:
    """Ce que l’écran dit sous les totaux ; ``constate`` : un compte réel peut finir en excédent ou en déficit."""
    if not totaux.resultat:
        return "Charges et produits sont égaux."
    if constate:
        nom = "Excédent" if totaux.resultat > 0 else "Déficit"
        return f"{nom} de {en_euros(abs(totaux.resultat))}."
    if totaux.resultat < 0:
        return f"Le budget n’est pas équilibré : il manque {en_euros(-totaux.resultat)} de produits."
    return f"Le budget n’est pas équilibré : les produits dépassent les charges de {en_euros(totaux.resultat)}."


@dataclass(frozen=True, slots=True)
class Manque:
    """Ce qui empêche de faire viser, et où aller le corriger."""

    champ: str
    phrase: str


def manques(
    contenu: Contenu, *, constate: bool, avant: Contenu | None, seuil: Decimal, obligatoires: frozenset[str]
) -> list[Manque]:
    """Tout ce qui manque, d’un coup. ``avant`` : la déclaration à laquelle on compare ; ``seuil`` en pour cent."""
    trouves = []
    totaux = totaliser(contenu)
    if not totaux.charges:
        trouves.append(Manque("60.pilotage", "Aucune charge n’est saisie."))
    if totaux.resultat and not constate:
        trouves.append(Manque("70", phrase_d_equilibre(totaux, constate=False)))
    if totaux.ecart_volontaire:
        trouves.append(
            Manque(
                "870",
                "Les contributions volontaires (87) et leur emploi (86) diffèrent de "
                f"{en_euros(abs(totaux.ecart_volontaire))} : ils doivent être égaux.",
            )
        )
    for compte in plan().charges:
        if compte.referent and nombre(contenu, f"{compte.compte}.referent") > nombre(
            contenu, f"{compte.compte}.activites"
        ):
            trouves.append(
                Manque(f"{compte.compte}.referent", "Les salaires du référent familles dépassent ceux des activités.")
            )
    for donnee in plan().activite:
        if donnee.champ in obligatoires and contenu.get(donnee.champ) is None:
            trouves.append(Manque(donnee.champ, f"« {donnee.libelle} » n’est pas rempli."))
    if avant is not None:
        for variation in variations(contenu, avant, seuil):
            if variation.a_expliquer and not contenu.get(f"explication.{variation.compte.compte}"):
                trouves.append(
                    Manque(
                        f"explication.{variation.compte.compte}",
                        f"{variation.compte.compte} {variation.compte.libelle} : expliquez la variation de "
                        f"{variation.pourcentage}.",
                    )
                )
    return trouves


@dataclass(frozen=True, slots=True)
class Variation:
    compte: Compte
    avant: Decimal
    apres: Decimal
    a_expliquer: bool

    @property
    def ecart(self) -> Decimal:
        return self.apres - self.avant

    @property
    def pourcentage(self) -> str:
        """« + 12 % », « − 3 % », « nouvelle ligne »."""
        if not self.avant:
            return "nouvelle ligne" if self.apres else ""
        valeur = self.ecart * 100 / self.avant
        signe = "+" if valeur >= 0 else "−"
        return f"{signe}\u00a0{abs(valeur):.0f}\u00a0%"


PLANCHER_VARIATION = Decimal(1000)  # euros : sous ce montant, un pourcentage n’apprend rien


def variations(contenu: Contenu, avant: Contenu, seuil: Decimal) -> list[Variation]:
    """Ligne par ligne, l’écart à la déclaration précédente ; ``seuil`` en pour cent."""
    rendues = []
    for compte in (*plan().charges, *plan().produits):
        ancien, nouveau = total_de(avant, compte), total_de(contenu, compte)
        ecart = abs(nouveau - ancien)
        grande = ecart > PLANCHER_VARIATION and (not ancien or ecart * 100 > seuil * ancien)
        rendues.append(Variation(compte, ancien, nouveau, grande))
    return rendues


def charges_par_poste(contenu: Contenu) -> tuple[dict[Poste, Decimal], dict[Poste, Decimal]]:
    """Les charges, puis les emplois de contributions volontaires, par poste : ce que lit le calcul."""
    ordinaires = {
        f: sum((nombre(contenu, f"{c.compte}.{f}") for c in plan().charges if not c.est_volontaire), ZERO)
        for f in FONCTIONS
    }
    ordinaires[Poste.REFERENT] = sum(
        (nombre(contenu, f"{c.compte}.referent") for c in plan().charges if c.referent), ZERO
    )
    volontaires = {f: nombre(contenu, f"{VOLONTAIRES}.{f}") for f in FONCTIONS}
    return ordinaires, volontaires


def en_donnees(
    contenu: Contenu,
    postes: Iterable[str],
    *,
    debut: date | None,
    fin: date | None,
    interruptions: tuple[tuple[date, date], ...] = (),
) -> Donnees:
    """Ce que le calcul lit d’un contenu déclaré ; ``postes`` : ceux du barème, qui disent quel ETP compte."""
    charges, volontaires = charges_par_poste(contenu)
    champ = "activite.etp_referent" if Poste.REFERENT in postes else "activite.etp_direction"
    etp = nombre(contenu, champ) if champ in contenu else None
    return Donnees(charges=charges, volontaires=volontaires, etp=etp, debut=debut, fin=fin, interruptions=interruptions)
