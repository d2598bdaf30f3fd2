"""Les délais d’un contrôle : jours fériés de la liste publiée, échéances jamais un jour où l’on ne travaille pas."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controles.delais import delai_dit, echeance, ouvre, prochain_ouvre
from socle.dates import jours_feries

# La liste publiée par l’administration (calendrier.api.gouv.fr, métropole), mois et jour de chaque fête.
PUBLIES = {
    2024: "01-01 04-01 05-01 05-08 05-09 05-20 07-14 08-15 11-01 11-11 12-25",
    2025: "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 11-01 11-11 12-25",
    2026: "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25",
    2027: "01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25",
    2028: "01-01 04-17 05-01 05-08 05-25 06-05 07-14 08-15 11-01 11-11 12-25",
    2029: "01-01 04-02 05-01 05-08 05-10 05-21 07-14 08-15 11-01 11-11 12-25",
    2030: "01-01 04-22 05-01 05-08 05-30 06-10 07-14 08-15 11-01 11-11 12-25",
}
jours = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize("annee", PUBLIES)
def test_les_jours_feries_calcules_sont_ceux_de_la_liste_publiee(annee):
    publies = {date.fromisoformat(f"{annee}-{jour}") for jour in PUBLIES[annee].split()}
    assert jours_feries(annee) == publies


@pytest.mark.parametrize(
    ("depuis", "delai", "ouvres", "attendu"),
    [
        (date(2026, 11, 2), 15, False, date(2026, 11, 17)),
        (date(2026, 4, 28), 3, False, date(2026, 5, 4)),  # le 1er mai, puis la fin de semaine
        (date(2026, 12, 10), 15, False, date(2026, 12, 28)),  # Noël, puis la fin de semaine
        (date(2026, 11, 2), 20, True, date(2026, 12, 1)),  # le 11 novembre ne compte pas
        (date(2026, 5, 6), 2, True, date(2026, 5, 11)),  # le 8 mai et la fin de semaine ne comptent pas
        (date(2026, 5, 13), 1, True, date(2026, 5, 15)),  # l’Ascension
        (date(2027, 3, 26), 1, True, date(2027, 3, 30)),  # le lundi de Pâques
        (date(2026, 11, 7), 0, True, date(2026, 11, 9)),
    ],
)
def test_l_echeance_se_compte_du_lendemain(depuis, delai, ouvres, attendu):
    assert echeance(depuis, delai, ouvres=ouvres) == attendu


@given(depuis=jours, delai=st.integers(0, 120), ouvres=st.booleans())
def test_une_echeance_est_un_jour_ouvre_jamais_plus_tot_que_le_delai(depuis, delai, ouvres):
    fin = echeance(depuis, delai, ouvres=ouvres)
    assert ouvre(fin)
    assert fin >= depuis + timedelta(days=delai)
    assert fin <= echeance(depuis, delai + 1, ouvres=ouvres)
    if ouvres and delai:
        comptes = sum(ouvre(depuis + timedelta(days=n)) for n in range(1, (fin - depuis).days + 1))
        assert comptes == delai


@given(jour=jours)
def test_le_prochain_jour_ouvre_est_le_premier(jour):
    suivant = prochain_ouvre(jour)
    assert not any(ouvre(jour + timedelta(days=n)) for n in range((suivant - jour).days))


def test_un_delai_se_dit():
    assert delai_dit(1, ouvres=False) == "1\u00a0jour"
    assert delai_dit(15, ouvres=False) == "15\u00a0jours"
    assert delai_dit(1, ouvres=True) == "1\u00a0jour ouvré"
    assert delai_dit(20, ouvres=True) == "20\u00a0jours ouvrés"
