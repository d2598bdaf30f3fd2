"""HTML → PDF/UA-1 : étiqueté, en français, polices embarquées. Rien ne se charge hors de nos fichiers statiques.

Importer ce module charge WeasyPrint (une demi-seconde, 46 Mo) : seul le worker qui rend une lettre l’importe.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from fontTools.ttLib import TTFont
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

RACINE = Path(settings.BASE_DIR) / "static"
POLICE = RACINE / "polices" / "pdf" / "SourceSans3_400Regular.ttf"  # les quatre graisses dessinent les mêmes signes
SANS_DESSIN = "□"
INVISIBLES = frozenset({"Cc", "Cf", "Mn", "Me", "Sk"})  # liants d’émojis, sens d’écriture, teintes : rien à montrer


class RessourceInterdite(FatalURLFetchingError):
    """Un gabarit a demandé autre chose qu’un fichier statique du portail : WeasyPrint arrête le rendu."""


class LecteurStatique(URLFetcher):
    """Refuse tout, sauf ``static:`` sous notre dossier : ni réseau, ni fichier de la machine (CVE-2025-68616).

    ``images`` : les seules autres adresses admises, et comment lire chacune, une à la fois.
    """

    def __init__(self, images: Mapping[str, Callable[[], bytes]] | None = None) -> None:
        super().__init__()
        self.images = images or {}

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        if url in self.images:
            return URLFetcherResponse(url, BytesIO(self.images[url]()))
        adresse = urlsplit(url)
        chemin = (RACINE / adresse.path.lstrip("/")).resolve()
        if adresse.scheme != "static" or not chemin.is_relative_to(RACINE) or not chemin.is_file():
            raise RessourceInterdite(url)
        return URLFetcherResponse(url, BytesIO(chemin.read_bytes()))


@cache
def _atelier(feuille: str) -> tuple[FontConfiguration, CSS]:
    """Polices et style construits une fois par processus : la moitié du temps d’une lettre."""
    polices = FontConfiguration()
    style = CSS(
        string=(RACINE / "pdf" / feuille).read_text(encoding="utf-8"),
        font_config=polices,
        url_fetcher=LecteurStatique(),
        base_url="static:/pdf/",
    )
    return polices, style


@cache
def _dessines() -> frozenset[int]:
    with TTFont(POLICE, lazy=True) as police:
        return frozenset(police.getBestCmap()) | {ord("\n"), ord("\t")}


def imprimable(texte: str) -> str:
    """Le texte tel que notre police sait l’écrire : un signe qu’elle ne dessine pas (émoji…) devient « □ ».

    Sans quoi le PDF prendrait une police de la machine, ou aucune : plus reproductible, plus conforme à PDF/UA.
    """
    dessines = _dessines()
    return "".join(
        c if ord(c) in dessines else "" if unicodedata.category(c) in INVISIBLES else SANS_DESSIN
        for c in unicodedata.normalize("NFC", texte)
    )


def rendre(html: str, *, feuille: str = "lettre.css", images: Mapping[str, Callable[[], bytes]] | None = None) -> bytes:
    """Rend un HTML déjà échappé en PDF/UA-1 ; le même HTML donne les mêmes octets.

    Le titre et la langue du PDF sont ceux du HTML. Lève ValueError si le HTML charge autre chose que nos
    fichiers statiques ou les ``images`` permises.
    """
    polices, style = _atelier(feuille)
    document = HTML(string=imprimable(html), url_fetcher=LecteurStatique(images), base_url="static:/")
    try:
        pdf = document.write_pdf(stylesheets=[style], font_config=polices, pdf_variant="pdf/ua-1")
    except RessourceInterdite as erreur:
        raise ValueError(f"Ressource interdite dans un PDF : {erreur}") from erreur
    assert pdf is not None
    return pdf
