from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from comptes.models import Utilisateur
from partenaires.demo.comptes import DOMAINE, MOT_DE_PASSE
from partenaires.models import Habilitation


class Command(BaseCommand):
    help = "Liste les comptes de démonstration, leurs rôles et leurs structures."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="en_json")

    def handle(self, *args: Any, **options: Any) -> None:
        comptes = []
        if settings.PORTAIL_DEMONSTRATION:
            aujourd_hui = timezone.localdate()
            structures: dict[int, list[str]] = {}
            for h in Habilitation.objects.en_cours(aujourd_hui).select_related("structure").order_by("pk"):
                structures.setdefault(h.utilisateur_id, []).append(h.structure.nom)
            for personne in Utilisateur.objects.filter(courriel__endswith=f"@{DOMAINE}").order_by("pk"):
                comptes.append(
                    {
                        "courriel": personne.courriel,
                        "mot_de_passe": MOT_DE_PASSE,
                        "roles": sorted(role.name for role in personne.roles),
                        "structures": structures.get(personne.pk, []),
                    }
                )
        if options["en_json"]:
            self.stdout.write(json.dumps(comptes, ensure_ascii=False, indent=1))
            return
        for compte in comptes:
            self.stdout.write(
                f"{compte['courriel']:34} {', '.join(compte['roles']):38} {', '.join(compte['structures'])}"
            )
        self.stdout.write(f"Mot de passe de tous : {MOT_DE_PASSE}")
