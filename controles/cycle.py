"""La vie d’un contrôle, en entier : qui lit cette table sait tout ce qui peut lui arriver."""

from __future__ import annotations

from controles.choix import ETATS_DE_VISITE, ETATS_OUVERTS, Etat, EtatPlan, Geste
from socle.etats import Transition


def _de(*etats: str) -> frozenset[str]:
    return frozenset(etats)


CYCLE: dict[str, Transition] = {
    Geste.NOTIFIER: Transition(_de(Etat.PROGRAMME), Etat.NOTIFIE),
    # depuis « programmé » : la visite inopinée, que seule une autorisation motivée permet (``actions.visite``)
    Geste.COMMENCER: Transition(_de(Etat.PROGRAMME, Etat.NOTIFIE), Etat.EN_COURS),
    Geste.EMETTRE: Transition(_de(Etat.EN_COURS), Etat.CONTRADICTOIRE),
    Geste.RENVOYER: Transition(_de(Etat.CONTRADICTOIRE), Etat.A_CONCLURE),
    Geste.CONSTATER_SILENCE: Transition(_de(Etat.CONTRADICTOIRE), Etat.A_CONCLURE),
    Geste.SIGNER: Transition(_de(Etat.A_CONCLURE), Etat.SUITES),
    Geste.CLORE: Transition(_de(Etat.SUITES), Etat.CLOS),
    Geste.ANNULER: Transition(_de(Etat.PROGRAMME, *ETATS_DE_VISITE), Etat.ANNULE, motif_exige=True),
}

# Les gestes qui écrivent sans changer l’état du contrôle.
SUR_PLACE: dict[str, frozenset[str]] = {
    Geste.PREPARER: _de(Etat.PROGRAMME),
    Geste.AFFECTER: _de(Etat.PROGRAMME, *ETATS_DE_VISITE),
    Geste.AUTORISER_INOPINE: _de(Etat.PROGRAMME),
    Geste.REPORTER: _de(Etat.NOTIFIE),
    Geste.DEMANDER_PIECES: _de(*ETATS_DE_VISITE),
    Geste.REMETTRE: _de(*ETATS_DE_VISITE),
    Geste.SAISIR: _de(Etat.EN_COURS),
    Geste.LIRE: _de(Etat.CONTRADICTOIRE, Etat.A_CONCLURE, Etat.SUITES, Etat.CLOS),
    Geste.REPONDRE: _de(Etat.CONTRADICTOIRE),
    Geste.PROLONGER: _de(Etat.CONTRADICTOIRE),
    Geste.CONCLURE: _de(Etat.A_CONCLURE),
    Geste.SUSPENDRE_VERSEMENTS: _de(*(e for e in ETATS_OUVERTS if e != Etat.PROGRAMME)),
    # ce que le contrôle a retenu peut toujours repartir, même une fois clos ou annulé
    Geste.REPRENDRE_VERSEMENTS: _de(*(e for e in Etat if e != Etat.PROGRAMME)),
    Geste.DECIDER_SUITE: _de(Etat.SUITES),
    Geste.PROPOSER_SANCTION: _de(Etat.SUITES),
    Geste.OBSERVER_SANCTION: _de(Etat.SUITES),
    Geste.DECIDER_SANCTION: _de(Etat.SUITES),
    Geste.SAISIR_AGREMENT: _de(Etat.SUITES),
}

CYCLE_PLAN: dict[str, Transition] = {
    "soumettre": Transition(_de(EtatPlan.EN_PREPARATION), EtatPlan.A_VALIDER),
    "reprendre": Transition(_de(EtatPlan.A_VALIDER), EtatPlan.EN_PREPARATION, motif_exige=True),
    "valider": Transition(_de(EtatPlan.A_VALIDER), EtatPlan.VALIDE),
}
