"""Qui peut quel geste sur l’argent. Saisir, vérifier, payer et contrôler sont quatre personnes."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from financements.choix import GesteDeclaration, GestePaiement
from financements.cycle import CYCLE_DECLARATION, CYCLE_PAIEMENT, SAISIE_OUVERTE
from financements.models import Bareme, Declaration, Droit, Paiement
from financements.payables import payable_de
from partenaires.models import Structure, roles_dans_la_structure
from socle.droits import PERMIS, Verdict, refus

LIQUIDATEURS = (Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE)


def _de_la_structure(*roles: Role, sinon: str) -> Callable[[Utilisateur, Declaration], Verdict]:
    def regle(utilisateur: Utilisateur, declaration: Declaration) -> Verdict:
        tenus = roles_dans_la_structure(utilisateur, declaration.structure_id)
        return PERMIS if tenus.intersection(roles) else refus(sinon)

    return regle


def suit(utilisateur: Utilisateur, structure: Structure) -> Verdict:
    """Le technicien conseil du portefeuille, son suppléant du jour, ou le responsable."""
    if utilisateur.tient(Role.RESPONSABLE):
        return PERMIS
    if not utilisateur.tient(Role.TECHNICIEN_CONSEIL):
        return refus("Ce geste revient au technicien conseil.")
    if structure.gestionnaire.affectations.tenues_par(utilisateur, timezone.localdate()).exists():
        return PERMIS
    return refus("Ce gestionnaire est dans le portefeuille d’un collègue : demandez au responsable de vous le confier.")


def _controle(utilisateur: Utilisateur, declaration: Declaration) -> Verdict:
    return suit(utilisateur, declaration.structure)


_saisit = _de_la_structure(
    Role.DIRECTION, Role.SAISIE, Role.REPRESENTANT_LEGAL, sinon="Seule l’équipe de la structure remplit sa déclaration."
)
_dirige = _de_la_structure(
    Role.DIRECTION, Role.REPRESENTANT_LEGAL, sinon="Ce geste revient à la direction ou au représentant légal."
)
_vise = _de_la_structure(Role.REPRESENTANT_LEGAL, sinon="Le visa revient au représentant légal.")

REGLES_DECLARATION: dict[str, Callable[[Utilisateur, Declaration], Verdict]] = {
    GesteDeclaration.SAISIR: _saisit,
    GesteDeclaration.IMPORTER: _saisit,
    GesteDeclaration.DEMANDER_VISA: _dirige,
    GesteDeclaration.REPRENDRE: _dirige,
    GesteDeclaration.VISER: _vise,
    GesteDeclaration.REFUSER_VISA: _vise,
    GesteDeclaration.DEPOSER: _dirige,
    GesteDeclaration.RENVOYER: _dirige,
    GesteDeclaration.DEMANDER_CORRECTION: _controle,
    GesteDeclaration.VALIDER: _controle,
}


def peut(geste: str, utilisateur: Utilisateur, declaration: Declaration) -> Verdict:
    return REGLES_DECLARATION[geste](utilisateur, declaration)


def gestes_possibles(utilisateur: Utilisateur, declaration: Declaration) -> set[str]:
    """Le droit et l’état : ce qui décide de montrer un bouton."""
    possibles = set()
    for geste in REGLES_DECLARATION:
        depuis = CYCLE_DECLARATION[geste].depuis if geste in CYCLE_DECLARATION else SAISIE_OUVERTE
        if declaration.etat in depuis and peut(geste, utilisateur, declaration):
            possibles.add(geste)
    return possibles


def peut_ouvrir(utilisateur: Utilisateur, structure: Structure) -> Verdict:
    if roles_dans_la_structure(utilisateur, structure.pk):
        return PERMIS
    return refus("Seule l’équipe de la structure ouvre sa déclaration.")


def peut_regler(utilisateur: Utilisateur) -> Verdict:
    """Saisir un barème, une campagne, les règles de paiement."""
    if utilisateur.tient(Role.ADMINISTRATEUR, Role.RESPONSABLE):
        return PERMIS
    return refus("Les barèmes et les campagnes reviennent à l’administrateur fonctionnel ou au responsable.")


def peut_publier(utilisateur: Utilisateur, bareme: Bareme) -> Verdict:
    """Quatre yeux : qui a saisi le barème ne le publie pas."""
    if not (verdict := peut_regler(utilisateur)):
        return verdict
    if bareme.saisi_par_id == utilisateur.pk:
        return refus("Vous avez saisi ce barème : un collègue le vérifie et le publie.")
    return PERMIS


def peut_forcer(utilisateur: Utilisateur, droit: Droit) -> Verdict:
    return suit(utilisateur, droit.structure)


def peut_decider_d_un_forcage(utilisateur: Utilisateur, demande_par_pk: int) -> Verdict:
    if not utilisateur.tient(Role.RESPONSABLE):
        return refus("Un montant forcé s’approuve par le responsable.")
    if utilisateur.pk == demande_par_pk:
        return refus("Vous avez demandé ce montant : un autre responsable en décide.")
    return PERMIS


def peut_payer(geste: str, utilisateur: Utilisateur, paiement: Paiement | None, droit: Droit | None) -> Verdict:
    """Proposer revient au technicien du portefeuille ; au-dessus du seuil, un autre valide.

    ``droit`` : vide pour ce qui n’est pas une prestation ; l’app qui l’apporte dit alors qui le suit.
    """
    if geste in (GestePaiement.ORDONNANCER, GestePaiement.CONSTATER, GestePaiement.REJETER):
        if utilisateur.tient(*LIQUIDATEURS):
            return PERMIS
        return refus("Les lots de paiement reviennent aux techniciens conseil et au responsable.")
    if geste == GestePaiement.VALIDER and utilisateur.tient(*LIQUIDATEURS):
        assert paiement is not None
        if paiement.double_regard and paiement.propose_par_id == utilisateur.pk:
            return refus("Au-dessus du seuil de double regard, qui propose ne valide pas : demandez à un collègue.")
        return PERMIS
    if droit is None:
        assert paiement is not None
        return payable_de(paiement).suit(utilisateur, paiement)
    return suit(utilisateur, droit.structure)


def paiement_possible(geste: str, utilisateur: Utilisateur, paiement: Paiement) -> bool:
    return paiement.etat in CYCLE_PAIEMENT[geste].depuis and bool(
        peut_payer(geste, utilisateur, paiement, paiement.droit)
    )


def peut_lancer_recalcul(utilisateur: Utilisateur) -> Verdict:
    if utilisateur.tient(Role.ADMINISTRATEUR, Role.RESPONSABLE):
        return PERMIS
    return refus("Le recalcul se lance par l’administrateur fonctionnel ou le responsable.")


def peut_approuver_recalcul(utilisateur: Utilisateur, lance_par_pk: int | None) -> Verdict:
    if not utilisateur.tient(Role.RESPONSABLE):
        return refus("Un recalcul s’approuve par le responsable.")
    if lance_par_pk == utilisateur.pk:
        return refus("Vous avez lancé ce recalcul : un autre responsable l’approuve.")
    return PERMIS
