"""Des FEC, des balances et des classeurs comme les logiciels comptables les écrivent."""

from __future__ import annotations

import io
from decimal import Decimal

import xlsxwriter

from financements.importation import lire

CHAMPS = [
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
]
NOM_FEC = "123456789FEC20251231.txt"
BALANCE = "Compte;Libellé;Débit;Crédit\n641;Salaires;1 234,50;0,00\n706;Participations;;2000\n"


def ligne_fec(num, compte, debit="0,00", credit="0,00", *, jour="20250315", journal="AC", lib="Un compte"):
    return [
        journal,
        "Achats",
        num,
        jour,
        compte,
        lib,
        "",
        "",
        "P1",
        jour,
        "Facture",
        debit,
        credit,
        "",
        "",
        jour,
        "",
        "",
    ]


def fec(*lignes, sep="\t", champs=CHAMPS, encodage="utf-8"):
    return "\r\n".join(sep.join(ligne) for ligne in (champs, *lignes)).encode(encodage)


def xlsx(*rangees, formule=None):
    sortie = io.BytesIO()
    classeur = xlsxwriter.Workbook(sortie, {"strings_to_formulas": False})
    feuille = classeur.add_worksheet("Balance")
    for numero, rangee in enumerate(rangees):
        feuille.write_row(numero, 0, rangee)
    if formule:
        feuille.write_formula(*formule)
    classeur.close()
    return sortie.getvalue()


def lire_ici(contenu, nom="balance.csv", exercice=2025):
    return lire(contenu if isinstance(contenu, bytes) else contenu.encode(), nom, exercice=exercice)


def d(texte):
    return Decimal(texte)
