from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from financements.calculs import DonneeRefusee
from financements.publies import bareme_publie
from financements.reference import taux_atteste
from financements.simulation import lire_json, simuler


class Command(BaseCommand):
    help = "Calcule une prestation. Lit un cas JSON, ou une liste, dans un fichier ou sur l’entrée standard (« - »)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", dest="fichier", default="-", metavar="FICHIER", help="« - » : entrée standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sort en 2, avec une phrase qui nomme le champ, au premier cas refusé ; rien n’est alors écrit."""
        try:
            rendu = self._rendre(options["fichier"])
        except DonneeRefusee as erreur:
            self.stderr.write(str(erreur))
            sys.exit(2)
        self.stdout.write(json.dumps(rendu, ensure_ascii=False, indent=2))

    def _rendre(self, fichier: str) -> object:
        try:
            octets = sys.stdin.buffer.read() if fichier == "-" else Path(fichier).read_bytes()
            texte = octets.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as erreur:
            raise DonneeRefusee("json", "L’entrée ne se lit pas : donnez du JSON en UTF-8.") from erreur
        lu = lire_json(texte)
        if not isinstance(lu, list):
            return self._un(lu)
        rendus = []
        for rang, cas in enumerate(lu, start=1):
            try:
                rendus.append(self._un(cas))
            except DonneeRefusee as erreur:
                raise DonneeRefusee(erreur.champ, f"Cas {rang} : {erreur}") from erreur
        return rendus

    def _un(self, cas: object) -> dict[str, Any]:
        return simuler(cas, bareme=bareme_publie, taux_connu=taux_atteste).en_json()
