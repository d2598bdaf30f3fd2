from __future__ import annotations

import contextlib
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sepaxml.validation import try_valid_xml

from financements.sepa import (
    SCHEMA,
    Donneur,
    OrdreInvalide,
    Retour,
    RetourIllisible,
    Virement,
    lire_retour,
    ordre_de_virement,
    traduire,
    translitterer,
)

IBAN = "FR7630006000011234567890189"
ESPACE = f"{{urn:iso:std:iso:20022:tech:xsd:{SCHEMA}}}"
CAF = Donneur("Caf de Maine-et-Loire", IBAN, "AGRIFRPP")
INSTANT = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def virement(reference="V-1", *, beneficiaire="Centre social", iban=IBAN, montant="100.00", libelle="Acompte 2027"):
    return Virement(reference, beneficiaire, iban, Decimal(montant), libelle)


def ordre(*virements, donneur=CAF, reference="REMISE-2027-1"):
    return ordre_de_virement(virements, donneur, reference=reference, execution=date(2027, 3, 5), etabli_le=INSTANT)


def textes(octets, balise):
    return [element.text for element in ElementTree.fromstring(octets).iter(ESPACE + balise)]


# ---- ordre


def test_un_ordre_est_valide_et_son_total_et_son_nombre_sont_justes():
    octets = ordre(
        virement("V-1", montant="0.10"), virement("V-2", montant="1234567.89"), virement("V-3", montant="0.2")
    )
    try_valid_xml(octets, SCHEMA)
    assert textes(octets, "CtrlSum") == ["1234568.19"] * 2
    assert textes(octets, "NbOfTxs") == ["3"] * 2
    assert textes(octets, "InstdAmt") == ["0.10", "1234567.89", "0.20"]
    assert textes(octets, "EndToEndId") == ["V-1", "V-2", "V-3"]
    assert textes(octets, "MsgId") == textes(octets, "PmtInfId") == ["REMISE-2027-1"]
    assert textes(octets, "Dt") == ["2027-03-05"]
    assert textes(octets, "CreDtTm") == ["2027-03-01T10:30:00"]
    assert textes(octets, "BICFI") == ["AGRIFRPP"]


def test_un_export_refait_rend_les_memes_octets():
    assert ordre(virement()) == ordre(virement())


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("Maison de quartier « L’Écouflant & Cœur d’Anjou »", "Maison de quartier L'Ecouflant + Coeur d'Anjou"),
        ("Régie n° 3_bis ; 50 % <ok> 😀", "Regie ndeg 3-bis , 50 ok"),
        ("Κέντρο Žižek", "Kentro Zizek"),
        ("a@b.fr", "a(at)b.fr"),
        ("😀", ""),
    ],
)
def test_les_caracteres_sont_ramenes_au_jeu_sepa(texte, attendu):
    assert translitterer(texte, 70) == attendu


def test_un_nom_et_un_libelle_trop_longs_sont_coupes_jamais_une_reference():
    octets = ordre(virement(beneficiaire="É" * 90, libelle="x" * 200))
    assert [len(texte) for texte in (textes(octets, "Nm")[-1], textes(octets, "Ustrd")[0])] == [70, 140]
    with pytest.raises(OrdreInvalide, match="35 caractères"):
        ordre(virement("R" * 36))


@pytest.mark.parametrize(
    ("virements", "phrase"),
    [
        ([], "aucun virement"),
        ([virement(), virement()], "portée par 2 virements"),
        ([virement("é")], "jeu SEPA"),
        ([virement("")], "jeu SEPA"),
        ([virement("/A")], "jeu SEPA"),
        ([virement(" A")], "jeu SEPA"),
        ([virement("A//B")], "jeu SEPA"),
        ([virement(montant="0")], "compris entre 0,01 €"),
        ([virement(montant="-5")], "compris entre 0,01 €"),
        ([virement(montant="1e9")], "compris entre 0,01 €"),
        ([virement(montant="NaN")], "compris entre 0,01 €"),
        ([virement(montant="1.005")], "plus de deux décimales"),
        ([virement(iban="FR7630006000011234567890188")], "IBAN de Centre social est faux"),
        ([virement(iban="")], "IBAN"),
        ([virement(beneficiaire="😀")], "bénéficiaire est vide"),
        ([virement(libelle=" ")], "libellé est vide"),
    ],
)
def test_un_ordre_qui_serait_refuse_ne_part_pas(virements, phrase):
    with pytest.raises(OrdreInvalide) as refus:
        ordre(*virements)
    assert phrase in str(refus.value)


def test_toutes_les_raisons_sont_dites_d_un_coup_sans_montrer_un_iban():
    with pytest.raises(OrdreInvalide) as refus:
        ordre(
            virement("A", iban="FR76300060000112345678901"),
            virement("B", montant="0"),
            donneur=Donneur("", "x", "y"),
            reference="",
        )
    assert len(refus.value.phrases) == 6
    assert "FR7630" not in str(refus.value)


def test_le_schema_est_bien_verifie(monkeypatch):
    monkeypatch.setattr("financements.sepa.translitterer", lambda texte, longueur: "x" * 500)
    with pytest.raises(OrdreInvalide, match=r"pain\.001\.001\.09"):
        ordre(virement())


def test_deux_mille_virements_se_preparent_en_quelques_secondes():
    depart = time.process_time()
    octets = ordre(*(virement(f"V-{n}", montant="0.01") for n in range(2000)))
    assert textes(octets, "CtrlSum")[0] == "20.00"
    assert time.process_time() - depart < 15


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=90), st.text(max_size=200), st.integers(1, 10**11 - 1))
def test_tout_texte_donne_un_ordre_valide_ou_un_refus(nom, libelle, centimes):
    montant = Decimal(centimes) / 100
    with contextlib.suppress(OrdreInvalide):
        octets = ordre(virement(beneficiaire=nom, libelle=libelle, montant=str(montant)))
        assert Decimal(textes(octets, "CtrlSum")[0]) == montant


# ---- retour


def pain002(corps, *, version="03", emis="2027-03-06T08:00:00", tete='<?xml version="1.0" encoding="UTF-8"?>\n'):
    return (
        f'{tete}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>\n'
        f"<GrpHdr><MsgId>B1</MsgId><CreDtTm>{emis}</CreDtTm></GrpHdr>\n{corps}\n</CstmrPmtStsRpt></Document>"
    ).encode()


def remise(etat="", motif=""):
    etat = f"<GrpSts>{etat}</GrpSts>" if etat else ""
    return f"<OrgnlGrpInfAndSts><OrgnlMsgId>REMISE-1</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>{etat}{motif}</OrgnlGrpInfAndSts>"


def lot(*virements, etat="", motif=""):
    etat = f"<PmtInfSts>{etat}</PmtInfSts>" if etat else ""
    return (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>LOT-1</OrgnlPmtInfId>{etat}{motif}{''.join(virements)}</OrgnlPmtInfAndSts>"
    )


def etat_de(reference, etat="", suite=""):
    etat = f"<TxSts>{etat}</TxSts>" if etat else ""
    return f"<TxInfAndSts><OrgnlInstrId>I</OrgnlInstrId><OrgnlEndToEndId>{reference}</OrgnlEndToEndId>{etat}{suite}</TxInfAndSts>\n"


def raison(code, precision=""):
    precision = f"<AddtlInf>{precision}</AddtlInf>" if precision else ""
    return f"<StsRsnInf><Orgtr><Nm>BQ</Nm></Orgtr><Rsn><Cd>{code}</Cd></Rsn>{precision}</StsRsnInf>"


def test_un_compte_rendu_dit_ce_qui_est_paye_rejete_ou_pas_encore_conclu():
    corps = remise("PART") + lot(
        etat_de("V-1", "ACSC", "<AccptncDtTm>2027-03-05T12:00:00</AccptncDtTm>"),
        etat_de("V-2", "RJCT", raison("AC04", "compte clos le 1er mars")),
        etat_de("V-3", "PDNG"),
        etat_de("V-4", "ACCP", "<OrgnlTxRef><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf></OrgnlTxRef>"),
    )
    assert lire_retour(pain002(corps), "retour.xml") == (
        Retour("V-1", True, "", date(2027, 3, 5)),
        Retour("V-2", False, "Le compte du bénéficiaire est clos. (AC04) compte clos le 1er mars", date(2027, 3, 6)),
        Retour("V-4", True, "", date(2027, 3, 6)),
    )


@pytest.mark.parametrize("version", ["03", "10"])
def test_une_remise_rejetee_en_bloc_rend_sa_reference(version):
    contenu = pain002(remise("RJCT", raison("AM04")), version=version)
    assert lire_retour(contenu, "r.xml") == (
        Retour("REMISE-1", False, "La provision du compte débité est insuffisante. (AM04)", date(2027, 3, 6)),
    )


def test_un_lot_juge_en_bloc_rend_sa_reference_et_un_virement_sans_etat_prend_celui_du_lot():
    assert [r.reference for r in lire_retour(pain002(remise() + lot(etat="ACSC")), "r.xml")] == ["LOT-1"]
    herite = lire_retour(
        pain002(
            remise() + lot(etat_de("V-1"), etat_de("V-2", suite=raison("AC01")), etat="RJCT", motif=raison("MD07"))
        ),
        "r.xml",
    )
    assert [(r.reference, r.paye, r.motif[-6:]) for r in herite] == [("V-1", False, "(MD07)"), ("V-2", False, "(AC01)")]


def test_un_prefixe_d_espace_de_noms_ne_gene_pas():
    contenu = pain002(remise() + lot(etat_de("V-1", "ACSC"))).replace(b"xmlns=", b"xmlns:p=")
    contenu = contenu.replace(b"</", b"</p:").replace(b"<", b"<p:").replace(b"<p:/p:", b"</p:").replace(b"<p:?", b"<?")
    assert [r.reference for r in lire_retour(contenu, "r.xml")] == ["V-1"]


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE Document SYSTEM "http://exemple.invalid/x.dtd">',
    ],
)
def test_un_xml_piege_est_refuse(dtd):
    contenu = pain002(remise("RJCT") + "<x>&x;</x>", tete=f'<?xml version="1.0"?>\n{dtd}\n')
    with pytest.raises(RetourIllisible, match="DTD ou des entités"):
        lire_retour(contenu, "r.xml")


@pytest.mark.parametrize(
    ("contenu", "phrase", "ligne"),
    [
        (b"", "vide", None),
        (b"<Document><a></Document>", "n’est pas un compte rendu", 1),
        (pain002(remise() + "\n<a>"), "mal formé", 6),
        (pain002(remise()), "aucun virement", None),
        (pain002(remise() + "\n" + lot("\n" + etat_de("V-1", "ZZZZ"))), "« ZZZZ » est inconnu", 6),
        (pain002(remise() + lot(etat_de("", "ACSC"))), "ne cite pas de référence", 4),
        (pain002(remise() + lot(etat_de("V-1", "ACSC"), etat_de("V-1", "RJCT"))), "à la fois payé et rejeté", 5),
        (pain002(remise() + lot(etat_de("V-1", "ACSC")), emis="hier"), "n’est pas une date", 4),
        (b"reference;motif\nV-1;x\n", "« etat »", 1),
        ("reference;etat;motif;date\nV-1;payé;;\nV-2;peut-être;;\n".encode(), "« peut-être » est inconnu", 3),
        ("reference;etat;motif;date\n;payé;;\n".encode(), "référence du virement manque", 2),
        ("reference;etat;motif;date\nV-1;payé;;31/02/2027\n".encode(), "n’est pas une date", 2),
        ("reference;etat;motif;date\nV-1;payé;;\nV-1;rejeté;;\n".encode(), "à la fois", 3),
        (b"%PDF-1.4", "PDF", None),
    ],
)
def test_un_retour_incompris_dit_sa_ligne(contenu, phrase, ligne):
    with pytest.raises(RetourIllisible) as refus:
        lire_retour(contenu, "retour")
    assert phrase in str(refus.value)
    assert refus.value.ligne == ligne


@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_un_retour_csv_est_lu(encodage):
    texte = "Référence;État;Motif;Date\nV-1;Payé;;05/03/2027\nV-2;REJETÉ;rr04;2027-03-06\nV-3;RJCT;Compte fermé;\n\nV-4;en attente;;\n"
    assert lire_retour(texte.encode(encodage), "retour.csv") == (
        Retour("V-1", True, "", date(2027, 3, 5)),
        Retour("V-2", False, "La banque invoque un motif réglementaire. (RR04)", date(2027, 3, 6)),
        Retour("V-3", False, "Compte fermé", None),
    )


def test_une_ligne_repetee_a_l_identique_ne_compte_qu_une_fois():
    contenu = b"reference;etat;motif;date\nV-1;ok;;\nV-1;ok;;\n"
    assert len(lire_retour(contenu, "r.csv")) == 1


def test_un_motif_inconnu_reste_cite():
    assert traduire("XY99", "voir agence") == "Motif bancaire : XY99. voir agence"
    assert traduire("", "") == ""


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_des_octets_quelconques_ne_font_jamais_planter(contenu):
    for tete in (b"", b"<?xml version='1.0'?><Document>", pain002(remise())[:-40], b"reference;etat;motif;date\n"):
        with contextlib.suppress(RetourIllisible):
            assert isinstance(lire_retour(tete + contenu, "r"), tuple)
