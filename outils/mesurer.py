"""``./run bench`` : requêtes, p50 et p95 de la liste (2 000 dossiers) et des fiches, rapportés à une vue Django nue.

Les rapports comptent, pas les millisecondes : la machine change, le rapport beaucoup moins.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
MESURES, CHAUFFE = 60, 8


def temps(appel: Callable[[], object]) -> tuple[float, float]:
    """p50 et p95 en millisecondes, après échauffement."""
    for _ in range(CHAUFFE):
        appel()
    durees = []
    for _ in range(MESURES):
        debut = time.perf_counter()
        appel()
        durees.append((time.perf_counter() - debut) * 1000)
    durees.sort()
    return statistics.median(durees), durees[int(len(durees) * 0.95)]


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment
    from django.utils import timezone

    setup_test_environment()
    call_command("migrate", verbosity=0)
    from agrements.choix import Etat, TypeDossier
    from agrements.models import Dossier, VersionDossier
    from outils import mesurer_rapport
    from outils.mesurer_argent import mesurer
    from partenaires.models import Structure
    from tests.fabriques.agrements import Theatre

    theatre = Theatre()
    modele = theatre.mener(Etat.EN_INSTRUCTION)
    assert modele.version_courante is not None
    maintenant = timezone.now()
    structures = Structure.objects.bulk_create(
        Structure(
            nom=f"Structure {n}", type="centre_social", gestionnaire=theatre.structure.gestionnaire,
            commune=theatre.structure.commune,
        )
        for n in range(2000)
    )  # fmt: skip
    dossiers = Dossier.objects.bulk_create(
        Dossier(
            structure=s, type=TypeDossier.PREMIER, objets=["projet_social"], regime=modele.regime,
            debut_souhaite=modele.debut_souhaite, cree_par=theatre.direction, charge=theatre.charge,
        )
        for s in structures
    )  # fmt: skip
    versions = VersionDossier.objects.bulk_create(
        VersionDossier(
            dossier=d, numero=1, contenu=modele.version_courante.contenu, empreinte="0" * 64,
            deposee_par=theatre.direction, deposee_le=maintenant,
        )
        for d in dossiers
    )  # fmt: skip
    for rang, (dossier, version) in enumerate(zip(dossiers, versions, strict=True)):
        dossier.etat, dossier.version_courante = Etat.DEPOSE, version
        dossier.depose_le = dossier.modifie_le = maintenant - timedelta(minutes=rang)
    Dossier.objects.bulk_update(dossiers, ["etat", "version_courante", "depose_le", "modifie_le"], batch_size=500)
    with connection.cursor() as curseur:
        curseur.execute("ANALYZE")

    def client(personne: object) -> Client:
        c = Client()
        c.force_login(personne, backend="allauth.account.auth_backends.AuthenticationBackend")  # type: ignore[arg-type]
        return c

    agent, direction = client(theatre.charge), client(theatre.direction)
    vivant = temps(lambda: agent.get("/sante/vivant"))
    print(f"{'page':44} {'requêtes':>8} {'octets':>8} {'p50 ms':>8} {'p95 ms':>8} {'× vue nue':>10}")
    print(f"{'vue nue, tous les étages':44} {0:8} {'':8} {vivant[0]:8.2f} {vivant[1]:8.2f} {1:10.1f}")
    pages = [
        ("liste de 2 000 dossiers", agent, "/dossiers/"),
        ("liste, page 80", agent, "/dossiers/?page=80"),
        ("liste, filtrée et cherchée", agent, "/dossiers/?etat=depose&q=structure+19"),
        ("fiche d’un dossier, Caf", agent, modele.get_absolute_url()),
        ("fiche d’un dossier, structure", direction, modele.get_absolute_url()),
        ("grille d’instruction", agent, f"{modele.get_absolute_url()}grille/"),
        ("espace du chargé de conseil", agent, "/espace/"),
        ("espace de la direction", direction, "/espace/"),
        ("liste des structures", agent, "/structures/"),
    ]
    for nom, c, chemin in pages:
        requetes: list[str] = []

        def noter(executer: Any, sql: str, *suite: Any, requetes: list[str] = requetes) -> Any:
            requetes.append(sql)
            return executer(sql, *suite)

        with connection.execute_wrapper(noter):
            reponse = c.get(chemin)
        assert reponse.status_code == 200, (chemin, reponse.status_code)
        p50, p95 = temps(lambda c=c, chemin=chemin: c.get(chemin))  # type: ignore[misc]
        print(f"{nom:44} {len(requetes):8} {len(reponse.content):8} {p50:8.1f} {p95:8.1f} {p50 / vivant[0]:10.1f}")
    mesurer_rapport.mesurer()
    mesurer()


if __name__ == "__main__":
    main()
