"""L’arbre du projet : constat → enjeu → axe → objectif → action → indicateur. Pur.

Un nœud : ``{"id": str, "nature": str, "texte": str, "enfants": [nœud, …]}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from socle.texte import epurer

# nature → ce qui peut naître sous elle ; "" est la racine
ENFANTS: dict[str, tuple[str, ...]] = {
    "": ("constat", "enjeu"),
    "constat": ("enjeu",),
    "enjeu": ("axe",),
    "axe": ("objectif",),
    "objectif": ("action",),
    "action": ("indicateur",),
    "indicateur": (),
}
LIBELLES = {
    "constat": "Constat du diagnostic",
    "enjeu": "Enjeu",
    "axe": "Axe",
    "objectif": "Objectif",
    "action": "Action",
    "indicateur": "Indicateur",
}
BORNE_NOEUDS = 400
BORNE_TEXTE = 1000
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")

type Noeud = dict[str, Any]


class ArbreInvalide(ValueError):
    """L’arbre reçu n’en est pas un ; la phrase se montre à la personne."""


def normaliser(brut: Any) -> list[Noeud]:
    """Vérifie l’emboîtement, épure les textes, retire les feuilles vides. Lève ArbreInvalide."""
    if not isinstance(brut, list):
        raise ArbreInvalide("L’arbre est illisible : rechargez la page.")
    vus: set[str] = set()
    return [noeud for element in brut if (noeud := _noeud(element, "", vus)) is not None]


def _noeud(brut: Any, parent: str, vus: set[str]) -> Noeud | None:
    if not isinstance(brut, Mapping):
        raise ArbreInvalide("L’arbre est illisible : rechargez la page.")
    nature = brut.get("nature")
    if nature not in ENFANTS[parent]:
        lieu = f"sous « {LIBELLES[parent]} »" if parent else "au premier niveau"
        raise ArbreInvalide(f"« {LIBELLES.get(str(nature), 'cette ligne')} » ne se place pas {lieu}.")
    identifiant = str(brut.get("id", ""))
    if not _ID.fullmatch(identifiant) or identifiant in vus:
        raise ArbreInvalide("Deux lignes de l’arbre portent le même repère : rechargez la page.")
    vus.add(identifiant)
    if len(vus) > BORNE_NOEUDS:
        raise ArbreInvalide(f"Un arbre compte {BORNE_NOEUDS} lignes au plus : regroupez des actions.")
    texte = epurer(str(brut.get("texte", ""))).strip()
    if len(texte) > BORNE_TEXTE:
        raise ArbreInvalide(f"« {texte[:40]}… » est trop long : {BORNE_TEXTE} caractères au plus.")
    enfants = brut.get("enfants", [])
    if not isinstance(enfants, list):
        raise ArbreInvalide("L’arbre est illisible : rechargez la page.")
    gardes = [noeud for enfant in enfants if (noeud := _noeud(enfant, nature, vus)) is not None]
    if not texte and not gardes:
        return None
    return {"id": identifiant, "nature": nature, "texte": texte, "enfants": gardes}


def parcourir(arbre: list[Noeud], parents: tuple[Noeud, ...] = ()) -> Iterator[tuple[Noeud, tuple[Noeud, ...]]]:
    """Chaque nœud avec ses ascendants, dans l’ordre de lecture."""
    for noeud in arbre:
        yield noeud, parents
        yield from parcourir(noeud["enfants"], (*parents, noeud))


def incoherences(arbre: list[Noeud]) -> list[str]:
    """Les trous du raisonnement, en phrases qui nomment la ligne. N’empêchent pas le dépôt."""
    phrases = []
    for noeud, parents in parcourir(arbre):
        nom = noeud["texte"][:60] or "sans texte"
        if not noeud["texte"]:
            phrases.append(f"{LIBELLES[noeud['nature']]} sans texte.")
        if noeud["nature"] == "enjeu" and not parents:
            phrases.append(f"L’enjeu « {nom} » ne vient d’aucun constat du diagnostic.")
        if noeud["enfants"]:
            continue
        manque = {
            "constat": "ne mène à aucun enjeu",
            "enjeu": "ne mène à aucun axe",
            "axe": "n’a pas d’objectif",
            "objectif": "n’a pas d’action",
            "action": "n’a pas d’indicateur",
        }.get(noeud["nature"])
        if manque:
            phrases.append(f"{LIBELLES[noeud['nature']]} « {nom} » : {manque}.")
    return phrases


def en_lignes(arbre: list[Noeud]) -> list[str]:
    """L’arbre en texte, une ligne par nœud, pour comparer deux versions et pour citer."""
    return [f"{'  ' * len(parents)}{LIBELLES[n['nature']]} : {n['texte']}" for n, parents in parcourir(arbre)]
