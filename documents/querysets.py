from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from documents.models import Acte

# Combien de minutes après la demande le balayage essaie, selon les essais déjà faits : une panne courte se rattrape
# à la minute, une panne longue n’épuise pas les essais.
ATTENTES = (1, 1, 5, 30, 120)
ESSAIS_MAX = len(ATTENTES)


class ActeQuerySet(models.QuerySet["Acte"]):
    def produits(self) -> Self:
        return self.filter(produit_le__isnull=False)

    def en_souffrance(self, le: datetime) -> Self:
        """Demandés, toujours pas produits, et dont l’heure du prochain essai est passée."""
        dus = Q()
        for essais, minutes in enumerate(ATTENTES):
            dus |= Q(essais=essais, demande_le__lt=le - timedelta(minutes=minutes))
        return self.filter(dus, produit_le__isnull=True).order_by("demande_le", "pk")

    def abandonnes(self) -> Self:
        return self.filter(produit_le__isnull=True, essais__gte=ESSAIS_MAX)

    def verrouiller(self, pk: int) -> Acte:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)

    def saisir(self, pk: int) -> Acte | None:
        """Verrouille l’acte s’il reste à produire et si personne ne le tient ; sinon ``None``, sans attendre."""
        return self.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, produit_le__isnull=True).first()
