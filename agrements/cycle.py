"""La vie d’un dossier, puis celle d’un agrément, en entier : qui lit ces tables sait tout ce qui peut arriver.

Source des états : ``docs/glossaire.md`` (vocabulaire professionnel des Caf ; circulaire Cnaf 2012-013 pour les étapes).
"""

from __future__ import annotations

from agrements.choix import ETATS_PRIVES, Etat, EtatAgrement, Geste, GesteAgrement
from socle.etats import Transition


def _de(*etats: Etat) -> frozenset[str]:
    return frozenset(etats)


CYCLE: dict[str, Transition] = {
    Geste.DEMANDER_VISA: Transition(_de(Etat.EN_PREPARATION), Etat.A_VISER),
    Geste.REPRENDRE: Transition(_de(Etat.A_VISER, Etat.VISE), Etat.EN_PREPARATION),
    Geste.VISER: Transition(_de(Etat.A_VISER), Etat.VISE),
    Geste.REFUSER_VISA: Transition(_de(Etat.A_VISER), Etat.EN_PREPARATION, motif_exige=True),
    Geste.DEPOSER: Transition(_de(Etat.VISE), Etat.DEPOSE),
    Geste.RETIRER: Transition(
        _de(*ETATS_PRIVES, Etat.DEPOSE, Etat.INCOMPLET, Etat.EN_INSTRUCTION, Etat.INSTRUIT, Etat.AJOURNE),
        Etat.RETIRE,
        motif_exige=True,
    ),
    Geste.DECLARER_COMPLET: Transition(_de(Etat.DEPOSE), Etat.EN_INSTRUCTION),
    Geste.DEMANDER_COMPLEMENTS: Transition(_de(Etat.DEPOSE, Etat.EN_INSTRUCTION), Etat.INCOMPLET),
    Geste.RENVOYER: Transition(_de(Etat.INCOMPLET), Etat.DEPOSE),
    Geste.DECLARER_IRRECEVABLE: Transition(_de(Etat.DEPOSE, Etat.INCOMPLET), Etat.IRRECEVABLE, motif_exige=True),
    Geste.RENDRE_AVIS: Transition(_de(Etat.EN_INSTRUCTION), Etat.INSTRUIT),
    Geste.REPRENDRE_INSTRUCTION: Transition(_de(Etat.INSTRUIT, Etat.AJOURNE), Etat.EN_INSTRUCTION, motif_exige=True),
    Geste.INSCRIRE_CAS: Transition(_de(Etat.INSTRUIT), Etat.INSCRIT_CAS),
    Geste.RETIRER_CAS: Transition(_de(Etat.INSCRIT_CAS), Etat.INSTRUIT, motif_exige=True),
    Geste.RENDRE_AVIS_CAS: Transition(_de(Etat.INSCRIT_CAS), Etat.AVIS_CAS),
    Geste.INSCRIRE_CA: Transition(_de(Etat.AVIS_CAS), Etat.INSCRIT_CA),
    Geste.RETIRER_CA: Transition(_de(Etat.INSCRIT_CA), Etat.AVIS_CAS, motif_exige=True),
    Geste.AGREER: Transition(_de(Etat.INSCRIT_CA), Etat.AGREE),
    Geste.AGREER_RESERVES: Transition(_de(Etat.INSCRIT_CA), Etat.AGREE_RESERVES, motif_exige=True),
    Geste.AJOURNER: Transition(_de(Etat.INSCRIT_CA), Etat.AJOURNE, motif_exige=True),
    Geste.REFUSER: Transition(_de(Etat.INSCRIT_CA), Etat.REFUSE, motif_exige=True),
}

# Les gestes qui écrivent sans changer l’état du dossier.
SUR_PLACE: dict[str, frozenset[str]] = {
    Geste.REDIGER: _de(Etat.EN_PREPARATION, Etat.INCOMPLET),
    Geste.JOINDRE: _de(Etat.EN_PREPARATION, Etat.INCOMPLET),
    Geste.PREPARER_REMARQUE: _de(Etat.DEPOSE, Etat.EN_INSTRUCTION),
    Geste.EVALUER: _de(Etat.DEPOSE, Etat.EN_INSTRUCTION),
    Geste.AFFECTER: frozenset(set(Etat) - set(ETATS_PRIVES)),
    Geste.NOTIFIER: _de(Etat.AGREE, Etat.AGREE_RESERVES, Etat.AJOURNE, Etat.REFUSE),
    Geste.LIRE_NOTIFICATION: _de(Etat.AGREE, Etat.AGREE_RESERVES, Etat.AJOURNE, Etat.REFUSE),
}

_VIVANT: frozenset[str] = frozenset({EtatAgrement.A_VENIR, EtatAgrement.EN_COURS, EtatAgrement.SUSPENDU})

CYCLE_AGREMENT: dict[str, Transition] = {
    GesteAgrement.OUVRIR: Transition(frozenset({EtatAgrement.A_VENIR}), EtatAgrement.EN_COURS),
    GesteAgrement.ECHOIR: Transition(frozenset({EtatAgrement.EN_COURS, EtatAgrement.SUSPENDU}), EtatAgrement.ECHU),
    GesteAgrement.RENOUVELER: Transition(frozenset({EtatAgrement.EN_COURS, EtatAgrement.ECHU}), EtatAgrement.RENOUVELE),
    GesteAgrement.SUSPENDRE: Transition(frozenset({EtatAgrement.EN_COURS}), EtatAgrement.SUSPENDU, motif_exige=True),
    GesteAgrement.LEVER_SUSPENSION: Transition(
        frozenset({EtatAgrement.SUSPENDU}), EtatAgrement.EN_COURS, motif_exige=True
    ),
    GesteAgrement.RETIRER: Transition(_VIVANT, EtatAgrement.RETIRE, motif_exige=True),
}

# Les gestes qui écrivent sans changer l’état de l’agrément.
SUR_PLACE_AGREMENT: dict[str, frozenset[str]] = {
    GesteAgrement.OUVRIR_PROCEDURE: _VIVANT,
    GesteAgrement.OBSERVER: _VIVANT,
    GesteAgrement.CLORE_PROCEDURE: frozenset(EtatAgrement),
}
