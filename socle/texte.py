"""Le texte des personnes : ce qu’on en garde, comment on le compare et on le classe."""

from __future__ import annotations

import html
import re
import unicodedata

import nh3

BALISES = {"p", "ul", "ol", "li", "strong", "em", "a", "br"}
_EQUIVALENTS = {"b": "strong", "i": "em", "div": "p"}
_ESPACES = re.compile(r"[ \t\u00a0\u202f\u2009]+")
# Les lettres que la décomposition d’Unicode laisse entières ; les mêmes que celles de « unaccent » dans la base.
_LIGATURES = str.maketrans(
    {
        "œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ẞ": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l",
        "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "þ": "th", "Þ": "th", "ħ": "h", "Ħ": "h", "ı": "i", "ŧ": "t", "Ŧ": "t",
    }
)  # fmt: skip


def cle_de_tri(texte: str) -> str:
    """Sans accent, sans casse, sans ligature : « Écouflant » → « ecouflant », « Œuvre » → « oeuvre »."""
    decompose = unicodedata.normalize("NFKD", texte.translate(_LIGATURES))
    sans_accent = "".join(c for c in decompose if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", sans_accent.lower()).strip()


def entier(texte: str, chiffres: int = 9) -> int | None:
    """L’entier positif qu’écrit une adresse ou un champ caché ; None pour tout le reste.

    Ni signe, ni chiffres d’une autre écriture, ni plus de ``chiffres`` chiffres : une clé de la base tient dans neuf.
    """
    return int(texte) if texte.isascii() and texte.isdecimal() and len(texte) <= chiffres else None


def annee(texte: str) -> int | None:
    """Une année écrite sur quatre chiffres, ou None."""
    return entier(texte) if len(texte) == 4 else None


def epurer(texte: str) -> str:
    """Retire ce que PostgreSQL ou l’affichage refusent (NUL, commandes) ; garde émojis et écritures de droite."""
    texte = texte.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in texte if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})


def assainir(riche: str) -> str:
    """Réduit un texte mis en forme aux paragraphes, listes, gras, italiques et liens.

    Un collage depuis un traitement de texte garde son texte ; styles, classes et commentaires partent.
    """
    riche = epurer(riche)
    for balise, propre in _EQUIVALENTS.items():
        riche = re.sub(rf"<(/?){balise}(?=[\s>/])", rf"<\1{propre}", riche, flags=re.IGNORECASE)
    propre = nh3.clean(
        riche,
        tags=BALISES,
        clean_content_tags={"script", "style", "title", "xml"},
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    propre = re.sub(r"<p>(\s|&nbsp;|<br>)*</p>", "", propre)
    return propre.strip()


def en_texte(riche: str) -> str:
    """Le texte nu d’un texte mis en forme : pour compter, comparer et citer. Un paragraphe ou un point par ligne."""
    avec_lignes = re.sub(r"</(p|li)>|<br ?/?>", "\n", riche, flags=re.IGNORECASE)
    nu = html.unescape(nh3.clean(avec_lignes, tags=set()))
    lignes = (_ESPACES.sub(" ", ligne).strip() for ligne in nu.split("\n"))
    return "\n".join(ligne for ligne in lignes if ligne)


def longueur(riche: str) -> int:
    """Le nombre de caractères que la personne voit, sans les balises."""
    return len(en_texte(riche))


def accorde(nombre: int, *mots: str) -> str:
    """« 0 dossier », « 2 dossiers proposés » : le nombre, puis chaque mot accordé en nombre."""
    return " ".join([str(nombre), *(f"{mot}s" if nombre >= 2 else mot for mot in mots)])


def auteur(personne: object | None) -> str:
    """Qui a fait un geste, tel qu’un journal le dit ; personne : le portail, par son horloge."""
    return str(personne) if personne else "le portail"
