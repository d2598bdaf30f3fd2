"""L’ordre de prélèvement : au schéma, au centime, rejouable, et refusé avec toutes ses raisons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal as D
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from financements.prelevements import Creancier, Prelevement, ordre_de_prelevement
from financements.sepa import OrdreInvalide

IBAN = "FR7630006000011234567890189"
CREANCIER = Creancier("Caf d’exemple", IBAN, "AGRIFRPP", "FR72ZZZ123456")
UN = Prelevement(
    "PRET-1-001", "Association Été & Co", IBAN, D("416.67"), "Échéance 1", "RUM-1", date(2026, 1, 1), "FRST"
)
DEUX = replace(UN, reference="PRET-1-002", montant=D("0.01"), sequence="RCUR")
JOUR = date(2026, 12, 1)
ESPACE = "{urn:iso:std:iso:20022:tech:xsd:pain.008.001.08}"


def ordre(*prelevements, creancier=CREANCIER, reference="PREL-2026-00001"):
    return ordre_de_prelevement(
        prelevements, creancier, reference=reference, execution=JOUR,
        etabli_le=datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Europe/Paris")),
    )  # fmt: skip


def test_l_ordre_suit_le_schema_et_totalise_au_centime():
    racine = ElementTree.fromstring(ordre(UN, DEUX))
    assert racine.find(f".//{ESPACE}GrpHdr/{ESPACE}CtrlSum").text == "416.68"
    assert [e.text for e in racine.iter(f"{ESPACE}SeqTp")] == ["FRST", "RCUR"]
    assert [e.text for e in racine.iter(f"{ESPACE}MndtId")] == ["RUM-1", "RUM-1"]
    assert len({e.text for e in racine.iter(f"{ESPACE}PmtInfId")}) == 2
    assert "Association Ete + Co" in {e.text for e in racine.iter(f"{ESPACE}Nm")}


def test_les_memes_entrees_rendent_les_memes_octets():
    assert ordre(UN, DEUX) == ordre(UN, DEUX)


@pytest.mark.parametrize(
    ("faute", "phrase"),
    [
        ({"iban": "FR7630006000011234567890180"}, "IBAN de Association"),
        ({"montant": D(0)}, "compris entre"),
        ({"montant": D("1.001")}, "deux décimales"),
        ({"mandat": "é" * 40}, "référence du mandat"),
        ({"mandat_signe_le": date(2027, 1, 1)}, "signé après"),
        ({"debiteur": " "}, "débiteur est vide"),
        ({"reference": "x" * 36}, "35 caractères"),
    ],
)
def test_un_prelevement_faux_est_refuse_par_une_phrase(faute, phrase):
    with pytest.raises(OrdreInvalide, match=phrase):
        ordre(replace(UN, **faute))


@pytest.mark.parametrize("ics", ["FR00ZZZ123456", "", "ZZZ"])
def test_un_identifiant_creancier_faux_est_refuse(ics):
    with pytest.raises(OrdreInvalide, match="identifiant créancier"):
        ordre(UN, creancier=replace(CREANCIER, ics=ics))


def test_rien_a_prelever_ou_deux_fois_la_meme_reference_est_refuse():
    with pytest.raises(OrdreInvalide, match="aucun prélèvement"):
        ordre()
    with pytest.raises(OrdreInvalide, match="portée par 2"):
        ordre(UN, UN)
