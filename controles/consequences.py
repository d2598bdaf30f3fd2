"""Ce que les données contrôlées font à l’argent : on lit, on calcule, on explique ; rien ne change ici.

Avant la signature, l’effet est proposé sur ce que le contrôle a relevé ; après, sur ce que le rapport retient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from controles.choix import CONSTATS_A_DISCUTER, Conclusion, EtatSuite
from controles.models import Constat, Controle, SuiteFinanciere
from financements.calculs import DonneeRefusee, Donnees, Liquidation, liquider
from financements.choix import OrigineVersion
from financements.formulaire import Valeur, depuis_json, en_donnees, nombre
from financements.models import Droit, VersionDroit
from financements.simulation import en_lignes
from socle.montants import ZERO, en_euros, nombre_fr


@dataclass(frozen=True, slots=True)
class Correction:
    """Une donnée déclarée que le contrôle n’admet pas telle quelle."""

    constat: int
    exercice: int
    champ: str
    libelle: str
    unite: str
    declare: Decimal
    admis: Decimal

    @property
    def phrase(self) -> str:
        """« Pilotage 2025 : 45 000,00 € déclarés, 40 000,00 € admis (constat n° 3) » ; un ETP, un nombre : accordés."""
        libelle = self.libelle if str(self.exercice) in self.libelle else f"{self.libelle} {self.exercice}"
        declare, admis = dire(self.declare, self.unite), dire(self.admis, self.unite)
        valeurs = (
            f"{declare} déclarés, {admis} admis"
            if self.unite == "€"
            else f"{declare} en déclaration, {admis} après contrôle"
        )
        return f"{libelle} : {valeurs} (constat n°\u00a0{self.constat})"


@dataclass(frozen=True, slots=True)
class EffetFinancier:
    """Un droit avant et après les données contrôlées, sous le même barème.

    ``droit`` vide : ces corrections portent sur un exercice où aucun droit n’est calculé. ``lignes`` : l’explication du
    nouveau montant, dont la somme le fait ; ``avertissements`` : ce que le liquidateur doit savoir avant de décider.
    """

    exercice: int
    droit: Droit | None
    sur_version: VersionDroit | None
    avant: Decimal
    apres: Decimal
    corrections: tuple[Correction, ...]
    donnees: Donnees | None
    lignes: tuple[dict[str, Any], ...]
    avertissements: tuple[str, ...]
    touche: bool  # le calcul lit une donnée corrigée ; sinon la correction se dit, sans suite

    @property
    def ecart(self) -> Decimal:
        return self.apres - self.avant

    @property
    def intitule(self) -> str:
        if self.droit is None:
            return f"Exercice {self.exercice} : aucun droit n’est calculé"
        return f"{self.droit.prestation} {self.exercice}"

    @property
    def phrases(self) -> list[str]:
        return [correction.phrase for correction in self.corrections]

    @property
    def resultat(self) -> str:
        """Ce que la correction fait au droit, en une phrase."""
        if self.droit is None or not self.touche:
            return "Cette correction ne change aucun droit."
        if not self.ecart:
            return f"Le droit reste de {en_euros(self.avant)} : la correction ne le change pas."
        sens = "baisse" if self.ecart < 0 else "augmente"
        return f"Le droit {sens} de {en_euros(abs(self.ecart))} : {en_euros(self.avant)}, puis {en_euros(self.apres)}."


def dire(valeur: Decimal, unite: str) -> str:
    """Un montant en euros, ou un nombre et son unité."""
    if unite == "€":
        return en_euros(valeur)
    return f"{nombre_fr(valeur)}\u00a0{unite}".strip()


def retenu(constat: Constat) -> Decimal | None:
    """Ce qui vaut : la valeur du rapport définitif, à défaut la relevée ; rien si rien n’est chiffré."""
    if constat.declare is None:
        return None
    if constat.conclusion == Conclusion.LEVE:
        return constat.declare
    if constat.conclusion == Conclusion.MODIFIE and constat.releve_retenu is not None:
        return constat.releve_retenu
    return constat.releve


def corrections_de(constats: Iterable[Constat]) -> list[Correction]:
    """Les données à corriger, dans l’ordre des constats ; deux constats sur la même donnée : le dernier vaut."""
    retenues: dict[tuple[int, str], Correction] = {}
    for constat in sorted(constats, key=lambda c: c.numero):
        admis = retenu(constat)
        if constat.nature not in CONSTATS_A_DISCUTER or not constat.champ or constat.exercice is None:
            continue
        if constat.declare is None or admis is None or admis == constat.declare:
            continue
        retenues[constat.exercice, constat.champ] = Correction(
            constat.numero, constat.exercice, constat.champ, constat.libelle, constat.unite, constat.declare, admis
        )
    return list(retenues.values())


def _par_exercice(controle: Controle) -> dict[int, list[Correction]]:
    par_exercice: dict[int, list[Correction]] = {}
    for correction in corrections_de(controle.constats.all()):
        par_exercice.setdefault(correction.exercice, []).append(correction)
    return par_exercice


def etudier(controle: Controle) -> list[EffetFinancier]:
    """L’effet de ce contrôle sur chaque droit des exercices corrigés. Trois requêtes, quel que soit leur nombre."""
    par_exercice = _par_exercice(controle)
    if not par_exercice:
        return []
    droits = Droit.objects.filter(structure=controle.structure_id, exercice__in=par_exercice)
    effets = _effets(droits, par_exercice, controle=controle)
    sans_droit = par_exercice.keys() - {effet.exercice for effet in effets}
    effets += [
        EffetFinancier(e, None, None, ZERO, ZERO, tuple(par_exercice[e]), None, (), (), False) for e in sans_droit
    ]
    return sorted(effets, key=lambda effet: effet.exercice)


def etudier_le_droit(controle: Controle, droit: Droit) -> EffetFinancier | None:
    """Le même effet, pour un seul droit tel qu’il est maintenant ; rien si ce contrôle n’y corrige plus rien."""
    par_exercice = _par_exercice(controle)
    if droit.exercice not in par_exercice:
        return None
    return next(iter(_effets(Droit.objects.filter(pk=droit.pk), par_exercice, controle=controle)), None)


_VERSION = ("droit__prestation", "droit__structure__gestionnaire", "bareme__prestation", "declaration")


def _effets(
    droits: QuerySet[Droit], par_exercice: Mapping[int, list[Correction]], *, controle: Controle
) -> list[EffetFinancier]:
    """Chaque droit sur sa version courante ; déjà revu par ce contrôle, sur celle que la suite avait étudiée."""
    courantes = (
        VersionDroit.objects.filter(courante=True, droit__in=droits)
        .select_related(*_VERSION)
        .order_by("droit__exercice", "droit__prestation__ordre", "droit")
    )
    appliquees = SuiteFinanciere.objects.filter(etat=EtatSuite.APPLIQUEE, droit__in=droits).select_related(
        "version_droit", *(f"sur_version__{champ}" for champ in _VERSION)
    )
    siennes: dict[int, SuiteFinanciere] = {}
    autres: dict[int, list[SuiteFinanciere]] = {}
    for suite in appliquees.order_by("version_droit__numero"):
        if suite.controle_id == controle.pk:
            siennes[suite.droit_id] = suite
        else:
            autres.setdefault(suite.droit_id, []).append(suite)
    versions = [siennes[v.droit_id].sur_version if v.droit_id in siennes else v for v in courantes]
    return [_effet(v, par_exercice[v.droit.exercice], autres.get(v.droit_id, [])) for v in versions]


def _effet(version: VersionDroit, corrections: list[Correction], anterieures: list[SuiteFinanciere]) -> EffetFinancier:
    """Le droit recalculé : le contenu déclaré, corrigé, sous le barème et la période de sa version courante.

    Ce qu’un contrôle précédent a déjà corrigé de la même déclaration reste corrigé.
    """
    declare = depuis_json(version.declaration.contenu)
    contenu: dict[str, Valeur] = dict(declare)
    for suite in anterieures:
        faite = suite.version_droit
        if faite and faite.declaration_id == version.declaration_id and faite.numero <= version.numero:
            contenu.update({champ: Decimal(valeur) for champ, valeur in suite.corrections.items()})
    deja_corrige = dict(contenu)
    contenu.update({correction.champ: correction.admis for correction in corrections})
    lues = Donnees.depuis_json(version.donnees)
    avant, apres = (
        en_donnees(valeurs, version.bareme.postes, debut=lues.debut, fin=lues.fin, interruptions=lues.interruptions)
        for valeurs in (deja_corrige, contenu)
    )
    etude = EffetFinancier(
        exercice=version.droit.exercice,
        droit=version.droit,
        sur_version=version,
        avant=version.montant,
        apres=version.montant,
        corrections=tuple(corrections),
        donnees=None,
        lignes=(),
        avertissements=tuple(_avertissements(version, declare, corrections)),
        touche=False,
    )
    try:
        liquidation = liquider(version.bareme.regle, apres)
    except DonneeRefusee as erreur:
        phrase = f"Le nouveau droit ne peut pas se calculer : {erreur}"
        return replace(etude, avertissements=(*etude.avertissements, phrase), touche=avant != apres)
    if liquidation == _liquidation(version, avant):
        return etude
    return replace(etude, apres=liquidation.droit, donnees=apres, lignes=tuple(en_lignes(liquidation)), touche=True)


def _liquidation(version: VersionDroit, donnees: Donnees) -> Liquidation | None:
    """Ce que valait le calcul avant correction ; rien si la donnée d’alors ne suffisait pas."""
    try:
        return liquider(version.bareme.regle, donnees)
    except DonneeRefusee:
        return None


def _avertissements(version: VersionDroit, declare: Mapping[str, Valeur], corrections: list[Correction]) -> list[str]:
    phrases = []
    if version.origine == OrigineVersion.DEROGATION:
        phrases.append(
            f"Le montant en vigueur est forcé ({version.motif.rstrip('.')}) : appliquer cette suite le remplace par le "
            "montant calculé."
        )
    for correction in corrections:
        actuel = nombre(declare, correction.champ)
        if actuel != correction.declare:
            phrases.append(
                f"La déclaration a changé depuis le contrôle : « {correction.libelle} » y vaut maintenant "
                f"{dire(actuel, correction.unite)}, au lieu de {dire(correction.declare, correction.unite)}."
            )
    return phrases
