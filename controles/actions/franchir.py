"""Les deux seuls chemins par lesquels un contrôle est écrit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.utils import timezone

from comptes.models import Utilisateur
from controles.choix import LIBELLES_PARTENAIRE
from controles.cycle import CYCLE, SUR_PLACE
from controles.droits import peut
from controles.models import Controle, EvenementControle
from socle.droits import exiger
from socle.etats import TransitionInterdite, arrivee, trop_tard


def _trop_tard(controle: Controle, par: Utilisateur | None) -> TransitionInterdite:
    agent = par is None or par.est_agent
    return trop_tard("le contrôle", controle.get_etat_display() if agent else LIBELLES_PARTENAIRE[controle.etat])


def ouvrir(controle: Controle, geste: str, *, par: Utilisateur) -> Controle:
    """Verrouille le contrôle pour un geste sur place ; lève si l’état ou le droit ne le permet plus."""
    return _verrouiller(controle, geste, SUR_PLACE[geste], par)


def preparer_le_passage(controle: Controle, geste: str, *, par: Utilisateur) -> Controle:
    """Verrouille et vérifie droit et état avant d’écrire ce que le passage exige ; ``franchir`` suit."""
    return _verrouiller(controle, geste, CYCLE[geste].depuis, par)


def _verrouiller(controle: Controle, geste: str, depuis: Collection[str], par: Utilisateur) -> Controle:
    controle = Controle.objects.verrouiller(controle.pk)
    exiger(peut(geste, par, controle))
    if controle.etat not in depuis:
        raise _trop_tard(controle, par)
    return controle


def franchir(
    controle: Controle,
    geste: str,
    *,
    par: Utilisateur | None,
    motif: str = "",
    details: dict[str, Any] | None = None,
    **champs: Any,
) -> Controle:
    """Le seul chemin par lequel un contrôle change d’état : verrou, droit, table, contraintes, journal.

    ``par`` vide : l’horloge du portail. Lève PermissionDenied, TransitionInterdite, MotifManquant ou ValidationError.
    """
    controle = Controle.objects.verrouiller(controle.pk)
    if par is not None:
        exiger(peut(geste, par, controle))
    avant = controle.etat
    try:
        champs["etat"] = arrivee(CYCLE, geste, avant, motif)
    except TransitionInterdite as erreur:
        raise _trop_tard(controle, par) from erreur
    ecrire(controle, **champs)
    consigner(controle, geste, par=par, de=avant, vers=controle.etat, motif=motif, details=details)
    return controle


def ecrire(controle: Controle, **champs: Any) -> None:
    """Pose ces champs après les avoir vérifiés. À appeler sous le verrou."""
    for nom, valeur in champs.items():
        setattr(controle, nom, valeur)
    controle.full_clean()
    controle.save(update_fields=champs)


def consigner(
    controle: Controle,
    geste: str,
    *,
    par: Utilisateur | None,
    de: str = "",
    vers: str = "",
    motif: str = "",
    details: dict[str, Any] | None = None,
) -> EvenementControle:
    return EvenementControle.objects.create(
        controle=controle, geste=geste, par=par, le=timezone.now(), de=de, vers=vers, motif=motif, details=details or {}
    )
