from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from aides.livres import charger_les_dispositifs
from comptes.models import Utilisateur


class Command(BaseCommand):
    help = "Ajoute, en brouillon, les dispositifs d’aide livrés avec le portail. Rejouable, ne modifie rien."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--par", required=True, help="courriel de l’administrateur fonctionnel, auteur des brouillons"
        )
        parser.add_argument("--exercice", type=int, default=timezone.localdate().year)

    def handle(self, *args: Any, par: str, exercice: int, **options: Any) -> None:
        auteur = Utilisateur.objects.filter(courriel__iexact=par).first()
        if auteur is None:
            raise CommandError(f"Aucun compte ne porte l’adresse {par}.")
        neufs = charger_les_dispositifs(exercice, par=auteur)
        self.stdout.write(f"{len(neufs)} dispositif(s) ajouté(s), à relire puis à publier par un collègue.")
