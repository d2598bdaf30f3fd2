"""Ce que le calendrier déclenche sur les agréments."""

from celery import shared_task
from django.utils import timezone

from agrements.actions.agrements import faire_vivre
from agrements.actions.pieces import rappeler_les_peremptions
from agrements.actions.secteurs import suivre_les_secteurs


@shared_task(acks_late=True)
def faire_vivre_les_agrements() -> None:
    faire_vivre(timezone.localdate())
    suivre_les_secteurs(timezone.localdate())


@shared_task(acks_late=True)
def rappeler_les_pieces_qui_expirent() -> None:
    rappeler_les_peremptions(timezone.localdate())
