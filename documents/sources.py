"""L’adresse sous laquelle un acte montre une image reçue ; elle ne se lit que pendant le rendu de cet acte."""

from __future__ import annotations

from documents.models import Fichier

SCHEMA_PHOTO = "photo:/"


def source_de_photo(fichier: Fichier) -> str:
    return f"{SCHEMA_PHOTO}{fichier.pk}"
