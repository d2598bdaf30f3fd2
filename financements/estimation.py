"""Où une structure se trouvera au réel : un solde estimé, et ce qu’il devient si ses charges bougent. Sans Django."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from financements.calculs import Donnees, Position, Regle, liquider, pourcent, situer
from socle.montants import en_euros


@dataclass(frozen=True, slots=True)
class Fourchette:
    """Droit et position, en euros, aux charges déclarées puis si elles finissent ``marge`` % plus bas ou plus haut.

    ``promis`` : ce qui sera versé avant le réel, acomptes à venir compris.
    """

    marge: Decimal
    promis: Decimal
    droit_bas: Decimal
    droit_haut: Decimal
    estimee: Position
    basse: Position
    haute: Position

    @property
    def a_rendre(self) -> bool:
        """Y a-t-il un cas de la fourchette où une somme serait à rendre ?"""
        return bool(self.basse.indu)

    @property
    def phrase(self) -> str:
        """Ce que la structure doit en savoir, en une phrase ; jamais un reproche."""
        si = f"Si vos charges finales s’écartent de {pourcent(self.marge)} de celles déclarées"
        apres = f"une fois {en_euros(self.promis)} d’acomptes versés"
        if self.haute.indu:
            return f"{si}, entre {en_euros(self.haute.indu)} et {en_euros(self.basse.indu)} seraient à rendre, {apres}."
        if self.basse.indu:
            return (
                f"{si}, il pourrait, {apres}, y avoir jusqu’à {en_euros(self.basse.indu)} à rendre, "
                f"ou jusqu’à {en_euros(self.haute.solde)} à recevoir."
            )
        if self.basse.solde == self.haute.solde:
            return f"{si}, il vous resterait {en_euros(self.haute.solde)} à recevoir, {apres}."
        reste = f"de {en_euros(self.basse.solde)} à {en_euros(self.haute.solde)}"
        return f"{si}, il vous resterait {reste} à recevoir, {apres}."


def estimer(regle: Regle, donnees: Donnees, *, promis: Decimal, marge: Decimal) -> Fourchette:
    """Recalcule le droit aux charges ± ``marge`` pour cent ; l’ETP et la période ne bougent pas. Lève DonneeRefusee."""
    droit, bas, haut = (liquider(regle, _a(donnees, 1 + signe * marge / 100)).droit for signe in (0, -1, 1))
    return Fourchette(marge, promis, bas, haut, situer(droit, promis), situer(bas, promis), situer(haut, promis))


def _a(donnees: Donnees, facteur: Decimal) -> Donnees:
    return replace(
        donnees,
        assiette=None if donnees.assiette is None else donnees.assiette * facteur,
        charges={poste: montant * facteur for poste, montant in donnees.charges.items()},
        volontaires={poste: montant * facteur for poste, montant in donnees.volontaires.items()},
    )
