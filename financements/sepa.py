"""Écrire l’ordre de virement remis à la banque (pain.001) et lire son retour (pain.002 ou csv). Sans Django.

Sources : ISO 20022 (pain.001.001.09, pain.002) ; EPC217-08 pour les caractères admis et leur remplacement ; liste ISO
« ExternalStatusReason1Code » pour les motifs. Les montants sont en euros, au centime.
"""

from __future__ import annotations

import re
import xml.sax.handler
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from xml.sax import SAXException, SAXParseException
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException, sax
from defusedxml.ElementTree import fromstring, tostring
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException
from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError, try_valid_xml
from text_unidecode import unidecode

from socle.montants import CENTIME, en_euros
from socle.tableaux import TAILLE_MAX, FichierIllisible, ouvrir, texte_de
from socle.texte import cle_de_tri

SCHEMA = "pain.001.001.09"
MONTANT_MAX = Decimal("999999999.99")  # limite d’un virement SEPA
_PARIS = ZoneInfo("Europe/Paris")
_ESPACE_DE_NOMS = f"{{urn:iso:std:iso:20022:tech:xsd:{SCHEMA}}}"
_PERMIS = r"A-Za-z0-9/?:().,'+ -"
REFERENCE = re.compile(rf"(?![/ ])(?!.*//)[{_PERMIS}]{{1,35}}(?<![/ ])")
_REMPLACES = str.maketrans({"&": "+", "_": "-", "@": "(at)", ";": ",", "!": ".", "’": "'", "«": " ", "»": " "})

_PAYES = frozenset({"ACSC", "ACCC", "ACSP", "ACCP", "ACWC", "paye", "payee", "execute", "regle", "accepte", "ok"})
_REJETES = frozenset({"RJCT", "CANC", "BLCK", "rejete", "rejetee", "refuse", "impaye", "annule", "ko"})
_EN_COURS = frozenset({"RCVD", "PDNG", "ACTC", "PART", "PATC", "en attente", "en cours"})
MOTIFS = {
    "AC01": "Le numéro de compte (IBAN) est incorrect.",
    "AC03": "Le numéro de compte du bénéficiaire est invalide.",
    "AC04": "Le compte du bénéficiaire est clos.",
    "AC06": "Le compte du bénéficiaire est bloqué.",
    "AC13": "Le type de compte ne convient pas.",
    "AG01": "L’opération est interdite sur ce type de compte.",
    "AG02": "Le code de l’opération bancaire est incorrect.",
    "AM01": "Le montant est nul.",
    "AM02": "Le montant dépasse le maximum autorisé.",
    "AM03": "La devise n’est pas traitée.",
    "AM04": "La provision du compte débité est insuffisante.",
    "AM05": "L’opération est en double.",
    "AM09": "Le montant n’est pas celui convenu.",
    "AM10": "Le total de contrôle de la remise est faux.",
    "AM18": "Le nombre d’opérations de la remise est faux.",
    "BE01": "Le nom du bénéficiaire ne correspond pas au compte.",
    "BE04": "L’adresse du bénéficiaire manque ou est incorrecte.",
    "BE05": "La banque ne reconnaît pas le donneur d’ordre.",
    "BE06": "La banque ne connaît pas le bénéficiaire.",
    "CNOR": "La banque du bénéficiaire n’est pas joignable en SEPA.",
    "CUST": "Le client a demandé l’annulation.",
    "DNOR": "La banque du donneur d’ordre n’est pas joignable en SEPA.",
    "DT01": "La date d’exécution est invalide.",
    "DUPL": "Le virement est en double.",
    "ED05": "Le règlement entre banques a échoué.",
    "FF01": "Le format du fichier est incorrect.",
    "FOCR": "Le virement est rappelé à la demande du donneur d’ordre.",
    "MD07": "Le titulaire du compte est décédé.",
    "MS02": "Le bénéficiaire refuse le virement, sans motif.",
    "MS03": "La banque refuse le virement, sans motif.",
    "NARR": "La banque donne un motif en clair.",
    "RC01": "Le code de la banque (BIC) est incorrect.",
    "RF01": "La référence n’est pas unique.",
    "RR01": "L’identification du donneur d’ordre manque (motif réglementaire).",
    "RR02": "Le nom ou l’adresse du donneur d’ordre manque (motif réglementaire).",
    "RR03": "Le nom ou l’adresse du bénéficiaire manque (motif réglementaire).",
    "RR04": "La banque invoque un motif réglementaire.",
    "TM01": "L’ordre est arrivé après l’heure limite.",
}


class OrdreInvalide(ValueError):
    """L’ordre ne peut pas partir ; ``phrases`` dit chaque raison, à montrer telle quelle."""

    def __init__(self, *phrases: str) -> None:
        super().__init__(" ".join(phrases))
        self.phrases = phrases


class RetourIllisible(ValueError):
    """Le retour de la banque n’est pas compris ; ``ligne`` est celle du fichier, quand elle est connue."""

    def __init__(self, phrase: str, ligne: int | None = None) -> None:
        super().__init__(f"Ligne {ligne} : {phrase}" if ligne else phrase)
        self.ligne = ligne


@dataclass(frozen=True, slots=True)
class Virement:
    """``reference`` : 35 caractères SEPA au plus, unique dans l’ordre ; c’est elle que le retour cite."""

    reference: str
    beneficiaire: str
    iban: str
    montant: Decimal
    libelle: str


@dataclass(frozen=True, slots=True)
class Donneur:
    nom: str
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class Retour:
    """Ce que la banque a conclu. ``reference`` est celle du virement, ou celle de la remise si elle statue en bloc."""

    reference: str
    paye: bool
    motif: str
    date: date | None


# ------------------------------------------------------------------------------------------------------- ordre


def translitterer(texte: str, longueur: int) -> str:
    """Le texte dans le jeu SEPA (lettres sans accent, chiffres, ``/-?:().,'+``), coupé à ``longueur``."""
    latin = unidecode(texte.translate(_REMPLACES)).translate(_REMPLACES)
    return re.sub(r" +", " ", re.sub(rf"[^{_PERMIS}]", " ", latin)).strip()[:longueur].strip()


def ordre_de_virement(
    virements: Sequence[Virement],
    donneur: Donneur,
    *,
    reference: str,
    execution: date,
    etabli_le: datetime | None = None,
) -> bytes:
    """Le fichier pain.001.001.09 d’une remise, validé contre le schéma avant d’être rendu.

    ``reference`` devient l’identifiant du message et du lot. À ``etabli_le`` égal (l’heure de Paris par défaut), les
    mêmes entrées rendent les mêmes octets : un export refait n’est pas un second ordre. Noms et libellés sont
    translittérés et coupés (70, 140) ; références, IBAN et montants ne sont jamais retouchés.

    Lève ``OrdreInvalide``, avec toutes les raisons, plutôt que de rendre un fichier que la banque refuserait.
    """
    if phrases := [*_fautes_de_l_ordre(virements, donneur, reference), *_fautes_des_virements(virements)]:
        raise OrdreInvalide(*phrases)
    ordre = SepaTransfer(
        {
            "name": translitterer(donneur.nom, 70),
            "IBAN": str(IBAN(donneur.iban)),
            "BIC": str(BIC(donneur.bic)),
            "batch": True,
            "currency": "EUR",
        },
        schema=SCHEMA,
        clean=False,
    )
    for virement in virements:
        ordre.add_payment(
            {
                "name": translitterer(virement.beneficiaire, 70),
                "IBAN": str(IBAN(virement.iban)),
                "amount": int(virement.montant * 100),
                "execution_date": execution,
                "description": translitterer(virement.libelle, 140),
                "endtoend_id": virement.reference,
            }
        )
    racine = fromstring(ordre.export(validate=False))
    instant = (etabli_le or datetime.now(_PARIS)).astimezone(_PARIS)
    etabli = f"{instant:%Y-%m-%dT%H:%M:%S}"
    for balise, texte in (("MsgId", reference), ("PmtInfId", reference), ("CreDtTm", etabli)):
        for element in racine.iter(_ESPACE_DE_NOMS + balise):
            element.text = texte
    octets: bytes = tostring(racine, encoding="utf-8", xml_declaration=True)
    try:
        try_valid_xml(octets, SCHEMA)
    except ValidationError as erreur:
        raise OrdreInvalide(f"Le fichier ne suit pas le schéma {SCHEMA} : {erreur.__cause__}"[:500]) from erreur
    return octets


def _fautes_de_l_ordre(virements: Sequence[Virement], donneur: Donneur, reference: str) -> Iterable[str]:
    if not virements:
        yield "Cet ordre ne contient aucun virement."
    if not REFERENCE.fullmatch(reference):
        yield f"La référence de la remise « {reference} » dépasse 35 caractères ou sort du jeu SEPA."
    if not translitterer(donneur.nom, 70):
        yield "Le nom du donneur d’ordre est vide."
    if not iban_juste(donneur.iban):
        yield "L’IBAN du donneur d’ordre est faux."
    try:
        BIC(donneur.bic)
    except SchwiftyException:
        yield f"Le BIC du donneur d’ordre « {donneur.bic} » est faux."


def _fautes_des_virements(virements: Sequence[Virement]) -> Iterable[str]:
    """Chaque phrase cite le virement par sa référence ; jamais l’IBAN entier."""
    vues = Counter(virement.reference for virement in virements)
    for doublon in (repetee for repetee, fois in vues.items() if fois > 1):
        yield f"La référence « {doublon} » est portée par {vues[doublon]} virements."
    for virement in virements:
        qui = f"Virement « {virement.reference} »"
        if not REFERENCE.fullmatch(virement.reference):
            yield f"{qui} : sa référence dépasse 35 caractères ou sort du jeu SEPA."
        if not translitterer(virement.beneficiaire, 70):
            yield f"{qui} : le nom du bénéficiaire est vide."
        if not translitterer(virement.libelle, 140):
            yield f"{qui} : le libellé est vide."
        if not iban_juste(virement.iban):
            yield f"{qui} : l’IBAN de {virement.beneficiaire[:70]} est faux."
        montant = virement.montant
        if not montant.is_finite() or not 0 < montant <= MONTANT_MAX:
            yield f"{qui} : le montant doit être compris entre 0,01 € et {en_euros(MONTANT_MAX)}."
        elif montant != montant.quantize(CENTIME):
            yield f"{qui} : le montant a plus de deux décimales."


def iban_juste(iban: str) -> bool:
    try:
        IBAN(iban, validate_bban=True)
    except SchwiftyException:
        return False
    return True


# ------------------------------------------------------------------------------------------------------ retour


def lire_retour(contenu: bytes, nom: str) -> tuple[Retour, ...]:
    """Ce que la banque a payé ou rejeté, dans l’ordre du fichier ; ce qu’elle n’a pas encore conclu n’y est pas.

    pain.002 : un virement sans état propre prend celui de son lot ou de la remise ; une remise jugée en bloc rend un
    seul ``Retour``, à la référence de la remise. Csv ou xlsx : colonnes reference, etat, motif, date.

    Lève ``RetourIllisible`` à la première ligne incomprise : un retour ne s’applique pas à moitié. Un XML à entités ou
    à DTD (XXE, « billion laughs ») est refusé avant d’être développé.
    """
    if not contenu:
        raise RetourIllisible("Ce fichier est vide (0 octet).")
    if len(contenu) > TAILLE_MAX:
        raise RetourIllisible(f"Ce fichier pèse {len(contenu) // 2**20} Mo ; la limite est {TAILLE_MAX // 2**20} Mo.")
    xml_ou_non = contenu.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<"))
    lus = _lire_pain002(contenu) if xml_ou_non else _lire_tableau(contenu, nom)
    retours: dict[str, Retour] = {}
    for retour, ligne in lus:
        deja = retours.setdefault(retour.reference, retour)
        if deja.paye != retour.paye:
            raise RetourIllisible(f"« {retour.reference} » est à la fois payé et rejeté.", ligne)
    return tuple(retours.values())


def traduire(code: str, precision: str = "") -> str:
    """« Le compte du bénéficiaire est clos. (AC04) » ; un code inconnu reste cité."""
    phrase = f"{MOTIFS[code]} ({code})" if code in MOTIFS else f"Motif bancaire : {code}." if code else ""
    return f"{phrase} {precision}".strip()[:500]


def _conclure(etat: str, ligne: int | None) -> bool | None:
    """Payé, rejeté, ou rien tant que la banque n’a pas conclu. Lève ``RetourIllisible`` si l’état est inconnu."""
    connu = etat.strip().upper() if etat.strip().upper() in _PAYES | _REJETES | _EN_COURS else cle_de_tri(etat)
    if connu in _EN_COURS:
        return None
    if connu not in _PAYES | _REJETES:
        raise RetourIllisible(f"l’état « {etat[:40]} » est inconnu : attendu payé ou rejeté.", ligne)
    return connu in _PAYES


def _lire_date(texte: str, ligne: int | None) -> date | None:
    if not texte:
        return None
    try:
        if trois := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", texte, re.ASCII):
            jour, mois, annee = map(int, trois.groups())
            return date(annee, mois, jour)
        return date.fromisoformat(texte[:10])
    except ValueError as erreur:
        phrase = f"« {texte[:30]} » n’est pas une date : attendu AAAA-MM-JJ ou JJ/MM/AAAA."
        raise RetourIllisible(phrase, ligne) from erreur


def _lire_tableau(contenu: bytes, nom: str) -> list[tuple[Retour, int]]:
    def reconnaitre(apercu: Sequence[Sequence[object]]) -> tuple[int, int, dict[str, int] | None]:
        for rang, cellules in enumerate(apercu):
            places = {cle_de_tri(str(titre)): place for place, titre in enumerate(cellules)}
            if "reference" in places and "etat" in places:
                return len(places), rang, places
        return 0, 0, None

    retours: list[tuple[Retour, int]] = []
    try:
        colonnes, lignes = ouvrir(contenu, nom, reconnaitre)
        if colonnes is None:
            raise RetourIllisible("les colonnes « reference » et « etat » sont introuvables.", 1)
        for ligne, cellules in lignes:
            lus = {cle: texte_de(cellules[place]) for cle, place in colonnes.items() if place < len(cellules)}
            if not any(lus.values()):
                continue
            if not lus.get("reference"):
                raise RetourIllisible("la référence du virement manque.", ligne)
            paye, jour = _conclure(lus.get("etat", ""), ligne), _lire_date(lus.get("date", ""), ligne)
            motif = lus.get("motif", "")
            motif = traduire(motif.upper()) if motif.upper() in MOTIFS else motif[:500]
            if paye is not None:
                retours.append((Retour(lus["reference"], paye, "" if paye else motif, jour), ligne))
    except FichierIllisible as erreur:
        raise RetourIllisible(str(erreur)) from erreur
    return retours


@dataclass(slots=True)
class _Niveau:
    """Ce que la banque dit de la remise, d’un lot ou d’un virement."""

    reference: str = ""
    etat: str = ""
    code: str = ""
    precision: str = ""
    date: str = ""
    ligne: int = 0
    detaille: bool = False  # un niveau inférieur a parlé : celui-ci ne se rend pas


_NIVEAUX = {"OrgnlGrpInfAndSts": 0, "OrgnlPmtInfAndSts": 1, "TxInfAndSts": 2}
_REFERENCES = {"OrgnlMsgId": 0, "OrgnlPmtInfId": 1, "OrgnlEndToEndId": 2}


@dataclass(slots=True)
class _Suivi:
    niveaux: list[_Niveau] = field(default_factory=lambda: [_Niveau(), _Niveau(), _Niveau()])
    emis: str = ""
    retours: list[tuple[Retour, int]] = field(default_factory=list)
    etats: int = 0

    def rendre(self, rang: int) -> None:
        """Un niveau se rend avec son état, ou celui du premier niveau au-dessus qui en a un."""
        propre = self.niveaux[rang]
        if propre.detaille:
            return
        source = next((niveau for niveau in reversed(self.niveaux[: rang + 1]) if niveau.etat), None)
        if source is None:
            return
        for dessus in self.niveaux[:rang]:
            dessus.detaille = True
        if not propre.reference:
            raise RetourIllisible("un état ne cite pas de référence.", propre.ligne)
        paye = _conclure(source.etat, source.ligne)
        if paye is not None:
            motif = "" if paye else traduire(propre.code or source.code, propre.precision or source.precision)
            jour = _lire_date(propre.date or source.date or self.emis, propre.ligne)
            self.retours.append((Retour(propre.reference, paye, motif, jour), propre.ligne))


class _Lecteur(xml.sax.handler.ContentHandler):
    """Lit au fil de l’eau : le locator de SAX est ce qui donne la ligne."""

    def __init__(self) -> None:
        super().__init__()
        self.suivi = _Suivi()
        self.chemin: list[str] = []
        self.texte: list[str] = []

    def ligne(self) -> int:
        return int(self._locator.getLineNumber() or 0)  # type: ignore[attr-defined]

    def startElement(self, nom: str, attributs: xml.sax.xmlreader.AttributesImpl) -> None:
        balise = nom.rpartition(":")[2]
        if not self.chemin:
            espaces = [valeur for cle, valeur in attributs.items() if cle.partition(":")[0] == "xmlns"]
            if balise != "Document" or not any(":pain.002." in espace for espace in espaces):
                raise RetourIllisible("ce fichier n’est pas un compte rendu de virements (pain.002).", self.ligne())
        self.chemin.append(balise)
        self.texte = []
        if balise in _NIVEAUX:
            self.suivi.niveaux[_NIVEAUX[balise]] = _Niveau(ligne=self.ligne())

    def characters(self, content: str) -> None:
        self.texte.append(content)

    def endElement(self, nom: str) -> None:
        balise, texte = self.chemin.pop(), "".join(self.texte).strip()
        self.texte = []
        suivi = self.suivi
        if balise in _NIVEAUX and _NIVEAUX[balise] > 0:
            suivi.rendre(_NIVEAUX[balise])
            suivi.niveaux[_NIVEAUX[balise]] = _Niveau()
        elif balise == "CreDtTm" and self.chemin[-1:] == ["GrpHdr"]:
            suivi.emis = texte
        elif (dans := next((n for n in reversed(self.chemin) if n in _NIVEAUX), "")) and texte:
            self._noter(suivi.niveaux[_NIVEAUX[dans]], _NIVEAUX[dans], balise, texte)

    def _noter(self, niveau: _Niveau, rang: int, balise: str, texte: str) -> None:
        if _REFERENCES.get(balise) == rang:
            niveau.reference = texte
        elif balise in ("GrpSts", "PmtInfSts", "TxSts"):
            niveau.etat, niveau.ligne = texte, self.ligne()
            self.suivi.etats += 1
        elif balise in ("Cd", "Prtry") and self.chemin[-2:] == ["StsRsnInf", "Rsn"]:
            niveau.code = niveau.code or texte
        elif balise == "AddtlInf":
            niveau.precision = f"{niveau.precision} {texte}".strip()
        elif balise == "AccptncDtTm" or (balise == "Dt" and self.chemin[-1] == "FctvIntrBkSttlmDt"):
            niveau.date = texte


def _lire_pain002(contenu: bytes) -> list[tuple[Retour, int]]:
    lecteur = _Lecteur()
    try:
        sax.parseString(contenu, lecteur, forbid_dtd=True)
    except DefusedXmlException as erreur:
        raise RetourIllisible("Ce XML contient une DTD ou des entités : il est refusé.") from erreur
    except SAXParseException as erreur:
        raise RetourIllisible("le XML est mal formé.", erreur.getLineNumber()) from erreur
    except SAXException as erreur:
        raise RetourIllisible("Ce XML ne peut pas être lu.") from erreur
    lecteur.suivi.rendre(0)
    if not lecteur.suivi.etats:
        raise RetourIllisible("Ce compte rendu ne donne l’état d’aucun virement.")
    return lecteur.suivi.retours
