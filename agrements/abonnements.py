"""Ce que l’app écoute : une lettre de décision produite vaut notification."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from agrements.actions.notification import notifier
from documents.evenements import acte_produit
from documents.models import Acte


@receiver(acte_produit, dispatch_uid="agrements.notifier_la_decision")
def notifier_la_decision(acte: Acte, **kwargs: Any) -> None:
    notifier(acte)
