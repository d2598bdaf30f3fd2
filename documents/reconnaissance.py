"""De quel acte ce scan est-il l’exemplaire ? Le QR imprimé au bas de chaque document le dit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urlsplit

import pypdfium2
import structlog
import zxingcpp
from django.urls import Resolver404, resolve
from PIL import Image

from documents.reception import PIXELS_MAX, reconnaitre

journal = structlog.get_logger(__name__)

PAGES = 6  # lues de chaque côté du document : le QR est sur la première page et sur la dernière
POINTS_PAR_POUCE = 200
_PDFIUM = threading.Lock()  # pdfium ne se partage pas entre fils


def codes_lus(flux: BinaryIO) -> frozenset[str]:
    """Les codes d’actes du portail lisibles sur un scan, PDF ou image ; vide s’il n’y en a aucun.

    Lève FichierRefuse si le fichier ne s’ouvre pas. Un autre QR que les nôtres ne compte pas. Peut prendre une
    seconde : à lire hors transaction.
    """
    extension, _ = reconnaitre(flux)
    pages = {"pdf": _pages_d_un_pdf, "jpg": _image, "png": _image}.get(extension)
    codes: set[str] = set()
    try:
        for image in pages(flux) if pages else ():
            codes.update(_codes(image))
            if codes:
                break
    finally:
        flux.seek(0)
    return frozenset(codes)


def _codes(image: Image.Image) -> Iterator[str]:
    for lu in zxingcpp.read_barcodes(image, formats=zxingcpp.barcode_formats_from_str("QRCode")):
        if code := code_de(lu.text):
            yield code


def code_de(adresse: str) -> str:
    """Le code de l’acte que cette adresse vérifie, ou rien ; l’hôte ne compte pas, le code se compare ensuite."""
    try:
        trouvee = resolve(urlsplit(adresse).path)
    except (Resolver404, ValueError):
        return ""
    return str(trouvee.kwargs["code"]) if trouvee.view_name == "documents:verifier_code" else ""


def _image(flux: BinaryIO) -> Iterator[Image.Image]:
    flux.seek(0)
    with Image.open(flux, formats=["JPEG", "PNG"]) as image:
        yield image.convert("L")


def _pages_d_un_pdf(flux: BinaryIO) -> Iterator[Image.Image]:
    """Les premières et les dernières pages, en niveaux de gris ; une page démesurée est réduite."""
    flux.seek(0)
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(flux.read())
        except pypdfium2.PdfiumError as erreur:
            journal.info("scan_illisible", erreur=str(erreur))
            return
        try:
            nombre = len(document)
            for rang in sorted({*range(min(PAGES, nombre)), *range(max(0, nombre - PAGES), nombre)}):
                page = document[rang]
                largeur, hauteur = page.get_size()
                echelle = min(POINTS_PAR_POUCE / 72, (PIXELS_MAX / 4 / max(1, largeur * hauteur)) ** 0.5)
                yield page.render(scale=echelle, grayscale=True).to_pil()
        finally:
            document.close()
