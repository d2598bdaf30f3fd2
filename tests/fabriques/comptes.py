from __future__ import annotations

from datetime import date

import factory

from comptes.choix import Role
from comptes.models import Fonction, Utilisateur

MOT_DE_PASSE = "une phrase assez longue"


class UtilisateurFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Utilisateur
        skip_postgeneration_save = True

    prenom = "Camille"
    nom = factory.Sequence(lambda n: f"Personne {n}")
    courriel = factory.Sequence(lambda n: f"personne{n}@exemple.invalid")

    @factory.post_generation
    def mot_de_passe(self, create, extracted, **kwargs):
        self.set_password(extracted or MOT_DE_PASSE)
        self.save(update_fields=["password"])


def agent(*roles: Role, **champs) -> Utilisateur:
    """Une personne de la Caf, qui tient ces rôles depuis toujours."""
    personne = UtilisateurFactory(**champs)
    for role in roles:
        Fonction.objects.create(utilisateur=personne, role=role, debut=date(2020, 1, 1))
    return personne
