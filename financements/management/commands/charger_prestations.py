from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from financements.reference import charger_les_prestations


class Command(BaseCommand):
    help = "Ajoute les prestations et les règles de paiement livrées avec le portail. Rejouable, ne modifie rien."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{charger_les_prestations()} prestation(s) ajoutée(s).")
