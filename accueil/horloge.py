"""Le pouls : la preuve que l’horloge déclenche et que le worker exécute."""

from typing import Any

from celery import shared_task
from celery.signals import beat_init
from django.core.cache import cache
from django.utils import timezone

from socle.file import mettre_en_file

CLE_POULS = "pouls-du-worker"
PERIODE_MAX = 60  # secondes


@shared_task(ignore_result=True)
def battre() -> None:
    cache.set(CLE_POULS, timezone.now().timestamp(), timeout=3600)


@beat_init.connect(dispatch_uid="accueil.premier_pouls")
def demander_le_premier(**_: Any) -> None:
    """Sans attendre le premier tour de l’horloge : ``/sante/`` dit vrai dès que le portail est prêt."""
    mettre_en_file(battre)
