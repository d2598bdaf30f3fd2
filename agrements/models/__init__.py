from agrements.models.agrements import Agrement, EvenementAgrement
from agrements.models.decisions import AvisInstruction, Decision, Passage, Seance
from agrements.models.dossiers import Dossier, EvenementDossier, Reponse, VersionDossier, Visa
from agrements.models.instruction import Citation, DemandeComplements, EvaluationCritere, Remarque
from agrements.models.pieces import Piece, PieceJointe
from agrements.models.procedures import ProcedureAgrement
from agrements.models.regimes import VersionRegime
from agrements.models.vues import VueEnregistree

__all__ = [
    "Agrement",
    "AvisInstruction",
    "Citation",
    "Decision",
    "DemandeComplements",
    "Dossier",
    "EvaluationCritere",
    "EvenementAgrement",
    "EvenementDossier",
    "Passage",
    "Piece",
    "PieceJointe",
    "ProcedureAgrement",
    "Remarque",
    "Reponse",
    "Seance",
    "VersionDossier",
    "VersionRegime",
    "Visa",
    "VueEnregistree",
]
