from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import BaseUserManager
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from comptes.models import Fonction, Utilisateur  # noqa: F401


class UtilisateurManager(BaseUserManager["Utilisateur"]):
    def creer(self, courriel: str, mot_de_passe: str | None = None, **champs: Any) -> Utilisateur:
        """Crée une personne ; sans mot de passe, elle ne peut entrer que par une invitation."""
        utilisateur = self.model(courriel=courriel.strip().lower(), **champs)
        utilisateur.set_password(mot_de_passe)
        utilisateur.full_clean(exclude=["password"])
        utilisateur.save(using=self._db)
        return utilisateur

    def get_by_natural_key(self, courriel: str | None) -> Utilisateur:
        return self.get(courriel__iexact=courriel)


def en_cours_le(jour: date) -> Q:
    """Une période bornée au début, ouverte ou non à la fin (le jour de fin compte encore)."""
    return Q(debut__lte=jour) & (Q(fin__isnull=True) | Q(fin__gte=jour))


class FonctionQuerySet(models.QuerySet["Fonction"]):
    def en_cours(self, le: date) -> Self:
        return self.filter(en_cours_le(le))
