"""Ce que le calendrier déclenche sur l’argent : recalculs à reprendre ou à ouvrir, relances des campagnes."""

from celery import shared_task
from django.utils import timezone

from financements import revision
from financements.actions import recalculs, relances
from financements.tasks import avancer_recalcul
from socle.file import mettre_en_file


@shared_task(acks_late=True)
def reprendre_les_recalculs() -> None:
    """Chaque minute."""
    for cle in revision.a_reprendre():
        mettre_en_file(avancer_recalcul, cle)


@shared_task(acks_late=True)
def ouvrir_les_recalculs() -> None:
    """Chaque heure."""
    recalculs.lancer_les_recalculs_dus(timezone.localdate())


@shared_task(acks_late=True)
def relancer() -> None:
    """Chaque heure : les relances du jour, une fois par échéance, personne et type."""
    relances.envoyer(timezone.localdate())
