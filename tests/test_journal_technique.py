"""Le journal technique : chaque ligne est du JSON lisible, d’où qu’elle vienne, et ne montre pas les variables."""

from __future__ import annotations

import io
import json
import logging
from logging.config import dictConfig

import pytest
import structlog
from django.conf import settings


@pytest.fixture
def lignes():
    """La configuration de production, écrite dans un flux qu’on relit."""
    flux = io.StringIO()
    reglages = {**settings.LOGGING, "root": {**settings.LOGGING["root"], "level": "INFO"}}
    avant = logging.getLogger().handlers[:]
    dictConfig(reglages)
    logging.getLogger().handlers[-1].setStream(flux)
    yield lambda: [json.loads(ligne) for ligne in flux.getvalue().splitlines()]
    logging.getLogger().handlers = avant


def test_une_ligne_de_django_s_ecrit_en_json(lignes):
    logging.getLogger("django.request").warning("Refusé : %s", "/x/")
    assert lignes()[0]["event"] == "Refusé : /x/"
    assert lignes()[0]["level"] == "warning"


def test_une_ligne_du_portail_garde_ses_champs(lignes):
    structlog.get_logger("portail").warning("courtier_injoignable", tache="x", montant=12)
    assert {c: lignes()[0][c] for c in ("event", "tache", "montant")} == {
        "event": "courtier_injoignable", "tache": "x", "montant": 12,
    }  # fmt: skip


def test_une_exception_dit_ou_sans_montrer_les_variables(lignes):
    secret = "mot-de-passe-secret"
    try:
        raise ValueError(len(secret))
    except ValueError:
        logging.getLogger("django.request").exception("panne")
    assert "ValueError" in lignes()[0]["exception"]
    assert secret not in json.dumps(lignes())
