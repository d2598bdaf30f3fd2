"""``./run bench`` : le recalcul national, les lettres, l’export ; chacun rapporté à son plancher.

Plancher du recalcul : le même travail en un seul ordre SQL, sans explication. Plancher de l’export : le même classeur,
écrit de valeurs déjà en mémoire. Plancher d’une lettre : son seul rendu. Les rapports comptent, pas les secondes.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

NATIONAL, GRAND = 4_400, 44_000
LETTRES, EXPORT = 500, 10_000

PLANCHER = """
INSERT INTO financements_versiondroit (droit_id, numero, nature, origine, montant, assiette, plafond_applique, donnees,
    explication, bareme_id, declaration_id, agrement_id, courante, motif, le)
SELECT v.droit_id, v.numero + 1, v.nature, 'recalcul', round(least(v.assiette, 150000) * 0.424, 2), v.assiette,
       v.plafond_applique, v.donnees, '[]', v.bareme_id, v.declaration_id, v.agrement_id, false, '', now()
FROM financements_versiondroit v WHERE v.courante
"""


def secondes(geste: Callable[[], Any]) -> float:
    debut = time.perf_counter()
    geste()
    return time.perf_counter() - debut


def memoire() -> float:
    """Le plus haut de ce processus, en Mo."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mesurer() -> None:
    """À appeler dans une base jetable, migrée et vide d’argent."""
    from django.db import connection, transaction

    from documents.models import Acte
    from documents.rendu import rendre
    from financements import revision
    from financements.exports import ENTETES, ecrire_classeur, lignes_de_droits
    from financements.models import Droit, LigneRecalcul, Recalcul, VersionDroit
    from tests.fabriques.masse import SEMER, semer

    print(f"\n{'argent':44} {'lignes':>8} {'s':>8} {'lignes/s':>9} {'× plancher':>10} {'pic Mo':>8}")
    caisse, recalcul = semer(NATIONAL)
    for structures in (NATIONAL, GRAND):
        if structures == GRAND:
            with connection.cursor() as curseur:
                valeurs = {"structure": caisse.structure.pk, "nombre": GRAND - NATIONAL, "exercice": recalcul.exercice}
                curseur.execute(SEMER, valeurs)
                curseur.execute("ANALYZE")
        LigneRecalcul.objects.all().delete()
        lignes = VersionDroit.objects.filter(courante=True).count()

        def en_un_ordre() -> None:
            with transaction.atomic(), connection.cursor() as curseur:
                curseur.execute(PLANCHER)
                transaction.set_rollback(True)

        def recalculer() -> None:
            while revision.simuler_un_paquet(recalcul.pk):
                pass
            with transaction.atomic():
                Recalcul.objects.filter(pk=recalcul.pk).update(
                    etat="en_application", approuve_par=caisse.responsable, approuve_le=recalcul.lance_le
                )
                revision.appliquer(recalcul.pk)
                transaction.set_rollback(True)

        plancher = secondes(en_un_ordre)
        Recalcul.objects.filter(pk=recalcul.pk).update(etat="en_simulation", fait=0)
        duree = secondes(recalculer)
        nom = f"recalcul, {structures} structures × 2"
        print(f"{nom:44} {lignes:8} {duree:8.2f} {lignes / duree:9.0f} {duree / plancher:10.1f} {memoire():8.0f}")

    droits = Droit.objects.filter(pk__in=Droit.objects.values("pk")[: EXPORT * 2]).avec_position()
    gardees = list(lignes_de_droits(droits))
    plancher = secondes(lambda: ecrire_classeur("Droits", ENTETES, gardees).close())
    duree = secondes(lambda: ecrire_classeur("Droits", ENTETES, lignes_de_droits(droits)).close())
    nom = f"export de {len(gardees)} droits (xlsx)"
    print(
        f"{nom:44} {len(gardees):8} {duree:8.2f} {len(gardees) / duree:9.0f} {duree / plancher:10.1f} {memoire():8.0f}"
    )

    Recalcul.objects.filter(pk=recalcul.pk).update(
        etat="en_application", approuve_par=caisse.responsable, approuve_le=recalcul.lance_le
    )
    revision.appliquer(recalcul.pk)

    def ecrire() -> None:
        """Demande et produit chaque lettre : ici, la tâche s’exécute aussitôt."""
        while Acte.objects.filter(nature="revision_droit", produit_le__isnull=False).count() < LETTRES:
            revision.ecrire_un_paquet_de_lettres(recalcul.pk)

    duree = secondes(ecrire)
    actes = Acte.objects.filter(nature="revision_droit", produit_le__isnull=False)
    ecrites = actes.count()
    plancher = secondes(lambda: [rendre(acte) for acte in actes[:20]]) / 20
    print(
        f"{'lettres de révision (PDF/UA)':44} {ecrites:8} {duree:8.2f} {ecrites / duree:9.1f} "
        f"{duree / ecrites / plancher:10.1f} {memoire():8.0f}"
    )
