from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from partenaires.models import Commune, CommuneDeleguee, Epci, QuartierPrioritaire
from partenaires.referentiels import communes_en_zfrr, lire


class Command(BaseCommand):
    help = "Charge ou met à jour les données publiques du département (communes, EPCI, QPV, FRR). Rejouable."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        comptes = {
            "intercommunalités": self._epci(),
            "communes": self._communes(),
            "communes déléguées": self._deleguees(),
            "quartiers prioritaires": self._quartiers(),
        }
        for nom, nombre in comptes.items():
            self.stdout.write(f"{nombre} {nom}")

    def _epci(self) -> int:
        lignes = [Epci(siren=e["siren"], nom=e["nom"], nature=e["type"]) for e in lire("epci_49")]
        Epci.objects.bulk_create(
            lignes, update_conflicts=True, unique_fields=["siren"], update_fields=["nom", "nature"]
        )
        return len(lignes)

    def _communes(self) -> int:
        zonage = communes_en_zfrr()
        connus = set(Epci.objects.values_list("pk", flat=True))
        lignes = []
        for c in lire("communes_49"):
            classement, en_frr = zonage[c["code_insee"]]
            lignes.append(
                Commune(
                    code_insee=c["code_insee"],
                    nom=c["nom"],
                    codes_postaux=c["codes_postaux"].split("|"),
                    epci_id=c["epci_siren"] if c["epci_siren"] in connus else None,
                    arrondissement=c["arrondissement_nom"],
                    population=int(c["pop_municipale_2023"]),
                    superficie_km2=Decimal(c["superficie_km2"]),
                    classement_frr=classement,
                    en_frr=en_frr,
                    densite=c["densite"],
                    lat=float(c["lat"]),
                    lon=float(c["lon"]),
                )
            )
        champs = [
            "nom", "codes_postaux", "epci", "arrondissement", "population", "superficie_km2",
            "classement_frr", "en_frr", "densite", "lat", "lon",
        ]  # fmt: skip
        Commune.objects.bulk_create(lignes, update_conflicts=True, unique_fields=["code_insee"], update_fields=champs)
        return len(lignes)

    def _deleguees(self) -> int:
        lignes = [
            CommuneDeleguee(code_insee=c["code_insee"], nom=c["nom"], commune_id=c["commune_actuelle"])
            for c in lire("communes_deleguees_49")
        ]
        CommuneDeleguee.objects.bulk_create(
            lignes, update_conflicts=True, unique_fields=["code_insee", "nom"], update_fields=["commune"]
        )
        return len(lignes)

    def _quartiers(self) -> int:
        lignes = [
            QuartierPrioritaire(code=q["code_qp"], nom=q["nom"], commune_id=q["code_insee"])
            for q in lire("qpv_2024_49")
        ]
        QuartierPrioritaire.objects.bulk_create(
            lignes, update_conflicts=True, unique_fields=["code"], update_fields=["nom", "commune"]
        )
        return len(lignes)
