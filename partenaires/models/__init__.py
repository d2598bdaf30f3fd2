from partenaires.models.affectations import AffectationCommune, AffectationGestionnaire, Suppleance
from partenaires.models.habilitations import Habilitation, habilitations_du_jour, roles_dans_la_structure
from partenaires.models.journal import EvenementPartenaire
from partenaires.models.public import DemandeContact, Realisation
from partenaires.models.structures import Contact, Gestionnaire, Structure
from partenaires.models.territoire import Commune, CommuneDeleguee, Epci, QuartierPrioritaire

__all__ = [
    "AffectationCommune",
    "AffectationGestionnaire",
    "Commune",
    "CommuneDeleguee",
    "Contact",
    "DemandeContact",
    "Epci",
    "EvenementPartenaire",
    "Gestionnaire",
    "Habilitation",
    "QuartierPrioritaire",
    "Realisation",
    "Structure",
    "Suppleance",
    "habilitations_du_jour",
    "roles_dans_la_structure",
]
