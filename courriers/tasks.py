from celery import shared_task

from courriers import envoi


@shared_task(acks_late=True, reject_on_worker_lost=True)
def envoyer(envoi_pk: int) -> None:
    """Ne reçoit qu’une clé, rejouable sans dommage : la règle est dans ``envoi``."""
    envoi.envoyer(envoi_pk)
