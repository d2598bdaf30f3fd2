"""Les mots du suivi de Senacs, l’enquête annuelle de la Cnaf et de la fédération des centres sociaux (domaine G.3)."""

from django.db import models


class EtatContribution(models.TextChoices):
    A_FAIRE = "a_faire", "À faire"
    EN_COURS = "en_cours", "En cours"
    CONTRIBUEE = "contribuee", "Contribuée"


FAMILLES: dict[str, str] = {
    EtatContribution.A_FAIRE: "attente",
    EtatContribution.EN_COURS: "cours",
    EtatContribution.CONTRIBUEE: "succes",
}


class GesteSenacs(models.TextChoices):
    OUVRIR = "ouvrir", "relevé ouvert"
    REPONDRE = "repondre", "réponse complétée"
    CONTRIBUER = "contribuer", "contribution déclarée"
    ROUVRIR = "rouvrir", "contribution rouverte"
    RELANCER = "relancer", "relance envoyée"
