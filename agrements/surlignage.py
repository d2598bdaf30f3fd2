"""Surligner dans un texte affiché les passages cités à l’appui d’un critère. Sans Django, sans base."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape

_BALISE = re.compile(r"(<(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*>)")
_SIGNE = re.compile(r"&(?:#\d+|#x[0-9a-f]+|\w+);|.", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """Un extrait du projet et le critère qu’il appuie."""

    extrait: str
    numero: int
    critere: str


@dataclass(frozen=True, slots=True)
class _Signe:
    brut: str
    morceau: int  # le rang du morceau de texte où il s’affiche
    nu: str  # vide pour un blanc : seuls les signes pleins se comparent


def surligner(html: str, passages: Sequence[Passage]) -> tuple[str, list[Passage]]:
    """Entoure chaque passage de ``<mark>``, suivi de son critère ; rend aussi ceux qui ne s’y trouvent pas.

    ``html`` est déjà sûr : aucune balise n’est touchée, une marque ne vit que dans du texte. Les blancs ne comptent
    pas, pour qu’un passage à cheval sur deux paragraphes ou sur un mot en gras se retrouve.
    """
    morceaux = _BALISE.split(html)
    signes = [
        _Signe(brut, rang, "".join(unescape(brut).split()))
        for rang, morceau in enumerate(morceaux)
        if not morceau.startswith("<")
        for brut in _SIGNE.findall(morceau)
    ]
    pleins = [rang for rang, signe in enumerate(signes) if signe.nu]
    nu = "".join(signes[rang].nu for rang in pleins)
    a_qui = [rang for rang in pleins for _ in signes[rang].nu]
    cites: set[int] = set()
    fins: dict[int, list[Passage]] = {}
    absents = []
    for passage in passages:
        cherche = "".join(passage.extrait.split())
        debut = nu.find(cherche) if cherche else -1
        if debut < 0:
            absents.append(passage)
            continue
        premier, dernier = a_qui[debut], a_qui[debut + len(cherche) - 1]
        cites.update(range(premier, dernier + 1))
        fins.setdefault(dernier, []).append(passage)
    if not cites:
        return html, absents
    return _ecrire(morceaux, signes, cites, fins), absents


def _ecrire(morceaux: list[str], signes: list[_Signe], cites: set[int], fins: dict[int, list[Passage]]) -> str:
    ecrits: dict[int, list[str]] = {}
    vides = {rang for rang, morceau in enumerate(morceaux) if not morceau.strip()}
    ouverte: int | None = None
    for rang, signe in enumerate(signes):
        sortie = ecrits.setdefault(signe.morceau, [])
        cite = rang in cites and signe.morceau not in vides
        if cite and ouverte is None:
            sortie.append('<mark class="passage-cite">')
            ouverte = signe.morceau
        sortie.append(signe.brut)
        suivant = signes[rang + 1] if rang + 1 < len(signes) else None
        finit = suivant is None or suivant.morceau != signe.morceau or rang + 1 not in cites
        if ouverte is not None and (finit or rang in fins):
            sortie.append("</mark>")
            ouverte = None
        sortie.extend(_etiquette(passage) for passage in fins.get(rang, ()))
    return "".join("".join(ecrits.get(rang, [morceau])) for rang, morceau in enumerate(morceaux))


def _etiquette(passage: Passage) -> str:
    titre = escape(f"critère {passage.numero} : {passage.critere}")
    return f'<span class="critere-cite" role="note" title="{titre}" data-hors-citation>critère {passage.numero}</span>'
