from celery import shared_task

from courriers import envoi


@shared_task(acks_late=True)
def envoyer(envoi_pk: int) -> None:
    envoi.envoyer(envoi_pk)
