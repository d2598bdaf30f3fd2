"""La vie d’une déclaration et celle d’un paiement, en entier."""

from __future__ import annotations

from financements.choix import EtatDeclaration as D
from financements.choix import EtatPaiement as P
from financements.choix import GesteDeclaration, GestePaiement
from socle.etats import Transition

CYCLE_DECLARATION: dict[str, Transition] = {
    GesteDeclaration.DEMANDER_VISA: Transition(frozenset({D.EN_PREPARATION}), D.A_VISER),
    GesteDeclaration.REPRENDRE: Transition(frozenset({D.A_VISER, D.VISEE}), D.EN_PREPARATION),
    GesteDeclaration.VISER: Transition(frozenset({D.A_VISER}), D.VISEE),
    GesteDeclaration.REFUSER_VISA: Transition(frozenset({D.A_VISER}), D.EN_PREPARATION, motif_exige=True),
    GesteDeclaration.DEPOSER: Transition(frozenset({D.VISEE}), D.DEPOSEE),
    GesteDeclaration.DEMANDER_CORRECTION: Transition(frozenset({D.DEPOSEE}), D.A_CORRIGER),
    GesteDeclaration.RENVOYER: Transition(frozenset({D.A_CORRIGER}), D.DEPOSEE),
    GesteDeclaration.VALIDER: Transition(frozenset({D.DEPOSEE}), D.VALIDEE),
}

# Les gestes qui écrivent sans changer l’état.
SAISIE_OUVERTE = frozenset({D.EN_PREPARATION, D.A_CORRIGER})

CYCLE_PAIEMENT: dict[str, Transition] = {
    GestePaiement.VALIDER: Transition(frozenset({P.PROPOSE}), P.VALIDE),
    GestePaiement.ORDONNANCER: Transition(frozenset({P.VALIDE}), P.ORDONNANCE),
    GestePaiement.CONSTATER: Transition(frozenset({P.ORDONNANCE}), P.PAYE),
    GestePaiement.REJETER: Transition(frozenset({P.ORDONNANCE}), P.REJETE, motif_exige=True),
    GestePaiement.ANNULER: Transition(frozenset({P.PROPOSE, P.VALIDE}), P.ANNULE, motif_exige=True),
}
