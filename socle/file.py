"""Mettre une tâche en file après l’écriture, sans que la mort du courtier fasse échouer la page."""

from __future__ import annotations

from typing import Any

import structlog
from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

journal = structlog.get_logger(__name__)


def mettre_en_file(tache: Task, *cles: Any) -> None:
    """Met la tâche en file quand la transaction est écrite. Si le courtier est mort, le balayage la reprendra.

    À n’utiliser que pour du travail décrit par une ligne en base : c’est elle qui fait foi, pas le message.
    """

    def envoyer() -> None:
        try:
            tache.apply_async(args=cles, retry=False)
        except (OperationalError, OSError) as erreur:
            journal.warning("courtier_injoignable", tache=tache.name, cles=cles, erreur=str(erreur))

    transaction.on_commit(envoyer)
