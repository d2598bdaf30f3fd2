"""Du contexte figé d’un acte au PDF."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from documents.gabarits import GABARITS
from documents.models import Acte, Fichier
from documents.sources import SCHEMA_PHOTO
from socle import pdf


def adresse_de_verification(acte: Acte) -> str:
    return f"{settings.PORTAIL_ADRESSE.rstrip('/')}{acte.get_absolute_url()}"


def rendre(acte: Acte) -> bytes:
    adresse = adresse_de_verification(acte)
    gabarit = GABARITS[acte.gabarit]
    contexte = {
        **gabarit.vides,
        **acte.contexte,
        "titre": acte.titre,
        "code": acte.code_lisible,
        "adresse_verification": adresse,
        "qr": mark_safe(qr_svg(adresse)),  # noqa: S308 — le SVG est fabriqué ici, à partir de notre seule adresse
        "version_gabarit": acte.version_gabarit,
    }
    return pdf.rendre(render_to_string(gabarit.chemin, contexte), images=_photos(acte))


def _photos(acte: Acte) -> dict[str, Callable[[], bytes]]:
    """Comment lire chaque photo que l’acte cite, et elles seules ; une à la fois, sans les tenir toutes en mémoire."""
    sources = [photo["source"] for photo in acte.contexte.get("photos", ())]
    cles = {source: int(source.removeprefix(SCHEMA_PHOTO)) for source in sources if source.startswith(SCHEMA_PHOTO)}
    fichiers = Fichier.objects.in_bulk(list(cles.values()))
    return {source: partial(_contenu, fichiers[cle]) for source, cle in cles.items()}


def _contenu(fichier: Fichier) -> bytes:
    with fichier.contenu.open("rb") as contenu:
        return bytes(contenu.read())


def qr_svg(texte: str) -> str:
    return segno.make(texte, error="m", micro=False).svg_inline(scale=2, border=2, omitsize=True, svgclass="qr")
