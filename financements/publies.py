"""Le barème publié, tel que le calcul le lit."""

from __future__ import annotations

from financements.calculs import Regle
from financements.models import Bareme


def bareme_publie(prestation: str, exercice: int) -> Regle | None:
    bareme = Bareme.objects.publies(exercice).filter(prestation=prestation).first()
    return bareme.regle if bareme else None
