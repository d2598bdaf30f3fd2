"""Les comptes fictifs d’un centre social : équilibrés, répartis par fonction, expliqués."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from comptes.models import Utilisateur
from financements.calculs import FONCTIONS
from financements.formulaire import Contenu
from financements.models import Declaration, Saisie
from socle.montants import arrondir

# Pilotage, activités, logistique ; le référent est un « dont » des activités. Totaux : 120 000, 180 000, 60 000.
CHARGES = {
    "60": (4_000, 14_000, 9_000),
    "61": (6_000, 12_000, 24_000),
    "62": (9_000, 22_000, 7_000),
    "63": (7_000, 8_000, 1_500),
    "64": (92_000, 118_000, 14_500),
    "65": (1_000, 2_500, 500),
    "66": (0, 0, 300),
    "67": (0, 500, 200),
    "68": (1_000, 3_000, 3_000),
}
REFERENT = 30_000
PRODUITS = {
    "70": 54_000, "741": 22_000, "743": 15_000, "744": 140_000, "745": 104_000, "747": 8_000, "748": 3_000,
    "75": 12_000, "76": 400, "77": 600, "78": 1_000,
}  # fmt: skip
VOLONTAIRES = (3_000, 9_000, 6_000)
ACTIVITE = {
    "etp_total": "7.5", "etp_direction": "1", "etp_referent": "0.6", "adherents": "420", "usagers": "1250",
    "familles": "96", "benevoles": "48", "heures_benevolat": "2600", "heures_ouverture": "38",
}  # fmt: skip


def remplir(declaration: Declaration, contenu: Contenu, *, par: Utilisateur) -> None:
    """Écrit toutes les cases d’un coup, comme si ``par`` venait de les saisir."""
    maintenant = timezone.now()
    Saisie.objects.bulk_create(
        Saisie(
            declaration=declaration,
            champ=champ,
            nombre=valeur if isinstance(valeur, Decimal) else None,
            texte="" if isinstance(valeur, Decimal) else valeur,
            modifie_par=par,
            modifie_le=maintenant,
        )
        for champ, valeur in contenu.items()
    )


def repartition(echelle: Decimal = Decimal(1), *, avec_referent: bool = True) -> dict[str, Decimal | str]:
    """Un contenu de déclaration complet ; ``echelle`` multiplie chaque montant, les totaux restent égaux."""

    def euros(valeur: int) -> Decimal:
        return arrondir(Decimal(valeur) * echelle)

    nombres: dict[str, Decimal] = {}
    for compte, montants in CHARGES.items():
        for fonction, valeur in zip(FONCTIONS, montants, strict=True):
            if valeur:
                nombres[f"{compte}.{fonction}"] = euros(valeur)
    charges = sum(nombres.values(), Decimal(0))
    if avec_referent:
        nombres["64.referent"] = euros(REFERENT)
    produits = {compte: euros(valeur) for compte, valeur in PRODUITS.items()}
    produits["744"] += charges - sum(produits.values(), Decimal(0))
    volontaires = {f"86.{f}": euros(v) for f, v in zip(FONCTIONS, VOLONTAIRES, strict=True)}
    dons = euros(4_000)
    nombres |= produits | volontaires
    nombres |= {"870": dons, "875": sum(volontaires.values(), Decimal(0)) - dons}
    nombres |= {f"activite.{c}": Decimal(v) for c, v in ACTIVITE.items() if c != "etp_referent" or avec_referent}
    textes = {
        f"explication.{compte}": "Recrutement prévu et subvention communale revalorisée (données fictives)."
        for compte in ("64", "744")
    }
    return {**nombres, **textes}
