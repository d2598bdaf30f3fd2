"""Qui peut faire quel geste sur une demande d’aide. Les boutons, les vues et les actions lisent la même réponse."""

from __future__ import annotations

from collections.abc import Callable

from aides.choix import Geste
from aides.cycle import CYCLE, SUR_PLACE
from aides.models import Demande, VersionDispositif
from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from financements.droits import suit
from partenaires.droits import instruit
from partenaires.models import Structure, roles_dans_la_structure
from socle.droits import PERMIS, Verdict, refus

type Regle = Callable[[Utilisateur, Demande], Verdict]


def _de_la_structure(*roles: Role, sinon: str) -> Regle:
    def regle(utilisateur: Utilisateur, demande: Demande) -> Verdict:
        tenus = roles_dans_la_structure(utilisateur, demande.structure_id)
        return PERMIS if tenus.intersection(roles) else refus(sinon)

    return regle


def _instruit(utilisateur: Utilisateur, demande: Demande) -> Verdict:
    return instruit(utilisateur, demande.charge, "Cette demande est suivie")


def _liquide(utilisateur: Utilisateur, demande: Demande) -> Verdict:
    return suit(utilisateur, demande.structure)


def _tient(*roles: Role, sinon: str) -> Regle:
    def regle(utilisateur: Utilisateur, demande: Demande) -> Verdict:
        return PERMIS if utilisateur.tient(*roles) else refus(sinon)

    return regle


_redige = _de_la_structure(*ROLES_PARTENAIRE, sinon="Seule l’équipe de la structure remplit sa demande.")
_dirige = _de_la_structure(
    Role.DIRECTION, Role.REPRESENTANT_LEGAL, sinon="Ce geste revient à la direction ou au représentant légal."
)
_vise = _de_la_structure(Role.REPRESENTANT_LEGAL, sinon="Le visa revient au représentant légal.")
_tient_la_seance = _tient(Role.SECRETARIAT, sinon="Ce geste revient au secrétariat des instances.")
_repond = _tient(Role.RESPONSABLE, sinon="Ce geste revient au responsable.")

REGLES: dict[str, Regle] = {
    Geste.REDIGER: _redige,
    Geste.JOINDRE: _redige,
    Geste.DEMANDER_VISA: _dirige,
    Geste.REPRENDRE: _dirige,
    Geste.VISER: _vise,
    Geste.REFUSER_VISA: _vise,
    Geste.DEPOSER: _dirige,
    Geste.RETIRER: _dirige,
    Geste.RENVOYER: _dirige,
    Geste.LIRE_NOTIFICATION: _redige,
    Geste.FACTURER: _redige,
    Geste.RENDRE_BILAN: _dirige,
    Geste.ATTESTER_DESTINATION: _dirige,
    Geste.DEMANDER_COMPLEMENTS: _instruit,
    Geste.DECLARER_IRRECEVABLE: _instruit,
    Geste.RETENIR: _instruit,
    Geste.PROPOSER: _instruit,
    Geste.REPRENDRE_INSTRUCTION: _instruit,
    Geste.ACCEPTER_BILAN: _instruit,
    Geste.AUTORISER_DEMARRAGE: _repond,
    Geste.PROROGER: _repond,
    Geste.ROMPRE_DESTINATION: _repond,
    Geste.INSCRIRE: _tient_la_seance,
    Geste.DESINSCRIRE: _tient_la_seance,
    Geste.ACCORDER: _tient_la_seance,
    Geste.AJOURNER: _tient_la_seance,
    Geste.REFUSER: _tient_la_seance,
    Geste.VALIDER_FACTURE: _liquide,
    Geste.VERSER: _liquide,
    Geste.SOLDER: _liquide,
    Geste.CONSTATER_CADUCITE: _liquide,
    Geste.GERER_PRET: _liquide,
    Geste.ENREGISTRER_RENDU: _liquide,
}


def _signe(utilisateur: Utilisateur, demande: Demande) -> Verdict:
    """Le représentant légal signe le premier ; la Caf, par le responsable, ensuite."""
    if Role.REPRESENTANT_LEGAL in roles_dans_la_structure(utilisateur, demande.structure_id):
        return PERMIS
    if utilisateur.tient(Role.RESPONSABLE):
        return PERMIS
    return refus("La convention se signe par le représentant légal, puis par le responsable.")


REGLES[Geste.SIGNER_PRET] = _signe


def peut(geste: str, utilisateur: Utilisateur, demande: Demande) -> Verdict:
    """La personne a-t-elle ce droit, quel que soit l’état de la demande ? Peut coûter une requête."""
    return REGLES[geste](utilisateur, demande)


def possible(geste: str, utilisateur: Utilisateur, demande: Demande) -> bool:
    """Le droit et l’état : ce qui décide de montrer un bouton."""
    depuis = CYCLE[geste].depuis if geste in CYCLE else SUR_PLACE[geste]
    return demande.etat in depuis and bool(peut(geste, utilisateur, demande))


def gestes_possibles(utilisateur: Utilisateur, demande: Demande) -> set[str]:
    return {geste for geste in REGLES if possible(geste, utilisateur, demande)}


def peut_ouvrir(utilisateur: Utilisateur, structure: Structure) -> Verdict:
    if roles_dans_la_structure(utilisateur, structure.pk) & {Role.DIRECTION, Role.REPRESENTANT_LEGAL}:
        return PERMIS
    return refus("Seuls la direction et le représentant légal ouvrent une demande.")


def peut_regler(utilisateur: Utilisateur) -> Verdict:
    """Décrire un dispositif, voter une enveloppe."""
    if utilisateur.tient(Role.ADMINISTRATEUR, Role.RESPONSABLE):
        return PERMIS
    return refus("Les dispositifs et les enveloppes reviennent à l’administrateur fonctionnel ou au responsable.")


def peut_publier(utilisateur: Utilisateur, version: VersionDispositif) -> Verdict:
    """Quatre yeux : qui a saisi le dispositif ne le publie pas."""
    if not (verdict := peut_regler(utilisateur)):
        return verdict
    if version.saisi_par_id == utilisateur.pk:
        return refus("Vous avez saisi ce dispositif : un collègue le vérifie et le publie.")
    return PERMIS


def peut_repartir(utilisateur: Utilisateur) -> Verdict:
    """Essayer une répartition et la retenir."""
    if utilisateur.tient(Role.RESPONSABLE):
        return PERMIS
    return refus("La répartition d’une enveloppe revient au responsable.")
