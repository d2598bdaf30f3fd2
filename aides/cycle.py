"""La vie d’une demande d’aide, en entier : qui lit cette table sait tout ce qui peut lui arriver."""

from __future__ import annotations

from aides.choix import ETATS_ACCORDES, ETATS_PRIVES, Etat, Geste
from socle.etats import Transition


def _de(*etats: str) -> frozenset[str]:
    return frozenset(etats)


CYCLE: dict[str, Transition] = {
    Geste.DEMANDER_VISA: Transition(_de(Etat.EN_PREPARATION), Etat.A_VISER),
    Geste.REPRENDRE: Transition(_de(Etat.A_VISER, Etat.VISEE), Etat.EN_PREPARATION),
    Geste.VISER: Transition(_de(Etat.A_VISER), Etat.VISEE),
    Geste.REFUSER_VISA: Transition(_de(Etat.A_VISER), Etat.EN_PREPARATION, motif_exige=True),
    Geste.DEPOSER: Transition(_de(Etat.VISEE), Etat.DEPOSEE),
    Geste.RETIRER: Transition(
        _de(*ETATS_PRIVES, Etat.DEPOSEE, Etat.INCOMPLETE, Etat.INSTRUITE, Etat.AJOURNEE),
        Etat.RETIREE,
        motif_exige=True,
    ),
    Geste.DEMANDER_COMPLEMENTS: Transition(_de(Etat.DEPOSEE), Etat.INCOMPLETE, motif_exige=True),
    Geste.RENVOYER: Transition(_de(Etat.INCOMPLETE), Etat.DEPOSEE),
    Geste.DECLARER_IRRECEVABLE: Transition(_de(Etat.DEPOSEE, Etat.INCOMPLETE), Etat.IRRECEVABLE, motif_exige=True),
    Geste.PROPOSER: Transition(_de(Etat.DEPOSEE), Etat.INSTRUITE, motif_exige=True),
    Geste.REPRENDRE_INSTRUCTION: Transition(_de(Etat.INSTRUITE, Etat.AJOURNEE), Etat.DEPOSEE, motif_exige=True),
    Geste.INSCRIRE: Transition(_de(Etat.INSTRUITE), Etat.INSCRITE),
    Geste.DESINSCRIRE: Transition(_de(Etat.INSCRITE), Etat.INSTRUITE, motif_exige=True),
    Geste.ACCORDER: Transition(_de(Etat.INSCRITE), Etat.ACCORDEE),
    Geste.AJOURNER: Transition(_de(Etat.INSCRITE), Etat.AJOURNEE, motif_exige=True),
    Geste.REFUSER: Transition(_de(Etat.INSCRITE), Etat.REFUSEE, motif_exige=True),
    Geste.SOLDER: Transition(_de(Etat.ACCORDEE), Etat.SOLDEE),
    Geste.CONSTATER_CADUCITE: Transition(_de(Etat.ACCORDEE), Etat.CADUQUE),
}

# Les gestes qui écrivent sans changer l’état de la demande.
SUR_PLACE: dict[str, frozenset[str]] = {
    Geste.REDIGER: _de(Etat.EN_PREPARATION, Etat.INCOMPLETE),
    Geste.JOINDRE: _de(Etat.EN_PREPARATION, Etat.INCOMPLETE),
    Geste.RETENIR: _de(Etat.DEPOSEE),
    Geste.AUTORISER_DEMARRAGE: _de(Etat.DEPOSEE, Etat.INCOMPLETE, Etat.INSTRUITE, Etat.INSCRITE, Etat.AJOURNEE),
    Geste.LIRE_NOTIFICATION: _de(Etat.ACCORDEE, Etat.AJOURNEE, Etat.REFUSEE, Etat.SOLDEE, Etat.CADUQUE),
    Geste.VERSER: _de(Etat.ACCORDEE),
    Geste.FACTURER: _de(Etat.ACCORDEE),
    Geste.VALIDER_FACTURE: _de(Etat.ACCORDEE),
    Geste.PROROGER: _de(Etat.ACCORDEE),
    Geste.RENDRE_BILAN: _de(*ETATS_ACCORDES),
    Geste.ACCEPTER_BILAN: _de(*ETATS_ACCORDES),
    Geste.ATTESTER_DESTINATION: _de(*ETATS_ACCORDES),
    Geste.ROMPRE_DESTINATION: _de(*ETATS_ACCORDES),
    Geste.SIGNER_PRET: _de(Etat.ACCORDEE),
    Geste.GERER_PRET: _de(Etat.ACCORDEE, Etat.SOLDEE),
    Geste.ENREGISTRER_RENDU: _de(*ETATS_ACCORDES),
}
