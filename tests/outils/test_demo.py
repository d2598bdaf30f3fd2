"""``./run demo`` pour de vrai : base, courtier, web de production, worker et horloge, de rien à « Prêt », puis l’arrêt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comptes.choix import Role

RACINE = Path(__file__).resolve().parents[2]
A_PART = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "MEDIA_ROOT", "STATIC_ROOT", "DJANGO_SETTINGS_MODULE")


def environnement(donnees: Path) -> dict[str, str]:
    """Celui d’un poste, pas celui de la suite : ses propres services, ses propres réglages."""
    propre = {cle: v for cle, v in os.environ.items() if cle not in A_PART and not cle.startswith("PYTEST")}
    return {**propre, "PORTAIL_DATA": str(donnees), "PORT": "8950"}


@contextmanager
def lance(donnees: Path, *, arreter: int) -> Iterator[str]:
    """La démonstration lancée jusqu’à « Prêt », son adresse, puis son arrêt propre par ce signal."""
    with subprocess.Popen(
        [sys.executable, "-m", "outils.lancer"], cwd=RACINE, env=environnement(donnees), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as portail:  # fmt: skip
        assert portail.stdout is not None
        prets = (ligne for ligne in portail.stdout if ligne.startswith("Prêt : "))
        try:
            yield next(prets).removeprefix("Prêt : ").strip()
        finally:
            portail.send_signal(arreter)
            code = portail.wait(60)
    assert code == 0


def manage(donnees: Path, *commande: str) -> str:
    appel = [sys.executable, "-m", "outils.services", "--", sys.executable, "manage.py", *commande]
    fini = subprocess.run(appel, cwd=RACINE, env=environnement(donnees), capture_output=True, text=True, check=True)
    return fini.stdout


def lire(adresse: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(adresse, timeout=20) as reponse:
        return reponse.status, reponse.read()


@pytest.fixture
def donnees(tmp_path_factory) -> Path:
    dossier = tmp_path_factory.mktemp("demo")
    dossier.chmod(0o755)
    for parent in dossier.parents[:2]:
        parent.chmod(0o755)
    return dossier / "donnees"


def test_la_demonstration_part_de_rien_s_arrete_proprement_et_repart_avec_ses_donnees(donnees):
    with lance(donnees, arreter=signal.SIGINT) as adresse:
        etats = json.loads(lire(f"{adresse}/sante/")[1])
        assert set(etats.values()) == {"bien"}
        page = lire(f"{adresse}/")[1].decode()
        feuille = page.split('href="/static/css/portail')[1].split('"')[0]
        assert lire(f"{adresse}/static/css/portail{feuille}")[0] == 200
        comptes = json.loads(manage(donnees, "comptes_demo", "--json"))
        assert {"courriel", "mot_de_passe", "roles", "structures"} <= comptes[0].keys()
        assert {r for c in comptes for r in c["roles"]} == {role.name for role in Role}
        double = subprocess.run(
            [sys.executable, "-m", "outils.lancer"], cwd=RACINE, env=environnement(donnees), capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert double.returncode == 1
        assert "tourne déjà sur ces données" in double.stderr
    urls = {u["nom"]: u for u in json.loads(manage(donnees, "lister_urls", "--json"))}
    assert urls["accueil:accueil"]["public"] is True
    charge_le = (donnees / "donnees-chargees").stat().st_mtime
    with lance(donnees, arreter=signal.SIGTERM) as adresse:
        assert lire(f"{adresse}/sante/vivant")[0] == 200
    assert (donnees / "donnees-chargees").stat().st_mtime == charge_le
    assert json.loads(manage(donnees, "comptes_demo", "--json")) == comptes
