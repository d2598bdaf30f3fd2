from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from comptes.actions import jeton_d_invitation
from comptes.choix import Role
from comptes.models import Fonction
from partenaires.actions_agents import ouvrir_un_compte
from socle.erreurs import Refus


class Command(BaseCommand):
    help = (
        "Ouvre le compte du premier administrateur fonctionnel et écrit le lien où il choisit son mot de passe. "
        "Les comptes suivants s’ouvrent depuis le portail, page « Agents »."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("courriel")
        parser.add_argument("prenom")
        parser.add_argument("nom")
        parser.add_argument("--encore", action="store_true", help="même si un administrateur existe déjà")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        jour = timezone.localdate()
        en_place = Fonction.objects.en_cours(jour).filter(role=Role.ADMINISTRATEUR, utilisateur__is_active=True)
        if en_place.exists() and not options["encore"]:
            raise CommandError("Un administrateur existe déjà : il ouvre les comptes depuis le portail (ou --encore).")
        try:
            agent = ouvrir_un_compte(
                courriel=options["courriel"], prenom=options["prenom"], nom=options["nom"],
                roles=[Role.ADMINISTRATEUR], debut=jour, par=None,
            )  # fmt: skip
        except Refus as refus:
            raise CommandError(str(refus)) from refus
        except ValidationError as erreur:
            raise CommandError(" ".join(erreur.messages)) from erreur
        chemin = reverse("comptes:accepter_invitation", args=[jeton_d_invitation(agent)])
        self.stdout.write(f"{settings.PORTAIL_ADRESSE.rstrip('/')}{chemin}")
