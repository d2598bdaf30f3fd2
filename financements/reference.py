"""Ce que le portail sait des prestations sans qu’on le saisisse : prestations, taux attestés, calendrier comparable."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.db import transaction

from financements.choix import TypeDeclaration
from financements.models import Campagne, Prestation, ReglesDePaiement

DOSSIER = Path(__file__).resolve().parent / "donnees"
# (type, ouverture, limite) : jours et mois de la Caf de la Somme ; « avant » et « après » sont relatifs à l’exercice.
CALENDRIER: tuple[tuple[str, tuple[int, int, int], tuple[int, int, int]], ...] = (
    (TypeDeclaration.PREVISIONNEL, (-1, 12, 15), (0, 2, 13)),
    (TypeDeclaration.ACTUALISE_JUIN, (0, 6, 15), (0, 7, 10)),
    (TypeDeclaration.ACTUALISE_SEPTEMBRE, (0, 9, 17), (0, 10, 12)),
    (TypeDeclaration.REEL, (1, 1, 16), (1, 3, 31)),
)
# une campagne dépassée de plus longtemps ne se propose plus : la suivante la remplace
RETARD_ADMIS = timedelta(days=60)
SOURCE_CALENDRIER = "dates de la Caf de la Somme (2023), à confirmer par la Caf"
SOURCE_REGLES = (
    "Acomptes : Caf de la Somme (35 % + 35 %) et convention de la Charente (70 % au plus) ; convention au-dessus de "
    "23 000 € : loi 2000-321, article 10. Autres seuils : à fixer par la Caf."
)


@cache
def taux_attestes() -> dict[tuple[str, int], Decimal]:
    """Par (prestation, exercice), le taux en pour cent relevé dans une source publique."""
    with (DOSSIER / "taux_ps_avs.csv").open(encoding="utf-8", newline="") as fichier:
        return {
            (ligne["ps"].lower(), int(ligne["annee"])): Decimal(ligne["taux_pct"]) for ligne in csv.DictReader(fichier)
        }


def taux_atteste(prestation: str, exercice: int) -> Decimal | None:
    return taux_attestes().get((prestation, exercice))


@transaction.atomic
def charger_les_prestations() -> int:
    """Ajoute les prestations et les règles de paiement livrées qui manquent ; ne touche pas à celles déjà réglées."""
    definitions = json.loads((DOSSIER / "prestations.json").read_text(encoding="utf-8"))
    connues = set(Prestation.objects.values_list("pk", flat=True))
    neuves = [d for d in definitions if d["code"] not in connues]
    for d in neuves:
        Prestation.objects.create(**{cle: valeur for cle, valeur in d.items() if cle != "successeur"})
    for d in neuves:
        if d["successeur"]:
            Prestation.objects.filter(pk=d["code"]).update(successeur=d["successeur"])
    ReglesDePaiement.objects.get_or_create(exercice=2020, defaults={"source": SOURCE_REGLES})
    return len(neuves)


def creer_les_campagnes(exercice: int) -> list[Campagne]:
    """Les quatre campagnes d’un exercice, aux dates par défaut ; rend celles qui manquaient, les autres restent."""
    creees = []
    for type_, (a1, m1, j1), (a2, m2, j2) in CALENDRIER:
        campagne, neuve = Campagne.objects.get_or_create(
            exercice=exercice,
            type=type_,
            defaults={
                "ouverture": date(exercice + a1, m1, j1),
                "limite": date(exercice + a2, m2, j2),
                "source": SOURCE_CALENDRIER,
            },
        )
        if neuve:
            creees.append(campagne)
    return creees
