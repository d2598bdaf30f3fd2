"""Le journal technique : une ligne JSON par événement, lisible par une machine, sans donnée d’une personne."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys

import pytest
import structlog
from django.conf import settings
from django.test import Client, override_settings
from django.urls import path

SECRET = "Apolline-Confidentielle"


@pytest.fixture
def lignes():
    """Ce que le gestionnaire réglé écrit vraiment, relu ligne à ligne."""
    gestionnaire = logging.getHandlerByName("console")
    assert isinstance(gestionnaire, logging.StreamHandler)
    assert gestionnaire in logging.getLogger().handlers
    ecrit = io.StringIO()
    avant = gestionnaire.setStream(ecrit)
    yield lambda: [json.loads(ligne) for ligne in ecrit.getvalue().splitlines()]
    gestionnaire.setStream(avant)


def echouer() -> None:
    courriel = SECRET
    raise ValueError(f"{len(courriel)} signes")


def test_une_ligne_de_django_est_du_json(lignes):
    logging.getLogger("django.security").warning("Hôte refusé : %s", "é€🌳")
    (ligne,) = lignes()
    assert ligne["event"] == "Hôte refusé : é€🌳"
    assert (ligne["level"], ligne["logger"]) == ("warning", "django.security")
    assert ligne["timestamp"].endswith("Z")


def test_une_ligne_du_portail_porte_ses_valeurs(lignes):
    structlog.get_logger("documents.actions").error("fichier_perdu", fichier=12, nom="été.pdf")
    (ligne,) = lignes()
    assert {"event": "fichier_perdu", "fichier": 12, "nom": "été.pdf", "level": "error"}.items() <= ligne.items()


def test_le_json_s_ecrit_en_clair_et_sur_une_ligne():
    enregistrement = logging.LogRecord("django", logging.ERROR, "f.py", 1, "deux\nlignes, été", (), None)
    gestionnaire = logging.getHandlerByName("console")
    ecrit = gestionnaire.format(enregistrement)
    assert "été" in ecrit
    assert "\n" not in ecrit


@pytest.mark.parametrize("journal", [logging.getLogger("django.request"), structlog.get_logger("courriers.envoi")])
def test_une_trace_dit_ou_sans_les_variables_locales(lignes, journal):
    try:
        echouer()
    except ValueError:
        journal.exception("panne")
    (ligne,) = lignes()
    assert ligne["event"] == "panne"
    assert "in echouer" in ligne["exception"]
    assert "ValueError: 23 signes" in ligne["exception"]
    assert SECRET not in json.dumps(ligne, ensure_ascii=False)


def test_un_objet_quelconque_ne_casse_pas_la_ligne(lignes):
    structlog.get_logger("documents").warning("essai", objet=object(), octets=b"\xff", ensemble={1})
    assert lignes()[0]["event"] == "essai"


def tomber(request, nom):
    courriel = request.GET["courriel"]
    raise RuntimeError(f"panne de {len(courriel)} signes")


tomber.publique = True
urlpatterns = [path("tomber/<str:nom>/", tomber)]
handler500 = "accueil.views.erreurs.panne"


@pytest.mark.django_db
@override_settings(ROOT_URLCONF="tests.config.test_journal_technique")
def test_une_page_en_panne_laisse_une_trace_relisible(lignes):
    from django.contrib.auth.decorators import login_not_required

    login_not_required(tomber)
    reponse = Client(raise_request_exception=False).get("/tomber/x/", {"courriel": SECRET})
    assert reponse.status_code == 500
    traces = [ligne for ligne in lignes() if "RuntimeError: panne de 23 signes" in ligne.get("exception", "")]
    assert traces
    assert all(SECRET not in trace["exception"] for trace in traces)


def test_le_worker_ecrit_le_meme_journal():
    """Celery installe d’ordinaire le sien : on lance sa mise en place dans un processus neuf et on relit sa sortie."""
    programme = (
        "import django, logging; django.setup();"
        "from config.celery import app; app.log.setup(loglevel='WARNING');"
        "import structlog; logging.getLogger('celery.worker').warning('perdu');"
        "structlog.get_logger('documents').error('acte_abandonne', acte=3); print('sortie')"
    )
    processus = subprocess.run(
        [sys.executable, "-c", programme], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    ecrites = [json.loads(ligne) for ligne in processus.stderr.splitlines()]
    assert [ligne["event"] for ligne in ecrites] == ["perdu", "acte_abandonne"]
    assert processus.stdout == "sortie\n"
