"""Le stockage des fichiers se choisit par l’environnement ; rien n’y est public."""

from __future__ import annotations

import json
import os
import subprocess
import sys

CODE = (
    "import json; from django.conf import settings; from django.core.files.storage import storages;"
    "import django; django.setup(); s = storages['default'];"
    "print(json.dumps({'classe': type(s).__name__, 'acl': getattr(s, 'default_acl', ''),"
    "'ecrase': getattr(s, 'file_overwrite', ''), 'seau': getattr(s, 'bucket_name', '')}))"
)


def stockage(**environnement: str) -> dict[str, object]:
    base = {cle: v for cle, v in os.environ.items() if not cle.startswith("STOCKAGE_S3")}
    reglages = {"DJANGO_SETTINGS_MODULE": "config.settings.base", "SECRET_KEY": "x"}
    sortie = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**base, **reglages, **environnement},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(sortie.stdout)


def test_sans_reglage_les_fichiers_vont_dans_un_dossier():
    assert stockage()["classe"] == "FileSystemStorage"


def test_un_stockage_s3_est_prive_et_n_ecrase_rien():
    regle = stockage(STOCKAGE_S3="http://stockage:8333", STOCKAGE_S3_CLE="c", STOCKAGE_S3_SECRET="s")
    assert regle == {"classe": "S3Storage", "acl": None, "ecrase": False, "seau": "portail-avs"}
