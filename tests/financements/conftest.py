from __future__ import annotations

import pytest

from tests.fabriques.financements import Caisse


@pytest.fixture
def caisse(django_capture_on_commit_callbacks):
    return Caisse()
