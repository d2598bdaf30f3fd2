from django.db import models


class StatutJuridique(models.TextChoices):
    ASSOCIATION = "association", "association"
    COMMUNE = "commune", "commune"
    CCAS = "ccas", "centre communal d’action sociale"
    EPCI = "epci", "intercommunalité"
    CIAS = "cias", "centre intercommunal d’action sociale"
    SYNDICAT = "syndicat", "syndicat"
    AUTRE = "autre", "autre organisme"


STATUTS_PUBLICS = frozenset(set(StatutJuridique) - {StatutJuridique.ASSOCIATION, StatutJuridique.AUTRE})


class TypeStructure(models.TextChoices):
    CENTRE_SOCIAL = "centre_social", "centre social"
    EVS = "evs", "espace de vie sociale"


class GestePartenaire(models.TextChoices):
    """Ce qui s’écrit au journal d’une structure ou d’un gestionnaire."""

    CREER = "creer", "création de la fiche"
    MODIFIER = "modifier", "modification de la fiche"
    HABILITER = "habiliter", "ouverture d’un accès"
    FERMER_ACCES = "fermer_acces", "fermeture d’un accès"
    PASSER_DIRECTION = "passer_direction", "passation de direction"
    AFFECTER = "affecter", "changement d’interlocuteur Caf"
