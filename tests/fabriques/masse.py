"""Des droits par milliers, écrits d’un coup : pour les pannes et pour les mesures, jamais pour un test ordinaire.

``python -m tests.fabriques.masse 300`` sème une base vide et ouvre un recalcul ; écrit sa clé.
"""

from __future__ import annotations

import sys
from decimal import Decimal

SEMER = """
WITH modele AS (
    SELECT s.gestionnaire_id, s.commune_id FROM partenaires_structure s WHERE s.id = %(structure)s
), neuves AS (
    INSERT INTO partenaires_structure (nom, type, gestionnaire_id, commune_id, siret, adresse, code_postal, quartier,
                                       instance_gouvernance, site_web, version)
    SELECT 'Structure ' || n, 'centre_social', m.gestionnaire_id, m.commune_id, '', '', '49000', '', '', '', 1
    FROM generate_series(1, %(nombre)s) n, modele m RETURNING id
), droits AS (
    INSERT INTO financements_droit (structure_id, prestation_id, exercice, motif_suspension, cree_le)
    SELECT n.id, p.code, %(exercice)s, '', now() FROM neuves n, (VALUES ('agc'), ('acf')) p(code)
    RETURNING id, structure_id, prestation_id
)
INSERT INTO financements_versiondroit (droit_id, numero, nature, origine, montant, assiette, plafond_applique, donnees,
    explication, bareme_id, declaration_id, agrement_id, courante, motif, le)
SELECT d.id, 1, v.nature, v.origine, v.montant, v.assiette, v.plafond_applique,
    jsonb_set(v.donnees, '{charges,pilotage}', to_jsonb(((90000 + (d.structure_id * 7919) %% 90000)::numeric / 1)::text)),
    v.explication, v.bareme_id, v.declaration_id, v.agrement_id, true, '', now()
FROM droits d
JOIN financements_droit m ON m.structure_id = %(structure)s AND m.prestation_id = d.prestation_id
JOIN financements_versiondroit v ON v.droit_id = m.id AND v.courante
"""


def semer(nombre: int):
    """Rend la scène et ``nombre`` structures de plus, deux droits chacune ; le barème AGC est ensuite remplacé."""
    from django.db import connection

    from financements.models import Recalcul
    from tests.fabriques.financements import EXERCICE, Caisse

    caisse = Caisse()
    caisse.baremes()
    caisse.declarer()
    with connection.cursor() as curseur:
        curseur.execute(SEMER, {"structure": caisse.structure.pk, "nombre": nombre, "exercice": EXERCICE})
        curseur.execute("ANALYZE")
    caisse.bareme("agc", prix_plafond=Decimal(150_000), motif="Plafond rectifié.")
    from django.utils import timezone

    recalcul = Recalcul.objects.create(
        exercice=EXERCICE, motif="Masse", total=2 * nombre + 2, lance_le=timezone.now(), commence_le=timezone.now()
    )
    return caisse, recalcul


if __name__ == "__main__":
    import django

    django.setup()
    scene, ouvert = semer(int(sys.argv[1]))
    print(ouvert.pk, scene.responsable.pk)  # noqa: T201
