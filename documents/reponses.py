from __future__ import annotations

import structlog
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.http import FileResponse, Http404

from documents.choix import Analyse

journal = structlog.get_logger(__name__)

AFFICHABLES = frozenset({"application/pdf", "image/jpeg", "image/png"})


def servir(contenu: File, nom: str, type_mime: str, *, en_ligne: bool = False) -> FileResponse:
    """Rend un fichier privé : type constaté, jamais deviné, jamais gardé en cache. La vue a contrôlé les droits.

    Lève PermissionDenied pour un fichier trouvé infecté après coup, Http404 (et une alerte) si le stockage l’a perdu.
    """
    if getattr(getattr(contenu, "instance", None), "analyse", "") == Analyse.INFECTE:
        raise PermissionDenied("L’antivirus a trouvé un programme malveillant dans ce fichier : il a été retiré.")
    try:
        ouvert = contenu.open("rb")
    except FileNotFoundError as erreur:
        journal.error("fichier_perdu", nom=contenu.name)
        raise Http404("Ce fichier est introuvable. L’incident est signalé.") from erreur
    en_ligne = en_ligne and type_mime in AFFICHABLES
    reponse = FileResponse(ouvert, as_attachment=not en_ligne, filename=nom, content_type=type_mime)
    reponse.headers["X-Content-Type-Options"] = "nosniff"
    reponse.headers["Cache-Control"] = "private, no-store"
    return reponse
