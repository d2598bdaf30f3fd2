"""Ce qu’un dispositif exige et calcule, lu depuis ses données. Pur : ni base, ni requête.

Une condition a une nature connue du portail, qui sait en chercher la preuve ; un critère de part aussi.
L’administrateur les choisit et les règle : il n’en écrit aucune.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from agrements.referentiel import Champ, Colonne, ExigencePiece, Section
from socle.erreurs import Refus
from socle.montants import MontantIllisible, en_euros, lire_montant


class DispositifIncoherent(Refus):
    """Une règle qu’on ne peut pas appliquer ; ``champ`` la nomme, la phrase se montre à côté."""

    def __init__(self, champ: str, message: str) -> None:
        super().__init__(message)
        self.champ = champ


class NatureCondition(StrEnum):
    AGREMENT = "agrement"
    SENACS = "senacs"
    REEL = "reel"
    ENGAGEMENT_REPUBLICAIN = "engagement_republicain"
    QPV = "qpv"
    FRR = "frr"
    QPV_OU_FRR = "qpv_ou_frr"
    SANS_INDU = "sans_indu"
    BILANS = "bilans"
    COFINANCEMENT = "cofinancement"
    NON_COMMENCE = "non_commence"


class Modele(NamedTuple):
    """Ce qu’une condition dit, et ce que son nombre règle (vide : elle n’en a pas)."""

    libelle: str
    parametre: str = ""
    defaut: int = 0


CONDITIONS: dict[str, Modele] = {
    NatureCondition.AGREMENT: Modele("Agrément en vigueur"),
    NatureCondition.SENACS: Modele("A contribué à Senacs", "années avant l’exercice", 1),
    NatureCondition.REEL: Modele("Déclaration réelle déposée", "années avant l’exercice", 1),
    NatureCondition.ENGAGEMENT_REPUBLICAIN: Modele("Contrat d’engagement républicain signé"),
    NatureCondition.QPV: Modele("Territoire en quartier prioritaire (QPV)"),
    NatureCondition.FRR: Modele("Territoire en zone France ruralités revitalisation (FRR)"),
    NatureCondition.QPV_OU_FRR: Modele("Territoire en QPV ou en zone FRR"),
    NatureCondition.SANS_INDU: Modele("Aucune somme à rendre à la Caf"),
    NatureCondition.BILANS: Modele("Bilans des aides passées rendus"),
    NatureCondition.COFINANCEMENT: Modele("Part des autres financements au moins égale à", "pour cent du coût", 20),
    NatureCondition.NON_COMMENCE: Modele("Projet non commencé avant la décision"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    nature: NatureCondition
    parametre: int = 0

    @property
    def libelle(self) -> str:
        modele = CONDITIONS[self.nature]
        if self.nature == NatureCondition.COFINANCEMENT:
            return f"{modele.libelle} {self.parametre}\u00a0% du coût"
        return modele.libelle


class Critere(StrEnum):
    """Ce qui fait grossir une part ; chacun se lit dans ce que la Caf sait déjà, ou dans une question du dispositif."""

    FIXE = "fixe"
    QPV = "qpv"
    FRR = "frr"
    POPULATION = "population"
    SENACS = "senacs"
    QUESTION = "question"


CRITERES: dict[str, str] = {
    Critere.FIXE: "toujours",
    Critere.QPV: "si le territoire est en QPV",
    Critere.FRR: "si le territoire est en zone FRR",
    Critere.POPULATION: "par tranche d’habitants des communes d’intervention",
    Critere.SENACS: "si la structure a contribué à Senacs",
    Critere.QUESTION: "par tranche de la réponse à une question chiffrée",
}
PAR_TRANCHE = (Critere.POPULATION, Critere.QUESTION)


class Mode(StrEnum):
    FORFAIT = "forfait"
    PARTS = "parts"
    TAUX = "taux"


MODES: dict[str, str] = {
    Mode.FORFAIT: "un forfait",
    Mode.PARTS: "une part par critère",
    Mode.TAUX: "un taux des dépenses éligibles",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Ce qu’un critère apporte : ``montant`` euros par ``tranche`` entamée ou non (au prorata), dans un plafond."""

    libelle: str
    critere: Critere
    montant: Decimal
    tranche: Decimal = Decimal(1)
    plafond: Decimal | None = None
    question: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Une question que le dispositif ajoute au dossier type."""

    code: str
    libelle: str
    nature: str  # texte, riche, entier, decimal, oui_non, date
    obligatoire: bool = True
    aide: str = ""


NATURES_DE_QUESTION: dict[str, str] = {
    "texte": "une ligne",
    "riche": "un texte",
    "entier": "un nombre entier",
    "decimal": "un nombre à virgule",
    "oui_non": "oui ou non",
    "date": "une date",
}
CHIFFREES = ("entier", "decimal")


def lire_conditions(donnees: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    lues: list[Condition] = []
    for brute in donnees:
        nature = str(brute.get("nature", ""))
        if nature not in CONDITIONS:
            raise DispositifIncoherent("conditions", f"La condition « {nature} » n’existe pas.")
        if nature in {c.nature for c in lues}:
            raise DispositifIncoherent("conditions", f"« {CONDITIONS[nature].libelle} » est demandé deux fois.")
        parametre = _entier(brute.get("parametre", CONDITIONS[nature].defaut), CONDITIONS[nature].libelle)
        borne = 100 if nature == NatureCondition.COFINANCEMENT else 5
        if not 0 <= parametre <= borne:
            raise DispositifIncoherent("conditions", f"« {CONDITIONS[nature].libelle} » : de 0 à {borne}.")
        lues.append(Condition(NatureCondition(nature), parametre))
    return tuple(lues)


def _entier(brut: Any, libelle: str) -> int:
    try:
        return int(str(brut).strip() or "0")
    except ValueError as erreur:
        raise DispositifIncoherent("conditions", f"« {libelle} » : écrivez un nombre entier.") from erreur


def lire_parts(donnees: Sequence[Mapping[str, Any]], questions: Sequence[Question]) -> tuple[Part, ...]:
    chiffrees = {q.code for q in questions if q.nature in CHIFFREES}
    return tuple(_part(brute, chiffrees) for brute in donnees)


def _part(brute: Mapping[str, Any], chiffrees: set[str]) -> Part:
    libelle = str(brute.get("libelle", "")).strip()
    if not libelle:
        raise DispositifIncoherent("parts", "Chaque part porte un nom : c’est lui que la structure lira.")
    critere = str(brute.get("critere", ""))
    if critere not in CRITERES:
        raise DispositifIncoherent("parts", f"« {libelle} » : choisissez un critère.")
    tranche = _montant(brute.get("tranche") or "1", f"« {libelle} », tranche")
    if tranche == 0:
        raise DispositifIncoherent(
            "parts",
            f"« {libelle} » divise par zéro : écrivez une tranche supérieure à zéro, par exemple 1 000 habitants.",
        )
    montant = _montant(brute.get("montant"), f"« {libelle} », montant")
    if montant <= 0:
        raise DispositifIncoherent("parts", f"« {libelle} » : le montant est supérieur à zéro.")
    plafond = _montant(brute["plafond"], f"« {libelle} », plafond") if brute.get("plafond") else None
    question = str(brute.get("question", ""))
    if critere == Critere.QUESTION and question not in chiffrees:
        raise DispositifIncoherent("parts", f"« {libelle} » : choisissez une question chiffrée de ce dispositif.")
    return Part(
        libelle=libelle,
        critere=Critere(critere),
        montant=montant,
        tranche=tranche,
        plafond=plafond,
        question=question if critere == Critere.QUESTION else "",
    )


def _montant(brut: Any, quoi: str) -> Decimal:
    try:
        return lire_montant(str(brut if brut is not None else ""))
    except MontantIllisible as erreur:
        raise DispositifIncoherent("parts", f"{quoi} : {erreur}") from erreur


def lire_questions(donnees: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    lues: list[Question] = []
    for rang, brute in enumerate(donnees, start=1):
        libelle = str(brute.get("libelle", "")).strip()
        nature = str(brute.get("nature", ""))
        if not libelle:
            raise DispositifIncoherent("questions", f"Question {rang} : écrivez la question.")
        if nature not in NATURES_DE_QUESTION:
            raise DispositifIncoherent("questions", f"« {libelle} » : choisissez la forme de la réponse.")
        code = str(brute.get("code") or f"question_{rang}")
        if code in {q.code for q in lues}:
            raise DispositifIncoherent("questions", f"« {libelle} » porte le même repère qu’une autre question.")
        lues.append(Question(code, libelle, nature, bool(brute.get("obligatoire", True)), str(brute.get("aide", ""))))
    return tuple(lues)


def lire_pieces(donnees: Sequence[Mapping[str, Any]]) -> tuple[ExigencePiece, ...]:
    lues: list[ExigencePiece] = []
    for rang, brute in enumerate(donnees, start=1):
        libelle = str(brute.get("libelle", "")).strip()
        if not libelle:
            raise DispositifIncoherent("pieces", f"Pièce {rang} : écrivez son nom.")
        code = str(brute.get("code") or f"piece_{rang}")
        if code in {p.code for p in lues}:
            raise DispositifIncoherent("pieces", f"« {libelle} » porte le même repère qu’une autre pièce.")
        lues.append(
            ExigencePiece(
                code=code,
                libelle=libelle,
                aide=str(brute.get("aide", "")),
                obligatoire=bool(brute.get("obligatoire", True)),
                validite_mois=_entier(brute.get("validite_mois", 0), libelle),
                statuts=frozenset(brute.get("statuts", ())),
            )
        )
    return tuple(lues)


@dataclass(frozen=True, slots=True)
class CritereDeGrille:
    """Un critère de l’instruction et le nombre de points qu’il peut valoir."""

    libelle: str
    points: int


def lire_grille(donnees: Sequence[Mapping[str, Any]]) -> tuple[CritereDeGrille, ...]:
    lus: list[CritereDeGrille] = []
    for rang, brute in enumerate(donnees, start=1):
        libelle = str(brute.get("libelle", "")).strip()
        if not libelle:
            raise DispositifIncoherent("grille", f"Critère {rang} : écrivez son nom.")
        points = _entier(brute.get("points", 0), libelle)
        if not 1 <= points <= 100:
            raise DispositifIncoherent("grille", f"« {libelle} » vaut de 1 à 100 points.")
        lus.append(CritereDeGrille(libelle, points))
    return tuple(lus)


def verifier_le_calcul(
    *,
    mode: str,
    forfait: Decimal | None,
    taux: Decimal | None,
    parts: Sequence[Part],
    plafond: Decimal | None,
    plafond_part: Decimal | None,
    minimum: Decimal | None,
) -> None:
    """Lève DispositifIncoherent si la règle ne peut pas se calculer, ou n’accorderait jamais rien."""
    if mode == Mode.FORFAIT and not forfait:
        raise DispositifIncoherent("forfait", "Écrivez le montant du forfait.")
    if mode == Mode.TAUX and not taux:
        raise DispositifIncoherent("taux", "Écrivez le taux, entre 0 et 100.")
    if mode == Mode.PARTS and not parts:
        raise DispositifIncoherent("parts", "Ajoutez une part au moins : sans elle, l’aide vaudrait toujours zéro.")
    if plafond is not None and plafond <= 0:
        raise DispositifIncoherent("plafond", "Un plafond de zéro n’accorderait jamais rien : laissez-le vide.")
    if plafond_part is not None and plafond_part <= 0:
        raise DispositifIncoherent("plafond_part", "Zéro pour cent n’accorderait jamais rien : laissez-le vide.")
    if plafond_part is not None and mode == Mode.TAUX and taux is not None and plafond_part < taux:
        raise DispositifIncoherent(
            "plafond_part", "Ce plafond est plus bas que le taux : baissez le taux, ou relevez le plafond."
        )
    if minimum is not None and mode == Mode.FORFAIT and forfait is not None and minimum > forfait:
        raise DispositifIncoherent(
            "minimum",
            f"Le minimum ({en_euros(minimum)}) dépasse le forfait ({en_euros(forfait)}) : rien ne serait accordé.",
        )
    if minimum is not None and plafond is not None and minimum > plafond:
        raise DispositifIncoherent(
            "minimum",
            f"Le minimum ({en_euros(minimum)}) dépasse le plafond ({en_euros(plafond)}) : rien ne serait accordé.",
        )


# --- le dossier que la structure remplit -----------------------------------------------------------------------

PROJET = Section(
    "projet",
    "Le projet",
    (
        Champ("description", "Décrivez le projet", "riche", "Ce que vous voulez faire, où, avec qui.", True, 6000),
        Champ("objectifs", "Ce que vous en attendez", "riche", "Pour les habitants, pour la structure.", True, 4000),
        Champ("public", "Pour qui ?", "texte", "Combien de personnes, quels âges, quel quartier.", True),
        Champ("debut", "Début du projet", "date", "Il ne commence pas avant la décision de la Caf.", True),
        Champ("fin", "Fin du projet", "date", obligatoire=True),
        Champ("etapes", "Les grandes étapes", "tableau",
              "Ce qui se fait, et quand : la commande, le chantier, l’ouverture.", False,
              colonnes=(Colonne("etape", "Étape", "texte"), Colonne("quand", "Quand", "texte"))),
        Champ("deja_commence", "Le projet a-t-il déjà commencé ?", "oui_non",
              "Un devis signé, une commande ou un chantier ouvert est un commencement.", True, choix=("oui", "non")),
        Champ("demarrage_anticipe", "S’il doit commencer avant la décision, dites pourquoi", "riche",
              "La Caf peut autoriser un démarrage anticipé ; cela ne vaut pas accord de l’aide.", False, 3000),
    ),
    duree_minutes=20,
)  # fmt: skip
RESULTATS = Section(
    "resultats",
    "Les résultats attendus",
    (
        Champ("indicateurs", "À quoi verrez-vous que c’est réussi ?", "tableau",
              "Deux ou trois chiffres suffisent ; le bilan les reprendra.", True,
              colonnes=(Colonne("indicateur", "Indicateur", "texte"), Colonne("prevu", "Prévu", "nombre"))),
    ),
    duree_minutes=5,
)  # fmt: skip
BUDGET = Section(
    "budget",
    "Le budget de l’action",
    (
        Champ("budget_lignes", "Budget prévisionnel", "budget",
              "Les comptes du formulaire Cerfa 12156 ; charges et produits s’équilibrent.", True),
    ),
    duree_minutes=15,
)  # fmt: skip


def sections(questions: Sequence[Question], *, avec_resultats: bool, avec_budget: bool) -> tuple[Section, ...]:
    """Les pages à remplir, dans l’ordre ; dépenses, plan de financement et pièces ont les leurs."""
    pages = [PROJET]
    if questions:
        champs = tuple(
            Champ(
                q.code,
                q.libelle,
                q.nature,  # type: ignore[arg-type]
                q.aide,
                q.obligatoire,
                choix=("oui", "non") if q.nature == "oui_non" else (),
            )
            for q in questions
        )
        pages.append(Section("questions", "Les questions de ce dispositif", champs, duree_minutes=10))
    if avec_resultats:
        pages.append(RESULTATS)
    if avec_budget:
        pages.append(BUDGET)
    return tuple(pages)
