from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from controles.actions.regles import charger_regles


class Command(BaseCommand):
    help = "Publie les règles du contrôle livrées avec le portail, s’il n’en a aucune. Rejouable, ne modifie rien."

    def handle(self, *args: Any, **options: Any) -> None:
        regles = charger_regles()
        self.stdout.write(f"Publiées : {regles}." if regles else "Le portail a déjà ses règles du contrôle.")
