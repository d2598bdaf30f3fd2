"""Le calcul pur : les cas du domaine, les bornes, et ce qui doit rester vrai quels que soient les nombres."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from financements.calculs import (
    DonneeRefusee,
    Donnees,
    Poste,
    Prorata,
    Regle,
    au_centime,
    liquider,
    mois_couverts,
    partager,
    situer,
)

D = Decimal
AGC = {"prestation": "agc", "exercice": 2026, "taux": D("42.4"), "prix_plafond": D(180_000)}
ACF = {"prestation": "acf", "exercice": 2026, "taux": D("63.6"), "prix_plafond": D(40_000), "postes": (Poste.REFERENT,)}


def droit(regle: dict, **donnees) -> str:
    return str(liquider(Regle(**regle), Donnees(**donnees)).droit)


@pytest.mark.parametrize(
    ("regle", "assiette", "attendu"),
    [
        (AGC, "150000", "63600.00"),
        (AGC, "200000", "76320.00"),
        (AGC, "180000", "76320.00"),
        (AGC | {"taux": D(40)}, "150000", "60000.00"),
        (AGC | {"taux": D(40)}, "200000", "72000.00"),
        (AGC, "33333.33", "14133.33"),
        (AGC, "0", "0.00"),
        (ACF, "45000", "25440.00"),
        (ACF | {"taux": D(60)}, "45000", "24000.00"),
        (ACF, "30000", "19080.00"),
        (ACF, "50000", "25440.00"),
        (ACF, "12345.68", "7851.85"),
    ],
)
def test_les_cas_chiffres_du_domaine(regle, assiette, attendu):
    assert droit(regle, assiette=D(assiette)) == attendu


@pytest.mark.parametrize(("assiette", "attendu"), [("120000", "50880.00"), ("140000", "57240.00")])
def test_un_agrement_ne_au_premier_avril_compte_neuf_mois(assiette, attendu):
    bornes = {"debut": date(2026, 4, 1), "fin": date(2026, 12, 31)}
    assert droit(AGC | {"prorata": Prorata.MOIS}, assiette=D(assiette), **bornes) == attendu


def test_la_logistique_se_repartit_entre_pilotage_et_activites():
    charges = {Poste.PILOTAGE: D(120_000), Poste.LOGISTIQUE: D(60_000), Poste.ACTIVITES: D(180_000)}
    rendu = liquider(Regle(**AGC), Donnees(charges=charges))
    assert (rendu.assiette, rendu.droit) == (D("144000.00"), D("61056.00"))
    assert [ligne.montant for ligne in rendu.lignes] == [D("50880.00"), D("10176.00")]


def test_sans_pilotage_ni_activites_la_quote_part_est_nulle():
    rendu = liquider(Regle(**AGC), Donnees(charges={Poste.LOGISTIQUE: D(60_000)}))
    assert (rendu.assiette, rendu.droit) == (D(0), D(0))


@pytest.mark.parametrize(("assiette", "attendu"), [("18000", "11448.00"), ("24000", "12720.00")])
def test_un_mi_temps_a_un_demi_plafond_quand_la_regle_le_dit(assiette, attendu):
    assert droit(ACF | {"prorata_etp": True}, assiette=D(assiette), etp=D("0.5")) == attendu


def test_au_dela_d_un_temps_plein_le_plafond_ne_monte_plus():
    assert droit(ACF | {"prorata_etp": True}, assiette=D(90_000), etp=D(2)) == "25440.00"


def test_sous_l_etp_minimum_le_droit_est_nul_et_la_ligne_le_dit():
    rendu = liquider(Regle(**ACF, etp_minimum=D("0.5")), Donnees(assiette=D(20_000), etp=D("0.4")))
    assert rendu.droit == 0
    assert rendu.lignes[-1].libelle == "Temps de travail insuffisant"
    assert rendu.lignes[-1].valeurs["ETP minimum"] == "0,5"


def test_les_contributions_volontaires_ne_comptent_que_si_la_regle_le_dit():
    donnees = {"charges": {Poste.PILOTAGE: D(1000)}, "volontaires": {Poste.PILOTAGE: D(500)}}
    assert droit(AGC, **donnees) == "424.00"
    assert droit(AGC | {"avec_contributions_volontaires": True}, **donnees) == "636.00"


def test_en_jours_une_annee_bissextile_en_a_366():
    rendu = liquider(
        Regle(**AGC | {"exercice": 2028, "prorata": Prorata.JOURS}),
        Donnees(assiette=D(180_000), debut=date(2028, 1, 1), fin=date(2028, 7, 1)),
    )
    assert rendu.plafond_applique == D("90000.00")


def test_rien_n_est_arrondi_avant_le_droit():
    bornes = {"debut": date(2026, 1, 1), "fin": date(2026, 7, 1)}
    regle = AGC | {"prorata": Prorata.MOIS, "prix_plafond": D("100.01"), "taux": D("33.3333")}
    assert droit(regle, assiette=D(1000), **bornes) == str(
        au_centime(Fraction("0.333333") * Fraction("100.01") * 7 / 12)
    )


@pytest.mark.parametrize(
    ("regle", "donnees", "champ"),
    [
        (AGC, {"assiette": D(-1)}, "assiette"),
        (AGC, {"assiette": D("NaN")}, "assiette"),
        (AGC, {"charges": {Poste.PILOTAGE: D(-1)}}, "pilotage"),
        (AGC | {"taux": D(101)}, {"assiette": D(1)}, "taux"),
        (AGC | {"prorata": Prorata.MOIS}, {"assiette": D(1)}, "debut"),
        (AGC | {"prorata": Prorata.MOIS}, {"assiette": D(1), "debut": date(2026, 1, 1)}, "fin"),
        (
            AGC | {"prorata": Prorata.MOIS},
            {"assiette": D(1), "debut": date(2026, 5, 1), "fin": date(2026, 4, 1)},
            "fin",
        ),
        (
            AGC | {"prorata": Prorata.MOIS},
            {"assiette": D(1), "debut": date(2025, 5, 1), "fin": date(2026, 4, 1)},
            "debut",
        ),
        (ACF | {"prorata_etp": True}, {"assiette": D(1)}, "etp"),
        (ACF | {"etp_minimum": D("0.5")}, {"assiette": D(1)}, "etp"),
    ],
)
def test_une_donnee_qui_manque_ou_n_a_pas_de_sens_est_nommee(regle, donnees, champ):
    with pytest.raises(DonneeRefusee) as refus:
        liquider(Regle(**regle), Donnees(**donnees))
    assert refus.value.champ == champ


def test_tout_mois_commence_compte():
    assert mois_couverts((date(2026, 1, 31), date(2026, 2, 1))) == 2
    assert mois_couverts((date(2026, 4, 1), date(2026, 12, 31))) == 9


euros = st.decimals(min_value=0, max_value=D("9999999.99"), places=2)
regles = st.builds(
    Regle,
    prestation=st.just("x"),
    exercice=st.just(2026),
    taux=st.decimals(min_value=0, max_value=100, places=4),
    prix_plafond=euros,
    postes=st.sampled_from([(Poste.PILOTAGE,), (Poste.REFERENT,), (Poste.PILOTAGE, Poste.ACTIVITES, Poste.LOGISTIQUE)]),
    quote_part=st.booleans(),
    avec_contributions_volontaires=st.booleans(),
    prorata=st.sampled_from(list(Prorata)),
    prorata_etp=st.booleans(),
    etp_minimum=st.one_of(st.none(), st.decimals(min_value=D("0.1"), max_value=2, places=2)),
)
charges = st.fixed_dictionaries(dict.fromkeys(Poste, euros))
donnees = st.builds(
    Donnees,
    charges=charges,
    volontaires=charges,
    etp=st.decimals(min_value=0, max_value=3, places=2),
    debut=st.dates(date(2026, 1, 1), date(2026, 6, 30)),
    fin=st.dates(date(2026, 7, 1), date(2026, 12, 31)),
)


@given(regles, donnees)
def test_les_lignes_font_le_droit_au_centime(regle, saisie):
    rendu = liquider(regle, saisie)
    assert sum((ligne.montant for ligne in rendu.lignes), D(0)) == rendu.droit
    assert rendu.droit == rendu.droit.quantize(D("0.01"))


@given(regles, donnees)
def test_le_droit_ne_depasse_jamais_le_taux_du_plafond(regle, saisie):
    rendu = liquider(regle, saisie)
    assert 0 <= rendu.droit <= au_centime(Fraction(regle.taux) / 100 * Fraction(regle.prix_plafond))


@given(regles, donnees, st.sampled_from([Poste.PILOTAGE, Poste.LOGISTIQUE]), euros)
def test_depenser_plus_ne_baisse_jamais_le_droit(regle, saisie, poste, plus):
    if poste not in regle.postes and Poste.PILOTAGE not in regle.postes and poste is Poste.PILOTAGE:
        return  # plus de pilotage réduit la part du référent dans la logistique : c’est la clé qui le veut
    avant = liquider(regle, saisie).droit
    apres = liquider(
        regle, Donnees(**{**_champs(saisie), "charges": {**saisie.charges, poste: saisie.charges[poste] + plus}})
    ).droit
    assert apres >= avant


def _champs(saisie: Donnees) -> dict:
    return {nom: getattr(saisie, nom) for nom in ("assiette", "charges", "volontaires", "etp", "debut", "fin")}


@given(regles, donnees)
def test_des_donnees_gardees_en_json_rendent_le_meme_droit(regle, saisie):
    assert liquider(regle, Donnees.depuis_json(saisie.en_json())) == liquider(regle, saisie)


@given(euros, euros)
def test_droit_verse_solde_et_indu_s_equilibrent(du, verse):
    position = situer(du, verse)
    assert du + position.indu == verse + position.solde
    assert 0 in (position.solde, position.indu)


@given(euros, st.lists(st.decimals(min_value=0, max_value=30, places=2), min_size=1, max_size=3).map(tuple))
def test_partager_ne_perd_aucun_centime(montant, parts):
    coupes = partager(montant, parts)
    assert sum(coupes) == au_centime(Fraction(montant) * Fraction(sum(parts)) / 100)


def test_deux_acomptes_de_trente_cinq_pour_cent():
    assert partager(D(63_600), (D(35), D(35))) == (D("22260.00"), D("22260.00"))
    with pytest.raises(DonneeRefusee):
        partager(D(1), (D(60), D(60)))
