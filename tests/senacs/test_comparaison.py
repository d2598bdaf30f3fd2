"""Se comparer sans reconnaître personne."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from senacs.comparaison import K_ANONYMAT, Pair, arrondi, classe_de, comparer


def pairs(nombre: int, taille="moyenne", territoire="qpv", depuis=0, champ="charges"):
    return [Pair(depuis + n, taille, territoire, {champ: D(100_000 + 1_000 * n)}) for n in range(nombre)]


def test_a_quatre_on_ne_montre_rien():
    assert comparer("charges", "moyenne", "qpv", pairs(K_ANONYMAT - 1)) is None


def test_a_cinq_on_montre_trois_reperes_jamais_les_extremes():
    repere = comparer("charges", "moyenne", "qpv", pairs(5))
    assert (repere.nombre, repere.groupe) == (5, "même taille, même type de territoire")
    assert (repere.bas, repere.median, repere.haut) == (D("100000"), D("100000"), D("100000"))


def test_trop_peu_de_semblables_on_elargit_et_on_le_dit():
    melange = pairs(3) + pairs(3, territoire="frr", depuis=10)
    assert comparer("charges", "moyenne", "qpv", melange).groupe == "même taille, tous les territoires"
    melange = pairs(3) + pairs(3, taille="grande", depuis=10)
    assert comparer("charges", "moyenne", "qpv", melange).groupe == "toutes les structures"


def test_une_structure_ne_compte_qu_une_fois():
    doubles = [Pair(1, "moyenne", "qpv", {"charges": D(n)}) for n in range(10)]
    assert comparer("charges", "moyenne", "qpv", doubles) is None


def test_une_structure_sans_reponse_ne_fait_pas_le_nombre():
    assert comparer("charges", "moyenne", "qpv", [*pairs(4), Pair(9, "moyenne", "qpv", {})]) is None


@given(st.lists(st.decimals(min_value=1, max_value=10_000_000, places=2), min_size=0, max_size=4))
def test_sous_cinq_aucune_valeur_ne_sort_quoi_qu_on_tente(valeurs):
    tous = [Pair(n, "petite", "autre", {"charges": v}) for n, v in enumerate(valeurs)]
    assert comparer("charges", "petite", "autre", tous) is None


@given(st.lists(st.decimals(min_value=1000, max_value=10_000_000, places=2), min_size=5, max_size=30))
def test_les_reperes_restent_dans_le_groupe_et_perdent_les_details(valeurs):
    tous = [Pair(n, "petite", "autre", {"charges": v}) for n, v in enumerate(valeurs)]
    repere = comparer("charges", "petite", "autre", tous)
    assert repere.bas <= repere.median <= repere.haut
    for valeur in (repere.bas, repere.median, repere.haut):
        assert valeur == arrondi(valeur)


def test_les_classes_de_taille_couvrent_tout():
    assert [classe_de(D(n)).code for n in (0, 249_999, 250_000, 600_000, 10**9)] == [
        "petite", "petite", "moyenne", "grande", "grande",
    ]  # fmt: skip
