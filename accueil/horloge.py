"""Le pouls : la preuve que l’horloge déclenche et que le worker exécute."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

CLE_POULS = "pouls-du-worker"
PERIODE_MAX = 60  # secondes


@shared_task(ignore_result=True)
def battre() -> None:
    cache.set(CLE_POULS, timezone.now().timestamp(), timeout=3600)
