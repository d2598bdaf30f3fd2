from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef

from courriers.choix import EtatEnvoi

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from courriers.models import Envoi, Message  # noqa: F401


class EnvoiQuerySet(models.QuerySet["Envoi"]):
    def a_envoyer(self, le: datetime) -> Self:
        return self.filter(etat=EtatEnvoi.A_ENVOYER, prochain_essai_le__lte=le).order_by("prochain_essai_le", "pk")

    def saisir(self, pk: int) -> Envoi | None:
        """Verrouille l’envoi s’il reste à faire et si personne ne le tient ; sinon ``None``, sans attendre."""
        return self.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, etat=EtatEnvoi.A_ENVOYER).first()


class MessageQuerySet(models.QuerySet["Message"]):
    def du_fil(self, fil: str, *, avec_internes: bool) -> Self:
        """Les messages d’un fil, dans l’ordre ; sans les notes internes pour qui n’est pas de la Caf."""
        messages = self.filter(fil_id=fil).select_related("auteur", "piece")
        return messages if avec_internes else messages.filter(interne=False)

    def non_lus_par(self, utilisateur: Utilisateur) -> Self:
        """Écrits par d’autres après sa dernière lecture du fil. Une requête, quel que soit le nombre de fils."""
        lectures = utilisateur.lectures.filter(fil=OuterRef("fil"), dernier__gte=OuterRef("pk"))
        return self.exclude(auteur=utilisateur).exclude(Exists(lectures))
