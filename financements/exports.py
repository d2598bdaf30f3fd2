"""Les classeurs : écrits ligne à ligne, en mémoire bornée ; aucune cellule n’est prise pour une formule."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter
from django.db.models import QuerySet
from django.utils import timezone

from financements.choix import NatureDroit

LIGNES_PAR_LOT = 2000
ENTETES = (
    "Exercice", "Structure", "Commune", "Gestionnaire", "Prestation", "Nature", "Droit (€)", "Engagé (€)", "Payé (€)",
    "Solde (€)", "Montant forcé", "Versements suspendus le",
)  # fmt: skip


def ecrire_classeur(titre: str, entetes: Sequence[str], lignes: Iterable[Sequence[Any]]) -> IO[bytes]:
    """Rend un fichier temporaire, au début ; il s’efface quand on le ferme."""
    flux: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 — la réponse HTTP le ferme
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "in_memory": False}
    with xlsxwriter.Workbook(flux, options) as classeur:
        feuille = classeur.add_worksheet(titre[:31])
        gras = classeur.add_format({"bold": True, "bg_color": "#EFEAE0"})
        argent = classeur.add_format({"num_format": "#,##0.00"})
        jour = classeur.add_format({"num_format": "dd/mm/yyyy"})
        feuille.freeze_panes(1, 0)
        feuille.set_column(0, len(entetes) - 1, 18)
        for colonne, entete in enumerate(entetes):
            feuille.write_string(0, colonne, entete, gras)
        rang = 0
        for rang, ligne in enumerate(lignes, start=1):
            for colonne, valeur in enumerate(ligne):
                if isinstance(valeur, Decimal):
                    feuille.write_number(rang, colonne, float(valeur), argent)
                elif isinstance(valeur, date | datetime):
                    feuille.write_datetime(rang, colonne, valeur, jour)
                elif isinstance(valeur, int):
                    feuille.write_number(rang, colonne, valeur)
                else:
                    feuille.write_string(rang, colonne, str(valeur or ""))
        feuille.autofilter(0, 0, rang, len(entetes) - 1)
    flux.seek(0)
    return flux


def lignes_de_droits(droits: QuerySet[Any]) -> Iterable[Sequence[Any]]:
    valeurs = droits.values_list(
        "exercice", "structure__nom", "structure__commune__nom", "structure__gestionnaire__nom", "prestation__sigle",
        "nature", "montant", "engage", "paye", "solde", "origine", "suspendu_le",
    )  # fmt: skip
    noms = dict(NatureDroit.choices)
    for *debut, nature, montant, engage, paye, solde, origine, suspendu in valeurs.iterator(chunk_size=LIGNES_PAR_LOT):
        force = "oui" if origine == "derogation" else ""
        yield (*debut, noms.get(nature, ""), montant, engage, paye, solde, force, suspendu)


def nom_du_jour(prefixe: str) -> str:
    return f"{prefixe}-{timezone.localdate():%Y-%m-%d}.xlsx"
