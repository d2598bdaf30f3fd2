"""De vrais petits fichiers, reçus comme le fait un geste."""

from __future__ import annotations

import io

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile

from documents import actions
from documents.models import Fichier
from tests.fabriques.comptes import UtilisateurFactory


def pdf() -> bytes:
    flux = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(flux)
    return flux.getvalue()


def recevoir(contenu: bytes, nom: str = "piece.pdf") -> Fichier:
    return actions.recevoir(SimpleUploadedFile(nom, contenu), par=UtilisateurFactory())
