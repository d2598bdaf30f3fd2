"""Le simulateur : le contrat JSON, ce qu’il refuse, et la commande telle qu’on l’appelle."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from financements.calculs import DonneeRefusee
from financements.reference import taux_atteste
from financements.simulation import lire_json, simuler


def sim(**cas):
    return simuler(
        {"prestation": "agc", "exercice": 2026, "taux": "42.4", "plafond": 180_000} | cas,
        bareme=lambda p, e: None,
        taux_connu=taux_atteste,
    ).en_json()


def test_la_reponse_porte_les_montants_en_chaines_et_des_lignes_qui_font_le_droit():
    rendu = sim(assiette=200_000, deja_verse="44 520,00")
    assert {c: rendu[c] for c in ("droit", "assiette", "plafond_applique", "solde", "indu")} == {
        "droit": "76320.00", "assiette": "200000.00", "plafond_applique": "180000.00", "solde": "31800.00",
        "indu": "0.00",
    }  # fmt: skip
    assert sum(Decimal(ligne["montant"]) for ligne in rendu["lignes"]) == Decimal("76320.00")
    assert {"libelle", "formule", "valeurs", "montant", "regle", "source"} == set(rendu["lignes"][0])


def test_trop_verse_l_indu_est_dit():
    rendu = sim(assiette=100_000, deja_verse=44_520)
    assert (rendu["droit"], rendu["solde"], rendu["indu"]) == ("42400.00", "0.00", "2120.00")


def test_sans_taux_le_taux_atteste_de_l_annee_s_applique():
    assert sim(assiette=100_000, taux=None)["droit"] == "42400.00"
    assert sim(assiette=100_000, taux=None, exercice=2015)["droit"] == "40000.00"


def test_les_charges_remplacent_l_assiette():
    assert sim(pilotage=120_000, logistique=60_000, activites=180_000)["droit"] == "61056.00"
    assert sim(pilotage=0, logistique=60_000, activites=0)["droit"] == "0.00"


def test_le_prorata_en_mois_et_l_etp_se_cumulent():
    rendu = sim(assiette=200_000, prorata="mois", debut="2026-04-15", fin="2026-12-02", etp_prorata=True, etp="0.5")
    assert rendu["plafond_applique"] == "67500.00"


@pytest.mark.parametrize(
    ("cas", "champ"),
    [
        ({"prestation": "xyz"}, "prestation"),
        ({"prestation": None}, "prestation"),
        ({"exercice": "deux mille"}, "exercice"),
        ({"exercice": True}, "exercice"),
        ({"exercice": 99}, "exercice"),
        ({"assiette": -1}, "assiette"),
        ({"assiette": 10**15}, "assiette"),
        ({"assiette": "mille"}, "assiette"),
        ({"assiette": True}, "assiette"),
        ({"assiette": [1]}, "assiette"),
        ({}, "assiette"),
        ({"assiette": 1, "pilotage": 1}, "assiette"),
        ({"assiette": 1, "taux": 120}, "taux"),
        ({"assiette": 1, "plafond": -5}, "plafond"),
        ({"assiette": 1, "plafond": None}, "plafond"),
        ({"assiette": 1, "prorata": "semaines"}, "prorata"),
        ({"assiette": 1, "prorata": "mois"}, "debut"),
        ({"assiette": 1, "prorata": "mois", "debut": "2026-01-01"}, "fin"),
        ({"assiette": 1, "debut": "2026-13-01"}, "debut"),
        ({"assiette": 1, "debut": 20260101}, "debut"),
        ({"assiette": 1, "debut": "2026-06-01", "fin": "2026-05-01"}, "fin"),
        ({"assiette": 1, "prorata": "mois", "debut": "2025-06-01", "fin": "2026-05-01"}, "debut"),
        ({"assiette": 1, "etp_prorata": "oui"}, "etp_prorata"),
        ({"assiette": 1, "etp_prorata": True}, "etp"),
        ({"assiette": 1, "deja_verse": -1}, "deja_verse"),
        ({"assiette": 1, "platond": 3}, "platond"),
    ],
)
def test_un_cas_refuse_nomme_son_champ(cas, champ):
    with pytest.raises(DonneeRefusee) as refus:
        sim(**cas)
    assert refus.value.champ == champ
    assert champ in str(refus.value)


@pytest.mark.parametrize("texte", ["{", "NaN", '{"a": Infinity}', "[" * 100_000, ""])
def test_ce_qui_n_est_pas_du_json_est_dit(texte):
    with pytest.raises(DonneeRefusee):
        simuler(lire_json(texte), bareme=lambda p, e: None, taux_connu=taux_atteste)


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text()), lambda x: st.lists(x, max_size=3)))
def test_aucune_valeur_ne_fait_tomber_le_simulateur(valeur):
    for champ in ("prestation", "exercice", "assiette", "taux", "debut", "prorata", "etp_prorata", "deja_verse"):
        try:
            sim(**{"assiette": 1, champ: valeur})
        except DonneeRefusee as refus:
            assert str(refus)  # noqa: PT017 — un refus parle toujours


def lancer(entree: str, monkeypatch, capsys) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(entree.encode()), encoding="utf-8"))
    code = 0
    try:
        call_command("simuler_prestation", "--json", "-")
    except SystemExit as sortie:
        code = int(sortie.code or 0)
    sortie = capsys.readouterr()
    return code, sortie.out, sortie.err


@pytest.mark.django_db
def test_la_commande_rend_une_liste_dans_l_ordre_de_l_entree(monkeypatch, capsys):
    cas = [
        {"prestation": "agc", "exercice": 2026, "assiette": n, "taux": 40, "plafond": 10**6} for n in (100, 200, 300)
    ]
    code, sortie, _ = lancer(json.dumps(cas), monkeypatch, capsys)
    assert code == 0
    assert [r["droit"] for r in json.loads(sortie)] == ["40.00", "80.00", "120.00"]
    code, sortie, _ = lancer(json.dumps(cas[0]), monkeypatch, capsys)
    assert json.loads(sortie)["droit"] == "40.00"


@pytest.mark.django_db
def test_la_commande_sort_en_deux_et_nomme_le_champ(monkeypatch, capsys):
    code, sortie, erreur = lancer('[{"prestation": "agc", "exercice": 2026, "assiette": -3}]', monkeypatch, capsys)
    assert (code, sortie) == (2, "")
    assert "Cas 1" in erreur
    assert "plafond" in erreur or "assiette" in erreur


@pytest.mark.django_db
def test_sans_bareme_publie_le_plafond_est_demande_jamais_mis_a_zero(monkeypatch, capsys):
    code, _, erreur = lancer('{"prestation": "al", "exercice": 2026, "assiette": 1000}', monkeypatch, capsys)
    assert code == 2
    assert "plafond" in erreur


def test_un_deja_verse_au_dela_du_centime_est_refuse():
    from financements.calculs import DonneeRefusee
    from financements.simulation import simuler

    cas = {"prestation": "agc", "exercice": 2026, "assiette": "1000", "taux": "40", "plafond": "1000"}
    with pytest.raises(DonneeRefusee, match="deja_verse"):
        simuler(cas | {"deja_verse": "900.555"}, bareme=lambda *_: None, taux_connu=lambda *_: None)
