from celery import shared_task

from documents import production


@shared_task(acks_late=True, reject_on_worker_lost=True)
def produire_acte(acte_pk: int) -> None:
    """Ne reçoit qu’une clé, rejouable sans dommage : la règle est dans ``production``."""
    production.produire(acte_pk)
