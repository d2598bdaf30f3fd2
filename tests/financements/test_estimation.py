"""Ce que le réel pourrait donner : un solde estimé et sa fourchette ; et un indu rendu par échéances. Sans base."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from financements.calculs import Donnees, Poste, Prorata, Regle, liquider, situer
from financements.echeancier import plan_de_remboursement
from financements.estimation import estimer

D = Decimal
AGC = Regle("agc", 2026, taux=D("40"), prix_plafond=D(100_000), quote_part=False)
EUROS = st.decimals(min_value=0, max_value=1_000_000, places=2)


def charges(pilotage: str) -> Donnees:
    return Donnees(charges={Poste.PILOTAGE: D(pilotage)})


def test_la_fourchette_encadre_le_droit_des_charges_declarees():
    fourchette = estimer(AGC, charges("50000"), promis=D("14000"), marge=D(10))
    assert (fourchette.droit_bas, fourchette.droit_haut) == (D("18000.00"), D("22000.00"))
    assert (fourchette.estimee.solde, fourchette.basse.solde, fourchette.haute.solde) == (D(6000), D(4000), D(8000))
    assert not fourchette.a_rendre


def test_au_plafond_une_hausse_ne_change_rien():
    fourchette = estimer(AGC, charges("120000"), promis=D(0), marge=D(10))
    assert fourchette.droit_bas == fourchette.droit_haut == D("40000.00")


@pytest.mark.parametrize(
    ("promis", "phrase"),
    [
        ("14000", "il vous resterait de 4 000,00\u00a0€ à 8 000,00\u00a0€ à recevoir"),
        ("19000", "jusqu’à 1 000,00\u00a0€ à rendre, ou jusqu’à 3 000,00\u00a0€ à recevoir"),
        ("23000", "entre 1 000,00\u00a0€ et 5 000,00\u00a0€ seraient à rendre"),
    ],
)
def test_la_phrase_dit_a_recevoir_ou_a_rendre_sans_jamais_accuser(promis, phrase):
    dite = estimer(AGC, charges("50000"), promis=D(promis), marge=D(10)).phrase
    assert phrase.replace(" 000", "\u202f000") in dite
    assert dite.startswith("Si vos charges finales s’écartent de 10\u00a0% ")
    assert "fraude" not in dite


@given(pilotage=EUROS, promis=EUROS, marge=st.decimals(min_value=0, max_value=100, places=2))
def test_le_droit_declare_est_toujours_dans_sa_fourchette(pilotage, promis, marge):
    donnees = Donnees(charges={Poste.PILOTAGE: pilotage})
    fourchette = estimer(AGC, donnees, promis=promis, marge=marge)
    droit = liquider(AGC, donnees).droit
    assert fourchette.droit_bas <= droit <= fourchette.droit_haut
    assert fourchette.estimee == situer(droit, promis)
    assert fourchette.basse.indu >= fourchette.estimee.indu >= fourchette.haute.indu


# --- L’agrément interrompu dans l’année -----------------------------------------------------------------------------
TROU = ((date(2026, 4, 10), date(2026, 8, 20)),)


@pytest.mark.parametrize(
    ("prorata", "part", "plafond"),
    [(Prorata.MOIS, "9/12 mois", D("75000.00")), (Prorata.JOURS, "232/365 jours", D("63561.64"))],
)
def test_un_trou_dans_l_agrement_ne_compte_pas_et_se_lit_dans_l_explication(prorata, part, plafond):
    regle = Regle("agc", 2026, taux=D("40"), prix_plafond=D(100_000), quote_part=False, prorata=prorata)
    donnees = Donnees(assiette=D(200_000), debut=date(2026, 1, 1), fin=date(2026, 12, 31), interruptions=TROU)
    liquidation = liquider(regle, donnees)
    assert liquidation.plafond_applique == plafond
    valeurs = liquidation.lignes[-1].valeurs["part de l’année couverte"]
    assert valeurs == f"{part}, sans agrément du 10\u00a0avril\u00a02026 au 20\u00a0août\u00a02026"
    assert Donnees.depuis_json(donnees.en_json()) == donnees


def test_des_donnees_gardees_avant_les_interruptions_se_relisent():
    garde = Donnees(assiette=D(1)).en_json()
    del garde["interruptions"]
    assert Donnees.depuis_json(garde).interruptions == ()


# --- Rendre un indu en plusieurs fois -------------------------------------------------------------------------------
def test_ce_qui_est_rendu_va_aux_plus_anciennes_echeances():
    plan = plan_de_remboursement(D("100.00"), 3, date(2026, 1, 31), D("40.00"), date(2026, 3, 1))
    assert [(e.le, e.montant, e.rendu, e.en_retard) for e in plan] == [
        (date(2026, 1, 31), D("33.33"), D("33.33"), False),
        (date(2026, 2, 28), D("33.33"), D("6.67"), True),
        (date(2026, 3, 31), D("33.34"), D("0.00"), False),
    ]
    assert plan[0].rendue


@given(montant=st.decimals(min_value=D("0.01"), max_value=1_000_000, places=2), nombre=st.integers(1, 36))
def test_les_echeances_font_l_indu_au_centime_et_tout_rendre_les_solde(montant, nombre):
    plan = plan_de_remboursement(montant, nombre, date(2026, 1, 31), montant, date(2099, 1, 1))
    assert sum(e.montant for e in plan) == montant
    assert all(e.rendue and not e.en_retard for e in plan)
