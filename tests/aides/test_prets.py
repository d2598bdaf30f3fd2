"""Le tableau d’amortissement : aucun centime perdu, quoi qu’on choisisse."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aides.prets import (
    ConditionsDePret,
    ConditionsRefusees,
    Mode,
    apres_anticipe,
    en_phrases,
    interets_courus,
    tableau,
)

CENTIME = D("0.01")


def conditions(**autres) -> ConditionsDePret:
    defauts = {
        "montant": D(10_000), "taux": D(0), "nombre": 24, "periodicite_mois": 1,
        "premiere_echeance": date(2027, 3, 1), "differe": 0,
    }  # fmt: skip
    return ConditionsDePret(**{**defauts, **autres})


PRETS = st.builds(
    conditions,
    montant=st.decimals(min_value=D("10"), max_value=500_000, places=2),
    taux=st.decimals(min_value=0, max_value=20, places=2),
    nombre=st.integers(1, 120),
    periodicite_mois=st.sampled_from([1, 3, 6, 12]),
    premiere_echeance=st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    differe=st.integers(0, 24),
)


def test_dix_mille_euros_a_taux_zero_sur_vingt_quatre_mois():
    lignes = tableau(conditions())
    assert [e.total for e in lignes[:2]] == [D("416.67"), D("416.67")]
    assert lignes[-1].total == D("416.59")  # 10 000 − 23 × 416,67
    assert sum(e.capital for e in lignes) == D(10_000)


def test_trente_mille_euros_a_un_et_demi_sur_soixante_mois():
    lignes = tableau(conditions(montant=D(30_000), taux=D("1.5"), nombre=60))
    assert lignes[0].interets == D("37.50")  # 30 000 × 1,5 % ÷ 12
    assert lignes[0].total == D("519.30")  # 30 000 × t ÷ (1 − (1 + t)^−60), t = 0,125 %
    assert lignes[-1].reste == 0


def test_le_differe_ne_paie_que_les_interets():
    lignes = tableau(conditions(taux=D(3), nombre=12, differe=6))
    assert [e.capital for e in lignes[:6]] == [0] * 6
    assert {e.interets for e in lignes[:6]} == {D("25.00")}
    assert len(lignes) == 18


def test_la_date_du_31_ne_derive_pas():
    lignes = tableau(conditions(nombre=4, premiere_echeance=date(2027, 1, 31)))
    assert [e.le for e in lignes] == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


def test_en_phrases():
    assert en_phrases(conditions())[0] == "24 échéances mensuelles de 416,67\u00a0€, la dernière de 416,59\u00a0€"


@given(PRETS)
def test_le_capital_rembourse_est_le_pret_au_centime(pret):
    lignes = tableau(pret)
    assert sum(e.capital for e in lignes) == pret.montant
    assert lignes[-1].reste == 0
    assert all(e.capital >= 0 and e.interets >= 0 for e in lignes)
    assert all(e.total == (e.capital + e.interets).quantize(CENTIME) for e in lignes)
    assert [e.le for e in lignes] == sorted({e.le for e in lignes})
    restes = [pret.montant, *(e.reste for e in lignes)]
    assert all(avant - e.capital == apres for avant, e, apres in zip(restes, lignes, restes[1:], strict=False))
    if pret.taux == 0:
        assert {e.interets for e in lignes} == {0}


@given(PRETS)
def test_les_echeances_sont_constantes_sauf_la_derniere(pret):
    pleines = [e.total for e in tableau(pret) if e.capital > 0][:-1]
    assert len(set(pleines)) <= 1


@given(PRETS, st.integers(0, 100), st.integers(1, 99), st.sampled_from(Mode))
def test_un_remboursement_anticipe_ne_perd_pas_un_centime(pret, deja, part, mode):
    lignes = tableau(pret)
    assume(deja < len(lignes))
    restantes = lignes[deja:]
    du = sum(e.capital for e in restantes)
    rendu = (du * part / 100).quantize(CENTIME)
    assume(0 < rendu < du)
    try:
        suite = apres_anticipe(pret, restantes, rendu, mode)
    except ConditionsRefusees:
        assume(False)
    assert rendu + sum(e.capital for e in suite) == du
    assert suite[-1].reste == 0
    assert len(suite) <= len(restantes)
    assert suite[0].le == restantes[0].le


def test_tout_rembourser_ne_laisse_rien():
    lignes = tableau(conditions())
    assert apres_anticipe(conditions(), lignes[3:], sum(e.capital for e in lignes[3:]), Mode.DUREE) == ()


def test_les_interets_courus_se_comptent_au_jour():
    assert interets_courus(D(36_500), D(1), date(2027, 1, 1), date(2027, 1, 11)) == D("10.00")
    with pytest.raises(ConditionsRefusees):
        interets_courus(D(1), D(1), date(2027, 1, 2), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("change", "champ"),
    [
        ({"montant": D(0)}, "montant"),
        ({"montant": D("10.001")}, "montant"),
        ({"nombre": 0}, "nombre"),
        ({"nombre": 361}, "nombre"),
        ({"taux": D(-1)}, "taux"),
        ({"taux": D(21)}, "taux"),
        ({"differe": 60}, "differe"),
        ({"periodicite_mois": 2}, "periodicite_mois"),
        ({"montant": D("0.05"), "nombre": 12}, "nombre"),
    ],
)
def test_des_conditions_impossibles_sont_refusees_pres_de_leur_champ(change, champ):
    with pytest.raises(ConditionsRefusees) as erreur:
        tableau(conditions(**change))
    assert erreur.value.champ == champ
