"""Ce que le portail sait de chaque structure le jour où l’on classe le plan, en un nombre fixe de requêtes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from django.db.models import Count, F, Sum
from django.utils import timezone

from comptes.choix import Role
from controles.choix import ANOMALIES, ETATS_EN_ROUTE, Conclusion, Etat
from controles.models import Constat, Controle, Recommandation
from controles.risque import Situation
from financements.choix import EtatDerogation, TypeDeclaration
from financements.formulaire import depuis_json, totaliser
from financements.models import Declaration, Derogation, VersionDeclaration, VersionDroit
from partenaires.models import Habilitation

ANNEES_D_HISTOIRE = 2  # « sur deux ans » : retards et montants forcés
DIXIEME = Decimal("0.1")

type Cles = Collection[int]


class DernierControle(NamedTuple):
    le: date
    controle: int


def situations(structures: Cles, le: date) -> dict[int, Situation]:
    """La situation de chacune de ces structures ce jour-là. Neuf requêtes, quel que soit leur nombre."""
    ecarts = _ecarts(structures)
    controles, avec_rapport = _derniers_controles(structures)
    anomalies = _anomalies(avec_rapport)
    enjeux = _enjeux(structures)
    directions = _directions(structures, le)
    echues = _compte(Recommandation.objects.echues(le).filter(structure__in=structures), "structure")
    depuis = le - relativedelta(years=ANNEES_D_HISTOIRE)
    retards = _retards(structures, depuis, le)
    forcages = _compte(
        Derogation.objects.filter(
            droit__structure__in=structures, etat=EtatDerogation.APPROUVEE, decide_le__date__range=(depuis, le)
        ),
        "droit__structure",
    )
    rendues = {}
    for cle in structures:
        exercice_ecart, ecart = ecarts.get(cle, (None, None))
        exercice_enjeu, enjeu = enjeux.get(cle, (None, None))
        dernier = controles.get(cle)
        arrivee, change = directions.get(cle, (None, False))
        rendues[cle] = Situation(
            ecart_reel=ecart,
            exercice_ecart=exercice_ecart,
            dernier_controle=dernier,
            annees_sans_controle=relativedelta(le, dernier).years if dernier else None,
            enjeu=enjeu,
            exercice_enjeu=exercice_enjeu,
            anomalies=anomalies.get(cle, 0),
            recommandations=echues.get(cle, 0),
            direction_depuis=arrivee if change else None,
            mois_de_direction=_mois(arrivee, le) if arrivee else None,
            retards=retards.get(cle, 0),
            forcages=forcages.get(cle, 0),
        )
    return rendues


def controles_en_route(structures: Cles) -> dict[int, Controle]:
    """Par structure, le contrôle dont le rapport définitif n’est pas rendu : on n’en programme pas un second."""
    ouverts = Controle.objects.filter(structure__in=structures, etat__in=ETATS_EN_ROUTE).order_by("pk")
    return {c.structure_id: c for c in ouverts}


def _compte(requete: Any, champ: str) -> dict[int, int]:
    return dict(requete.order_by().values_list(champ).annotate(nombre=Count("pk")))


def _mois(debut: date, fin: date) -> int:
    ecoule = relativedelta(fin, debut)
    return ecoule.years * 12 + ecoule.months


def _jour(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def _ecarts(structures: Cles) -> dict[int, tuple[int, Decimal]]:
    """L’exercice le plus récent déposé deux fois, prévu puis réel, et l’écart de ses charges, en pour cent du prévu.

    Deux requêtes : quelles déclarations comparer, puis leurs seuls contenus.
    """
    deposees = Declaration.objects.filter(
        structure__in=structures,
        campagne__type__in=[TypeDeclaration.PREVISIONNEL, TypeDeclaration.REEL],
        version_courante__isnull=False,
    )
    versions: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    lues = deposees.order_by().values_list("structure", "campagne__exercice", "campagne__type", "version_courante")
    for structure, exercice, type_, version in lues:
        versions[structure, exercice][type_] = version
    a_comparer: dict[int, tuple[int, dict[str, int]]] = {}
    for (structure, exercice), par_type in sorted(versions.items()):
        if len(par_type) == 2:
            a_comparer[structure] = (exercice, par_type)
    cles = [version for _, par_type in a_comparer.values() for version in par_type.values()]
    contenus = dict(VersionDeclaration.objects.filter(pk__in=cles).order_by().values_list("pk", "contenu"))
    rendus = {}
    for structure, (exercice, par_type) in a_comparer.items():
        prevu = totaliser(depuis_json(contenus[par_type[TypeDeclaration.PREVISIONNEL]])).charges
        reel = totaliser(depuis_json(contenus[par_type[TypeDeclaration.REEL]])).charges
        if prevu:
            ecart = abs(reel - prevu) * 100 / prevu
            rendus[structure] = (exercice, ecart.quantize(DIXIEME, rounding=ROUND_HALF_UP))
    return rendus


def _derniers_controles(structures: Cles) -> tuple[dict[int, date], dict[int, int]]:
    """Par structure : le jour du dernier contrôle mené, et la clé du dernier dont le rapport dit des constats."""
    menes: dict[int, DernierControle] = {}
    rapports: dict[int, DernierControle] = {}
    lus = Controle.objects.filter(structure__in=structures, commence_le__isnull=False).exclude(etat=Etat.ANNULE)
    champs = ("pk", "structure", "commence_le", "definitif_le", "provisoire_le")
    for pk, structure, commence, definitif, provisoire in lus.order_by().values_list(*champs):
        candidat = DernierControle(_jour(definitif or commence), pk)
        menes[structure] = max(menes.get(structure, candidat), candidat)
        if provisoire is not None:
            rapports[structure] = max(rapports.get(structure, candidat), candidat)
    return {cle: d.le for cle, d in menes.items()}, {cle: d.controle for cle, d in rapports.items()}


def _anomalies(rapports: dict[int, int]) -> dict[int, int]:
    """Les écarts et manquements que la réponse de la structure n’a pas fait lever."""
    constats = Constat.objects.filter(controle__in=rapports.values(), nature__in=ANOMALIES)
    return _compte(constats.exclude(conclusion=Conclusion.LEVE), "controle__structure")


def _enjeux(structures: Cles) -> dict[int, tuple[int, Decimal]]:
    droits = VersionDroit.objects.filter(courante=True, droit__structure__in=structures).order_by("droit__exercice")
    sommes = droits.values_list("droit__structure", "droit__exercice").annotate(total=Sum("montant"))
    return {structure: (exercice, total) for structure, exercice, total in sommes}


def _directions(structures: Cles, le: date) -> dict[int, tuple[date, bool]]:
    """Par structure : l’arrivée de la direction en place, et si elle en a remplacé une autre que le portail a connue.

    Une personne dont l’accès s’est rouvert est là depuis sa première arrivée.
    """
    tenues = Habilitation.objects.filter(structure__in=structures, role=Role.DIRECTION, debut__lte=le).order_by("debut")
    par_structure: dict[int, list[tuple[int, date, date | None]]] = defaultdict(list)
    for structure, personne, debut, fin in tenues.values_list("structure", "utilisateur", "debut", "fin"):
        par_structure[structure].append((personne, debut, fin))
    rendues = {}
    for structure, lignes in par_structure.items():
        en_place = {personne for personne, _, fin in lignes if fin is None or fin >= le}
        arrivees: dict[int, date] = {}
        for personne, debut, _ in lignes:
            arrivees.setdefault(personne, debut)
        if not en_place:
            continue
        derniere = max(arrivees[personne] for personne in en_place)
        partie = any(personne not in en_place and arrivees[personne] < derniere for personne, *_ in lignes)
        rendues[structure] = (derniere, partie)
    return rendues


def _retards(structures: Cles, depuis: date, le: date) -> dict[int, int]:
    """Les déclarations dont la première version est arrivée après la limite ; un renvoi corrigé n’en est pas une."""
    premieres = VersionDeclaration.objects.filter(
        numero=1,
        declaration__structure__in=structures,
        declaration__campagne__limite__range=(depuis, le),
        deposee_le__date__gt=F("declaration__campagne__limite"),
    )
    return _compte(premieres, "declaration__structure")
