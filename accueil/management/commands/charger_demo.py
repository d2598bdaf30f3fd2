from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accueil.demo import semer_realisations
from agrements.demo.dossiers import semer_dossiers
from agrements.models import Dossier
from agrements.regimes import publier_les_regimes
from aides.demo.aides import semer_aides
from controles.demo.controles import semer_controles
from controles.demo.plan import semer_plan_en_preparation, semer_plan_valide
from financements.demo.argent import semer_argent
from financements.donneur import donneur
from partenaires.demo.comptes import MOT_DE_PASSE, semer_agents, semer_partenaires
from partenaires.demo.structures import semer_affectations, semer_structures


class Command(BaseCommand):
    help = "Charge les données de démonstration (structures, comptes, dossiers dans tous les états). Une seule fois."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PORTAIL_DEMONSTRATION:
            raise CommandError("Refusé : ce portail n’est pas en démonstration.")
        if Dossier.objects.exists():
            self.stdout.write("Les données de démonstration sont déjà là.")
            return
        condense = make_password(MOT_DE_PASSE)
        with transaction.atomic():  # tout ou rien : un chargement coupé se reprend du début
            structures = semer_structures()
            agents = semer_agents(condense)
            semer_partenaires(structures, condense)
            semer_affectations(agents["charges"], agents["techniciens"])
            publier_les_regimes()
            semer_realisations(agents["charges"][0])
            nombre = semer_dossiers(structures, agents["secretariat"][0])
            declarations = semer_argent(agents, donneur())
            aides = semer_aides(agents)
            semer_plan_valide(agents["controleurs"], agents["responsable"][0])
            controles = semer_controles(agents["controleurs"])
            semer_plan_en_preparation(agents["controleurs"])
        self.stdout.write(
            f"{len(structures)} structures, {nombre} dossiers, {declarations} déclarations, {aides} aides, "
            f"{controles} contrôles."
        )
