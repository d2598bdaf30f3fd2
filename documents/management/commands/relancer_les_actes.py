"""Après une panne réparée : redonne leurs essais aux actes abandonnés."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from documents import actions
from documents.models import Acte


class Command(BaseCommand):
    help = "Relance la production des actes abandonnés après cinq essais."

    def handle(self, *args: Any, **options: Any) -> None:
        abandonnes = list(Acte.objects.abandonnes().order_by("demande_le"))
        for acte in abandonnes:
            actions.relancer(acte)
            print(f"relancé : {acte.cle}")
        print(f"{len(abandonnes)} actes relancés")
