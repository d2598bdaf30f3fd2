from __future__ import annotations

from agrements import annonces
from agrements.actes import decision_de
from agrements.actions.franchir import consigner
from agrements.choix import Geste
from documents.models import Acte


def notifier(acte: Acte) -> None:
    """Écrit la notification au journal et prévient la structure, dans la transaction qui produit la lettre."""
    decision = decision_de(acte)
    if decision is None:
        return
    consigner(decision.dossier, Geste.NOTIFIER, par=None, details={"acte": acte.code})
    if decision.lue_le is None:
        annonces.notification_prete(decision)
