from celery import shared_task

from financements import revision


@shared_task(acks_late=True, reject_on_worker_lost=True)
def avancer_recalcul(recalcul_pk: int) -> None:
    """Ne reçoit qu’une clé, rejouable sans dommage : la règle est dans ``revision``."""
    revision.avancer(recalcul_pk)
