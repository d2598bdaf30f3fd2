"""HTML → PDF/UA-1 : étiqueté, en français, polices embarquées. Rien ne se charge hors de nos fichiers statiques."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

RACINE = Path(settings.BASE_DIR) / "static"


class RessourceInterdite(ValueError):
    """Un gabarit a demandé autre chose qu’un fichier statique du portail."""


class LecteurStatique(URLFetcher):
    """Refuse tout, sauf ``static:`` sous notre dossier : ni réseau, ni fichier de la machine (CVE-2025-68616)."""

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        adresse = urlsplit(url)
        if adresse.scheme != "static":
            raise RessourceInterdite(url)
        chemin = (RACINE / adresse.path.lstrip("/")).resolve()
        if not chemin.is_relative_to(RACINE) or not chemin.is_file():
            raise RessourceInterdite(url)
        return URLFetcherResponse(url, BytesIO(chemin.read_bytes()))


@cache
def _atelier(feuille: str) -> tuple[FontConfiguration, CSS, LecteurStatique]:
    """Polices, style et lecteur construits une fois par processus : la moitié du temps d’une lettre."""
    lecteur = LecteurStatique()
    polices = FontConfiguration()
    style = CSS(
        string=(RACINE / "pdf" / feuille).read_text(encoding="utf-8"),
        font_config=polices,
        url_fetcher=lecteur,
        base_url="static:/pdf/",
    )
    return polices, style, lecteur


def rendre_pdf(html: str, *, feuille: str = "lettre.css") -> bytes:
    """Rend un HTML déjà échappé en PDF/UA-1. Les mêmes octets pour le même HTML."""
    polices, style, lecteur = _atelier(feuille)
    document = HTML(string=html, url_fetcher=lecteur, base_url="static:/")
    return document.write_pdf(stylesheets=[style], font_config=polices, pdf_variant="pdf/ua-1")
