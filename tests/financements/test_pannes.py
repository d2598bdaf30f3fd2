"""Le recalcul sous les pannes : worker tué, courtier redémarré, base redémarrée, sur de vrais services à lui seul.

Chaque droit est révisé une fois et une seule, chaque lettre existe une fois et une seule.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from celery import Celery

from outils.services import Echec, Postgres, Valkey

STRUCTURES = 150
FILE = "pannes"
# Un vrai worker, ralenti : un paquet de dix droits toutes les 50 ms laisse le temps de tuer.
WORKER = """
import time
import django; django.setup()
from financements import revision
revision.PAQUET = 10
vrai = revision.simuler_un_paquet
def lent(cle):
    time.sleep(0.05)
    return vrai(cle)
revision.simuler_un_paquet = lent
vrai_ecrire = revision._ECARTER_FORCAGES
revision._ECARTER_FORCAGES = "SELECT pg_sleep(0.3);" + vrai_ecrire
from config.celery import app
app.conf.task_always_eager = False
app.worker_main(["worker", "-c", "1", "-l", "ERROR", "-P", "solo", "-Q", "pannes", "--without-gossip", "--without-mingle"])
"""


class Chantier:
    """La base, le courtier et les workers d’un seul test ; tout meurt avec lui."""

    def __init__(self, dossier) -> None:
        self.pg, self.vk = Postgres(dossier / "e", jetable=True), Valkey(dossier / "e", jetable=True)
        self.pg.demarrer()
        self.vk.demarrer()
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "DATABASE_URL": self.pg.url,
            "REDIS_URL": self.vk.url,
            "CELERY_BROKER_URL": self.vk.broker_url,
            "MEDIA_ROOT_TEST": str(dossier / "fichiers"),
            "PYTHONPATH": os.getcwd(),
        }
        self.workers: list[subprocess.Popen[bytes]] = []

    def python(self, *arguments: str) -> str:
        return subprocess.check_output([sys.executable, *arguments], env=self.env, text=True)

    def worker(self) -> subprocess.Popen[bytes]:
        self.workers.append(subprocess.Popen([sys.executable, "-c", WORKER], env=self.env))
        return self.workers[-1]

    def demander(self, cle: str, fois: int = 1) -> None:
        """Ce que fait l’horloge chaque minute ; deux fois, pour éprouver le verrou."""
        messager = Celery(set_as_current=False)
        with messager.connection_for_write(self.vk.broker_url) as connexion:
            for _ in range(fois):
                messager.send_task(
                    "financements.tasks.avancer_recalcul", args=[int(cle)], queue=FILE, connection=connexion
                )

    def lire(self, sql: str) -> str:
        return self.pg._psql(sql, "portail").strip()

    def attendre(self, sql: str, voulu, secondes: int = 60) -> None:
        fin = time.monotonic() + secondes
        while True:
            try:
                if voulu(self.lire(sql)):
                    return
            except Echec:
                pass  # la base redémarre : c’est l’épreuve
            assert time.monotonic() < fin, f"rien ne vient : {sql}"
            time.sleep(0.05)

    def fermer(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.vk.arreter()
        self.pg.arreter()


@pytest.fixture
def chantier(tmp_path):
    ouvert = Chantier(tmp_path)
    yield ouvert
    ouvert.fermer()


def tuer(processus) -> None:
    processus.send_signal(signal.SIGKILL)
    processus.wait()


def test_tue_de_partout_chaque_droit_est_revise_une_fois_et_chaque_lettre_ecrite_une_fois(chantier):
    chantier.python("manage.py", "migrate", "-v0")
    cle, responsable = chantier.python("-m", "tests.fabriques.masse", str(STRUCTURES)).split()
    lignes = "SELECT count(*) FROM financements_lignerecalcul"
    etat = f"SELECT etat FROM financements_recalcul WHERE id = {cle}"

    premier = chantier.worker()
    chantier.demander(cle)
    chantier.attendre(lignes, lambda n: int(n) >= 40)
    tuer(premier)  # le worker, en pleine simulation
    assert 40 <= int(chantier.lire(lignes)) < 2 * STRUCTURES

    chantier.worker()
    chantier.demander(cle, fois=2)
    chantier.attendre(lignes, lambda n: int(n) >= 100)
    tuer(chantier.vk.proc)  # le courtier
    chantier.vk.demarrer()
    chantier.attendre(lignes, lambda n: int(n) >= 150)
    tuer(chantier.pg.proc)  # la base
    chantier.pg.demarrer()
    chantier.demander(cle, fois=2)
    chantier.attendre(etat, lambda e: e == "simule")

    chantier.lire(
        f"UPDATE financements_recalcul SET etat = 'en_application', approuve_par_id = {responsable}, "
        f"approuve_le = now() WHERE id = {cle}"
    )
    chantier.demander(cle)
    chantier.attendre("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.3)%'", lambda n: int(n) > 1)
    tuer(chantier.workers[-1])  # le worker, en pleine application
    chantier.worker()
    chantier.demander(cle, fois=3)
    chantier.attendre(f"SELECT lettres_le IS NOT NULL FROM financements_recalcul WHERE id = {cle}", lambda v: v == "t")

    revises = f"FROM financements_versiondroit WHERE recalcul_id = {cle}"
    changes = int(chantier.lire("SELECT count(*) FROM financements_lignerecalcul WHERE issue = 'change'"))
    assert changes >= STRUCTURES
    assert int(chantier.lire(f"SELECT count(*) {revises}")) == changes
    assert int(chantier.lire(f"SELECT count(DISTINCT droit_id) {revises}")) == changes
    assert (
        chantier.lire(
            "SELECT max(n) FROM (SELECT count(*) n FROM financements_versiondroit WHERE courante GROUP BY droit_id) c"
        )
        == "1"
    )
    lettres = "FROM documents_acte WHERE nature = 'revision_droit'"
    structures = int(
        chantier.lire(
            f"SELECT count(DISTINCT d.structure_id) FROM financements_versiondroit v JOIN financements_droit d ON d.id = v.droit_id WHERE v.recalcul_id = {cle}"
        )
    )
    assert int(chantier.lire(f"SELECT count(*) {lettres}")) == structures
    faux = """
        SELECT count(*) FROM financements_versiondroit v
        WHERE v.recalcul_id IS NOT NULL
          AND v.montant <> (SELECT sum((l->>'montant')::numeric) FROM jsonb_array_elements(v.explication) l)
    """
    assert chantier.lire(faux) == "0"
