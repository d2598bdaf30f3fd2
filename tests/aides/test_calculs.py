"""Le montant d’une aide : une règle, des données, des lignes qui en font chaque centime."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aides.calculs import Donnees, Mesure, Regle, a_rendre_si_rompue, au_prorata_du_reel, calculer
from aides.definition import Critere, DispositifIncoherent, Mode, Part, lire_conditions, lire_parts, lire_questions
from aides.definition import verifier_le_calcul as verifier
from financements.calculs import DonneeRefusee

EUROS = st.decimals(min_value=0, max_value=1_000_000, places=2)
TAUX = st.decimals(min_value=D("0.01"), max_value=100, places=2)


def test_un_taux_des_depenses_eligibles():
    calcul = calculer(Regle(Mode.TAUX, taux=D(40)), Donnees(depenses=D("12345.67")))
    assert calcul.montant == D("4938.27")
    assert calcul.lignes[0].valeurs["taux"] == "40\u00a0%"


def test_le_double_plafond_prend_le_plus_bas_et_dit_les_deux():
    regle = Regle(Mode.TAUX, taux=D(80), plafond=D(30_000), plafond_part=D(50))
    calcul = calculer(regle, Donnees(depenses=D(50_000), cout=D(50_000)))
    assert calcul.montant == D(25_000)
    assert [ligne.libelle for ligne in calcul.lignes] == [
        "Part des dépenses éligibles", "Au-delà du plafond", "Au-delà de la part du coût",
    ]  # fmt: skip
    assert [ligne.montant for ligne in calcul.lignes] == [D(40_000), D(-10_000), D(-5_000)]


def test_l_aide_ne_depasse_pas_le_besoin_de_financement():
    regle = Regle(Mode.FORFAIT, forfait=D(5_000), borne_au_besoin=True)
    assert calculer(regle, Donnees(cout=D(10_000), autres=D(7_000))).montant == D(3_000)
    assert calculer(regle, Donnees(cout=D(10_000), autres=D(12_000))).montant == 0


def test_sous_le_minimum_rien_n_est_verse_et_cela_se_lit():
    calcul = calculer(Regle(Mode.TAUX, taux=D(10), minimum=D(1_000)), Donnees(depenses=D(9_999)))
    assert calcul.montant == 0
    assert calcul.lignes[-1].libelle == "Sous le minimum versé"


def test_une_part_par_critere_avec_sa_tranche_et_son_plafond():
    parts = (
        Part("Socle", Critere.FIXE, D(1_000)),
        Part("Quartier prioritaire", Critere.QPV, D(500)),
        Part("Habitants", Critere.POPULATION, D(100), D(1_000), D(800)),
    )
    mesures = {"qpv": Mesure(D(0), "aucun"), "population": Mesure(D(12_500), "Insee")}
    calcul = calculer(Regle(Mode.PARTS, parts=parts), Donnees(mesures=mesures))
    assert calcul.montant == D(1_800)
    assert calcul.lignes[2].valeurs["plafond du critère"] == "800,00\u00a0€"


def test_une_donnee_absente_ne_vaut_jamais_zero():
    parts = (Part("Habitants", Critere.POPULATION, D(100), D(1_000)),)
    with pytest.raises(DonneeRefusee, match="n’est pas connue"):
        calculer(Regle(Mode.PARTS, parts=parts), Donnees())


@given(depenses=EUROS, cout=EUROS, autres=EUROS, taux=TAUX, plafond=st.none() | EUROS, part=st.none() | TAUX)
def test_les_lignes_font_le_montant_au_centime_et_aucun_plafond_n_est_depasse(
    depenses, cout, autres, taux, plafond, part
):
    regle = Regle(Mode.TAUX, taux=taux, plafond=plafond, plafond_part=part, borne_au_besoin=True)
    calcul = calculer(regle, Donnees(depenses, cout, autres))
    assert sum(ligne.montant for ligne in calcul.lignes) == calcul.montant
    assert 0 <= calcul.montant <= depenses * taux / 100 + D("0.005")
    assert calcul.montant == calcul.montant.quantize(D("0.01"))
    assert plafond is None or calcul.montant <= plafond
    assert part is None or calcul.montant <= cout * part / 100 + D("0.005")
    assert calcul.montant <= max(cout - autres, 0)


@given(accorde=EUROS, retenu=st.decimals(min_value=D("0.01"), max_value=1_000_000, places=2), reel=EUROS)
def test_le_reel_plus_bas_baisse_l_aide_le_reel_plus_haut_ne_la_monte_pas(accorde, retenu, reel):
    du = au_prorata_du_reel(accorde, retenu, reel)
    assert 0 <= du <= accorde
    if reel >= retenu:
        assert du == accorde


def test_la_destination_rompue_rend_le_temps_restant():
    assert a_rendre_si_rompue(D(10_000), 3_652, 0) == D(10_000)
    assert a_rendre_si_rompue(D(10_000), 3_652, 1_826) == D(5_000)
    assert a_rendre_si_rompue(D(10_000), 3_652, 3_652) == 0


def regler(**autres):
    defauts = {
        "mode": "taux", "forfait": None, "taux": D(40), "parts": (), "plafond": None, "plafond_part": None,
        "minimum": None,
    }  # fmt: skip
    verifier(**{**defauts, **autres})


@pytest.mark.parametrize(
    ("regle", "champ"),
    [
        ({"mode": "forfait"}, "forfait"),
        ({"taux": None}, "taux"),
        ({"mode": "parts"}, "parts"),
        ({"plafond_part": D(30)}, "plafond_part"),
        ({"plafond": D(100), "minimum": D(200)}, "minimum"),
        ({"mode": "forfait", "forfait": D(100), "minimum": D(200)}, "minimum"),
        ({"plafond": D(0)}, "plafond"),
        ({"plafond_part": D(0)}, "plafond_part"),
    ],
)
def test_une_regle_qui_ne_donnerait_rien_est_refusee_pres_de_son_champ(regle, champ):
    with pytest.raises(DispositifIncoherent) as erreur:
        regler(**regle)
    assert erreur.value.champ == champ


def test_une_part_qui_divise_par_zero_est_refusee_par_une_phrase():
    with pytest.raises(DispositifIncoherent, match="divise par zéro"):
        lire_parts([{"libelle": "Habitants", "critere": "population", "montant": "100", "tranche": "0"}], ())


@pytest.mark.parametrize(
    "part",
    [
        {"libelle": "", "critere": "fixe", "montant": "1"},
        {"libelle": "x", "critere": "inconnu", "montant": "1"},
        {"libelle": "x", "critere": "fixe", "montant": "0"},
        {"libelle": "x", "critere": "fixe", "montant": "abc"},
        {"libelle": "x", "critere": "question", "montant": "1", "question": "question_9"},
    ],
)
def test_une_part_bancale_est_refusee(part):
    with pytest.raises(DispositifIncoherent):
        lire_parts([part], ())


def test_une_condition_inconnue_ou_en_double_est_refusee():
    with pytest.raises(DispositifIncoherent, match="n’existe pas"):
        lire_conditions([{"nature": "lune"}])
    with pytest.raises(DispositifIncoherent, match="deux fois"):
        lire_conditions([{"nature": "agrement"}, {"nature": "agrement"}])
    with pytest.raises(DispositifIncoherent, match="nombre entier"):
        lire_conditions([{"nature": "senacs", "parametre": "un"}])
    assert lire_questions([{"libelle": "Combien ?", "nature": "entier"}])[0].code == "question_1"
