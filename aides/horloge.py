"""Ce que le calendrier commande : délais, bilans, attestations. Chaque geste est rejouable."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from aides.actions.calendrier import suivre_le_calendrier
from aides.actions.secteurs import suivre_les_secteurs


@shared_task(acks_late=True)
def suivre_les_aides() -> None:
    suivre_le_calendrier(timezone.localdate())
    suivre_les_secteurs(timezone.localdate())
