"""Le score de risque se lit en mots : chaque point dit sa mesure, et ce que le portail ignore se dit à part."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controles.referentiel import CRITERES, Critere, Poids, ReglesIncoherentes, lire_echelle, lire_poids
from controles.risque import Raison, Situation, evaluer

POIDS = (
    Poids(Critere.ECART_REEL, D(10), 1),
    Poids(Critere.ECART_REEL, D(15), 2),
    Poids(Critere.ECART_REEL, D(30), 4),
    Poids(Critere.JAMAIS_CONTROLEE, D(0), 3),
    Poids(Critere.ANCIENNETE, D(4), 2),
    Poids(Critere.ENJEU, D(60_000), 1),
    Poids(Critere.ANOMALIES, D(1), 2),
    Poids(Critere.RECOMMANDATIONS, D(1), 2),
    Poids(Critere.DIRECTION, D(18), 1),
    Poids(Critere.RETARDS, D(1), 1),
    Poids(Critere.FORCAGES, D(1), 2),
)
SAGE = Situation(
    ecart_reel=D(3), exercice_ecart=2025, dernier_controle=date(2025, 5, 4), annees_sans_controle=1, enjeu=D(20_000),
    exercice_enjeu=2025, mois_de_direction=60,
)  # fmt: skip


def test_une_structure_sans_rien_a_dire_a_zero_point_et_rien_d_inconnu():
    score = evaluer(SAGE, POIDS)
    assert (score.points, score.raisons, score.inconnues) == (0, (), ())


def test_chaque_point_dit_sa_mesure_la_plus_lourde_d_abord():
    situation = replace(
        SAGE, ecart_reel=D("18.2"), enjeu=D(61_000), anomalies=2, recommandations=1, retards=3, forcages=1,
        dernier_controle=date(2021, 3, 1), annees_sans_controle=5, direction_depuis=date(2026, 9, 1), mois_de_direction=2,
    )  # fmt: skip
    score = evaluer(situation, POIDS)
    assert [(r.points, r.phrase) for r in score.raisons] == [
        (2, "écart de 18,2\u00a0% entre le prévisionnel et le réel 2025"),
        (2, "dernier contrôle le 1er\u00a0mars\u00a02021"),
        (2, "2 anomalies au dernier contrôle"),
        (2, "1 recommandation échue sans suite"),
        (2, "1 montant forcé sur deux ans"),
        (1, "61\u202f000,00\u00a0€ de droits en 2025"),
        (1, "direction changée le 1er\u00a0septembre\u00a02026"),
        (1, "3 déclarations déposées en retard sur deux ans"),
    ]
    assert score.points == 13
    assert Raison(2, "x").en_json() == {"points": 2, "phrase": "x"}


@pytest.mark.parametrize(
    ("ecart", "points"), [("9.9", 0), ("10", 1), ("14.9", 1), ("15", 2), ("29.9", 2), ("30", 4), ("400", 4)]
)
def test_de_plusieurs_paliers_seul_le_plus_haut_atteint_compte(ecart, points):
    assert evaluer(replace(SAGE, ecart_reel=D(ecart)), POIDS).points == points


def test_ce_que_le_portail_ignore_ne_fait_ni_point_ni_credit_il_se_dit():
    score = evaluer(Situation(), POIDS)
    assert [(r.points, r.phrase) for r in score.raisons] == [(3, "jamais contrôlée")]
    assert score.inconnues == (
        CRITERES[Critere.ECART_REEL].libelle,
        CRITERES[Critere.ENJEU].libelle,
        CRITERES[Critere.DIRECTION].libelle,
    )


@pytest.mark.parametrize(
    ("mois", "change", "points", "inconnu"),
    [
        (17, True, 1, False),  # une direction en a remplacé une autre il y a dix-sept mois
        (19, True, 0, False),
        (17, False, 0, True),  # première direction connue : le portail ne sait pas ce qu’il y avait avant
        (19, False, 0, False),  # en place depuis plus longtemps que le seuil : rien à savoir de plus
    ],
)
def test_un_changement_de_direction_ne_se_devine_pas(mois, change, points, inconnu):
    situation = replace(SAGE, mois_de_direction=mois, direction_depuis=date(2025, 1, 1) if change else None)
    score = evaluer(situation, POIDS)
    assert score.points == points
    assert (CRITERES[Critere.DIRECTION].libelle in score.inconnues) == inconnu


mesures = st.integers(min_value=0, max_value=200)
situations = st.builds(
    Situation,
    ecart_reel=st.none() | mesures.map(D),
    exercice_ecart=st.just(2025),
    dernier_controle=st.none() | st.just(date(2020, 1, 1)),
    annees_sans_controle=st.none() | mesures,
    enjeu=st.none() | mesures.map(lambda n: D(n * 1000)),
    exercice_enjeu=st.just(2025),
    anomalies=mesures,
    recommandations=mesures,
    direction_depuis=st.none() | st.just(date(2026, 1, 1)),
    mois_de_direction=st.none() | mesures,
    retards=mesures,
    forcages=mesures,
)
un_poids = st.builds(
    Poids,
    critere=st.sampled_from(Critere),
    seuil=mesures.map(D),
    points=st.integers(min_value=1, max_value=100),
)


@given(situation=situations, poids=st.lists(un_poids, max_size=20))
def test_le_score_est_la_somme_de_ses_raisons_une_par_critere(situation, poids):
    score = evaluer(situation, poids)
    assert score.points == sum(r.points for r in score.raisons)
    assert len(score.raisons) + len(score.inconnues) <= len({p.critere for p in poids})
    assert [r.points for r in score.raisons] == sorted((r.points for r in score.raisons), reverse=True)


@given(
    situation=situations,
    poids=st.lists(un_poids, min_size=1, max_size=20),
    rang=st.integers(0),
    plus=st.integers(1, 50),
)
def test_donner_plus_de_points_ou_un_palier_de_plus_ne_baisse_jamais_un_score(situation, poids, rang, plus):
    avant = evaluer(situation, poids).points
    rang %= len(poids)
    alourdi = [replace(p, points=p.points + plus) if i == rang else p for i, p in enumerate(poids)]
    assert evaluer(situation, alourdi).points >= avant
    assert evaluer(situation, [*poids, Poids(poids[rang].critere, D(0), plus)]).points >= avant


@given(situation=situations, poids=st.permutations(POIDS))
def test_le_score_ne_depend_pas_de_l_ordre_des_poids(situation, poids):
    assert evaluer(situation, poids).points == evaluer(situation, POIDS).points


@pytest.mark.parametrize(
    ("ligne", "phrase"),
    [
        ({"critere": "lune", "points": 1}, "n’est pas connu"),
        ({"critere": "enjeu", "seuil": "beaucoup", "points": 1}, "seuil positif"),
        ({"critere": "enjeu", "seuil": "-1", "points": 1}, "seuil positif"),
        ({"critere": "enjeu", "seuil": "NaN", "points": 1}, "seuil positif"),
        ({"critere": "enjeu", "seuil": "1", "points": "1.5"}, "nombre entier"),
        ({"critere": "enjeu", "seuil": "1", "points": 0}, "nombre entier"),
        ({"critere": "enjeu", "seuil": "1"}, "points entiers"),
    ],
)
def test_des_poids_qui_ne_peuvent_pas_s_appliquer_se_refusent(ligne, phrase):
    with pytest.raises(ReglesIncoherentes, match=phrase):
        lire_poids([ligne])


def test_deux_paliers_au_meme_seuil_et_une_echelle_qui_descend_se_refusent():
    with pytest.raises(ReglesIncoherentes, match="même seuil"):
        lire_poids(
            [{"critere": "enjeu", "seuil": "1", "points": 1}, {"critere": "enjeu", "seuil": "1.00", "points": 2}]
        )
    with pytest.raises(ReglesIncoherentes, match="monte"):
        lire_echelle([{"code": "a", "libelle": "A", "taux": "0.1"}, {"code": "b", "libelle": "B", "taux": "0.05"}])
