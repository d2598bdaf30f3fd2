"""``./run bench`` : un rapport de contrôle de plus de soixante pages et quarante photos, produit par un processus neuf.

Plancher : le même rapport sans photo. La mémoire est celle du processus qui produit, comme un worker qui s’éveille.
"""

from __future__ import annotations

import io
import json
import random
import resource
import subprocess
import sys
import time
from typing import Any

CONSTATS, PHOTOS = 130, 40


def mesurer() -> None:
    """À appeler dans une base jetable et migrée."""
    print(f"\n{'rapport de contrôle':44} {'pages':>8} {'s':>8} {'Ko':>9} {'pic Mo':>8}")
    for libelle, photos in (("sans photo", 0), (f"{PHOTOS} photos de 1 600 points", PHOTOS)):
        cle = _demander(photos)
        sortie = subprocess.run(
            [sys.executable, "-m", "outils.mesurer_rapport", str(cle)], check=True, capture_output=True, text=True
        )
        lu: dict[str, Any] = json.loads(sortie.stdout.splitlines()[-1])
        print(f"{libelle:44} {lu['pages']:8} {lu['secondes']:8.1f} {lu['octets'] // 1024:9} {lu['pic']:8.0f}")


def _demander(photos: int) -> int:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.db import transaction

    from documents.actions import demander_acte, recevoir
    from documents.gabarits import GABARITS
    from documents.models import NatureActe
    from documents.sources import source_de_photo
    from tests.fabriques.comptes import UtilisateurFactory

    gabarit = GABARITS["rapport_controle"]
    modele = gabarit.exemple["constats"][0]
    personne = UtilisateurFactory()
    with transaction.atomic():
        recues = [
            recevoir(SimpleUploadedFile(f"photo-{n}.jpg", _photo(n), "image/jpeg"), par=personne) for n in range(photos)
        ]
        contexte = {
            **gabarit.exemple,
            "constats": [
                {**modele, "numero": n, "faits": f"Constat {n}. " + "Ce que les pièces montrent, ligne à ligne. " * 14}
                for n in range(1, CONSTATS + 1)
            ],
            "photos": [
                {"source": source_de_photo(f), "numero": n, "legende": f"Photo {n}"} for n, f in enumerate(recues, 1)
            ],
        }
        acte = demander_acte(
            cle=f"mesure-{photos}", objet="mesure", nature=NatureActe.RAPPORT_CONTROLE, titre="Mesure",
            gabarit="rapport_controle", contexte=contexte,
        )  # fmt: skip
    return acte.pk


def _photo(graine: int) -> bytes:
    """Une image bruitée : un JPEG du poids d’une vraie photo."""
    from PIL import Image

    hasard = random.Random(graine)
    petite = Image.frombytes("RGB", (200, 150), hasard.randbytes(200 * 150 * 3))
    flux = io.BytesIO()
    petite.resize((1600, 1200)).save(flux, "JPEG", quality=80)
    return flux.getvalue()


def produire(cle: int) -> None:
    """Dans le processus neuf : rend l’acte, puis dit le temps, le poids, les pages et le plus haut de la mémoire."""
    import django

    django.setup()
    import pikepdf

    from documents.models import Acte
    from documents.rendu import rendre

    acte = Acte.objects.get(pk=cle)
    debut = time.perf_counter()
    pdf = rendre(acte)
    duree = time.perf_counter() - debut
    pic = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with pikepdf.open(io.BytesIO(pdf)) as lu:
        pages = len(lu.pages)
    print(json.dumps({"secondes": duree, "octets": len(pdf), "pages": pages, "pic": pic}))


if __name__ == "__main__":
    produire(int(sys.argv[1]))
