from django.db import models


class EtatEnvoi(models.TextChoices):
    A_ENVOYER = "a_envoyer", "à envoyer"
    ENVOYE = "envoye", "envoyé"
    ABANDONNE = "abandonne", "abandonné après trop d’essais"
