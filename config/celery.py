import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.demo")
app = Celery("portail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="horloge")


@setup_logging.connect
def journaliser_comme_le_web(**_: Any) -> None:
    """Sans ce branchement, Celery remplace le journal JSON par le sien, et y écrit les événements en vrac."""
    from django.conf import settings  # noqa: PLC0415 — les réglages ne se lisent qu’une fois l’environnement posé

    logging.config.dictConfig(settings.LOGGING)
