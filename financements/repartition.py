"""La clé d’un gestionnaire : quel compte va à quelle ligne de la déclaration, réparti comment. Sans Django."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from financements.calculs import FONCTIONS
from financements.importation import Solde, est_retenu, est_une_charge
from socle.montants import ZERO, arrondir


class CleInvalide(ValueError):
    """La clé de répartition se contredit ou perdrait de l’argent ; le message est une phrase à montrer."""


@dataclass(frozen=True)
class Regle:
    """Une ligne de la clé : les comptes en ``prefixe`` vont à la ligne ``compte`` du formulaire.

    ``parts`` : pourcentages par fonction (``FONCTIONS``), de somme 100 ; vide pour un produit, qui n’a pas de fonction.
    Lève ``CleInvalide``.
    """

    prefixe: str
    compte: str
    parts: Mapping[str, Decimal]

    def __post_init__(self) -> None:
        if not (self.prefixe.isalnum() and self.prefixe.isascii() and est_retenu(self.prefixe)):
            raise CleInvalide(
                f"« {self.prefixe} » n’est pas un début de compte de charges ou de produits (6, 7, 86, 87)."
            )
        if not self.compte:
            raise CleInvalide(f"Choisissez la ligne du formulaire pour les comptes {self.prefixe}.")
        if not est_une_charge(self.prefixe):
            if self.parts:
                raise CleInvalide(
                    f"Les comptes {self.prefixe} sont des produits : ils ne se répartissent pas par fonction."
                )
            return
        if inconnues := sorted(set(self.parts) - set(FONCTIONS)):
            raise CleInvalide(f"« {inconnues[0]} » n’est pas une fonction : {', '.join(FONCTIONS)}.")
        if not all(part.is_finite() and part >= 0 for part in self.parts.values()):
            raise CleInvalide(f"Les parts des comptes {self.prefixe} sont des pourcentages, positifs ou nuls.")
        if (somme := sum(self.parts.values(), Decimal(0))) != 100:
            raise CleInvalide(f"Les parts des comptes {self.prefixe} font {somme:f} % : elles doivent faire 100 %.")


@dataclass(frozen=True, slots=True)
class Ventilation:
    """Par (ligne du formulaire, fonction), en euros ; fonction vide pour un produit."""

    montants: dict[tuple[str, str], Decimal]
    non_rattaches: tuple[Solde, ...]


def ventiler(soldes: Iterable[Solde], regles: Iterable[Regle]) -> Ventilation:
    """Répartit chaque solde selon la règle au préfixe le plus long ; les autres sont rendus non rattachés.

    Rien ne se perd : chaque part est arrondie au centime et la dernière non nulle prend le reste. Un avoir garde son
    signe. Lève ``CleInvalide`` quand deux règles ont le même préfixe.
    """
    cle: dict[str, Regle] = {}
    for regle in regles:
        if regle.prefixe in cle:
            raise CleInvalide(f"Deux règles portent sur les comptes {regle.prefixe} : gardez-en une.")
        cle[regle.prefixe] = regle
    montants: dict[tuple[str, str], Decimal] = {}
    orphelins: list[Solde] = []
    for solde in soldes:
        prefixes = (solde.compte[:longueur] for longueur in range(len(solde.compte), 0, -1))
        retenue = next((cle[prefixe] for prefixe in prefixes if prefixe in cle), None)
        if retenue is None:
            orphelins.append(solde)
            continue
        for fonction, part in _partager(solde.montant, retenue.parts):
            ou = (retenue.compte, fonction)
            montants[ou] = montants.get(ou, ZERO) + part
    return Ventilation(montants, tuple(orphelins))


def _partager(montant: Decimal, parts: Mapping[str, Decimal]) -> Iterator[tuple[str, Decimal]]:
    fonctions: list[str] = [fonction for fonction in FONCTIONS if parts.get(fonction)] or [""]
    reste = montant
    for fonction in fonctions[:-1]:
        part = arrondir(montant * parts[fonction] / 100)
        reste -= part
        yield fonction, part
    yield fonctions[-1], reste
