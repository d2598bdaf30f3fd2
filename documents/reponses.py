from __future__ import annotations

from django.core.files import File
from django.http import FileResponse

AFFICHABLES = frozenset({"application/pdf", "image/jpeg", "image/png"})


def servir(contenu: File, nom: str, type_mime: str, *, en_ligne: bool = False) -> FileResponse:
    """Rend un fichier privé : type constaté, jamais deviné, jamais gardé en cache. La vue a contrôlé les droits."""
    en_ligne = en_ligne and type_mime in AFFICHABLES
    reponse = FileResponse(contenu.open("rb"), as_attachment=not en_ligne, filename=nom, content_type=type_mime)
    reponse.headers["X-Content-Type-Options"] = "nosniff"
    reponse.headers["Cache-Control"] = "private, no-store"
    return reponse
