"""Tout ce qu’un contrôle montre, lu une fois : les points de la fiche, ce qui y est saisi, ce qu’on savait avant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from agrements.models import Agrement, EvaluationCritere
from controles.choix import ANOMALIES, CONSTATS_A_DISCUTER, EtatRecommandation, NatureConstat
from controles.models import (
    Constat,
    Controle,
    PhotoControle,
    PieceDemandee,
    PointControle,
    Recommandation,
    SaisieVisite,
)
from controles.referentiel import PointType
from financements.choix import ETATS_PRIVES_DECLARATION, RANG_DECLARATION, PosteAssiette
from financements.formulaire import LIBELLES_FONCTIONS, Contenu, depuis_json, nombre, plan, totaliser
from financements.models import Declaration, Droit, VersionDeclaration
from socle.texte import accorde

PART_MIN = Decimal("0.05")  # une case sous 5 % des charges de l’exercice ne fait pas un point : la fiche se lit debout
LIBRE = "libre"
THEME_LIBRE = "Constats ajoutés sur place"
THEME_CRITERES = "Critères de l’agrément"
VU, ABSENTE = "vue", "absente"


@dataclass(frozen=True, slots=True)
class PointTire:
    """Un point tel que la fiche le reçoit, avant d’être écrit."""

    code: str
    theme: str
    libelle: str
    regle: str = ""
    exercice: int | None = None
    champ: str = ""
    declare: Decimal | None = None
    unite: str = ""


def declarations_retenues(structure_pk: int, exercices: Iterable[int]) -> dict[int, VersionDeclaration]:
    """Par exercice, la dernière version déposée : le réel s’il existe, sinon la plus avancée de l’année."""
    deposees = (
        Declaration.objects.filter(structure=structure_pk, campagne__exercice__in=list(exercices))
        .exclude(etat__in=ETATS_PRIVES_DECLARATION)
        .select_related("campagne", "version_courante__declaration__campagne")
    )
    retenues: dict[int, Declaration] = {}
    for declaration in deposees:
        exercice = declaration.campagne.exercice
        deja = retenues.get(exercice)
        if deja is None or RANG_DECLARATION[declaration.campagne.type] > RANG_DECLARATION[deja.campagne.type]:
            retenues[exercice] = declaration
    return {exercice: d.version_courante for exercice, d in retenues.items() if d.version_courante is not None}


def _libelle_de_case(compte: str, libelle: str, fonction: str) -> str:
    if fonction == PosteAssiette.REFERENT:
        return f"{compte} {libelle}, dont référent familles"
    return f"{compte} {libelle}, {LIBELLES_FONCTIONS[fonction].lower()}"


def _points_declares(exercice: int, version: VersionDeclaration) -> list[PointTire]:
    contenu: Contenu = depuis_json(version.contenu)
    regle = f"déclaration « {version.declaration.campagne} », {version}"
    seuil = totaliser(contenu).charges * PART_MIN
    points = []
    for compte in plan().charges:
        for champ in compte.champs:
            montant, fonction = nombre(contenu, champ), champ.rpartition(".")[2]
            if montant and (montant >= seuil or fonction == PosteAssiette.REFERENT):
                libelle = _libelle_de_case(compte.compte, compte.libelle, fonction)
                points.append(
                    PointTire(f"{champ}", f"Charges {exercice}", libelle, regle, exercice, champ, montant, "€")
                )
    points.sort(key=lambda p: -(p.declare or 0))
    for activite in plan().activite:
        if activite.champ in contenu:
            valeur = nombre(contenu, activite.champ)
            points.append(
                PointTire(
                    activite.champ, f"Activité {exercice}", activite.libelle, regle, exercice, activite.champ, valeur,
                    activite.unite,
                )
            )  # fmt: skip
    return points


def _points_du_regime(structure_pk: int, le: date) -> list[PointTire]:
    """Les critères que l’agrément en vigueur a jugés, sous son propre régime."""
    agrement = (
        Agrement.objects.filter(structure=structure_pk)
        .en_vigueur(le)
        .select_related("decision__dossier__regime")
        .order_by("-debut")
        .first()
    )
    if agrement is None:
        return []
    regime = agrement.decision.dossier.regime
    return [
        PointTire(f"critere.{c.code}", THEME_CRITERES, c.libelle[:300], f"{regime.libelle}, critère {c.numero}"[:300])
        for c in regime.referentiel.criteres
    ]


def tirer_la_fiche(controle: Controle, types: Iterable[PointType], le: date) -> list[PointTire]:
    """Les points à vérifier : les obligations réglées, les critères du régime, puis ce que la structure a déclaré."""
    points = [PointTire(t.code, t.theme, t.libelle, t.regle) for t in types]
    points += _points_du_regime(controle.structure_id, le)
    for exercice, version in sorted(declarations_retenues(controle.structure_id, controle.exercices).items()):
        points += _points_declares(exercice, version)
    return points


def deja_dit(fois: int) -> str:
    """« déjà signalée 2 fois », vide si jamais."""
    return f"déjà signalée {fois}\u00a0fois" if fois else ""


@dataclass(frozen=True, slots=True)
class LignePoint:
    """Un point et ce qu’on y a saisi ; ``ecart`` : constaté moins déclaré, quand les deux se comparent."""

    point: PointControle
    nature: str
    releve: Decimal | None
    faits: str
    recommandation: str
    saisies: dict[str, SaisieVisite]
    photos: tuple[PhotoControle, ...]
    deja: str

    @property
    def ecart(self) -> Decimal | None:
        if self.releve is None or self.point.declare is None:
            return None
        return self.releve - self.point.declare

    @property
    def nature_dite(self) -> str:
        return NatureConstat(self.nature).label if self.nature else ""

    @property
    def vide(self) -> bool:
        return not (self.nature or self.releve is not None or self.faits or self.recommandation or self.photos)


@dataclass(frozen=True, slots=True)
class ManqueVisite:
    """Ce qui empêche d’émettre le rapport, et où le corriger."""

    libelle: str
    phrase: str
    ancre: str


A_LIRE = (
    "points",
    Prefetch("saisies", queryset=SaisieVisite.objects.select_related("par")),
    Prefetch("pieces_demandees", queryset=PieceDemandee.objects.prefetch_related("remises__fichier")),
    Prefetch("photos", queryset=PhotoControle.objects.select_related("fichier", "par")),
)


class Fiche:
    """La fiche de contrôle entière. Coûte sept requêtes au plus, pour une ou pour toutes celles de ``toutes``."""

    def __init__(self, controle: Controle) -> None:
        self.controle = controle
        prefetch_related_objects([controle], *A_LIRE)

    @classmethod
    def toutes(cls, controles: list[Controle]) -> list[Fiche]:
        """Les fiches de plusieurs contrôles, et ce que leurs structures ont déjà reçu comme recommandations."""
        prefetch_related_objects(controles, *A_LIRE)
        faites = Recommandation.objects.filter(structure__in=[c.structure_id for c in controles])
        lues = list(faites.values_list("structure", "code", "constat__controle"))
        fiches = [cls(controle) for controle in controles]
        for fiche in fiches:
            siennes = [code for s, code, c in lues if s == fiche.controle.structure_id and c != fiche.controle.pk]
            fiche.signalees = dict(Counter(siennes))
        return fiches

    @cached_property
    def saisies(self) -> dict[str, SaisieVisite]:
        return {s.champ: s for s in self.controle.saisies.all()}

    def valeur(self, champ: str) -> str:
        saisie = self.saisies.get(champ)
        return saisie.valeur if saisie else ""

    @cached_property
    def points(self) -> list[PointControle]:
        return list(self.controle.points.all())

    @cached_property
    def pieces(self) -> list[PieceDemandee]:
        return list(self.controle.pieces_demandees.all())

    @cached_property
    def photos(self) -> list[PhotoControle]:
        return [photo for photo in self.controle.photos.all() if photo.retiree_le is None]

    @cached_property
    def signalees(self) -> dict[str, int]:
        return deja_signalees(self.controle.structure_id, avant=self.controle)

    @cached_property
    def lignes(self) -> list[LignePoint]:
        photos: dict[int | None, list[PhotoControle]] = {}
        for photo in self.photos:
            photos.setdefault(photo.point_id, []).append(photo)
        return [self._ligne(point, tuple(photos.get(point.pk, ()))) for point in self.points]

    def _ligne(self, point: PointControle, photos: tuple[PhotoControle, ...]) -> LignePoint:
        prefixe = f"point.{point.uid}."
        propres = {
            attribut: self.saisies[f"{prefixe}{attribut}"]
            for attribut in ("constat", "releve", "faits", "recommandation")
            if f"{prefixe}{attribut}" in self.saisies
        }
        lu = {attribut: saisie.valeur for attribut, saisie in propres.items()}
        return LignePoint(
            point,
            lu.get("constat", ""),
            Decimal(lu["releve"]) if lu.get("releve") else None,
            lu.get("faits", ""),
            lu.get("recommandation", ""),
            propres,
            photos,
            deja_dit(self.signalees.get(point.code, 0)),
        )

    @cached_property
    def par_theme(self) -> list[tuple[str, list[LignePoint]]]:
        return [(theme, list(lignes)) for theme, lignes in groupby(self.lignes, key=lambda ligne: ligne.point.theme)]

    @cached_property
    def a_discuter(self) -> list[LignePoint]:
        return [ligne for ligne in self.lignes if ligne.nature in CONSTATS_A_DISCUTER]

    @cached_property
    def retenues(self) -> list[LignePoint]:
        """Ce que le rapport dit : tout point où quelque chose est constaté."""
        return [ligne for ligne in self.lignes if ligne.nature and ligne.nature != NatureConstat.NON_VERIFIE]

    @property
    def non_verifies(self) -> int:
        return sum(1 for ligne in self.lignes if not ligne.nature or ligne.nature == NatureConstat.NON_VERIFIE)

    @cached_property
    def manques(self) -> list[ManqueVisite]:
        """Tout ce qui manque avant le rapport, d’un coup."""
        trouves = []
        if not self.retenues:
            trouves.append(ManqueVisite("Constats", "aucun point n’a de constat.", "points"))
        if self.controle.mode == "sur_place":
            for champ, libelle in (("arrivee", "Heure d’arrivée"), ("depart", "Heure de départ")):
                if not self.valeur(f"visite.{champ}"):
                    trouves.append(ManqueVisite(libelle, "elle n’est pas notée.", f"champ-visite-{champ}"))
        for ligne in self.lignes:
            trouves += self._manques_d_un_point(ligne)
        return trouves

    def _manques_d_un_point(self, ligne: LignePoint) -> list[ManqueVisite]:
        ancre, libelle = f"point-{ligne.point.uid}", ligne.point.libelle
        if ligne.nature in CONSTATS_A_DISCUTER and not ligne.faits:
            return [ManqueVisite(libelle, "dites les faits constatés.", ancre)]
        if not ligne.nature and not ligne.vide:
            return [ManqueVisite(libelle, "choisissez la nature du constat.", ancre)]
        if ligne.ecart and ligne.nature == NatureConstat.CONFORME:
            return [ManqueVisite(libelle, "le montant constaté diffère : le point n’est pas conforme.", ancre)]
        return []

    @property
    def resume(self) -> dict[str, int]:
        """Le nombre de points par nature, dans l’ordre de la gravité."""
        natures = [ligne.nature for ligne in self.lignes]
        return {NatureConstat(n).label: natures.count(n) for n in NatureConstat.values if n in natures}


def deja_signalees(structure_pk: int, *, avant: Controle | None = None) -> dict[str, int]:
    """Par code de point, combien de recommandations ont déjà été faites à la structure. Une requête."""
    faites = Recommandation.objects.filter(structure=structure_pk)
    if avant is not None:
        faites = faites.exclude(constat__controle=avant)
    return dict(Counter(faites.values_list("code", flat=True)))


def anterieures(*structures: int) -> list[Recommandation]:
    """Les recommandations encore ouvertes de ces structures, la plus urgente d’abord ; vingt par structure au plus."""
    ouvertes = Recommandation.objects.filter(structure__in=structures, etat=EtatRecommandation.OUVERTE)
    return list(ouvertes.order_by("echeance_le", "pk")[: 20 * len(structures)])


_MOTS = {
    "arrivee": "Arrivée", "depart": "Départ", "notes": "Notes", "signataire": "Qui a reçu",
    "signature_controleur": "Signature du contrôleur", "signature_structure": "Signature de la structure",
    "refus_signature": "Raison de la non-signature", "constat": "constat", "releve": "montant constaté",
    "faits": "faits", "recommandation": "recommandation", "libelle": "titre du constat",
}  # fmt: skip


def libelles_des_champs(controle: Controle) -> Callable[[str], str]:
    """Le nom lisible d’un champ de la fiche : « Salaires de pilotage 2025, faits » ; tel quel s’il est inconnu."""
    points = {str(p.uid): f"{p.libelle} {p.exercice or ''}".strip() for p in controle.points.all()}
    pieces = {str(p.pk): str(p) for p in controle.pieces_demandees.all()}

    def libelle(champ: str) -> str:
        famille, _, reste = champ.partition(".")
        if famille == "piece":
            return f"Pièce : {pieces.get(reste, reste)}"
        if famille == "visite":
            return _MOTS.get(reste, champ)
        uid, _, attribut = reste.partition(".")
        return f"{points.get(uid, 'point inconnu')}, {_MOTS.get(attribut, attribut)}"

    return libelle


def photos_par_point(controle: Controle) -> dict[int, list[PhotoControle]]:
    """Les photos gardées, par point ; sous 0, celles d’aucun point."""
    photos: dict[int, list[PhotoControle]] = {}
    for photo in controle.photos.filter(retiree_le__isnull=True).select_related("fichier"):
        photos.setdefault(photo.point_id or 0, []).append(photo)
    return photos


def phrase_des_anomalies(constats: Iterable[Constat]) -> str:
    """« 3 anomalies » : les écarts et manquements, ceux levés exceptés."""
    return accorde(sum(1 for c in constats if c.nature in ANOMALIES and c.conclusion != "leve"), "anomalie")


def _criteres(agrements: list[Agrement]) -> list[tuple[str, EvaluationCritere]]:
    """Ce que l’instruction du dernier agrément a dit de chaque critère : la visite peut le vérifier."""
    if not agrements:
        return []
    dossier = agrements[0].decision.dossier
    evaluations = {e.critere: e for e in EvaluationCritere.objects.filter(dossier=dossier)}
    criteres = dossier.regime.referentiel.criteres
    return [(f"{c.numero}. {c.libelle}", evaluations[c.code]) for c in criteres if c.code in evaluations]


def dossier_de_preparation(controle: Controle, exercices: Iterable[int] | None = None) -> dict[str, Any]:
    """Ce que le contrôleur réunit avant de partir : droits et versements par exercice, convention, critères."""
    structure = controle.structure
    exercices = sorted(controle.exercices if exercices is None else exercices)
    droits = (
        Droit.objects.filter(structure=structure, exercice__in=exercices)
        .avec_position()
        .select_related("prestation")
        .order_by("exercice", "prestation__ordre")
    )
    versions = declarations_retenues(structure.pk, exercices)
    agrements = list(structure.agrements.select_related("decision__dossier__regime").order_by("-debut")[:4])
    return {
        "droits": list(droits),
        "declarations": [
            {"exercice": exercice, "version": version, "totaux": totaliser(depuis_json(version.contenu))}
            for exercice, version in sorted(versions.items())
        ],
        "conventions": list(structure.conventions.select_related("acte").order_by("-exercice")[:5]),
        "agrements": agrements,
        "recommandations": anterieures(structure.pk),
        "criteres": _criteres(agrements),
    }
