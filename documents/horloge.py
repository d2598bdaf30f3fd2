"""Ce que l’heure déclenche : reprendre les actes laissés en route, analyser les fichiers qui ne l’ont pas été."""

from celery import shared_task

from documents import actions, production


@shared_task(acks_late=True)
def produire_les_actes_en_attente() -> None:
    """Chaque minute."""
    production.produire_en_attente()


@shared_task(acks_late=True)
def analyser_les_fichiers() -> None:
    """Chaque heure : les fichiers reçus quand aucun antivirus n’était branché. Sans antivirus, ne fait rien."""
    actions.analyser_en_attente()
