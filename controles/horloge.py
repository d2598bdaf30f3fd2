"""Ce que le calendrier commande aux contrôles : silences constatés, échéances rappelées. Chaque geste est rejouable."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from controles.actions.contradictoire import suivre_les_delais
from controles.actions.recommandations import rappeler_les_echeances


@shared_task(acks_late=True)
def suivre_les_controles() -> None:
    suivre_les_delais(timezone.localdate())
    rappeler_les_echeances(timezone.localdate())
