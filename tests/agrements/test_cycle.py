"""La table du cycle, lue en entier : chaque geste depuis chaque état, sans base."""

import pytest

from agrements.choix import ETATS_PRIVES, LIBELLES_PARTENAIRE, Etat, EtatAgrement, Geste, GesteAgrement
from agrements.cycle import CYCLE, CYCLE_AGREMENT, SUR_PLACE, SUR_PLACE_AGREMENT
from agrements.droits import REGLES
from agrements.etapes import _PHRASES
from socle.etats import MotifManquant, TransitionInterdite, arrivee

ARRIVEES = {
    (Geste.DEMANDER_VISA, Etat.EN_PREPARATION): Etat.A_VISER,
    (Geste.REPRENDRE, Etat.A_VISER): Etat.EN_PREPARATION,
    (Geste.REPRENDRE, Etat.VISE): Etat.EN_PREPARATION,
    (Geste.VISER, Etat.A_VISER): Etat.VISE,
    (Geste.REFUSER_VISA, Etat.A_VISER): Etat.EN_PREPARATION,
    (Geste.DEPOSER, Etat.VISE): Etat.DEPOSE,
    (Geste.RETIRER, Etat.EN_PREPARATION): Etat.RETIRE,
    (Geste.RETIRER, Etat.A_VISER): Etat.RETIRE,
    (Geste.RETIRER, Etat.VISE): Etat.RETIRE,
    (Geste.RETIRER, Etat.DEPOSE): Etat.RETIRE,
    (Geste.RETIRER, Etat.INCOMPLET): Etat.RETIRE,
    (Geste.RETIRER, Etat.EN_INSTRUCTION): Etat.RETIRE,
    (Geste.RETIRER, Etat.INSTRUIT): Etat.RETIRE,
    (Geste.RETIRER, Etat.AJOURNE): Etat.RETIRE,
    (Geste.DECLARER_COMPLET, Etat.DEPOSE): Etat.EN_INSTRUCTION,
    (Geste.DEMANDER_COMPLEMENTS, Etat.DEPOSE): Etat.INCOMPLET,
    (Geste.DEMANDER_COMPLEMENTS, Etat.EN_INSTRUCTION): Etat.INCOMPLET,
    (Geste.RENVOYER, Etat.INCOMPLET): Etat.DEPOSE,
    (Geste.DECLARER_IRRECEVABLE, Etat.DEPOSE): Etat.IRRECEVABLE,
    (Geste.DECLARER_IRRECEVABLE, Etat.INCOMPLET): Etat.IRRECEVABLE,
    (Geste.RENDRE_AVIS, Etat.EN_INSTRUCTION): Etat.INSTRUIT,
    (Geste.REPRENDRE_INSTRUCTION, Etat.INSTRUIT): Etat.EN_INSTRUCTION,
    (Geste.REPRENDRE_INSTRUCTION, Etat.AJOURNE): Etat.EN_INSTRUCTION,
    (Geste.INSCRIRE_CAS, Etat.INSTRUIT): Etat.INSCRIT_CAS,
    (Geste.RETIRER_CAS, Etat.INSCRIT_CAS): Etat.INSTRUIT,
    (Geste.RENDRE_AVIS_CAS, Etat.INSCRIT_CAS): Etat.AVIS_CAS,
    (Geste.INSCRIRE_CA, Etat.AVIS_CAS): Etat.INSCRIT_CA,
    (Geste.RETIRER_CA, Etat.INSCRIT_CA): Etat.AVIS_CAS,
    (Geste.AGREER, Etat.INSCRIT_CA): Etat.AGREE,
    (Geste.AGREER_RESERVES, Etat.INSCRIT_CA): Etat.AGREE_RESERVES,
    (Geste.AJOURNER, Etat.INSCRIT_CA): Etat.AJOURNE,
    (Geste.REFUSER, Etat.INSCRIT_CA): Etat.REFUSE,
}


@pytest.mark.parametrize("etat", Etat)
@pytest.mark.parametrize("geste", CYCLE)
def test_tout_geste_depuis_tout_etat(geste, etat):
    if (geste, etat) in ARRIVEES:
        assert arrivee(CYCLE, geste, etat, motif="parce que") == ARRIVEES[geste, etat]
    else:
        with pytest.raises(TransitionInterdite):
            arrivee(CYCLE, geste, etat, motif="parce que")


@pytest.mark.parametrize(
    "geste",
    [
        Geste.REFUSER_VISA, Geste.RETIRER, Geste.DECLARER_IRRECEVABLE, Geste.REPRENDRE_INSTRUCTION, Geste.RETIRER_CAS,
        Geste.RETIRER_CA, Geste.AGREER_RESERVES, Geste.AJOURNER, Geste.REFUSER,
    ],
)  # fmt: skip
def test_un_geste_defavorable_ou_qui_revient_en_arriere_est_motive(geste):
    etat = next(iter(CYCLE[geste].depuis))

    with pytest.raises(MotifManquant):
        arrivee(CYCLE, geste, etat, motif="  ")


def test_tout_etat_a_un_mot_pour_chaque_public():
    assert set(LIBELLES_PARTENAIRE) == set(Etat)


def test_tout_geste_a_une_regle_de_droit_et_une_phrase_au_journal():
    sans_regle = set(CYCLE) | set(SUR_PLACE)
    assert sans_regle - set(REGLES) == {Geste.NOTIFIER}  # le portail lui-même
    au_journal = set(Geste) - {Geste.REDIGER, Geste.PREPARER_REMARQUE, Geste.EVALUER}
    assert au_journal - set(_PHRASES) == set()


def test_on_ne_revient_jamais_d_un_depot_vers_un_etat_prive():
    for transition in CYCLE.values():
        if transition.vers in ETATS_PRIVES:
            assert transition.depuis <= set(ETATS_PRIVES)


def test_tout_geste_sur_un_agrement_est_dans_une_table_et_une_seule():
    assert set(CYCLE_AGREMENT) | set(SUR_PLACE_AGREMENT) == set(GesteAgrement)
    assert not set(CYCLE_AGREMENT) & set(SUR_PLACE_AGREMENT)


@pytest.mark.parametrize("etat", EtatAgrement)
@pytest.mark.parametrize("geste", CYCLE_AGREMENT)
def test_un_agrement_retire_ne_bouge_plus(geste, etat):
    if etat in (EtatAgrement.RETIRE, EtatAgrement.RENOUVELE):
        with pytest.raises(TransitionInterdite):
            arrivee(CYCLE_AGREMENT, geste, etat, motif="parce que")
    elif etat in CYCLE_AGREMENT[geste].depuis:
        assert arrivee(CYCLE_AGREMENT, geste, etat, motif="parce que") in EtatAgrement.values
