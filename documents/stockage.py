"""Le stockage des fichiers rend-il ce qu’on lui confie ?"""

from __future__ import annotations

from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


def eprouver() -> None:
    """Écrit, relit, efface un fichier d’essai. Lève ce que lève le stockage, RuntimeError s’il rend autre chose."""
    contenu = uuid4().hex.encode()
    nom = default_storage.save(f"sante/{uuid4().hex}", ContentFile(contenu))
    try:
        with default_storage.open(nom) as fichier:
            if fichier.read() != contenu:
                raise RuntimeError("le stockage ne rend pas ce qu’il a reçu")
    finally:
        default_storage.delete(nom)
