"""Le moteur du recalcul : simuler par paquets, appliquer d’un coup, écrire à chacun.

Chaque paquet est une transaction : tuée, la simulation reprend où elle en était. L’application est une seule
transaction : tous les droits changent ensemble, ou aucun. Un verrou consultatif garantit un seul exécutant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, DecimalField, Exists, F, Max, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from financements import annonces
from financements.calculs import DonneeRefusee, Donnees, Regle, liquider
from financements.choix import ENGAGES, EtatDerogation, EtatRecalcul, IssueRecalcul, OrigineVersion
from financements.models import Bareme, Derogation, Paiement, Recalcul, VersionDroit
from financements.simulation import en_lignes
from partenaires.models import Structure
from socle.montants import ZERO

PAQUET = 1000
VERROU = 0x5245_4341  # l’espace de noms du verrou consultatif


def a_revoir(exercice: int) -> Any:
    return VersionDroit.objects.filter(droit__exercice=exercice, courante=True)


@contextmanager
def seul_executant(recalcul_pk: int) -> Iterator[bool]:
    """Vrai si ce processus tient le recalcul ; la mort du processus rend le verrou avec sa connexion."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_try_advisory_lock(%s, %s)", [VERROU, recalcul_pk])
        tenu = bool(curseur.fetchone()[0])
    try:
        yield tenu
    finally:
        if tenu:
            with connection.cursor() as curseur:
                curseur.execute("SELECT pg_advisory_unlock(%s, %s)", [VERROU, recalcul_pk])


def avancer(recalcul_pk: int) -> None:
    """Mène un recalcul aussi loin qu’il peut aller seul. Rejouable : ce qui est fait n’est pas refait."""
    with seul_executant(recalcul_pk) as tenu:
        if not tenu:
            return
        while simuler_un_paquet(recalcul_pk):
            pass
        appliquer(recalcul_pk)
        while ecrire_un_paquet_de_lettres(recalcul_pk):
            pass


def _regles(exercice: int) -> dict[str, tuple[Bareme, Regle]]:
    return {b.prestation_id: (b, b.regle) for b in Bareme.objects.publies(exercice)}


COLONNES = "recalcul_id, droit_id, version_id, bareme_id, issue, avant, apres, resultat, raison"


@transaction.atomic
def simuler_un_paquet(recalcul_pk: int) -> bool:
    """Calcule le paquet suivant ; rend faux quand il n’y a plus rien à simuler."""
    recalcul = Recalcul.objects.select_for_update(of=("self",), no_key=True).get(pk=recalcul_pk)
    if recalcul.etat != EtatRecalcul.EN_SIMULATION:
        return False
    dernier = recalcul.lignes.aggregate(dernier=Max("droit_id"))["dernier"] or 0
    versions = list(
        a_revoir(recalcul.exercice)
        .filter(droit_id__gt=dernier)
        .annotate(
            prestation=F("droit__prestation"),
            forcage=Exists(Derogation.objects.filter(droit=OuterRef("droit"), etat=EtatDerogation.PROPOSEE)),
        )
        .order_by("droit_id")[:PAQUET]
    )
    if not versions:
        Recalcul.objects.filter(pk=recalcul_pk).update(etat=EtatRecalcul.SIMULE, fait=F("total"))
        recalcul.refresh_from_db()
        annonces.recalcul_simule(recalcul)
        return False
    regles = _regles(recalcul.exercice)
    with (
        connection.cursor() as curseur,
        curseur.copy(f"COPY financements_lignerecalcul ({COLONNES}) FROM STDIN") as copie,
    ):
        for version in versions:
            copie.write_row(_ligne(recalcul_pk, version, regles))
    fait = recalcul.fait + len(versions)
    Recalcul.objects.filter(pk=recalcul_pk).update(fait=fait, total=max(fait, recalcul.total))
    return True


def _bloquee(recalcul_pk: int, version: Any, raison: str) -> tuple[Any, ...]:
    return (
        recalcul_pk, version.droit_id, version.pk, None, IssueRecalcul.BLOQUE.value, version.montant, None, "{}",
        raison[:300],
    )  # fmt: skip


def _ligne(recalcul_pk: int, version: Any, regles: dict[str, tuple[Bareme, Regle]]) -> tuple[Any, ...]:
    if version.origine == OrigineVersion.DEROGATION:
        return _bloquee(recalcul_pk, version, "Montant forcé : à revoir à la main.")
    if version.forcage:
        return _bloquee(recalcul_pk, version, "Un montant forcé attend une décision sur ce droit.")
    if version.prestation not in regles:
        return _bloquee(recalcul_pk, version, "Aucun barème publié pour cette prestation.")
    bareme, regle = regles[version.prestation]
    try:
        liquidation = liquider(regle, Donnees.depuis_json(version.donnees))
    except DonneeRefusee as erreur:
        return _bloquee(recalcul_pk, version, str(erreur))
    meme = liquidation.droit == version.montant and bareme.pk == version.bareme_id
    resultat = {
        "assiette": str(liquidation.assiette),
        "plafond_applique": str(liquidation.plafond_applique),
        "lignes": en_lignes(liquidation),
    }
    issue = IssueRecalcul.INCHANGE if meme else IssueRecalcul.CHANGE
    return (
        recalcul_pk, version.droit_id, version.pk, bareme.pk, issue.value, version.montant, liquidation.droit,
        json.dumps(resultat, ensure_ascii=False), "",
    )  # fmt: skip


# Les droits changent tous ici, en trois ordres ensemblistes, dans la transaction de ``appliquer``.
_VERROUILLER = """
SELECT d.id FROM financements_droit d
JOIN financements_lignerecalcul l ON l.droit_id = d.id
WHERE l.recalcul_id = %(recalcul)s AND l.issue = 'change'
ORDER BY d.id FOR NO KEY UPDATE OF d
"""
_ECARTER = """
UPDATE financements_lignerecalcul l
SET issue = 'bloque', apres = NULL, raison = 'Le droit a été révisé pendant le recalcul : il garde sa nouvelle valeur.'
FROM financements_versiondroit v
WHERE l.recalcul_id = %(recalcul)s AND l.issue = 'change' AND v.id = l.version_id AND NOT v.courante
"""
_ECARTER_FORCAGES = """
UPDATE financements_lignerecalcul l
SET issue = 'bloque', apres = NULL, raison = 'Un montant forcé attend une décision sur ce droit.'
FROM financements_derogation g
WHERE l.recalcul_id = %(recalcul)s AND l.issue = 'change' AND g.droit_id = l.droit_id AND g.etat = 'proposee'
"""
_CLORE = """
UPDATE financements_versiondroit v SET courante = false
FROM financements_lignerecalcul l
WHERE l.recalcul_id = %(recalcul)s AND l.issue = 'change' AND v.id = l.version_id
"""
_REVISER = """
INSERT INTO financements_versiondroit (
    droit_id, numero, nature, origine, montant, assiette, plafond_applique, donnees, explication, bareme_id,
    declaration_id, agrement_id, recalcul_id, courante, motif, par_id, approuve_par_id, le
)
SELECT l.droit_id, v.numero + 1, v.nature, 'recalcul', l.apres, (l.resultat->>'assiette')::numeric,
       (l.resultat->>'plafond_applique')::numeric, v.donnees, l.resultat->'lignes', l.bareme_id,
       v.declaration_id, v.agrement_id, l.recalcul_id, true, r.motif, r.lance_par_id, r.approuve_par_id, %(le)s
FROM financements_lignerecalcul l
JOIN financements_versiondroit v ON v.id = l.version_id
JOIN financements_recalcul r ON r.id = l.recalcul_id
WHERE l.recalcul_id = %(recalcul)s AND l.issue = 'change'
ORDER BY l.droit_id
"""


@transaction.atomic
def appliquer(recalcul_pk: int) -> bool:
    """Révise d’un coup tous les droits qui changent ; un droit touché depuis la simulation est écarté, et dit."""
    recalcul = Recalcul.objects.select_for_update(of=("self",), no_key=True).get(pk=recalcul_pk)
    if recalcul.etat != EtatRecalcul.EN_APPLICATION:
        return False
    maintenant = timezone.now()
    valeurs: dict[str, Any] = {"recalcul": recalcul_pk, "le": maintenant}
    with connection.cursor() as curseur:
        for ordre in (_VERROUILLER, _ECARTER, _ECARTER_FORCAGES, _CLORE, _REVISER):
            curseur.execute(ordre, valeurs)
    Recalcul.objects.filter(pk=recalcul_pk).update(etat=EtatRecalcul.APPLIQUE, applique_le=maintenant)
    recalcul.refresh_from_db()
    annonces.recalcul_applique(recalcul)
    return True


LETTRES_PAR_PAQUET = 50


@transaction.atomic
def ecrire_un_paquet_de_lettres(recalcul_pk: int) -> bool:
    """Une lettre par structure dont un droit change ; la clé de l’acte empêche la seconde. Faux : tout est écrit."""
    recalcul = Recalcul.objects.select_for_update(of=("self",), no_key=True).get(pk=recalcul_pk)
    if recalcul.etat != EtatRecalcul.APPLIQUE or recalcul.lettres_le is not None:
        return False
    revisees = VersionDroit.objects.filter(recalcul=recalcul_pk)
    structures = list(
        Structure.objects.filter(pk__in=revisees.values("droit__structure"), pk__gt=recalcul.lettres_jusqu_a)
        .select_related("gestionnaire", "commune")
        .order_by("pk")[:LETTRES_PAR_PAQUET]
    )
    if not structures:
        Recalcul.objects.filter(pk=recalcul_pk).update(lettres_le=timezone.now())
        return False
    versions = revisees.filter(droit__structure__in=structures).select_related(
        "droit__prestation", "bareme__prestation"
    )
    par_structure: dict[int, list[VersionDroit]] = {}
    for version in versions.order_by("droit__prestation__ordre"):
        par_structure.setdefault(version.droit.structure_id, []).append(version)
    avant = dict(recalcul.lignes.filter(droit__structure__in=structures).values_list("droit_id", "avant"))
    for structure in structures:
        annonces.droits_revises(recalcul, structure, par_structure[structure.pk], avant)
    Recalcul.objects.filter(pk=recalcul_pk).update(lettres_jusqu_a=structures[-1].pk)
    return True


def a_reprendre() -> list[int]:
    """Les recalculs qu’un arrêt a pu laisser en route : ils repartent seuls, sans rien refaire."""
    en_route = Q(etat__in=[EtatRecalcul.EN_SIMULATION, EtatRecalcul.EN_APPLICATION])
    a_ecrire = Q(etat=EtatRecalcul.APPLIQUE, lettres_le__isnull=True)
    return list(Recalcul.objects.filter(en_route | a_ecrire).values_list("pk", flat=True))


def rapport(recalcul: Recalcul) -> dict[str, Any]:
    """Combien changent, totaux avant et après, dix plus grands mouvements, bloqués et raisons.

    ``memes`` : même montant sous la nouvelle règle. ``depasses`` : droits qui passeraient sous ce qui est déjà engagé.
    """
    lignes = recalcul.lignes
    comptes = dict(lignes.values_list("issue").annotate(n=Count("pk")).order_by("issue"))
    sommes = lignes.exclude(issue=IssueRecalcul.BLOQUE).aggregate(avant=Sum("avant"), apres=Sum("apres"))
    retenus = lignes.exclude(issue=IssueRecalcul.BLOQUE).annotate(ecart=F("apres") - F("avant"))
    mouvements = (
        retenus.exclude(ecart=0)
        .select_related("droit__structure", "droit__prestation")
        .order_by((F("ecart") * F("ecart")).desc(), "pk")[:10]
    )
    avant, apres = sommes["avant"] or ZERO, sommes["apres"] or ZERO
    memes = retenus.filter(issue=IssueRecalcul.CHANGE, ecart=0).count()
    engages = Paiement.objects.filter(droit=OuterRef("droit"), etat__in=ENGAGES).order_by().values("droit")
    promis = retenus.annotate(
        engage=Subquery(engages.annotate(somme=Sum("montant")).values("somme"), output_field=DecimalField())
    ).filter(engage__gt=F("apres"))
    depasses = promis.aggregate(nombre=Count("pk"), total=Sum(F("engage") - F("apres")))
    return {
        "changent": comptes.get(IssueRecalcul.CHANGE, 0) - memes,
        "memes": memes,
        "depasses": depasses["nombre"],
        "depassement": depasses["total"] or ZERO,
        "inchanges": comptes.get(IssueRecalcul.INCHANGE, 0),
        "bloques": comptes.get(IssueRecalcul.BLOQUE, 0),
        "avant": avant,
        "apres": apres,
        "ecart": apres - avant,
        "mouvements": mouvements,
    }


def reste_secondes(recalcul: Recalcul) -> int | None:
    """Le temps restant, à la vitesse constatée depuis le début de la phase."""
    if not recalcul.fait or recalcul.commence_le is None or recalcul.etat != EtatRecalcul.EN_SIMULATION:
        return None
    ecoule = Decimal((timezone.now() - recalcul.commence_le).total_seconds())
    return int(ecoule * (recalcul.total - recalcul.fait) / recalcul.fait)
