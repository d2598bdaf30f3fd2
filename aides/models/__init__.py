from aides.models.decisions import AvisAide, DecisionAide
from aides.models.demandes import (
    ComplementsDemandes,
    Demande,
    Depense,
    EvenementDemande,
    Financement,
    PieceDemande,
    ReponseAide,
    VersionDemande,
)
from aides.models.dispositifs import Dispositif, VersionDispositif
from aides.models.enveloppes import Enveloppe, LigneAllocation, MouvementEnveloppe, ScenarioAllocation
from aides.models.prets import EcheancePret, LotPrelevement, Pret, RemboursementAnticipe
from aides.models.suites import (
    AttestationDestination,
    BilanAide,
    ConventionAide,
    Facture,
    Prorogation,
    SommeARendre,
)

__all__ = [
    "AttestationDestination",
    "AvisAide",
    "BilanAide",
    "ComplementsDemandes",
    "ConventionAide",
    "DecisionAide",
    "Demande",
    "Depense",
    "Dispositif",
    "EcheancePret",
    "Enveloppe",
    "EvenementDemande",
    "Facture",
    "Financement",
    "LigneAllocation",
    "LotPrelevement",
    "MouvementEnveloppe",
    "PieceDemande",
    "Pret",
    "Prorogation",
    "RemboursementAnticipe",
    "ReponseAide",
    "ScenarioAllocation",
    "SommeARendre",
    "VersionDemande",
    "VersionDispositif",
]
