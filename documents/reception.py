"""Ce qu’est vraiment un fichier reçu : son contenu décide, ni son nom ni ce qu’en dit le navigateur."""

from __future__ import annotations

import lzma
import unicodedata
import warnings
import zipfile
import zlib
from hashlib import sha256
from typing import BinaryIO

import pikepdf
from django.core.files.base import File
from PIL import Image, ImageFile

from documents.erreurs import FichierRefuse
from socle.texte import epurer

# La seule liste des types admis : extension → type MIME servi.
TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
ADMIS = "PDF, image JPEG ou PNG, Word (.docx), Excel (.xlsx), LibreOffice (.odt, .ods)"

PIXELS_MAX = 60_000_000
DECOMPRESSE_MAX = 200 * 1024 * 1024
MEMBRES_MAX = 5_000
BLOC = 1 << 20
_OOXML = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
_ODF = {TYPES[extension].encode(): extension for extension in ("odt", "ods")}
_MODULES_VIDES = ("script-lb.xml", "script-lc.xml")  # LibreOffice les écrit même sans macro


def empreinte_de(fichier: File) -> str:
    """Le SHA-256 de tout le contenu ; le fichier est rembobiné."""
    empreinte = sha256()
    for bloc in fichier.chunks():
        empreinte.update(bloc)
    fichier.seek(0)
    return empreinte.hexdigest()


def reconnaitre(flux: BinaryIO) -> tuple[str, str]:
    """Rend (extension, type MIME) constatés, fichier ouvert pour de bon. Lève FichierRefuse, phrase à montrer."""
    flux.seek(0)
    tete = flux.read(8)
    flux.seek(0)
    try:
        extension = _ouvrir(flux, tete)
    finally:
        flux.seek(0)
    return extension, TYPES[extension]


def _ouvrir(flux: BinaryIO, tete: bytes) -> str:
    if tete.startswith(b"%PDF-"):
        return _pdf(flux)
    if tete.startswith(b"\xff\xd8\xff"):
        return _image(flux, "jpg")
    if tete.startswith(b"\x89PNG\r\n\x1a\n"):
        return _image(flux, "png")
    if tete.startswith(b"PK\x03\x04"):
        return _bureautique(flux)
    if tete.startswith(b"\xd0\xcf\x11\xe0"):
        raise FichierRefuse(
            "Ce fichier est d’un ancien format (.doc, .xls) ou protégé par un mot de passe : "
            "enregistrez-le en .docx, .xlsx ou PDF, sans mot de passe, puis renvoyez-le."
        )
    raise FichierRefuse(f"Le contenu de ce fichier n’est pas d’un type accepté. Envoyez un {ADMIS}.")


def _pdf(flux: BinaryIO) -> str:
    """Un PDF que tout le monde peut lire ; des droits d’impression réservés ne gênent pas (relevés bancaires)."""
    try:
        with pikepdf.open(flux) as document:
            pages = len(document.pages)
    except pikepdf.PasswordError as erreur:
        raise FichierRefuse(
            "Ce PDF est protégé par un mot de passe : enlevez-le, puis renvoyez le fichier."
        ) from erreur
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, OverflowError, OSError) as erreur:
        raise FichierRefuse("Ce PDF est abîmé : ouvrez-le, enregistrez-le à nouveau, puis renvoyez-le.") from erreur
    if not pages:
        raise FichierRefuse("Ce PDF n’a aucune page.")
    return "pdf"


def _image(flux: BinaryIO, extension: str) -> str:
    """L’image est décodée (au huitième pour un JPEG) : une image coupée en chemin ne passe pas."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint, s’il est chargé, l’a mis à vrai pour tout le processus
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # notre borne, plus basse, suit
            image = Image.open(flux, formats=["JPEG" if extension == "jpg" else "PNG"])
        with image:
            largeur, hauteur = image.size
            if largeur * hauteur > PIXELS_MAX:
                raise FichierRefuse("Cette image est trop grande : réduisez-la sous 60 millions de points.")
            if extension == "jpg":
                image.draft("RGB", (max(1, largeur // 8), max(1, hauteur // 8)))
                image.load()
            else:
                image.verify()
    except Image.DecompressionBombError as erreur:
        raise FichierRefuse("Cette image est trop grande : réduisez-la sous 60 millions de points.") from erreur
    except (OSError, SyntaxError, ValueError, TypeError, EOFError, zlib.error) as erreur:
        raise FichierRefuse(
            "Cette image est illisible : ouvrez-la, enregistrez-la à nouveau, puis renvoyez-la."
        ) from erreur
    return extension


def _bureautique(flux: BinaryIO) -> str:
    """Un document bureautique : chaque membre est décompressé et contrôlé, sans jamais dépasser la borne."""
    try:
        with zipfile.ZipFile(flux) as archive:
            membres = archive.infolist()
            if len(membres) > MEMBRES_MAX or sum(membre.file_size for membre in membres) > DECOMPRESSE_MAX:
                raise FichierRefuse("Ce fichier, une fois ouvert, est démesuré : il n’est pas accepté.")
            extension = _type_bureautique(archive)
            if any(_macro(membre.filename) for membre in membres):
                raise FichierRefuse("Ce fichier contient des macros : enregistrez-le sans macros, puis renvoyez-le.")
            _tout_lire(archive, membres)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError) as erreur:
        raise FichierRefuse(
            "Ce fichier est abîmé ou protégé par un mot de passe : enregistrez-le à nouveau, puis renvoyez-le."
        ) from erreur
    return extension


def _type_bureautique(archive: zipfile.ZipFile) -> str:
    noms = set(archive.namelist())
    for temoin, extension in _OOXML.items():
        if temoin in noms:
            return extension
    if "mimetype" in noms:
        with archive.open("mimetype") as membre:
            annonce = membre.read(100).strip()
        if annonce in _ODF:
            return _ODF[annonce]
    raise FichierRefuse(f"Le contenu de ce fichier n’est pas d’un type accepté. Envoyez un {ADMIS}.")


def _macro(nom: str) -> bool:
    nom = nom.replace("\\", "/")
    if nom.startswith("Basic/"):
        return not nom.endswith(("/", *_MODULES_VIDES))
    if nom.startswith("Scripts/"):
        return not nom.endswith("/")
    return nom.lower().endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in nom.lower()


def _tout_lire(archive: zipfile.ZipFile, membres: list[zipfile.ZipInfo]) -> None:
    """Contrôle chaque somme. Le module zip s’arrête à la taille annoncée, déjà bornée : elle ne peut pas mentir."""
    for membre in membres:
        with archive.open(membre) as contenu:
            while bloc := contenu.read(BLOC):
                if membre.filename == "META-INF/manifest.xml" and b"encryption-data" in bloc:
                    raise FichierRefuse(
                        "Ce fichier est protégé par un mot de passe : enlevez-le, puis renvoyez le fichier."
                    )


def nom_propre(nom: str, extension: str) -> str:
    """Le nom d’origine sans chemin, ni signe de commande, ni sens d’écriture inversé, à l’extension constatée.

    « C:/scans/relevé.exe » devient « relevé.pdf » ; jamais vide, 155 caractères au plus.
    """
    nom = unicodedata.normalize("NFC", epurer(nom.replace("\\", "/").rsplit("/", 1)[-1]))
    nom = "".join(c for c in nom if unicodedata.category(c) not in {"Cf", "Co", "Zl", "Zp"} and c not in '<>:"|?*\n\t')
    racine = nom.rsplit(".", 1)[0].strip(" .")
    return f"{racine[:150].strip(' .') or 'document'}.{extension}"
