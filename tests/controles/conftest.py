"""Le service de contrôle que ces tests partagent ; un module qui en veut un autre définit le sien."""

from __future__ import annotations

import pytest

from tests.fabriques.controles import Bureau


@pytest.fixture
def bureau(db):
    return Bureau()
