"""Ce qu’on accepte dans un champ, ce qu’on en garde, ce qui lui manque. Pur : ni base, ni requête.

Une valeur gardée est du JSON : texte nu ou mis en forme, entier, décimal écrit en chaîne, date ISO, liste.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from agrements import arbre, budget
from agrements.referentiel import Champ
from socle.erreurs import Refus
from socle.texte import assainir, en_texte, epurer, longueur

BORNE_TEXTE = 500
BORNE_RICHE = 20_000
BORNE_LIGNES = 200
BORNE_CELLULE = 500
_ESPACES_DE_NOMBRE = re.compile(r"[\s\u00a0\u202f]")
_NOMBRE = re.compile(r"-?[0-9]+([.,][0-9]+)?")

type Valeur = str | int | list[dict[str, Any]] | dict[str, Any]


class ValeurRefusee(Refus):
    """La saisie n’entre pas dans ce champ ; la phrase se montre à côté de lui."""


def lire_nombre(saisie: str) -> Decimal:
    """« 1 234,50 » → 1234.50. Refuse ce que Python accepte et qu’un lecteur ne lit pas : « 1e3 », « 1_0 », « ٣ »."""
    nu = _ESPACES_DE_NOMBRE.sub("", saisie)
    if not _NOMBRE.fullmatch(nu) or len(nu) > 15:
        raise ValeurRefusee(f"« {saisie[:40]} » n’est pas un nombre : écrivez par exemple 1 234,50.")
    try:
        return Decimal(nu.replace(",", "."))
    except InvalidOperation as erreur:
        raise ValeurRefusee(f"« {saisie[:40]} » n’est pas un nombre.") from erreur


def normaliser(champ: Champ, saisie: str) -> Valeur:
    """Rend la valeur à garder ; une saisie vide rend ``""``. Lève ValeurRefusee avec la phrase à montrer."""
    saisie = epurer(saisie)
    if not saisie.strip():
        return ""
    return _LECTEURS[champ.nature](champ, saisie)


def est_vide(valeur: Any) -> bool:
    return valeur in (None, "", [], {}) or (isinstance(valeur, str) and not en_texte(valeur))


def manques(champ: Champ, valeur: Any) -> list[str]:
    """Ce qui empêche le dépôt pour ce champ, en phrases. Vide : rien."""
    if champ.nature == "chiffres":
        return []
    if est_vide(valeur):
        return ["À remplir."] if champ.obligatoire else []
    if champ.nature == "budget" and (ecart := budget.phrase_d_ecart(valeur)):
        return [ecart]
    return []


def avertissements(champ: Champ, valeur: Any) -> list[str]:
    """Ce qui mérite un second regard sans empêcher le dépôt."""
    if est_vide(valeur):
        return []
    if champ.nature == "arbre":
        return arbre.incoherences(valeur)
    return []


def _texte(champ: Champ, saisie: str) -> str:
    texte = saisie.strip()
    borne = champ.maximum or BORNE_TEXTE
    if len(texte) > borne:
        raise ValeurRefusee(f"{len(texte)} caractères pour {borne} au plus : raccourcissez de {len(texte) - borne}.")
    return texte


def _riche(champ: Champ, saisie: str) -> str:
    # Sans JavaScript on reçoit du texte nu : ses lignes vides font des paragraphes.
    if not re.search(r"</?(p|ul|ol|li|strong|em|b|i|a|br|div|span|h[1-6])\b", saisie, re.IGNORECASE):
        paragraphes = (p.strip() for p in re.split(r"\n\s*\n", saisie))
        saisie = "".join(
            "<p>{}</p>".format(p.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>"))
            for p in paragraphes
            if p
        )
    propre = assainir(saisie)
    borne = champ.maximum or BORNE_RICHE
    if (nombre := longueur(propre)) > borne:
        raise ValeurRefusee(
            f"{nombre} caractères pour {borne} au plus : raccourcissez de {nombre - borne}. "
            "Votre texte reste à l’écran, il n’est pas encore enregistré."
        )
    return propre


def _date(champ: Champ, saisie: str) -> str:
    texte = saisie.strip()
    if francais := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", texte):
        jour, mois, annee = (int(partie) for partie in francais.groups())
    elif iso := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", texte):
        annee, mois, jour = (int(partie) for partie in iso.groups())
    else:
        raise ValeurRefusee("Écrivez une date comme 15/03/2027.")
    try:
        lue = date(annee, mois, jour)
    except ValueError as erreur:
        raise ValeurRefusee(f"Le {texte} n’existe pas au calendrier.") from erreur
    if not 1900 <= lue.year <= 2100:
        raise ValeurRefusee("Cette année est hors du calendrier du portail.")
    return lue.isoformat()


def _entier(champ: Champ, saisie: str) -> int:
    nombre = lire_nombre(saisie)
    if nombre != nombre.to_integral_value() or nombre < 0:
        raise ValeurRefusee("Écrivez un nombre entier, sans virgule ni signe.")
    if nombre > 10_000_000:
        raise ValeurRefusee("Ce nombre est trop grand.")
    return int(nombre)


def _decimal(champ: Champ, saisie: str) -> str:
    nombre = lire_nombre(saisie)
    if nombre < 0:
        raise ValeurRefusee("Écrivez un nombre positif.")
    return str(nombre)


def _choix(champ: Champ, saisie: str) -> str:
    if saisie not in champ.choix:
        raise ValeurRefusee("Choisissez l’une des réponses proposées.")
    return saisie


def _oui_non(champ: Champ, saisie: str) -> str:
    if saisie not in ("oui", "non"):
        raise ValeurRefusee("Répondez par oui ou par non.")
    return saisie


def _json(saisie: str) -> Any:
    try:
        return json.loads(saisie)
    except ValueError as erreur:
        raise ValeurRefusee("Ce tableau est illisible : rechargez la page, votre saisie est gardée.") from erreur


def _tableau(champ: Champ, saisie: str) -> list[dict[str, Any]]:
    lignes = _json(saisie)
    if not isinstance(lignes, list) or len(lignes) > BORNE_LIGNES:
        raise ValeurRefusee(f"Un tableau compte {BORNE_LIGNES} lignes au plus.")
    gardees = []
    for rang, ligne in enumerate(lignes, start=1):
        if not isinstance(ligne, Mapping):
            raise ValeurRefusee(f"La ligne {rang} est illisible.")
        gardee = {c.code: _cellule(c.nature, c.libelle, c.choix, ligne.get(c.code), rang) for c in champ.colonnes}
        if any(gardee.values()):
            gardees.append(gardee)
    return gardees


def _cellule(nature: str, libelle: str, choix: tuple[str, ...], brut: Any, rang: int) -> str:
    texte = epurer(str(brut if brut is not None else "")).strip()
    if not texte:
        return ""
    if len(texte) > BORNE_CELLULE:
        raise ValeurRefusee(f"Ligne {rang}, « {libelle} » : {BORNE_CELLULE} caractères au plus.")
    if nature in ("nombre", "montant"):
        try:
            nombre = lire_nombre(texte)
        except ValeurRefusee as erreur:
            raise ValeurRefusee(f"Ligne {rang}, « {libelle} » : {erreur}") from erreur
        if nombre < 0:
            raise ValeurRefusee(f"Ligne {rang}, « {libelle} » : écrivez un nombre positif.")
        return str(nombre)
    if nature == "choix" and texte not in choix:
        raise ValeurRefusee(f"Ligne {rang}, « {libelle} » : choisissez l’une des réponses proposées.")
    return texte


def _arbre(champ: Champ, saisie: str) -> list[dict[str, Any]]:
    try:
        return arbre.normaliser(_json(saisie))
    except arbre.ArbreInvalide as erreur:
        raise ValeurRefusee(str(erreur)) from erreur


def _budget(champ: Champ, saisie: str) -> list[dict[str, Any]]:
    lignes = _json(saisie)
    if not isinstance(lignes, list) or len(lignes) > BORNE_LIGNES:
        raise ValeurRefusee(f"Un budget compte {BORNE_LIGNES} lignes au plus.")
    gardees = []
    for rang, ligne in enumerate(lignes, start=1):
        if not isinstance(ligne, Mapping):
            raise ValeurRefusee(f"La ligne {rang} est illisible.")
        compte = _cellule("texte", "Compte", (), ligne.get("compte"), rang)
        montant = _cellule("montant", "Montant", (), ligne.get("montant"), rang)
        libelle = _cellule("texte", "Libellé", (), ligne.get("libelle"), rang)
        if not (compte or montant or libelle):
            continue
        if not budget.compte_connu(compte):
            raise ValeurRefusee(
                f"Ligne {rang} : le compte « {compte} » n’est ni une charge (classe 6, 86) ni un produit (7, 87)."
            )
        gardees.append({"compte": compte, "libelle": libelle, "montant": montant or "0"})
    return gardees


def _chiffres(champ: Champ, saisie: str) -> str:
    raise ValeurRefusee("Ces chiffres viennent des données publiques : ils ne se saisissent pas.")


_LECTEURS: dict[str, Callable[[Champ, str], Valeur]] = {
    "texte": _texte,
    "riche": _riche,
    "date": _date,
    "entier": _entier,
    "decimal": _decimal,
    "choix": _choix,
    "oui_non": _oui_non,
    "lien": _texte,
    "tableau": _tableau,
    "arbre": _arbre,
    "budget": _budget,
    "chiffres": _chiffres,
}
