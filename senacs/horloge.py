"""Ce que le calendrier déclenche pour Senacs."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from senacs.actions import suivre_le_calendrier


@shared_task(acks_late=True)
def relancer() -> None:
    suivre_le_calendrier(timezone.localdate())
