from financements.models.baremes import Bareme, Prestation, ReglesDePaiement
from financements.models.conventions import Convention
from financements.models.declarations import (
    Campagne,
    CleRepartition,
    Declaration,
    EvenementDeclaration,
    ImportComptes,
    RemarqueDeclaration,
    Saisie,
    VersionDeclaration,
)
from financements.models.droits import Derogation, Droit, VersionDroit
from financements.models.paiements import EvenementPaiement, Indu, Lot, Paiement, Recouvrement
from financements.models.recalculs import LigneRecalcul, Recalcul
from financements.models.reglages import EvenementReglage
from financements.models.scenarios import Scenario

__all__ = [
    "Bareme",
    "Campagne",
    "CleRepartition",
    "Convention",
    "Declaration",
    "Derogation",
    "Droit",
    "EvenementDeclaration",
    "EvenementPaiement",
    "EvenementReglage",
    "ImportComptes",
    "Indu",
    "LigneRecalcul",
    "Lot",
    "Paiement",
    "Prestation",
    "Recalcul",
    "Recouvrement",
    "ReglesDePaiement",
    "RemarqueDeclaration",
    "Saisie",
    "Scenario",
    "VersionDeclaration",
    "VersionDroit",
]
