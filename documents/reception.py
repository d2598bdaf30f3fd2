"""Ce qu’est vraiment un fichier reçu : son contenu décide, ni son nom ni ce qu’en dit le navigateur."""

from __future__ import annotations

import unicodedata
import zipfile
from typing import BinaryIO

import pikepdf
from PIL import Image, UnidentifiedImageError

from documents.erreurs import FichierRefuse
from socle.texte import epurer

PIXELS_MAX = 60_000_000
DECOMPRESSE_MAX = 200 * 1024 * 1024
BUREAUTIQUES = {
    "word/document.xml": ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xl/workbook.xml": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
OPENDOCUMENT = {
    b"application/vnd.oasis.opendocument.text": ("odt", "application/vnd.oasis.opendocument.text"),
    b"application/vnd.oasis.opendocument.spreadsheet": ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
}
ADMIS = "PDF, image JPEG ou PNG, Word (.docx), Excel (.xlsx), LibreOffice (.odt, .ods)"
ACCEPTE = ".pdf,.jpg,.jpeg,.png,.docx,.xlsx,.odt,.ods"


def reconnaitre(flux: BinaryIO) -> tuple[str, str]:
    """Rend (extension, type MIME) constatés. Lève FichierRefuse avec la phrase à montrer."""
    flux.seek(0)
    tete = flux.read(8)
    flux.seek(0)
    try:
        if tete.startswith(b"%PDF-"):
            return _pdf(flux)
        if tete.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
            return _image(flux)
        if tete.startswith(b"PK\x03\x04"):
            return _bureautique(flux)
    finally:
        flux.seek(0)
    raise FichierRefuse(f"Ce fichier n’est pas d’un type accepté. Envoyez un {ADMIS}.")


def _pdf(flux: BinaryIO) -> tuple[str, str]:
    try:
        with pikepdf.open(flux) as document:
            if not len(document.pages):
                raise FichierRefuse("Ce PDF n’a aucune page.")
    except pikepdf.PasswordError as erreur:
        raise FichierRefuse(
            "Ce PDF est protégé par un mot de passe : enlevez-le, puis renvoyez le fichier."
        ) from erreur
    except pikepdf.PdfError as erreur:
        raise FichierRefuse("Ce PDF est abîmé : ouvrez-le, enregistrez-le à nouveau, puis renvoyez-le.") from erreur
    return "pdf", "application/pdf"


def _image(flux: BinaryIO) -> tuple[str, str]:
    try:
        with Image.open(flux, formats=["JPEG", "PNG"]) as image:
            largeur, hauteur = image.size
            if largeur * hauteur > PIXELS_MAX:
                raise FichierRefuse("Cette image est trop grande : réduisez-la sous 60 millions de points.")
            image.verify()
            return ("jpg", "image/jpeg") if image.format == "JPEG" else ("png", "image/png")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as erreur:
        raise FichierRefuse(
            "Cette image est illisible : ouvrez-la, enregistrez-la à nouveau, puis renvoyez-la."
        ) from erreur


def _bureautique(flux: BinaryIO) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(flux) as archive:
            if sum(membre.file_size for membre in archive.infolist()) > DECOMPRESSE_MAX:
                raise FichierRefuse("Ce fichier, une fois ouvert, est démesuré : il n’est pas accepté.")
            noms = set(archive.namelist())
            if any(nom.endswith("vbaProject.bin") for nom in noms):
                raise FichierRefuse("Ce fichier contient des macros : enregistrez-le sans macros, puis renvoyez-le.")
            for temoin, type_constate in BUREAUTIQUES.items():
                if temoin in noms:
                    return type_constate
            if "mimetype" in noms and (trouve := OPENDOCUMENT.get(archive.read("mimetype").strip())):
                return trouve
    except (zipfile.BadZipFile, RuntimeError) as erreur:
        raise FichierRefuse("Ce fichier est abîmé : enregistrez-le à nouveau, puis renvoyez-le.") from erreur
    raise FichierRefuse(f"Ce fichier n’est pas d’un type accepté. Envoyez un {ADMIS}.")


def nom_propre(nom: str, extension: str) -> str:
    """Le nom d’origine, sans chemin ni signe trompeur, à l’extension constatée."""
    nom = epurer(nom.replace("\\", "/").rsplit("/", 1)[-1])
    nom = "".join(c for c in nom if unicodedata.category(c) != "Cf" and c not in '<>:"|?*\n\t').strip(" .")
    racine = nom.rsplit(".", 1)[0] or "document"
    return f"{racine[:150]}.{extension}"
