from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import TextChoices

from accueil.management.commands.lister_urls import adresses
from agrements.choix import Etat, EtatAgrement, Geste, GesteAgrement
from agrements.cycle import CYCLE, CYCLE_AGREMENT, SUR_PLACE, SUR_PLACE_AGREMENT
from aides.choix import Etat as EtatAide
from aides.choix import Geste as GesteAide
from aides.cycle import CYCLE as CYCLE_AIDE
from aides.cycle import SUR_PLACE as SUR_PLACE_AIDE
from comptes.choix import Role
from controles.choix import Etat as EtatControle
from controles.choix import Geste as GesteControle
from controles.cycle import CYCLE as CYCLE_CONTROLE
from controles.cycle import SUR_PLACE as SUR_PLACE_CONTROLE
from financements.choix import EtatDeclaration, GesteDeclaration
from financements.cycle import CYCLE_DECLARATION, SAISIE_OUVERTE
from socle.etats import Transition

# Par geste : qui le tient, en mots ; un test compare cette table aux réponses de ``agrements.droits``.
QUI: dict[str, tuple[Role, ...]] = {
    **dict.fromkeys(
        (Geste.REDIGER, Geste.JOINDRE, Geste.LIRE_NOTIFICATION),
        (Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE),
    ),
    **dict.fromkeys(
        (Geste.DEMANDER_VISA, Geste.REPRENDRE, Geste.DEPOSER, Geste.RETIRER, Geste.RENVOYER),
        (Role.DIRECTION, Role.REPRESENTANT_LEGAL),
    ),
    **dict.fromkeys((Geste.VISER, Geste.REFUSER_VISA), (Role.REPRESENTANT_LEGAL,)),
    **dict.fromkeys(
        (
            Geste.DECLARER_COMPLET, Geste.PREPARER_REMARQUE, Geste.DEMANDER_COMPLEMENTS, Geste.DECLARER_IRRECEVABLE,
            Geste.EVALUER, Geste.RENDRE_AVIS, Geste.REPRENDRE_INSTRUCTION,
        ),
        (Role.CHARGE_CONSEIL, Role.RESPONSABLE),
    ),
    Geste.AFFECTER: (Role.RESPONSABLE,),
    **dict.fromkeys(
        (
            Geste.INSCRIRE_CAS, Geste.RETIRER_CAS, Geste.RENDRE_AVIS_CAS, Geste.INSCRIRE_CA, Geste.RETIRER_CA,
            Geste.AGREER, Geste.AGREER_RESERVES, Geste.AJOURNER, Geste.REFUSER,
        ),
        (Role.SECRETARIAT,),
    ),
}  # fmt: skip

QUI_AGREMENT: dict[str, tuple[Role, ...]] = {
    **dict.fromkeys(
        (GesteAgrement.SUSPENDRE, GesteAgrement.LEVER_SUSPENSION, GesteAgrement.RETIRER), (Role.RESPONSABLE,)
    ),
    GesteAgrement.OUVRIR_PROCEDURE: (Role.CHARGE_CONSEIL, Role.CONTROLEUR, Role.RESPONSABLE),
    GesteAgrement.OBSERVER: (Role.DIRECTION, Role.REPRESENTANT_LEGAL),
    GesteAgrement.CLORE_PROCEDURE: (Role.RESPONSABLE,),
}
ENTETE = ("| geste | depuis | vers | motif | qui |", "|---|---|---|---|---|")
QUI_DECLARE: dict[str, tuple[Role, ...]] = {
    **dict.fromkeys(
        (GesteDeclaration.SAISIR, GesteDeclaration.IMPORTER), (Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)
    ),
    **dict.fromkeys(
        (
            GesteDeclaration.DEMANDER_VISA, GesteDeclaration.REPRENDRE, GesteDeclaration.DEPOSER,
            GesteDeclaration.RENVOYER,
        ),
        (Role.DIRECTION, Role.REPRESENTANT_LEGAL),
    ),
    **dict.fromkeys((GesteDeclaration.VISER, GesteDeclaration.REFUSER_VISA), (Role.REPRESENTANT_LEGAL,)),
    **dict.fromkeys(
        (GesteDeclaration.DEMANDER_CORRECTION, GesteDeclaration.VALIDER), (Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE)
    ),
}  # fmt: skip


_DIRIGENT = (Role.DIRECTION, Role.REPRESENTANT_LEGAL)
_EQUIPE = (*_DIRIGENT, Role.SAISIE)
_INSTRUISENT = (Role.CHARGE_CONSEIL, Role.RESPONSABLE)
_LIQUIDENT = (Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE)
A = GesteAide
QUI_AIDE: dict[str, tuple[Role, ...]] = {
    **dict.fromkeys((A.REDIGER, A.JOINDRE, A.LIRE_NOTIFICATION, A.FACTURER), _EQUIPE),
    **dict.fromkeys(
        (A.DEMANDER_VISA, A.REPRENDRE, A.DEPOSER, A.RETIRER, A.RENVOYER, A.RENDRE_BILAN, A.ATTESTER_DESTINATION),
        _DIRIGENT,
    ),
    **dict.fromkeys((A.VISER, A.REFUSER_VISA), (Role.REPRESENTANT_LEGAL,)),
    **dict.fromkeys(
        (
            A.DEMANDER_COMPLEMENTS, A.DECLARER_IRRECEVABLE, A.RETENIR, A.PROPOSER, A.REPRENDRE_INSTRUCTION,
            A.ACCEPTER_BILAN,
        ),
        _INSTRUISENT,
    ),
    **dict.fromkeys((A.AUTORISER_DEMARRAGE, A.PROROGER, A.ROMPRE_DESTINATION), (Role.RESPONSABLE,)),
    **dict.fromkeys((A.INSCRIRE, A.DESINSCRIRE, A.ACCORDER, A.AJOURNER, A.REFUSER), (Role.SECRETARIAT,)),
    **dict.fromkeys(
        (A.VALIDER_FACTURE, A.VERSER, A.SOLDER, A.CONSTATER_CADUCITE, A.GERER_PRET, A.ENREGISTRER_RENDU), _LIQUIDENT
    ),
    A.SIGNER_PRET: (Role.REPRESENTANT_LEGAL, Role.RESPONSABLE),
}  # fmt: skip


K = GesteControle
_TRANCHE = (Role.RESPONSABLE,)
QUI_CONTROLE: dict[str, tuple[Role, ...]] = {
    **dict.fromkeys(
        (
            K.PREPARER, K.NOTIFIER, K.REPORTER, K.DEMANDER_PIECES, K.COMMENCER, K.SAISIR, K.EMETTRE, K.PROLONGER,
            K.CONCLURE, K.SIGNER, K.PROPOSER_SANCTION, K.SAISIR_AGREMENT, K.CLORE,
        ),
        (Role.CONTROLEUR,),
    ),
    **dict.fromkeys(
        (
            K.ANNULER, K.AUTORISER_INOPINE, K.AFFECTER, K.SUSPENDRE_VERSEMENTS, K.REPRENDRE_VERSEMENTS,
            K.DECIDER_SANCTION,
        ),
        _TRANCHE,
    ),
    K.DECIDER_SUITE: _LIQUIDENT,
    **dict.fromkeys((K.REMETTRE, K.LIRE, K.REPONDRE), _EQUIPE),
    **dict.fromkeys((K.RENVOYER, K.OBSERVER_SANCTION), _DIRIGENT),
}  # fmt: skip


def _gestes(
    titre: str, qui: Mapping[str, tuple[Role, ...]], cycle: Mapping[str, Transition],
    sur_place: Mapping[str, frozenset[str]], etats: type[TextChoices], gestes: type[TextChoices],
) -> list[str]:  # fmt: skip
    """Un tableau : chaque geste, d’où, vers où, et qui le tient."""
    lignes = ["", f"## {titre}", "", *ENTETE]
    for nom, tenants in qui.items():
        transition = cycle.get(nom)
        depuis = transition.depuis if transition else sur_place[nom]
        de = ", ".join(str(e.label) for e in etats if e in depuis)
        vers = etats(transition.vers).label if transition else "sans changement"
        motif = "exigé" if transition and transition.motif_exige else ""
        roles = ", ".join(role.label for role in tenants)
        lignes.append(f"| {gestes(nom).label} | {de} | {vers} | {motif} | {roles} |")
    return lignes


def _aides() -> list[str]:
    return _gestes("Gestes sur une demande d’aide", QUI_AIDE, CYCLE_AIDE, SUR_PLACE_AIDE, EtatAide, GesteAide)


def _controles() -> list[str]:
    lignes = _gestes(
        "Gestes sur un contrôle", QUI_CONTROLE, CYCLE_CONTROLE, SUR_PLACE_CONTROLE, EtatControle, GesteControle
    )
    return [
        *lignes,
        "",
        "Un contrôleur n’agit que sur les contrôles qui lui sont confiés. Un responsable qui est aussi contrôleur ne "
        "valide pas le plan, n’autorise pas de visite inopinée, ne liquide ni ne sanctionne.",
        "Un contrôle n’existe pour les autres qu’une fois annoncé ou commencé ; ses constats, qu’une fois le rapport "
        "provisoire notifié.",
    ]


def page() -> str:
    lignes = [
        "# Qui peut quoi",
        "",
        "Écrite par `./run manage decrire_droits`, d’après `agrements/cycle.py`, `agrements/droits.py` et les vues.",
        "",
        "## Gestes sur un dossier",
        "",
        *ENTETE,
    ]
    for geste in Geste:
        if geste not in QUI:
            continue
        transition = CYCLE.get(geste)
        depuis = transition.depuis if transition else SUR_PLACE[geste]
        etats = ", ".join(e.label for e in Etat if e in depuis)
        vers = Etat(transition.vers).label if transition else "sans changement"
        motif = "exigé" if transition and transition.motif_exige else ""
        qui = ", ".join(role.label for role in QUI[geste])
        lignes.append(f"| {geste.label} | {etats} | {vers} | {motif} | {qui} |")
    lignes += [
        "",
        "## Gestes sur un agrément",
        "",
        *ENTETE,
    ]
    for geste_agrement in GesteAgrement:
        transition = CYCLE_AGREMENT.get(geste_agrement)
        departs = transition.depuis if transition else SUR_PLACE_AGREMENT[geste_agrement]
        depuis_agrement = ", ".join(e.label for e in EtatAgrement if e in departs)
        tenu = QUI_AGREMENT.get(geste_agrement)
        qui = ", ".join(role.label for role in tenu) if tenu else "l’horloge du portail, ou la décision qui renouvelle"
        motif = "exigé" if transition and transition.motif_exige else ""
        vers = EtatAgrement(transition.vers).label if transition else "sans changement"
        lignes.append(f"| {geste_agrement.label} | {depuis_agrement} | {vers} | {motif} | {qui} |")
    lignes += [
        "",
        "## Gestes sur une déclaration",
        "",
        *ENTETE,
    ]
    for nom, tenants in QUI_DECLARE.items():
        transition = CYCLE_DECLARATION.get(nom)
        depuis = transition.depuis if transition else SAISIE_OUVERTE
        etats = ", ".join(e.label for e in EtatDeclaration if e in depuis)
        vers = EtatDeclaration(transition.vers).label if transition else "sans changement"
        motif = "exigé" if transition and transition.motif_exige else ""
        qui = ", ".join(role.label for role in tenants)
        lignes.append(f"| {GesteDeclaration(nom).label} | {etats} | {vers} | {motif} | {qui} |")
    lignes += _aides() + _controles()
    lignes += [
        "",
        "Un technicien conseil n’agit que sur les gestionnaires de son portefeuille, ou de celui qu’il supplée.",
        "Qui saisit un barème ou un dispositif ne le publie pas.",
        "Qui force un montant ou lance un recalcul ne l’approuve pas.",
        "Au-dessus du seuil de double regard, qui propose un paiement ne le valide pas.",
        "",
        "Un chargé de conseil n’agit que sur les dossiers qu’il suit, ou qu’un collègue absent lui confie.",
        "Un partenaire n’agit que dans les structures où il est habilité à ce jour.",
        "La Caf ne voit un dossier qu’une fois déposé.",
        "",
        "## Adresses",
        "",
        "| adresse | méthodes | rôles admis |",
        "|---|---|---|",
    ]
    for a in adresses():
        roles = "tout le monde" if a["public"] else ", ".join(Role[nom].label for nom in a["roles"])
        roles = "toute personne connectée" if len(a["roles"]) == len(Role) else roles
        lignes.append(f"| `{a['motif']}` | {' '.join(a['methodes'])} | {roles} |")
    return "\n".join(lignes) + "\n"


class Command(BaseCommand):
    help = "Écrit docs/droits.md : rôle × geste × état, et adresse × rôle."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--verifier", action="store_true", help="échoue si la page n’est pas à jour")

    def handle(self, *args: Any, **options: Any) -> None:
        chemin = Path(settings.BASE_DIR) / "docs" / "droits.md"
        if options["verifier"]:
            if chemin.read_text(encoding="utf-8") != page():
                raise SystemExit("docs/droits.md n’est plus à jour : ./run manage decrire_droits")
            return
        chemin.write_text(page(), encoding="utf-8")
        self.stdout.write(f"{chemin} est à jour.")
