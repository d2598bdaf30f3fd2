from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse


class VueEnregistree(models.Model):
    """Un filtre de la liste des dossiers qu’un agent a nommé pour le retrouver ; il n’est qu’à lui.

    ``filtre`` : la partie de l’adresse qui porte les filtres (« etat=depose&suivi=moi »), sans la page.
    """

    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="vues_enregistrees", on_delete=models.CASCADE
    )
    nom = models.CharField("nom", max_length=60)
    filtre = models.CharField("filtre", max_length=500)

    class Meta:
        verbose_name = "vue enregistrée"
        verbose_name_plural = "vues enregistrées"
        ordering = ["nom", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["utilisateur", "nom"],
                name="vue_enregistree_un_nom_par_personne",
                violation_error_message="Vous avez déjà une vue de ce nom : choisissez-en un autre.",
            ),
            models.CheckConstraint(name="vue_enregistree_nommee", condition=~Q(nom="")),
        ]

    def __str__(self) -> str:
        return self.nom

    def get_absolute_url(self) -> str:
        return f"{reverse('agrements:liste')}?{self.filtre}"
