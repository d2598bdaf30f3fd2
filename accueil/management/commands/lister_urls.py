from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.urls import URLPattern, URLResolver, get_resolver


def adresses(resolveur: URLResolver | None = None, prefixe: str = "", espace: str = "") -> Iterator[dict[str, Any]]:
    """Chaque adresse du portail, avec ce que sa vue dit d’elle-même."""
    for motif in (resolveur or get_resolver()).url_patterns:
        chemin = prefixe + str(motif.pattern)
        if isinstance(motif, URLResolver):
            nom_espace = f"{espace}{motif.namespace}:" if motif.namespace else espace
            yield from adresses(motif, chemin, nom_espace)
        elif isinstance(motif, URLPattern):
            vue: Any = motif.callback
            yield {
                "motif": f"/{chemin}",
                "nom": f"{espace}{motif.name}",
                "methodes": sorted(getattr(vue, "methodes", ("GET", "POST"))),
                "roles": sorted(role.name for role in getattr(vue, "roles_admis", ())),
                "public": getattr(vue, "publique", False),
            }


class Command(BaseCommand):
    help = "Liste chaque adresse : motif, nom, méthodes, rôles admis, publique ou non."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="en_json")

    def handle(self, *args: Any, **options: Any) -> None:
        toutes = list(adresses())
        if options["en_json"]:
            self.stdout.write(json.dumps(toutes, ensure_ascii=False, indent=1))
            return
        for a in toutes:
            qui = "tout le monde" if a["public"] else ", ".join(a["roles"])
            self.stdout.write(f"{a['motif']:60} {'/'.join(a['methodes']):9} {qui}")
