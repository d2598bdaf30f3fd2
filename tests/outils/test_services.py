"""Les services embarqués se relèvent d’un arrêt brutal."""

import signal
import subprocess
import time

from outils.services import Postgres

CALCUL = "SELECT count(*) FROM generate_series(1, 12000000) n WHERE sqrt(n) < 0"


def test_la_base_tuee_en_plein_travail_redemarre_des_que_ses_enfants_ont_fini(tmp_path):
    base = Postgres(tmp_path / "e", jetable=True)
    base.demarrer()
    # Un calcul sans attente : son processus ne voit la mort du serveur qu’à la fin, et tient la mémoire partagée.
    client = subprocess.Popen(
        [base.bin / "psql", "-XqAt", "-h", base.sock, "-U", "postgres", "-d", "portail", "-c", CALCUL],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **base._kw(),
    )
    try:
        fin = time.monotonic() + 20
        while base._psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sqrt%' AND state = 'active'") < "2":
            assert time.monotonic() < fin, "le calcul n’a pas commencé"
        tue = base.proc
        tue.send_signal(signal.SIGKILL)
        tue.wait()
        base.demarrer()
        assert base.proc.pid != tue.pid
        assert base._psql("SELECT 1", "portail").strip() == "1"
        assert "pre-existing shared memory block" in (base.racine / "journal.log").read_text()
    finally:
        client.kill()
        client.wait()
        base.arreter()
