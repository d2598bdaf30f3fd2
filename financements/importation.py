"""Lire les comptes d’un gestionnaire : fichier des écritures comptables (FEC), balance csv ou xlsx.

Un fichier faux ne s’arrête pas à sa première faute : tout ce qui se lit est rendu, avec la liste des lignes à corriger.
Rien n’est exécuté ni évalué. Les montants sont en euros et au centime. Aucun import de Django.

Sources : livre des procédures fiscales, art. A47 A-1 (arrêté du 29 juillet 2013) pour le FEC ; règlement ANC 2018-06
pour les contributions volontaires (86, 87).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from socle.dates import en_jour
from socle.montants import ZERO, MontantIllisible, en_euros
from socle.tableaux import (
    FichierIllisible,
    Lignes,
    est_un_classeur,
    montant_de,
    ouvrir,
    texte_de,
)
from socle.texte import cle_de_tri

__all__ = [
    "Anomalie", "Balance", "FichierIllisible", "Solde", "est_retenu", "est_une_charge", "lire",
]  # fmt: skip

ANOMALIES_MAX = 1_000  # au-delà, on compte sans détailler

_FEC = {
    "journalcode": "JournalCode",
    "ecriturenum": "EcritureNum",
    "ecrituredate": "EcritureDate",
    "comptenum": "CompteNum",
    "comptelib": "CompteLib",
}
_FEC_MONTANTS = {"debit": "Debit", "credit": "Credit", "montant": "Montant", "sens": "Sens"}
_BALANCE = {
    "compte": r"(n|no|num|numero|code)?( de| du)? ?compte( general| comptable)?s?|comptenum|compte num|numero",
    "libelle": r"(libelle|intitule|nom|designation)s?( (du |de )?comptes?)?|comptelib|compte lib",
    "debiteur": r"soldes? (fin(al|aux)? )?debit(eur)?s?|debiteurs?",
    "crediteur": r"soldes? (fin(al|aux)? )?credit(eur)?s?|crediteurs?",
    "debit": r"((total|cumul|montant|mouvements?|mvts?) )?debits?",
    "credit": r"((total|cumul|montant|mouvements?|mvts?) )?credits?",
    "solde": r"soldes?( final| fin)?|montants?",
}
_COUPLES = (("debiteur", "crediteur"), ("debit", "credit"))
_ANNEE = re.compile(r"\b(19|20)\d\d\b")
_COMPTE = re.compile(r"[0-9][0-9A-Za-z]{0,34}")
_TOTAL = re.compile(r"(sous )?(total|totaux)\b|resultat\b|report\b|solde\b")
_NOM_FEC = re.compile(r"\d{9}FEC(\d{8})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Solde:
    """Les mouvements d’un compte sur l’exercice, en euros. ``ligne`` : la première du fichier où il paraît."""

    compte: str
    libelle: str
    debit: Decimal
    credit: Decimal
    ligne: int

    @property
    def montant(self) -> Decimal:
        """Positif dans le sens normal du compte : au débit pour une charge, au crédit pour un produit."""
        return self.debit - self.credit if est_une_charge(self.compte) else self.credit - self.debit


@dataclass(frozen=True, slots=True)
class Anomalie:
    """Ce qu’il faut corriger, et où. ``ligne`` est vide quand c’est le fichier entier qui est en cause."""

    ligne: int | None
    colonne: str
    message: str


@dataclass(frozen=True, slots=True)
class Balance:
    """Les comptes 6, 7, 86 et 87 lus. ``format`` : « fec », « csv » ou « xlsx ».

    ``lignes_lues`` compte toutes les lignes de données, comptes de bilan compris. Une ligne en anomalie n’entre pas
    dans les soldes, sauf quand seul son libellé est douteux : des soldes ne se reprennent que sans anomalie.
    ``ecartes`` : les autres comptes (bilan, classe inconnue), qui n’ont pas leur place dans la déclaration.
    """

    soldes: tuple[Solde, ...]
    anomalies: tuple[Anomalie, ...]
    format: str
    lignes_lues: int
    ecartes: tuple[Solde, ...] = ()


def est_une_charge(compte: str) -> bool:
    """Vrai pour 6 et 86, faux pour 7 et 87."""
    return compte.startswith(("6", "86"))


def est_retenu(compte: str) -> bool:
    return compte.startswith(("6", "7", "86", "87"))


@dataclass(slots=True)
class _Releve:
    """Ce que la lecture accumule : les anomalies (bornées) et un cumul par compte."""

    anomalies: list[Anomalie] = field(default_factory=list)
    tues: int = 0
    comptes: dict[str, list[Decimal]] = field(default_factory=dict)
    reperes: dict[str, tuple[str, int]] = field(default_factory=dict)
    lignes: int = 0
    complet: bool = True

    def signaler(self, ligne: int | None, colonne: str, message: str) -> None:
        if len(self.anomalies) < ANOMALIES_MAX:
            self.anomalies.append(Anomalie(ligne, colonne, message))
        else:
            self.tues += 1

    def ajouter(self, compte: str, libelle: str, debit: Decimal, credit: Decimal, ligne: int) -> None:
        if cumul := self.comptes.get(compte):
            cumul[0] += debit
            cumul[1] += credit
        else:
            self.comptes[compte] = [debit, credit]
            self.reperes[compte] = (libelle, ligne)

    def verifier_l_equilibre(self, debit: Decimal, credit: Decimal) -> None:
        if self.complet and debit != credit:
            self.signaler(
                None,
                "",
                f"Le fichier n’est pas équilibré : {en_euros(debit)} au débit, {en_euros(credit)} au crédit, "
                f"soit {en_euros(abs(debit - credit))} d’écart.",
            )

    def rendre(self, format_lu: str) -> Balance:
        if self.tues:
            suite = f"Et {self.tues} autres anomalies, non détaillées ici."
            self.anomalies.append(Anomalie(None, "", suite))
        soldes = [
            Solde(compte, self.reperes[compte][0], debit, credit, self.reperes[compte][1])
            for compte, (debit, credit) in sorted(self.comptes.items())
        ]
        retenus = tuple(s for s in soldes if est_retenu(s.compte))
        ecartes = tuple(s for s in soldes if not est_retenu(s.compte))
        return Balance(retenus, tuple(self.anomalies), format_lu, self.lignes, ecartes)


@dataclass(frozen=True, slots=True)
class _Entete:
    colonnes: Mapping[str, int]
    noms: Sequence[str]
    manque: Sequence[str]
    fec: bool
    double: str = ""


def lire(contenu: bytes, nom: str, *, exercice: int) -> Balance:
    """Reconnaît le fichier à son contenu et rend ses soldes avec ses anomalies, sans s’arrêter à la première.

    ``nom`` sert aux messages et à la date de clôture d’un FEC ; ``exercice`` est l’année civile déclarée. Lève
    ``FichierIllisible`` quand rien ne peut être lu : vide, chiffré, à macros, démesuré, en-têtes absents.
    """
    trouve, lignes = ouvrir(contenu, nom, lambda apercu: _chercher_l_entete(apercu, exercice))
    entete = _exiger(trouve, nom)
    origine = "xlsx" if est_un_classeur(contenu) else "csv"
    releve = _Releve()
    (_lire_fec if entete.fec else _lire_balance)(lignes, entete, exercice, nom, releve, origine == "csv")
    if not releve.lignes:
        raise FichierIllisible("Ce fichier a des en-têtes mais aucune ligne de comptes.")
    return releve.rendre("fec" if entete.fec else origine)


# ------------------------------------------------------------------------------------------------- reconnaître


def _sans_bruit(cellule: object) -> str:
    return re.sub(r"\b((en )?(euros?|eur)|(au )?31 12)\b", "", cle_de_tri(str(cellule))).strip()


def _chercher_l_entete(apercu: Sequence[Sequence[object]], exercice: int) -> tuple[int, int, _Entete | None]:
    """Le nombre de colonnes connues de la ligne qui en nomme le plus, son rang, et ce qu’elle nomme."""
    score, ou, entete = 0, 0, None
    for rang, cellules in enumerate(apercu):
        for essai in (_entete_de_fec(cellules), _entete_de_balance(cellules, exercice)):
            if len(essai.colonnes) > score:
                score, ou, entete = len(essai.colonnes), rang, essai
    return score, ou, entete


def _entete_de_fec(cellules: Sequence[object]) -> _Entete:
    noms = [str(cellule).strip() for cellule in cellules]
    trouves = {cle_de_tri(nom).replace(" ", ""): position for position, nom in enumerate(noms)}
    colonnes = {cle: trouves[cle] for cle in (*_FEC, *_FEC_MONTANTS) if cle in trouves}
    if "journalcode" not in colonnes and "ecriturenum" not in colonnes:
        return _Entete({}, noms, (), True)
    manque = [libelle for cle, libelle in _FEC.items() if cle not in colonnes]
    if not {"montant", "sens"} <= colonnes.keys():
        manque += [libelle for cle, libelle in islice(_FEC_MONTANTS.items(), 2) if cle not in colonnes]
    return _Entete(colonnes, noms, manque, True)


def _entete_de_balance(cellules: Sequence[object], exercice: int) -> _Entete:
    """Une colonne datée d’une autre année est celle de l’an passé : on ne la lit pas."""
    noms = [str(cellule).strip() for cellule in cellules]
    colonnes: dict[str, int] = {}
    double = ""
    for position, nom in enumerate(noms):
        titre = _sans_bruit(nom)
        annee = _ANNEE.search(titre)
        if annee and int(annee.group()) != exercice:
            continue
        titre = re.sub(r" +", " ", _ANNEE.sub("", titre)).strip()
        for cle, motif in _BALANCE.items():
            if titre and re.fullmatch(motif, titre):
                double = nom if cle in colonnes and cle != "libelle" else double
                colonnes.setdefault(cle, position)
                break
    manque = [] if "compte" in colonnes else ["compte"]
    if "solde" not in colonnes and not any({d, c} <= colonnes.keys() for d, c in _COUPLES):
        manque += [mot for mot, cle in (("débit", "debit"), ("crédit", "credit")) if cle not in colonnes]
    return _Entete(colonnes, noms, manque, False, double)


def _exiger(entete: _Entete | None, nom: str) -> _Entete:
    if entete is None or len(entete.colonnes) < 2:
        attendu = "les dix-huit champs d’un FEC" if _NOM_FEC.match(nom) else "compte, libellé, débit et crédit"
        raise FichierIllisible(f"Les en-têtes de colonnes sont introuvables : la première ligne doit nommer {attendu}.")
    if entete.double:
        raise FichierIllisible(f"Deux colonnes s’appellent « {entete.double} » : gardez celle du solde de l’exercice.")
    if entete.manque:
        quoi = "la colonne" if len(entete.manque) == 1 else "les colonnes"
        liste = ", ".join(f"« {nom_manquant} »" for nom_manquant in entete.manque)
        lues = ", ".join(nom_lu for nom_lu in entete.noms if nom_lu)
        raise FichierIllisible(f"Il manque {quoi} {liste}. Colonnes lues : {lues[:300]}.")
    return entete


# -------------------------------------------------------------------------------------------------------- lire


def _montants(
    cellules: Sequence[object], entete: _Entete, cles: Sequence[str], ligne: int, releve: _Releve
) -> list[Decimal] | None:
    """Les montants des colonnes demandées, ou rien si l’un d’eux est illisible (et alors signalé)."""
    lus: list[Decimal] = []
    for cle in cles:
        try:
            lus.append(montant_de(cellules[entete.colonnes[cle]]))
        except MontantIllisible as erreur:
            releve.complet = False
            releve.signaler(ligne, entete.noms[entete.colonnes[cle]], str(erreur))
    return lus if len(lus) == len(cles) else None


def _refuser_une_formule(texte: str, colonne: str, ligne: int, releve: _Releve) -> None:
    if texte.startswith(("=", "+", "-", "@")):
        message = f"« {texte[:60]} » commence comme une formule de tableur : écrivez-le sans ce premier signe."
        releve.signaler(ligne, colonne, message)


@lru_cache(maxsize=1024)
def _jour(texte: str) -> date | None:
    if not re.fullmatch(r"[0-9]{8}", texte):
        return None
    try:
        return date(int(texte[:4]), int(texte[4:6]), int(texte[6:]))
    except ValueError:
        return None


def _lire_fec(lignes: Lignes, entete: _Entete, exercice: int, nom: str, releve: _Releve, brut: bool) -> None:
    """Chaque écriture doit être équilibrée ; une écriture dont une ligne ne se lit pas n’est pas accusée en plus."""
    colonnes, noms = entete.colonnes, entete.noms
    au_sens = "debit" not in colonnes or "credit" not in colonnes
    cloture = _NOM_FEC.match(nom)
    if cloture and (jour := _jour(cloture.group(1))) and jour.year != exercice:
        message = f"Ce fichier est celui de l’exercice clos le {en_jour(jour)} ; la déclaration porte sur {exercice}."
        releve.signaler(None, "nom du fichier", message)
    ecritures: dict[tuple[str, str], list[Decimal]] = {}
    premieres: dict[tuple[str, str], int] = {}
    douteuses: set[tuple[str, str]] = set()
    debits = credits = ZERO
    for ligne, cellules in lignes:
        if not any(cellule != "" for cellule in cellules):
            continue
        releve.lignes += 1
        if len(cellules) != len(noms):
            releve.complet = False
            releve.signaler(ligne, "", f"La ligne a {len(cellules)} champs au lieu de {len(noms)}.")
            if len(cellules) > max(colonnes["journalcode"], colonnes["ecriturenum"]):
                douteuses.add(
                    (texte_de(cellules[colonnes["journalcode"]]), texte_de(cellules[colonnes["ecriturenum"]]))
                )
            continue
        cle = (texte_de(cellules[colonnes["journalcode"]]), texte_de(cellules[colonnes["ecriturenum"]]))
        lus = _montants(cellules, entete, ("montant",) if au_sens else ("debit", "credit"), ligne, releve)
        if lus and au_sens:
            sens = texte_de(cellules[colonnes["sens"]]).upper()
            if sens not in ("D", "C", "1", "+1", "-1"):
                releve.complet = False
                releve.signaler(ligne, noms[colonnes["sens"]], f"« {sens[:20]} » n’est pas un sens : attendu D ou C.")
                lus = None
            else:
                lus = [ZERO, lus[0]] if sens in ("C", "-1") else [lus[0], ZERO]
        if not lus:
            douteuses.add(cle)
            continue
        debit, credit = lus
        debits += debit
        credits += credit
        if not cle[1]:
            releve.signaler(ligne, noms[colonnes["ecriturenum"]], "Le numéro d’écriture est absent.")
        elif cumul := ecritures.get(cle):
            cumul[0] += debit
            cumul[1] += credit
        else:
            ecritures[cle] = [debit, credit]
            premieres[cle] = ligne
        compte = texte_de(cellules[colonnes["comptenum"]]).replace(" ", "")
        passee = texte_de(cellules[colonnes["ecrituredate"]])
        jour = _jour(passee)
        if not _COMPTE.fullmatch(compte):
            releve.signaler(ligne, noms[colonnes["comptenum"]], f"« {compte[:40]} » n’est pas un numéro de compte.")
        elif jour is None:
            message = f"« {passee[:20]} » n’est pas une date : attendu AAAAMMJJ."
            releve.signaler(ligne, noms[colonnes["ecrituredate"]], message)
        elif jour.year != exercice:
            message = f"L’écriture est du {en_jour(jour)}, hors de l’exercice {exercice}."
            releve.signaler(ligne, noms[colonnes["ecrituredate"]], message)
        else:
            libelle = texte_de(cellules[colonnes["comptelib"]])
            if brut and compte not in releve.comptes:
                _refuser_une_formule(libelle, noms[colonnes["comptelib"]], ligne, releve)
            releve.ajouter(compte, libelle, debit, credit, ligne)
    for cle, (debit, credit) in ecritures.items():
        if debit != credit and cle not in douteuses:
            cote = "débit" if debit > credit else "crédit"
            releve.signaler(
                premieres[cle],
                "",
                f"L’écriture {cle[1]} du journal {cle[0]} n’est pas équilibrée : "
                f"{en_euros(abs(debit - credit))} de trop au {cote}.",
            )
    releve.verifier_l_equilibre(debits, credits)


def _lire_balance(lignes: Lignes, entete: _Entete, exercice: int, nom: str, releve: _Releve, brut: bool) -> None:
    """Le solde final l’emporte sur les mouvements, les mouvements sur la colonne unique (positive au débit)."""
    colonnes, noms = entete.colonnes, entete.noms
    couples = (couple for couple in _COUPLES if set(couple) <= colonnes.keys())
    cles: tuple[str, ...] = next(couples, ("solde",))
    for ligne, cellules in lignes:
        if not any(cellule != "" for cellule in cellules):
            continue
        cellules = [*cellules, *[""] * (len(noms) - len(cellules))]
        ecrit = texte_de(cellules[colonnes["compte"]])
        compte = re.sub(r"[ .\u00a0\u202f]", "", ecrit)
        libelle = texte_de(cellules[colonnes["libelle"]]) if "libelle" in colonnes else ""
        if not _COMPTE.fullmatch(compte) and _TOTAL.match(cle_de_tri(ecrit or libelle)):
            continue
        releve.lignes += 1
        lus = _montants(cellules, entete, cles, ligne, releve)
        if brut:
            _refuser_une_formule(libelle, noms[colonnes.get("libelle", 0)], ligne, releve)
        if not _COMPTE.fullmatch(compte):
            if lus is None or any(lus) or compte:
                releve.complet = False
                message = (
                    f"« {compte[:40]} » n’est pas un numéro de compte." if compte else "Le numéro de compte est absent."
                )
                releve.signaler(ligne, noms[colonnes["compte"]], message)
        elif lus:
            debit, credit = lus if len(lus) == 2 else (max(lus[0], ZERO), max(-lus[0], ZERO))
            if cles[0] == "debiteur" and min(debit, credit) < 0:
                releve.complet = False
                cle = cles[0] if debit < 0 else cles[1]
                releve.signaler(
                    ligne, noms[colonnes[cle]], "Un solde ne peut pas être négatif : portez-le dans l’autre colonne."
                )
            else:
                releve.ajouter(compte, libelle, debit, credit, ligne)
    _ecarter_les_sous_totaux(releve, noms[colonnes["compte"]])
    if any(compte[0] in "12345" for compte in releve.comptes):
        debits = sum((debit for debit, _ in releve.comptes.values()), ZERO)
        credits = sum((credit for _, credit in releve.comptes.values()), ZERO)
        releve.verifier_l_equilibre(debits, credits)


def _ecarter_les_sous_totaux(releve: _Releve, colonne: str) -> None:
    """« 64 » qui répète au centime la somme de ses « 641… » compterait l’argent deux fois : écarté, et dit."""
    sommes: dict[str, Decimal] = {}
    for compte in sorted(releve.comptes, reverse=True):
        debit, credit = releve.comptes[compte]
        if compte in sommes and sommes[compte] == debit - credit != 0:
            message = f"« {compte} » répète la somme de ses comptes : retirez cette ligne de sous-total."
            releve.signaler(releve.reperes[compte][1], colonne, message)
            del releve.comptes[compte]
            continue
        for longueur in range(1, len(compte)):
            if (racine := compte[:longueur]) in releve.comptes:
                sommes[racine] = sommes.get(racine, ZERO) + debit - credit
