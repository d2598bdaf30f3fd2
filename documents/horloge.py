"""Ce que la minute déclenche : reprendre les actes qu’un worker mort ou un courtier muet a laissés."""

from celery import shared_task

from documents import production


@shared_task(acks_late=True)
def produire_les_actes_en_attente() -> None:
    for acte_pk in production.en_attente():
        production.produire(acte_pk)
