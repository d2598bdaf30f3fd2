"""Le plan tel qu’on le lit : toutes les structures, classées par leur risque expliqué, et ce qui manque au plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils import timezone

from comptes.models import Utilisateur
from controles import tirage
from controles.choix import EtatPlan, Mode, Origine
from controles.models import Controle, LignePlan, PlanControle
from controles.risque import Score, evaluer
from controles.situations import controles_en_route, situations
from partenaires.models import Structure
from socle.texte import accorde


@dataclass(slots=True)
class Place:
    """Une structure dans le classement. Au plan, son score et ses raisons sont ceux du jour où on l’a retenue.

    ``raisons`` : ``[{"points", "phrase"}]`` ; zéro point : ce que le portail ne sait pas.
    """

    structure: Structure
    points: int
    raisons: list[dict[str, Any]]
    ligne: LignePlan | None = None
    en_route: Controle | None = None
    rang: int = 0

    @property
    def libre(self) -> bool:
        """Ni au plan, ni déjà en contrôle, ni fermée : on peut la retenir ou la tirer au sort."""
        return self.ligne is None and self.en_route is None and self.structure.fermee_le is None

    @property
    def retirable(self) -> bool:
        """Le sort ne se reprend pas, sauf si la structure ne peut plus être contrôlée."""
        empechee = self.en_route is not None or self.structure.fermee_le is not None
        return self.ligne is not None and (self.ligne.origine != Origine.TIRAGE or empechee)


def en_lignes(score: Score) -> list[dict[str, Any]]:
    """Les raisons telles qu’une ligne du plan les garde ; une mesure inconnue y figure, sans point."""
    inconnues = [{"points": 0, "phrase": f"inconnu : {_minuscule(libelle)}"} for libelle in score.inconnues]
    return [*(raison.en_json() for raison in score.raisons), *inconnues]


def _minuscule(libelle: str) -> str:
    return libelle[:1].lower() + libelle[1:]


def lignes_du_plan(plan: PlanControle) -> list[LignePlan]:
    return list(plan.lignes.select_related("structure__commune", "controleur", "controle"))


def classer(plan: PlanControle, le: date | None = None) -> list[Place]:
    """Les structures ouvertes et celles du plan, la plus à risque d’abord. Douze requêtes, quel que soit leur nombre.

    Un plan validé ne se reclasse plus : on n’y lit que ses lignes, telles qu’elles ont été validées.
    """
    lignes = {ligne.structure_id: ligne for ligne in lignes_du_plan(plan)}
    if plan.etat == EtatPlan.VALIDE:
        return _ranger([Place(li.structure, li.score, li.raisons, li) for li in lignes.values()])
    ouvertes = {s.pk: s for s in Structure.objects.ouvertes().select_related("commune")}
    structures = {**ouvertes, **{cle: ligne.structure for cle, ligne in lignes.items()}}
    connues = situations(structures.keys() - lignes.keys(), le or timezone.localdate())
    en_route = controles_en_route(structures.keys())
    poids = plan.regles.poids_lus
    places = []
    for cle, structure in structures.items():
        ligne = lignes.get(cle)
        if ligne is not None:
            place = Place(structure, ligne.score, ligne.raisons, ligne)
        else:
            score = evaluer(connues[cle], poids)
            place = Place(structure, score.points, en_lignes(score))
        place.en_route = en_route.get(cle)
        places.append(place)
    return _ranger(places)


def _ranger(places: list[Place]) -> list[Place]:
    places.sort(key=lambda p: (-p.points, p.structure.nom_tri, p.structure.pk))
    for rang, place in enumerate(places, start=1):
        place.rang = rang
    return places


@dataclass(slots=True)
class Charge:
    """Le travail que le plan donne à un contrôleur ; ``None`` : ce qui n’est confié à personne."""

    controleur: Utilisateur | None
    par_trimestre: Counter[int | None] = field(default_factory=Counter)
    par_mode: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.par_mode.total()

    @property
    def trimestres(self) -> list[int]:
        return [self.par_trimestre[n] for n in (1, 2, 3, 4)]

    @property
    def sans_trimestre(self) -> int:
        return self.par_trimestre[None]

    @property
    def sur_place(self) -> int:
        return self.par_mode[Mode.SUR_PLACE]

    @property
    def sur_pieces(self) -> int:
        return self.par_mode[Mode.SUR_PIECES]


def charges(lignes: Sequence[LignePlan], controleurs: Sequence[Utilisateur]) -> list[Charge]:
    """Une ligne par contrôleur, même sans contrôle ; puis, s’il en reste, ce qui n’est confié à personne."""
    par_cle: dict[int | None, Charge] = {c.pk: Charge(c) for c in controleurs}
    sans = Charge(None)
    for ligne in lignes:
        charge = sans if ligne.controleur is None else par_cle.setdefault(ligne.controleur_id, Charge(ligne.controleur))
        charge.par_trimestre[ligne.trimestre] += 1
        charge.par_mode[ligne.mode] += 1
    return [*par_cle.values(), *([sans] if sans.total else [])]


def a_tirer(plan: PlanControle, lignes: Sequence[LignePlan], tirables: int) -> int:
    """Combien de structures le tirage doit encore donner, sans dépasser ce qu’il peut."""
    tirees = sum(ligne.origine == Origine.TIRAGE for ligne in lignes)
    return min(max(0, tirage.part(plan.objectif, plan.regles.part_tirage) - tirees), tirables)


def restantes(plan: PlanControle, libres: Collection[int]) -> list[int]:
    """Ce que le tirage peut encore donner : avant lui, toutes les libres ; après, celles de sa population."""
    return [cle for cle in plan.population if cle in libres] if plan.tire_le else list(libres)


def manques(plan: PlanControle, places: Sequence[Place], controleurs: Collection[int]) -> list[str]:
    """Ce qui empêche de soumettre le plan, en phrases ; vide : rien. ``controleurs`` : ceux qui le sont aujourd’hui."""
    lignes = [p.ligne for p in places if p.ligne is not None]
    if not lignes:
        return ["Le plan ne retient encore aucune structure."]
    trouves = []
    libres = {p.structure.pk for p in places if p.libre}
    a_faire = a_tirer(plan, lignes, len(restantes(plan, libres)))
    if a_faire:
        trouves.append(
            f"Le tirage au sort doit donner encore {accorde(a_faire, 'structure')} : les règles en demandent "
            f"{plan.regles.part_tirage}\u00a0% des contrôles prévus."
        )
    sans = [ligne for ligne in lignes if ligne.controleur_id is None]
    if sans:
        trouves.append(f"Sans contrôleur : {_quelques_unes(sans)}.")
    partis = [ligne for ligne in lignes if ligne.controleur_id is not None and ligne.controleur_id not in controleurs]
    trouves += [f"{ligne.controleur} n’est plus contrôleur : confiez {ligne.structure} à un autre." for ligne in partis]
    for place in places:
        if place.ligne is None:
            continue
        if place.structure.fermee_le is not None:
            trouves.append(f"{place.structure} est fermée : retirez-la du plan.")
        elif place.en_route is not None:
            trouves.append(f"{place.structure} est déjà en contrôle ({place.en_route.numero}) : retirez-la du plan.")
    return trouves


def _quelques_unes(lignes: Sequence[LignePlan]) -> str:
    noms = [str(ligne.structure) for ligne in lignes[:3]]
    reste = len(lignes) - len(noms)
    return ", ".join(noms) + (f" et {accorde(reste, 'autre')}" if reste else "")
