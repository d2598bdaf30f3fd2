"""La publication des régimes livrés avec le portail."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from agrements.models import VersionRegime
from agrements.referentiel import lire

DOSSIER = Path(__file__).resolve().parent / "referentiels"
# Dates d’effet : circulaire du 18 décembre 2025, applicable à compter de 2027 (domaine A.2).
LIVRES = (
    ("avs-2012", date(2013, 1, 1), date(2026, 12, 31)),
    ("avs-2025", date(2027, 1, 1), None),
)


@transaction.atomic
def publier_les_regimes() -> int:
    """Publie les régimes livrés qui ne le sont pas encore ; rejouable. Lève DefinitionInvalide."""
    publies = 0
    for code, effet_du, effet_au in LIVRES:
        definition = json.loads((DOSSIER / f"{code}.json").read_text(encoding="utf-8"))
        referentiel = lire(definition)
        _, neuve = VersionRegime.objects.get_or_create(
            code=code,
            numero=1,
            defaults={
                "libelle": referentiel.libelle,
                "effet_du": effet_du,
                "effet_au": effet_au,
                "definition": definition,
                "publie_le": timezone.now(),
            },
        )
        publies += neuve
    return publies
