from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from partenaires.querysets import structures_de
from senacs.choix import EtatContribution

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from senacs.models import Contribution


class ContributionQuerySet(models.QuerySet["Contribution"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        if utilisateur.est_agent:
            return self
        return self.filter(structure__in=structures_de(utilisateur))

    def faites(self) -> Self:
        return self.filter(etat=EtatContribution.CONTRIBUEE)

    def pour_liste(self) -> Self:
        return self.select_related("structure__commune__epci", "structure__gestionnaire", "campagne", "preuve")

    def verrouiller(self, pk: int) -> Contribution:
        return self.select_for_update(of=("self",), no_key=True).select_related("structure", "campagne").get(pk=pk)
