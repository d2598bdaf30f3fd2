"""La clé de répartition : rien ne se perd, le plus long préfixe l’emporte."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from financements.importation import Solde
from financements.repartition import CleInvalide, Regle, ventiler
from tests.fabriques.tableaux import d

TIERS = {"pilotage": d("33.33"), "activites": d("33.33"), "logistique": d("33.34")}


def solde(compte, debit="0", credit="0"):
    return Solde(compte, "", d(debit), d(credit), 1)


def test_le_prefixe_le_plus_long_l_emporte_et_le_reste_est_nomme():
    regles = [Regle("64", "64", {"pilotage": d(100)}), Regle("641", "64", {"activites": d(100)}), Regle("74", "74", {})]
    soldes = [solde("641100", "10"), solde("645", "5"), solde("741", credit="8"), solde("606", "3")]
    ventilation = ventiler(soldes, regles)
    assert ventilation.montants == {("64", "activites"): d(10), ("64", "pilotage"): d(5), ("74", ""): d(8)}
    assert [s.compte for s in ventilation.non_rattaches] == ["606"]


def test_le_dernier_centime_va_a_la_derniere_fonction():
    montants = ventiler([solde("606", "100.00")], [Regle("6", "60", TIERS)]).montants
    assert montants == {
        ("60", "pilotage"): d("33.33"),
        ("60", "activites"): d("33.33"),
        ("60", "logistique"): d("33.34"),
    }
    avoir = ventiler([solde("606", credit="0.01")], [Regle("6", "60", TIERS)]).montants
    assert sum(avoir.values()) == d("-0.01")


@pytest.mark.parametrize(
    ("prefixe", "compte", "parts", "phrase"),
    [
        ("64", "64", {"pilotage": d(99)}, "font 99 %"),
        ("64", "64", {}, "font 0 %"),
        ("64", "64", {"direction": d(100)}, "n’est pas une fonction"),
        ("64", "64", {"pilotage": d(150), "activites": d(-50)}, "positifs"),
        ("64", "64", {"pilotage": d("NaN")}, "positifs"),
        ("74", "74", {"pilotage": d(100)}, "produits"),
        ("512", "64", {}, "début de compte"),
        ("", "64", {}, "début de compte"),
        ("64", "", {"pilotage": d(100)}, "ligne du formulaire"),
    ],
)
def test_une_cle_qui_se_contredit_est_refusee(prefixe, compte, parts, phrase):
    with pytest.raises(CleInvalide) as refus:
        Regle(prefixe, compte, parts)
    assert phrase in str(refus.value)


def test_deux_regles_sur_le_meme_prefixe_sont_refusees():
    with pytest.raises(CleInvalide, match="Deux règles"):
        ventiler([], [Regle("74", "74", {}), Regle("74", "75", {})])


centimes = st.integers(-(10**13), 10**13).map(lambda n: Decimal(n) / 100)
comptes = st.tuples(st.sampled_from(["6", "7", "86", "87"]), st.text("0123456789", max_size=4)).map("".join)
soldes_quelconques = st.builds(Solde, comptes, st.just(""), centimes, centimes, st.just(1))


@st.composite
def regles_quelconques(tirage):
    regles = []
    for prefixe in tirage(st.lists(comptes, unique=True, max_size=8)):
        a = tirage(st.integers(0, 10_000))
        b = tirage(st.integers(0, 10_000 - a))
        parts = {
            "pilotage": Decimal(a) / 100,
            "activites": Decimal(b) / 100,
            "logistique": Decimal(10_000 - a - b) / 100,
        }
        regles.append(Regle(prefixe, prefixe[:2], parts if prefixe.startswith(("6", "86")) else {}))
    return regles


@settings(deadline=None)
@given(st.lists(soldes_quelconques, max_size=20), regles_quelconques())
def test_rien_ne_se_perd_dans_une_repartition(soldes, regles):
    ventilation = ventiler(soldes, regles)
    restes = sum((s.montant for s in ventilation.non_rattaches), d("0"))
    assert sum(ventilation.montants.values(), restes) == sum((s.montant for s in soldes), d("0"))
    assert all(montant == montant.quantize(d("0.01")) for montant in ventilation.montants.values())


@settings(deadline=None)
@given(centimes, regles_quelconques())
def test_aucune_part_ne_change_de_signe(montant, regles):
    for regle in regles:
        if regle.parts:
            parts = ventiler([Solde(regle.prefixe, "", montant, d("0"), 1)], [regle]).montants.values()
            assert all(part * montant >= 0 for part in parts)
