from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from agrements.regimes import publier_les_regimes


class Command(BaseCommand):
    help = "Publie les régimes d’agrément livrés avec le portail, s’ils ne le sont pas encore."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{publier_les_regimes()} régime(s) publié(s).")
