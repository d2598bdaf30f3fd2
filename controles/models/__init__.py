from controles.models.constats import Constat, PieceReponse, Prolongation, ReponseConstat
from controles.models.controles import Controle, EvenementControle, PieceDemandee, PieceRemise
from controles.models.plans import LignePlan, PlanControle
from controles.models.regles import ReglesControle
from controles.models.suites import Recommandation, Sanction, SuiteFinanciere, SuiviRecommandation
from controles.models.visite import OperationVisite, PhotoControle, PointControle, SaisieVisite

__all__ = [
    "Constat",
    "Controle",
    "EvenementControle",
    "LignePlan",
    "OperationVisite",
    "PhotoControle",
    "PieceDemandee",
    "PieceRemise",
    "PieceReponse",
    "PlanControle",
    "PointControle",
    "Prolongation",
    "Recommandation",
    "ReglesControle",
    "ReponseConstat",
    "SaisieVisite",
    "Sanction",
    "SuiteFinanciere",
    "SuiviRecommandation",
]
