from django.db import models


class Role(models.TextChoices):
    """Ce qu’une personne est pour le portail. Les trois premiers valent pour une structure, les autres pour la Caf."""

    DIRECTION = "direction", "direction de structure"
    REPRESENTANT_LEGAL = "representant_legal", "représentant légal"
    SAISIE = "saisie", "aide à la saisie"
    CHARGE_CONSEIL = "charge_conseil", "chargé de conseil et de développement"
    TECHNICIEN_CONSEIL = "technicien_conseil", "technicien conseil"
    CONTROLEUR = "controleur", "contrôleur"
    SECRETARIAT = "secretariat", "secrétariat des instances"
    RESPONSABLE = "responsable", "responsable"
    ADMINISTRATEUR = "administrateur", "administrateur fonctionnel"


class GesteCompte(models.TextChoices):
    """Ce que l’administrateur fonctionnel fait du compte d’un agent."""

    INVITER = "inviter", "compte ouvert, invitation envoyée"
    RENVOYER = "renvoyer", "invitation renvoyée"
    DONNER_ROLE = "donner_role", "rôle donné"
    RETIRER_ROLE = "retirer_role", "rôle retiré"
    OUBLIER_SECOND_FACTEUR = "oublier_second_facteur", "second facteur oublié"
    FERMER = "fermer", "compte fermé"
    ROUVRIR = "rouvrir", "compte rouvert"


ROLES_PARTENAIRE = frozenset({Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE})
ROLES_CAF = frozenset(Role) - ROLES_PARTENAIRE
