"""Lire un FEC ou une balance : chaque compte, chaque anomalie à sa ligne."""

from __future__ import annotations

import io

import openpyxl
import pytest

from tests.fabriques.tableaux import BALANCE, CHAMPS, NOM_FEC, d, fec, ligne_fec, lire_ici, xlsx


@pytest.mark.parametrize("sep", ["\t", "|"])
def test_un_fec_est_reconnu_et_ne_rend_que_les_charges_les_produits_et_les_contributions(sep):
    contenu = fec(
        ligne_fec("1", "606100", "100,10", lib="Fournitures"),
        ligne_fec("1", "401000", credit="100,10"),
        ligne_fec("2", "512000", "50,00"),
        ligne_fec("2", "706000", credit="50,00"),
        ligne_fec("3", "864000", "20,00"),
        ligne_fec("3", "875000", credit="20,00"),
        sep=sep,
    )
    balance = lire_ici(contenu, NOM_FEC)
    assert (balance.format, balance.lignes_lues, balance.anomalies) == ("fec", 6, ())
    assert [(s.compte, s.montant, s.ligne) for s in balance.soldes] == [
        ("606100", d("100.10"), 2),
        ("706000", d("50.00"), 5),
        ("864000", d("20.00"), 6),
        ("875000", d("20.00"), 7),
    ]
    assert balance.soldes[0].libelle == "Fournitures"


@pytest.mark.parametrize(("debit", "credit"), [("D", "C"), ("+1", "-1"), ("1", "-1")])
def test_un_fec_a_montant_et_sens_est_lu(debit, credit):
    champs = [{"Debit": "Montant", "Credit": "Sens"}.get(champ, champ) for champ in CHAMPS]
    balance = lire_ici(
        fec(ligne_fec("1", "641", "10,00", debit), ligne_fec("1", "512", "10,00", credit), champs=champs)
    )
    assert balance.anomalies == ()
    assert balance.soldes[0].debit == d("10.00")


def test_un_sens_inconnu_est_signale_a_sa_ligne():
    champs = [{"Debit": "Montant", "Credit": "Sens"}.get(champ, champ) for champ in CHAMPS]
    balance = lire_ici(fec(ligne_fec("1", "641", "10,00", "X"), ligne_fec("1", "512", "10,00", "C"), champs=champs))
    assert [(a.ligne, a.colonne) for a in balance.anomalies] == [(2, "Sens")]


def test_une_apostrophe_ou_un_guillemet_dans_un_fec_ne_mange_pas_la_suite():
    contenu = fec(
        ligne_fec("1", "641", "10,00", lib='"Salaires, "bruts'), ligne_fec("1", "512", credit="10,00"), sep="|"
    )
    balance = lire_ici(contenu, NOM_FEC)
    assert balance.anomalies == ()
    assert balance.lignes_lues == 2


@pytest.mark.parametrize(
    "encodage", ["utf-8", "utf-8-sig", "cp1252", "iso-8859-15", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_les_encodages_courants_sont_reconnus(encodage):
    texte = "Compte;Libellé;Débit;Crédit\n647;Chèques à l’œuvre 10 €;1,00;0\n"
    if encodage == "iso-8859-15":
        texte = texte.replace("’", "'")
    libelle = lire_ici(texte.encode(encodage)).soldes[0].libelle
    assert libelle.replace("’", "'") == "Chèques à l'œuvre 10 €"


@pytest.mark.parametrize(
    "entetes",
    ["Compte;Libellé;Débit;Crédit", "N° compte;Intitulé du compte;Débit 2025;Crédit 2025", "numéro de compte;;DEBIT;CREDIT",
     "Compte;Libellé;Solde débiteur;Solde créditeur", "N° de compte;Nom;Total débit (€);Total crédit (€)"],
)  # fmt: skip
def test_les_en_tetes_sont_souples(entetes):
    soldes = lire_ici(f"Balance générale;;;\n\n{entetes}\n641;Salaires;12,5;\n").soldes
    assert [(s.compte, s.montant, s.ligne) for s in soldes] == [("641", d("12.50"), 4)]


@pytest.mark.parametrize("sep", [";", ",", "\t"])
def test_les_separateurs_d_une_balance_sont_reconnus(sep):
    lignes = [["Compte", "Libellé", "Débit", "Crédit"], ["641", "Salaires", '"1 234,50"', "0"]]
    balance = lire_ici("\n".join(sep.join(ligne) for ligne in lignes))
    assert (balance.format, balance.soldes[0].debit) == ("csv", d("1234.50"))


def test_la_colonne_d_une_autre_annee_n_est_pas_lue():
    contenu = "Compte;Libellé;Solde 2024;Solde 2025\n641;Salaires;900;1000\n706;Ventes;-80;-90\n"
    assert [s.montant for s in lire_ici(contenu).soldes] == [d("1000.00"), d("90.00")]


def test_le_solde_final_l_emporte_sur_les_mouvements():
    contenu = "Compte;Libellé;Débit;Crédit;Solde débiteur;Solde créditeur\n641;S;100;30;70;\n"
    assert lire_ici(contenu).soldes[0].debit == d("70.00")


def test_une_balance_xlsx_est_lue_avec_ses_nombres_et_ses_numeros_de_ligne():
    contenu = xlsx(
        ["Centre social"],
        [],
        ["Compte", "Libellé", "Débit", "Crédit"],
        [641100, "Salaires", 0.1 + 0.2, ""],
        ["706", "V", "", "1 000,00"],
    )
    balance = lire_ici(contenu, "b.xlsx")
    assert (balance.format, balance.anomalies) == ("xlsx", ())
    assert [(s.compte, s.debit, s.credit, s.ligne) for s in balance.soldes] == [
        ("641100", d("0.30"), d("0.00"), 4),
        ("706", d("0.00"), d("1000.00"), 5),
    ]


def test_les_lignes_de_total_ne_sont_pas_des_comptes():
    balance = lire_ici(BALANCE + "Total classe 6;;1 234,50;\n;TOTAL GÉNÉRAL;1 234,50;2000\n")
    assert (balance.lignes_lues, balance.anomalies) == (2, ())


def test_un_sous_total_qui_compterait_deux_fois_est_ecarte_et_dit():
    balance = lire_ici("Compte;Libellé;Débit;Crédit\n6;Charges;30;\n64;Personnel;30;\n641;S;10;\n645;C;20;\n")
    assert [s.compte for s in balance.soldes] == ["641", "645"]
    assert sorted(a.ligne for a in balance.anomalies) == [2, 3]


def test_toutes_les_anomalies_sont_rendues_avec_leur_ligne_et_les_bonnes_lignes_restent():
    balance = lire_ici(
        "Compte;Libellé;Débit;Crédit\n641;S;douze;\nabc;X;1;\n645;=HYPERLINK(1);2;\n646;S;1e3;\n647;T;3;\n"
    )
    assert [(a.ligne, a.colonne) for a in balance.anomalies] == [
        (2, "Débit"),
        (3, "Compte"),
        (4, "Libellé"),
        (5, "Débit"),
    ]
    assert [s.compte for s in balance.soldes] == ["645", "647"]
    assert "« =HYPERLINK(1) »" in balance.anomalies[2].message


def test_une_erreur_de_tableur_n_est_pas_un_zero_et_les_lignes_se_comptent_depuis_le_haut():
    classeur = openpyxl.Workbook()
    for case, valeur in {
        "C5": "Compte",
        "D5": "Débit",
        "E5": "Crédit",
        "C6": "641",
        "D6": 5,
        "C7": "642",
        "D7": "#N/A",
    }.items():
        classeur.active[case] = valeur
    sortie = io.BytesIO()
    classeur.save(sortie)
    balance = lire_ici(sortie.getvalue(), "b.xlsx")
    assert [(s.compte, s.ligne) for s in balance.soldes] == [("641", 6)]
    assert [(a.ligne, a.message) for a in balance.anomalies] == [(7, "« #N/A » n’est pas un montant.")]


def test_une_formule_calculee_vaut_sa_valeur():
    contenu = xlsx(["Compte", "Libellé", "Débit", "Crédit"], ["641", "S"], formule=(1, 2, "=10+5", None, 15))
    assert lire_ici(contenu, "b.xlsx").soldes[0].debit == d("15.00")


@pytest.mark.parametrize(
    ("jour", "phrase"),
    [("20240315", "hors de l’exercice 2025"), ("15032025", "attendu AAAAMMJJ"), ("20250230", "attendu AAAAMMJJ")],
)
def test_une_date_fausse_ou_d_un_autre_exercice_est_signalee(jour, phrase):
    balance = lire_ici(fec(ligne_fec("1", "641", "5,00", jour=jour), ligne_fec("1", "512", credit="5,00")), NOM_FEC)
    assert [(a.ligne, a.colonne) for a in balance.anomalies] == [(2, "EcritureDate")]
    assert phrase in balance.anomalies[0].message
    assert balance.soldes == ()


def test_un_fec_d_un_autre_exercice_se_voit_a_son_nom():
    balance = lire_ici(
        fec(ligne_fec("1", "641", "5,00"), ligne_fec("1", "512", credit="5,00")), "123456789FEC20240831.txt"
    )
    assert [(a.ligne, a.colonne) for a in balance.anomalies] == [(None, "nom du fichier")]
    assert "31\u00a0août\u00a02024" in balance.anomalies[0].message


def test_une_ecriture_desequilibree_dit_son_ecart_par_journal_et_numero():
    balance = lire_ici(
        fec(
            ligne_fec("1", "641", "10,00"),
            ligne_fec("1", "512", credit="10,00"),
            ligne_fec("1", "641", "10,00", journal="BQ"),
            ligne_fec("1", "512", credit="8,50", journal="BQ"),
        ),
        NOM_FEC,
    )
    assert [a.ligne for a in balance.anomalies] == [4, None]
    assert "L’écriture 1 du journal BQ" in balance.anomalies[0].message
    assert "1,50\u00a0€ de trop au débit" in balance.anomalies[0].message
    assert "1,50\u00a0€ d’écart" in balance.anomalies[1].message


def test_une_ligne_illisible_n_accuse_pas_en_plus_son_ecriture():
    balance = lire_ici(
        fec(ligne_fec("1", "641", "dix"), ligne_fec("1", "512", credit="10,00"), ["AC", "x", "2"]), NOM_FEC
    )
    assert [(a.ligne, a.colonne) for a in balance.anomalies] == [(2, "Debit"), (4, "")]
    assert "3 champs au lieu de 18" in balance.anomalies[1].message


def test_une_balance_generale_desequilibree_dit_son_ecart_mais_pas_une_balance_de_gestion():
    generale = lire_ici(BALANCE + "512;Banque;100;\n")
    assert "665,50\u00a0€ d’écart" in generale.anomalies[0].message.replace("\u202f", " ")
    assert lire_ici(BALANCE).anomalies == ()


def test_un_avoir_negatif_est_admis_dans_un_mouvement_pas_dans_un_solde():
    mouvement = lire_ici("Compte;Débit;Crédit\n606;-12,50;\n")
    assert (mouvement.anomalies, mouvement.soldes[0].montant) == ((), d("-12.50"))
    solde = lire_ici("Compte;Solde débiteur;Solde créditeur\n606;-12,50;\n")
    assert [(a.ligne, a.colonne) for a in solde.anomalies] == [(2, "Solde débiteur")]


def test_des_milliers_d_anomalies_sont_comptees_sans_etre_toutes_gardees():
    balance = lire_ici("Compte;Débit;Crédit\n" + "641;x;\n" * 5000)
    assert len(balance.anomalies) == 1001
    assert "4000 autres" in balance.anomalies[-1].message
