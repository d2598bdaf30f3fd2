from celery import shared_task

from courriers import envoi


@shared_task(acks_late=True)
def vider_la_boite_d_envoi() -> None:
    """Chaque minute : ce que le courtier n’a pas fait partir, et ce dont l’heure du prochain essai est venue."""
    for envoi_pk in envoi.a_envoyer():
        envoi.envoyer(envoi_pk)
