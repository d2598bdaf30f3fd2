"""Un fichier abîmé, démesuré ou piégé se refuse d’une phrase, sans épuiser la machine."""

from __future__ import annotations

import contextlib
import io
import time
import tracemalloc
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from financements.importation import FichierIllisible, lire
from tests.fabriques.tableaux import CHAMPS, NOM_FEC, d, fec, ligne_fec, lire_ici, xlsx


@pytest.mark.parametrize(
    ("contenu", "nom", "phrase"),
    [
        (b"", "vide.csv", "vide (0 octet)"),
        (b"%PDF-1.7 ...", "b.pdf", "PDF"),
        (b"<html><table></table></html>", "b.xls", "page web"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "b.xls", "ancien format .xls"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "b.xlsx", "mot de passe"),
        (b"Compte;Debit;Credit\n64" + b"1;1;1\n" * 40 + b"x\0y", "b.csv", "caractère nul ligne 42"),
        (b"Compte;Solde\n", "b.csv", "aucune ligne"),
        (b"bonjour\ntout le monde\n", "b.csv", "en-têtes de colonnes sont introuvables"),
        (b"bonjour\n", NOM_FEC, "dix-huit champs"),
        ("Compte;Libellé;Débit\n641;S;1\n".encode(), "b.csv", "« crédit »"),
        ("Compte;Débit;Crédit;Débit;Crédit\n641;1;0;1;0\n".encode(), "b.csv", "Deux colonnes"),
        (b"Compte;Libelle;Debit;Credit\n" + b'"641;S;1;0\n' + b"642;S;1;0\n" * 60, "b.csv", "guillemet ouvert ligne 2"),
        (b"PK\x03\x04 pas une archive", "b.xlsx", "abîmé"),
        (b"\xff\xfeC\x00\xff\xdbX", "b.csv", "abîmés"),
    ],
)  # fmt: skip
def test_un_fichier_qui_ne_peut_pas_etre_lu_le_dit_en_une_phrase(contenu, nom, phrase):
    with pytest.raises(FichierIllisible) as refus:
        lire_ici(contenu, nom)
    assert phrase in str(refus.value)


def test_les_colonnes_manquantes_d_un_fec_sont_nommees():
    champs = [champ for champ in CHAMPS if champ not in ("EcritureDate", "Credit")]
    with pytest.raises(FichierIllisible, match="« EcritureDate », « Credit »"):
        lire_ici(fec(["x"] * 16, champs=champs), NOM_FEC)


def refaire(contenu, **parties):
    sortie = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(contenu)) as source, zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as copie:
        for nom in source.namelist():
            copie.writestr(nom, parties.pop(nom.replace("/", "_").replace(".", "_"), None) or source.read(nom))
        for nom, octets in parties.items():
            copie.writestr(nom, octets)
    return sortie.getvalue()


def test_un_classeur_a_macros_est_refuse_par_son_contenu_et_par_son_nom():
    sain = xlsx(["Compte", "Débit", "Crédit"], ["641", 1, 0])
    for contenu, nom in ((refaire(sain, **{"xl/vbaProject.bin": b"x"}), "b.xlsx"), (sain, "B.XLSM")):
        with pytest.raises(FichierIllisible, match="macros"):
            lire_ici(contenu, nom)


def test_une_archive_quelconque_n_est_pas_un_classeur():
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(FichierIllisible, match="n’est pas un classeur"):
        lire_ici(sortie.getvalue(), "b.ods")


def test_une_bombe_est_arretee_avant_d_epuiser_la_memoire():
    bombe = refaire(xlsx(["Compte", "Débit", "Crédit"]), xl_worksheets_sheet1_xml=b" " * (300 * 2**20))
    assert len(bombe) < 2**20
    with pytest.raises(FichierIllisible, match="dépasse la taille permise"):
        lire_ici(bombe, "b.xlsx")


def test_une_cellule_perdue_au_bout_de_la_grille_est_refusee():
    feuille = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    with pytest.raises(FichierIllisible, match="1048576"):
        lire_ici(refaire(xlsx(["Compte"]), xl_worksheets_sheet1_xml=feuille), "b.xlsx")


def test_un_long_texte_repete_a_l_infini_est_refuse():
    rangees = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 20_001))
    feuille = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + rangees
    chaines = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>'
        + b"x" * 30_000
        + b"</t></si></sst>"
    )
    contenu = refaire(
        xlsx(["a"]), xl_worksheets_sheet1_xml=feuille + b"</sheetData></worksheet>", xl_sharedStrings_xml=chaines
    )
    with pytest.raises(FichierIllisible, match="classeur neuf"):
        lire_ici(contenu, "b.xlsx")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=6))
def test_un_classeur_corrompu_ne_fait_jamais_planter(coups):
    octets = bytearray(xlsx(["Compte", "Débit", "Crédit"], ["641", 1, 0]))
    for position, valeur in coups:
        octets[position % len(octets)] = valeur
    with contextlib.suppress(FichierIllisible):
        assert lire_ici(bytes(octets), "b.xlsx").lignes_lues > 0


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_des_octets_quelconques_ne_font_jamais_planter(contenu):
    for tete in (b"", b"Compte;Libelle;Debit;Credit\n", b"\t".join(c.encode() for c in CHAMPS) + b"\n", b"PK\x03\x04"):
        with contextlib.suppress(FichierIllisible):
            assert lire(tete + contenu, "f", exercice=2025).lignes_lues > 0


@pytest.mark.parametrize("signe", ["=1+1", "@SUM(A1)", "+A1", "-A1"])
def test_une_cellule_de_csv_qui_ressemble_a_une_formule_n_est_jamais_evaluee(signe):
    balance = lire_ici(f"Compte;Libellé;Débit;Crédit\n641;{signe};5;\n642;x;{signe};\n")
    assert [(a.ligne, a.colonne) for a in balance.anomalies] == [(2, "Libellé"), (3, "Débit")]
    assert [(s.compte, s.libelle) for s in balance.soldes] == [("641", signe)]


def test_une_formule_sans_valeur_calculee_est_signalee_a_sa_cellule():
    classeur = openpyxl.Workbook()
    for rangee in (["Compte", "Libellé", "Débit", "Crédit"], ["641", "S", "=10+5", 0], ["642", "S", 7, 0]):
        classeur.active.append(rangee)
    sortie = io.BytesIO()
    classeur.save(sortie)
    balance = lire_ici(sortie.getvalue(), "b.xlsx")
    assert [(a.ligne, a.colonne) for a in balance.anomalies] == [(2, "Débit")]
    assert "formule" in balance.anomalies[0].message
    assert [s.compte for s in balance.soldes] == ["642"]


def test_la_memoire_d_un_fec_reste_proche_de_ses_ecritures_pas_de_son_texte():
    contenu = fec(
        *(ligne_fec(str(n // 100), "606100", "1,00" if n % 2 else "-1,00", lib="x" * 200) for n in range(20_000))
    )
    tracemalloc.start()
    lire_ici(contenu, NOM_FEC)
    sommet = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sommet < 3 * 2**20 < len(contenu)


def fec_de(ecritures):
    rangees = []
    for n in range(ecritures):
        rangees += [ligne_fec(str(n), f"6{n % 500:05}", "12,34"), ligne_fec(str(n), "401000", credit="12,34")]
    return fec(*rangees)


@pytest.mark.parametrize("forme", ["fec", "xlsx"])
def test_deux_cent_mille_lignes_se_lisent_en_quelques_secondes(forme):
    if forme == "fec":
        contenu, total = fec_de(100_000), d("1234000.00")
    else:
        lignes = ([f"6{n % 500:05}", "Un compte", 12.34, 0] for n in range(200_000))
        contenu, total = xlsx(["Compte", "Libellé", "Débit", "Crédit"], *lignes), d("2468000.00")
    depart = time.process_time()
    balance = lire_ici(contenu, "comptes")
    assert time.process_time() - depart < 15  # large : 3 à 5 secondes sur une machine au repos
    assert (balance.format, balance.lignes_lues, balance.anomalies, len(balance.soldes)) == (forme, 200_000, (), 500)
    assert sum(s.montant for s in balance.soldes) == total
