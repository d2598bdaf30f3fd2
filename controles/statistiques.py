"""Les statistiques des contrôles, exactes à n’importe quel jour : le journal, ineffaçable, dit où en était chacun.

La Cour des comptes reprochait au système d’avant de ne pas savoir compter ses contrôles sur pièces et sur place
(domaine E.3). Rien ici ne lit l’état d’aujourd’hui : ni l’état, ni le mode, ni le contrôleur.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils import timezone

from comptes.models import Utilisateur
from controles.choix import Etat, EtatSanction, EtatSuite, Geste, Mode, Origine
from controles.models import Controle, EvenementControle, PlanControle, Sanction, SuiteFinanciere
from socle.montants import ZERO

MESURES: dict[str, str] = {
    "programmes": "Programmés",
    "notifies": "Notifiés",
    "menes": "Menés",
    "inopines": "dont inopinés",
    "provisoires": "Rapports provisoires",
    "definitifs": "Rapports définitifs",
    "clos": "Clos",
    "annules": "Annulés",
}
MONTANTS: dict[str, str] = {"rappels": "Rappels", "indus": "Indus", "sanctions": "Sanctions prononcées"}
_GESTES: dict[str, str] = {
    Geste.NOTIFIER: "notifies",
    Geste.COMMENCER: "menes",
    Geste.EMETTRE: "provisoires",
    Geste.SIGNER: "definitifs",
    Geste.CLORE: "clos",
    Geste.ANNULER: "annules",
}


@dataclass(slots=True)
class Passage:
    """Un contrôle tel qu’il était ce jour-là."""

    controle: int
    origine: str
    mode: str
    controleur: int
    etat: str = Etat.PROGRAMME
    mesures: set[str] = field(default_factory=lambda: {"programmes"})
    rappels: Decimal = ZERO
    indus: Decimal = ZERO
    sanctions: Decimal = ZERO


@dataclass(slots=True)
class Ligne:
    """Une ligne d’un tableau : un mode, un contrôleur, une origine, ou l’ensemble."""

    libelle: str
    nombres: dict[str, int]
    rappels: Decimal
    indus: Decimal
    sanctions: Decimal

    @property
    def montants(self) -> list[Decimal]:
        return [self.rappels, self.indus, self.sanctions]


@dataclass(slots=True)
class Statistiques:
    """Ce que montre la page. ``objectif`` : celui du plan, s’il était validé ce jour-là."""

    annee: int
    le: date
    ensemble: Ligne
    par_mode: list[Ligne]
    par_controleur: list[Ligne]
    par_origine: list[Ligne]
    etats: list[tuple[str, dict[str, int], int]]
    objectif: int | None

    @property
    def tableaux(self) -> list[tuple[str, list[Ligne]]]:
        return [
            ("Mode", self.par_mode), ("Contrôleur", self.par_controleur), ("Origine", self.par_origine),
        ]  # fmt: skip


def fin_du_jour(le: date) -> datetime:
    """L’instant où ce jour finit, à l’heure de Paris : ce qui le précède est compté."""
    return timezone.make_aware(datetime.combine(le + timedelta(days=1), time.min))


def compter(annee: int, le: date) -> Statistiques:
    """Les contrôles de l’année, tels qu’ils étaient au soir de ce jour. Six requêtes, quel que soit leur nombre."""
    avant = fin_du_jour(le)
    passages = _passages(annee, avant)
    _ajouter_les_montants(passages, annee, avant)
    lus = list(passages.values())
    noms = {u.pk: str(u) for u in Utilisateur.objects.filter(pk__in={p.controleur for p in lus})}
    plan = PlanControle.objects.filter(annee=annee, valide_le__lt=avant).first()
    return Statistiques(
        annee=annee,
        le=le,
        ensemble=_ligne("Ensemble", lus),
        par_mode=_tableau(lus, lambda p: p.mode, Mode.choices, entier=True),
        par_controleur=_tableau(
            lus, lambda p: p.controleur, sorted(noms.items(), key=lambda paire: (paire[1], paire[0]))
        ),
        par_origine=_tableau(lus, lambda p: p.origine, Origine.choices),
        etats=_etats(lus),
        objectif=plan.objectif if plan else None,
    )


def _passages(annee: int, avant: datetime) -> dict[int, Passage]:
    """Rejoue le journal jusqu’à ce jour : un contrôle existe à son premier événement."""
    passages: dict[int, Passage] = {}
    controles = {
        pk: (origine, mode, controleur)
        for pk, origine, mode, controleur in Controle.objects.filter(annee=annee).values_list(
            "pk", "origine", "mode", "controleur"
        )
    }
    utiles = Q(geste__in=[*_GESTES, Geste.PROGRAMMER, Geste.AFFECTER, Geste.PREPARER]) | ~Q(vers="")
    evenements = EvenementControle.objects.filter(utiles, controle__annee=annee, le__lt=avant).order_by("le", "pk")
    for controle, geste, de, vers, details in evenements.values_list("controle", "geste", "de", "vers", "details"):
        passage = passages.get(controle)
        if passage is None:
            passage = passages[controle] = Passage(controle, *controles[controle])
        passage.mode = details.get("mode", passage.mode)
        passage.controleur = details.get("controleur", passage.controleur)
        passage.etat = vers or passage.etat
        if geste in _GESTES:
            passage.mesures.add(_GESTES[geste])
        if geste == Geste.COMMENCER and de == Etat.PROGRAMME:
            passage.mesures.add("inopines")
    return passages


def _ajouter_les_montants(passages: dict[int, Passage], annee: int, avant: datetime) -> None:
    """Rappels et indus des suites appliquées ce jour-là, sanctions prononcées ce jour-là."""
    suites = SuiteFinanciere.objects.filter(controle__annee=annee, etat=EtatSuite.APPLIQUEE, decide_le__lt=avant)
    for controle, du_avant, du_apres in suites.order_by().values_list("controle", "avant", "apres"):
        if controle in passages:
            passages[controle].rappels += max(du_apres - du_avant, ZERO)
            passages[controle].indus += max(du_avant - du_apres, ZERO)
    prononcees = Sanction.objects.filter(controle__annee=annee, etat=EtatSanction.PRONONCEE, decidee_le__lt=avant)
    for controle, montant in prononcees.order_by().values_list("controle").annotate(total=Sum("montant")):
        if controle in passages:
            passages[controle].sanctions += montant


def _ligne(libelle: str, passages: Iterable[Passage]) -> Ligne:
    lus = list(passages)
    return Ligne(
        libelle,
        {mesure: sum(mesure in p.mesures for p in lus) for mesure in MESURES},
        sum((p.rappels for p in lus), ZERO),
        sum((p.indus for p in lus), ZERO),
        sum((p.sanctions for p in lus), ZERO),
    )


def _tableau(
    passages: list[Passage], cle: Callable[[Passage], Any], choix: Iterable[tuple[Any, str]], *, entier: bool = False
) -> list[Ligne]:
    """Une ligne par valeur, dans l’ordre donné ; celles qui n’ont aucun contrôle se taisent, sauf ``entier``."""
    lignes = []
    for valeur, libelle in choix:
        siens = [p for p in passages if cle(p) == valeur]
        if siens or entier:
            lignes.append(_ligne(libelle, siens))
    return lignes


def _etats(passages: list[Passage]) -> list[tuple[str, dict[str, int], int]]:
    """Par état, le nombre de contrôles de chaque mode, puis leur total."""
    rendus = []
    for etat in Etat:
        siens = [p for p in passages if p.etat == etat]
        par_mode = {str(mode): sum(p.mode == mode for p in siens) for mode in Mode}
        rendus.append((etat.label, par_mode, len(siens)))
    return rendus


def annees_controlees() -> list[int]:
    return list(Controle.objects.order_by("-annee").values_list("annee", flat=True).distinct())


ENTETES = ("Répartition", "Valeur", *MESURES.values(), *(f"{nom} (€)" for nom in MONTANTS.values()))


def en_lignes(statistiques: Statistiques) -> Iterable[tuple[Any, ...]]:
    """Les mêmes tableaux, à plat, pour un classeur."""
    lignes = [("Ensemble", statistiques.ensemble)]
    lignes += [(nom, ligne) for nom, tableau in statistiques.tableaux for ligne in tableau]
    for nom, ligne in lignes:
        yield (nom, ligne.libelle, *ligne.nombres.values(), *ligne.montants)
