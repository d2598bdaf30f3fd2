"""Ouvrir sans danger un tableau reçu (csv, xlsx) et en lire les montants. Aucun import de Django.

Rien n’est exécuté ni évalué ; ce qui est lu est borné avant d’être ouvert. Les refus sont des phrases à montrer.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from socle.montants import CENTIME, ZERO, MontantIllisible
from socle.texte import epurer

TAILLE_MAX = 64 * 2**20  # octets reçus
TAILLE_OUVERTE_MAX = 256 * 2**20  # octets d’un classeur une fois décompressé
CELLULES_MAX = 5_000_000
_APERCU = 30  # lignes où chercher les en-têtes
MONTANT_ABSURDE = Decimal(10) ** 12
_FORMULE = "\u2063formule"
_ABIME = "Ce classeur est abîmé : ouvrez-le dans votre tableur et enregistrez-le de nouveau."
_CLASSEUR = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_PARTIE_UTILE = re.compile(r"\[content_types\]\.xml|(.*/)?_rels/.*|xl/[^/]+\.xml|xl/worksheets/.*\.xml", re.IGNORECASE)
_REFERENCE = re.compile(rb'\br="([A-Z]{0,3})([0-9]{1,9})"')
_CHAINE_COMMUNE = re.compile(rb'\bt="s"[^>]*>\s*<(?:\w+:)?v>([0-9]{1,9})<')
_ERREUR = re.compile(rb'(<(?:\w+:)?c\b[^>]*?\b)t="e"')
_FORMULE_SANS_VALEUR = re.compile(
    rb'<((?:\w+:)?)c\b[^>]*?\br="([A-Z]+[0-9]+)"[^>]*>\s*<\1f\b(?:[^>]*/>|[^>]*>[^<]*</\1f>)\s*'
    rb"(?:<\1v\s*/>|<\1v>\s*</\1v>)?\s*</\1c>"
)
_SIMPLE = re.compile(r"-?[0-9]+([.,][0-9]{0,2})?")
_ESPACES = re.compile(r"[\s\u00a0\u202f\u2009€]+|EUR$")


type Lignes = Iterator[tuple[int, Sequence[object]]]
type Reconnaitre[T] = Callable[[Sequence[Sequence[object]]], tuple[int, int, T | None]]


class FichierIllisible(ValueError):
    """Le fichier entier ne peut pas être lu ; le message est une phrase à montrer telle quelle."""


def est_un_classeur(contenu: bytes) -> bool:
    return contenu.startswith(_CLASSEUR)


def ouvrir[T](contenu: bytes, nom: str, reconnaitre: Reconnaitre[T]) -> tuple[T | None, Lignes]:
    """Choisit le séparateur ou la feuille que ``reconnaitre`` note le mieux ; rend ce qu’il a vu, puis la suite.

    ``reconnaitre`` reçoit les premières lignes et rend (note, rang de l’en-tête, ce qu’il en tire). Lève
    ``FichierIllisible`` : vide, trop gros, PDF, page web, chiffré, à macros, démesuré, abîmé.
    """
    if not contenu:
        raise FichierIllisible("Ce fichier est vide (0 octet).")
    if len(contenu) > TAILLE_MAX:
        raise FichierIllisible(f"Ce fichier pèse {len(contenu) // 2**20} Mo ; la limite est {TAILLE_MAX // 2**20} Mo.")
    if contenu.startswith(b"%PDF"):
        raise FichierIllisible("Ce fichier est un PDF : exportez plutôt un .xlsx ou un .csv de votre logiciel.")
    if contenu.lstrip()[:1] == b"<":
        raise FichierIllisible("Ce fichier est une page web ou du XML : enregistrez-le en .xlsx depuis votre tableur.")
    meilleure = 0
    trouve: T | None = None
    suite: Lignes = iter(())
    refus: FichierIllisible | None = None
    for lignes in feuilles(contenu, nom) if est_un_classeur(contenu) else _decoupages(contenu):
        try:
            apercu = list(islice(lignes, _APERCU))
        except FichierIllisible as erreur:  # un mauvais séparateur peut ouvrir un guillemet qui n’en est pas un
            refus = refus or erreur
            continue
        note, rang, candidat = reconnaitre([cellules for _, cellules in apercu])
        if note > meilleure:
            meilleure, trouve, suite = note, candidat, chain(apercu[rang + 1 :], lignes)
    if trouve is None and refus:
        raise refus
    return trouve, suite


def _decoupages(contenu: bytes) -> Iterator[Lignes]:
    encodage = encodage_de(contenu)
    return (decouper(contenu, encodage, separateur) for separateur in ("\t", "|", ";", ","))


def texte_de(cellule: object) -> str:
    """Un numéro saisi comme nombre se relit sans décimale, une date comme AAAAMMJJ."""
    if isinstance(cellule, float) and cellule.is_integer():
        return str(int(cellule))
    if isinstance(cellule, date):
        return f"{cellule:%Y%m%d}"
    texte = str(cellule).strip()
    return texte if texte.isprintable() else epurer(texte).strip()


def _se_decode(contenu: bytes, encodage: str) -> bool:
    decodeur = codecs.getincrementaldecoder(encodage)()
    try:
        for debut in range(0, len(contenu), 2**20):
            decodeur.decode(contenu[debut : debut + 2**20])
        decodeur.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def encodage_de(contenu: bytes) -> str:
    """L’encodage d’un texte exporté d’un logiciel comptable. Lève ``FichierIllisible`` si ce n’est pas du texte."""
    debut = contenu[:400]
    for marque, nom in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if contenu.startswith(marque):
            candidats = [nom]
            break
    else:
        if debut[1::2].count(0) > len(debut) // 4:
            candidats = ["utf-16-le"]
        elif debut[::2].count(0) > len(debut) // 4:
            candidats = ["utf-16-be"]
        elif (nul := contenu.find(0)) >= 0:
            ligne = contenu.count(b"\n", 0, nul) + 1
            raise FichierIllisible(f"Ce fichier n’est pas du texte : il contient un caractère nul ligne {ligne}.")
        elif not re.search(rb"[\x80-\x9f]", contenu) and re.search(rb"[\xa4\xbc\xbd\xbe]", contenu):
            candidats = ["utf-8", "iso-8859-15"]  # €, Œ, œ, Ÿ : là où cp1252 lirait ¤, ¼, ½, ¾
        else:
            candidats = ["utf-8", "cp1252", "iso-8859-15"]
    for encodage in candidats:
        if _se_decode(contenu, encodage):
            return encodage
    raise FichierIllisible("Les caractères de ce fichier sont abîmés : enregistrez-le de nouveau en « CSV UTF-8 ».")


def decouper(contenu: bytes, encodage: str, separateur: str) -> Iterator[tuple[int, list[str]]]:
    """Les lignes d’un fichier à séparateur, numérotées comme dans un éditeur ; rien n’est gardé en mémoire.

    Entre « | » ou tabulations, un guillemet isolé est du texte, comme dans un FEC. Lève ``FichierIllisible`` quand,
    ailleurs, un guillemet ouvert avale la suite du fichier.
    """
    flux = io.TextIOWrapper(io.BytesIO(contenu), encoding=encodage, newline="")
    protege = separateur not in "\t|"
    lecteur = csv.reader(flux, delimiter=separateur, quoting=csv.QUOTE_MINIMAL if protege else csv.QUOTE_NONE)
    numero = 1
    try:
        for cellules in lecteur:
            if lecteur.line_num - numero > 20:
                raise FichierIllisible(f"Un guillemet ouvert ligne {numero} n’est pas refermé.")
            yield numero, cellules if protege else [_sans_guillemets(cellule) for cellule in cellules]
            numero = lecteur.line_num + 1
    except csv.Error as erreur:
        raise FichierIllisible(f"La ligne {numero} est trop longue ou mal formée : elle ne se découpe pas.") from erreur


def _sans_guillemets(cellule: str) -> str:
    if len(cellule) > 1 and cellule[0] == cellule[-1] == '"':
        return cellule[1:-1].replace('""', '"')
    return cellule


def _classeur_sain(contenu: bytes, nom: str) -> bytes:
    """Recopie les seules parties utiles d’un classeur, décompressées et comptées.

    Le lecteur n’ouvre que cette copie : ni taille mensongère, ni cellule perdue au bout de la grille ne l’épuise. Une
    formule sans valeur calculée et une erreur (« #N/A ») y deviennent du texte, pour être signalées à leur place.
    """
    if contenu.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in contenu:
            raise FichierIllisible(
                "Ce classeur est protégé par un mot de passe : enregistrez-le sans, puis renvoyez-le."
            )
        raise FichierIllisible(
            "Ce classeur est à l’ancien format .xls, qui peut porter des macros : enregistrez-le en .xlsx."
        )
    reste, sortie, longueurs = TAILLE_OUVERTE_MAX, io.BytesIO(), list[int]()
    feuilles: list[bytes] = []
    try:
        with zipfile.ZipFile(io.BytesIO(contenu)) as source, zipfile.ZipFile(sortie, "w") as copie:
            noms = {entree.filename.lower() for entree in source.infolist()}
            if nom.lower().endswith(".xlsm") or any("vbaproject" in n or "macrosheets/" in n for n in noms):
                raise FichierIllisible("Ce classeur contient des macros : enregistrez-le en .xlsx, sans macro.")
            if "xl/workbook.xml" not in noms:
                raise FichierIllisible(
                    "Cette archive n’est pas un classeur .xlsx : enregistrez votre balance en .xlsx ou csv."
                )
            for entree in source.infolist():
                if entree.flag_bits & 1:
                    raise FichierIllisible("Ce classeur est protégé par un mot de passe : enregistrez-le sans.")
                if not _PARTIE_UTILE.fullmatch(entree.filename):
                    continue
                with source.open(entree) as partie:
                    octets = partie.read(reste + 1)
                reste -= len(octets)
                if reste < 0:
                    raise FichierIllisible(
                        "Ce classeur, une fois ouvert, dépasse la taille permise : il n’a pas été lu."
                    )
                if "sharedstrings" in entree.filename.lower():
                    longueurs = [len(morceau) for morceau in re.split(rb"<(?:\w+:)?si\b", octets)[1:]]
                elif entree.filename.lower().startswith("xl/worksheets/"):
                    octets = _FORMULE_SANS_VALEUR.sub(
                        rb'<\1c r="\2" t="inlineStr"><\1is><\1t>' + _FORMULE.encode() + rb"</\1t></\1is></\1c>", octets
                    )
                    octets = _ERREUR.sub(rb'\1t="str"', octets)
                    feuilles.append(octets)
                copie.writestr(entree.filename, octets)
    except FichierIllisible:
        raise
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as erreur:
        raise FichierIllisible(_ABIME) from erreur
    for feuille in feuilles:
        _mesurer(feuille, longueurs)
    return sortie.getvalue()


def _rang_de_colonne(lettres: bytes) -> int:
    return sum((lettre - 64) * 26**i for i, lettre in enumerate(reversed(lettres)))


def _mesurer(feuille: bytes, longueurs: Sequence[int]) -> None:
    """Refuse une feuille dont la grille ou les textes répétés tiendraient mal en mémoire."""
    references = _REFERENCE.findall(feuille)
    rangees = max((int(rangee) for _, rangee in references), default=0)
    large = max((_rang_de_colonne(lettres) for lettres in {lettres for lettres, _ in references}), default=0)
    textes = sum(longueurs[i] for i in map(int, _CHAINE_COMMUNE.findall(feuille)) if i < len(longueurs))
    if rangees * max(large, 1) > CELLULES_MAX or textes > TAILLE_OUVERTE_MAX:
        raise FichierIllisible(
            f"Une feuille de ce classeur s’étend jusqu’à la ligne {rangees} : recopiez-la dans un classeur neuf."
        )


def feuilles(contenu: bytes, nom: str) -> Iterator[Lignes]:
    """Les lignes de chaque feuille d’un classeur, numérotées comme à l’écran. Lève ``FichierIllisible``."""
    try:
        classeur = CalamineWorkbook.from_filelike(io.BytesIO(_classeur_sain(contenu, nom)))
        for fiche in classeur.sheets_metadata:
            if fiche.typ == SheetTypeEnum.WorkSheet:
                yield enumerate(classeur.get_sheet_by_name(fiche.name).iter_rows(), start=1)
    except CalamineError as erreur:
        raise FichierIllisible(_ABIME) from erreur


def montant_de(cellule: object) -> Decimal:
    """Le montant d’une cellule, au centime ; une cellule vide ou un tiret valent zéro.

    Admet « 1 234,56 », « 1.234,56 », « 1,234.56 », « (12,00) », « 12,00- » et « − ». Lève ``MontantIllisible`` pour
    tout le reste : « 1.234 » est ambigu, une fraction de centime n’existe pas, 10^12 € non plus.
    """
    if isinstance(cellule, str) and len(cellule) <= 100:
        return _montant_ecrit(cellule)
    if isinstance(cellule, bool) or not isinstance(cellule, (int, float)):
        raise MontantIllisible(f"« {str(cellule)[:60]} » n’est pas un montant.")
    exact = Decimal(repr(cellule))
    if not exact.is_finite():
        raise MontantIllisible(f"« {cellule} » n’est pas un montant.")
    _refuser_l_absurde(exact)
    montant = exact.quantize(CENTIME)
    if abs(montant - exact) > Decimal("0.0001"):
        raise MontantIllisible(f"« {cellule} » a plus de deux décimales : arrondissez au centime.")
    return montant


@lru_cache(maxsize=4096)
def _montant_ecrit(texte: str) -> Decimal:
    if texte == _FORMULE:
        raise MontantIllisible(
            "La formule n’a pas de valeur calculée : ouvrez le classeur dans votre tableur et enregistrez-le."
        )
    nu = _ESPACES.sub("", texte).replace("\u2212", "-")
    if nu in ("", "-"):
        return ZERO
    if nu[0] in "=@":
        raise MontantIllisible(f"« {texte[:60]} » est une formule, elle n’est pas évaluée : écrivez le montant.")
    if not _SIMPLE.fullmatch(nu):
        nu = _normaliser(nu, texte)
    montant = Decimal(nu.replace(",", "."))
    _refuser_l_absurde(montant)
    return montant.quantize(CENTIME)


def _normaliser(nu: str, texte: str) -> str:
    """Ramène une écriture admise à « -1234,56 »."""
    signe = ""
    if re.fullmatch(r"\(.*\)|.*-", nu):
        signe, nu = "-", nu.strip("()-")
    nu = nu.removeprefix("+")
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]{1,2}|[0-9]{1,3}(\.[0-9]{3}){2,}", nu):
        nu = nu.replace(".", "")
    elif re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]{1,2}", nu):
        nu = nu.replace(",", "")
    if re.fullmatch(r"[0-9]+[.,][0-9]{3}", nu):
        raise MontantIllisible(f"« {texte.strip()} » est ambigu : écrivez les centimes après une virgule.")
    if re.fullmatch(r"-?[0-9]+[.,][0-9]{3,}", nu):
        raise MontantIllisible(f"« {texte.strip()[:40]} » a plus de deux décimales : arrondissez au centime.")
    if not _SIMPLE.fullmatch(signe + nu):
        raise MontantIllisible(f"« {texte.strip()[:60]} » n’est pas un montant.")
    return signe + nu


def _refuser_l_absurde(montant: Decimal) -> None:
    if abs(montant) >= MONTANT_ABSURDE:
        raise MontantIllisible("Ce montant atteint mille milliards d’euros : il n’est pas vraisemblable.")
