"""La base et le stockage disent-ils la même chose ? À lancer après une restauration, et de temps en temps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandParser
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from documents.models import Acte, Fichier
from documents.reception import empreinte_de

RACINES = ("recus", "actes")
ANCIENNETE = timedelta(days=1)  # un dépôt en cours n’est pas encore en base : ce n’est pas un orphelin


class Command(BaseCommand):
    help = "Compare chaque fichier à son empreinte ; liste les perdus, les altérés et les orphelins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--effacer-les-orphelins", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        perdus = alteres = bons = 0
        connus = set()
        for contenu, empreinte in self._attendus():
            connus.add(contenu.name)
            constat = _empreinte(contenu)
            if constat is None:
                perdus += 1
                print(f"perdu : {contenu.name}")
            elif constat != empreinte:
                alteres += 1
                print(f"altéré : {contenu.name}")
            else:
                bons += 1
        orphelins = [nom for racine in RACINES for nom in _anciens(racine) if nom not in connus]
        for nom in orphelins:
            print(f"orphelin : {nom}")
            if options["effacer_les_orphelins"]:
                default_storage.delete(nom)
        print(f"{bons} bons, {perdus} perdus, {alteres} altérés, {len(orphelins)} orphelins")
        if perdus or alteres:
            sys.exit(1)

    def _attendus(self) -> Iterator[tuple[FieldFile, str]]:
        for acte in Acte.objects.produits().only("pdf", "empreinte").order_by("pk").iterator():
            yield acte.pdf, acte.empreinte
        for fichier in Fichier.objects.only("contenu", "empreinte").order_by("pk").iterator():
            yield fichier.contenu, fichier.empreinte


def _empreinte(contenu: FieldFile) -> str | None:
    try:
        with contenu.open("rb") as flux:
            return empreinte_de(flux)
    except FileNotFoundError:
        return None


def _anciens(dossier: str) -> Iterator[str]:
    limite = timezone.now() - ANCIENNETE
    if not default_storage.exists(dossier):
        return
    sous_dossiers, noms = default_storage.listdir(dossier)
    for nom in noms:
        if default_storage.get_modified_time(f"{dossier}/{nom}") < limite:
            yield f"{dossier}/{nom}"
    for sous_dossier in sous_dossiers:
        yield from _anciens(f"{dossier}/{sous_dossier}")
