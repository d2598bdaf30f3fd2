"""Le référentiel d’un régime, lu depuis sa définition figée : sections, champs, critères, pièces, délais.

Aucune règle d’un régime n’est dans le code : une circulaire nouvelle est une définition nouvelle
(``agrements/referentiels/*.json``), publiée à une date d’effet ; chaque dossier garde celle qui l’a fait naître.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

type Nature = Literal[
    "texte", "riche", "date", "entier", "decimal", "oui_non", "choix", "lien", "arbre", "tableau", "budget", "chiffres"
]
NATURES = frozenset(Nature.__value__.__args__)


@dataclass(frozen=True, slots=True)
class Colonne:
    """Une colonne d’un champ ``tableau`` : un poste, une instance, une ligne d’horaires."""

    code: str
    libelle: str
    nature: str  # texte, nombre, montant, choix
    choix: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Champ:
    code: str
    libelle: str
    nature: Nature
    aide: str = ""
    obligatoire: bool = False
    maximum: int = 0  # caractères visibles ; 0 : la borne générale
    choix: tuple[str, ...] = ()
    colonnes: tuple[Colonne, ...] = ()
    types: frozenset[str] = frozenset()  # vide : tous les types de dossier
    objets: frozenset[str] = frozenset()  # vide : tous les objets
    structures: frozenset[str] = frozenset()  # vide : centres sociaux et espaces de vie sociale

    def concerne(self, type_dossier: str, objets: frozenset[str], structure: str) -> bool:
        return (
            (not self.types or type_dossier in self.types)
            and (not self.objets or bool(self.objets & objets))
            and (not self.structures or structure in self.structures)
        )


@dataclass(frozen=True, slots=True)
class Section:
    code: str
    titre: str
    champs: tuple[Champ, ...]
    introduction: str = ""
    duree_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Critere:
    code: str
    numero: int
    libelle: str
    aide: str = ""
    source: str = ""
    sections: tuple[str, ...] = ()  # où chercher dans le projet


@dataclass(frozen=True, slots=True)
class ExigencePiece:
    code: str
    libelle: str
    aide: str = ""
    obligatoire: bool = True
    validite_mois: int = 0  # 0 : sans limite
    types: frozenset[str] = frozenset()
    statuts: frozenset[str] = frozenset()
    structures: frozenset[str] = frozenset()

    def concerne(self, type_dossier: str, statut: str, structure: str) -> bool:
        return (
            (not self.types or type_dossier in self.types)
            and (not self.statuts or statut in self.statuts)
            and (not self.structures or structure in self.structures)
        )


@dataclass(frozen=True)
class Referentiel:
    code: str
    libelle: str
    sections: tuple[Section, ...]
    criteres: tuple[Critere, ...]
    pieces: tuple[ExigencePiece, ...]
    objets: Mapping[str, tuple[str, ...]]  # type de structure → objets possibles
    delais: Mapping[str, int]
    seuils: Mapping[str, str]  # temps de travail attendus, en ETP
    duree_min_mois: int
    duree_max_mois: int
    sources: tuple[str, ...]

    @cached_property
    def champs(self) -> dict[str, Champ]:
        return {champ.code: champ for section in self.sections for champ in section.champs}

    @cached_property
    def section_du_champ(self) -> dict[str, Section]:
        return {champ.code: section for section in self.sections for champ in section.champs}

    def sections_pour(self, type_dossier: str, objets: frozenset[str], structure: str) -> tuple[Section, ...]:
        """Les sections et leurs champs que ce dossier doit remplir, dans l’ordre ; une section vide disparaît."""
        retenues = []
        for section in self.sections:
            champs = tuple(c for c in section.champs if c.concerne(type_dossier, objets, structure))
            if champs:
                retenues.append(
                    Section(section.code, section.titre, champs, section.introduction, section.duree_minutes)
                )
        return tuple(retenues)

    def pieces_pour(self, type_dossier: str, statut: str, structure: str) -> tuple[ExigencePiece, ...]:
        return tuple(p for p in self.pieces if p.concerne(type_dossier, statut, structure))


class DefinitionInvalide(ValueError):
    """La définition d’un régime est incohérente ; rien n’est publié."""


def lire(definition: Mapping[str, Any]) -> Referentiel:
    """Lit une définition JSON. Lève DefinitionInvalide en nommant ce qui cloche."""
    try:
        referentiel = Referentiel(
            code=definition["code"],
            libelle=definition["libelle"],
            sections=tuple(_section(s) for s in definition["sections"]),
            criteres=tuple(
                Critere(**{**c, "numero": rang, "sections": tuple(c.get("sections", ()))})
                for rang, c in enumerate(definition["criteres"], start=1)
            ),
            pieces=tuple(_piece(p) for p in definition["pieces"]),
            objets={structure: tuple(objets) for structure, objets in definition["objets"].items()},
            delais=dict(definition["delais"]),
            seuils=dict(definition["seuils"]),
            duree_min_mois=definition["duree_min_mois"],
            duree_max_mois=definition["duree_max_mois"],
            sources=tuple(definition["sources"]),
        )
    except (KeyError, TypeError) as erreur:
        raise DefinitionInvalide(f"Définition incomplète ou mal formée : {erreur}.") from erreur
    _verifier(referentiel)
    return referentiel


def _ensembles(donnees: Mapping[str, Any], *noms: str) -> dict[str, Any]:
    return {**donnees, **{nom: frozenset(donnees.get(nom, ())) for nom in noms}}


def _section(donnees: Mapping[str, Any]) -> Section:
    return Section(**{**donnees, "champs": tuple(_champ(c) for c in donnees["champs"])})


def _champ(donnees: Mapping[str, Any]) -> Champ:
    return Champ(
        **{
            **_ensembles(donnees, "types", "objets", "structures"),
            "choix": tuple(donnees.get("choix", ())),
            "colonnes": tuple(
                Colonne(**{**c, "choix": tuple(c.get("choix", ()))}) for c in donnees.get("colonnes", ())
            ),
        }
    )


def _piece(donnees: Mapping[str, Any]) -> ExigencePiece:
    return ExigencePiece(**_ensembles(donnees, "types", "statuts", "structures"))


def _verifier(referentiel: Referentiel) -> None:
    codes = [champ.code for section in referentiel.sections for champ in section.champs]
    if doublons := sorted({code for code in codes if codes.count(code) > 1}):
        raise DefinitionInvalide(f"Champs en double : {', '.join(doublons)}.")
    for champ in referentiel.champs.values():
        if champ.nature not in NATURES:
            raise DefinitionInvalide(f"Nature inconnue pour « {champ.code} » : {champ.nature}.")
        if champ.nature == "choix" and not champ.choix:
            raise DefinitionInvalide(f"« {champ.code} » est un choix sans choix possible.")
    connues = {section.code for section in referentiel.sections}
    for critere in referentiel.criteres:
        if inconnues := set(critere.sections) - connues:
            raise DefinitionInvalide(f"Le critère « {critere.code} » cite {', '.join(sorted(inconnues))}, inconnue.")
    if not 0 < referentiel.duree_min_mois <= referentiel.duree_max_mois:
        raise DefinitionInvalide("Les durées minimale et maximale de l’agrément se contredisent.")
