"""Les deux seuls chemins par lesquels une demande est écrite."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from aides.choix import LIBELLES_PARTENAIRE
from aides.cycle import CYCLE, SUR_PLACE
from aides.droits import peut
from aides.models import Demande, EvenementDemande
from comptes.models import Utilisateur
from socle.droits import exiger
from socle.etats import TransitionInterdite, arrivee, trop_tard


def _trop_tard(demande: Demande, par: Utilisateur | None) -> TransitionInterdite:
    agent = par is None or par.est_agent
    return trop_tard("la demande", demande.get_etat_display() if agent else LIBELLES_PARTENAIRE[demande.etat])


def ouvrir(demande: Demande, geste: str, *, par: Utilisateur) -> Demande:
    """Verrouille la demande pour un geste sur place ; lève si l’état ou le droit ne le permet plus."""
    demande = Demande.objects.verrouiller(demande.pk)
    exiger(peut(geste, par, demande))
    if demande.etat not in SUR_PLACE[geste]:
        raise _trop_tard(demande, par)
    return demande


def franchir(
    demande: Demande,
    geste: str,
    *,
    par: Utilisateur | None,
    motif: str = "",
    details: dict[str, Any] | None = None,
    **champs: Any,
) -> Demande:
    """Le seul chemin par lequel une demande change d’état : verrou, droit, table, contraintes, journal.

    ``par`` vide : l’horloge du portail. Lève PermissionDenied, TransitionInterdite, MotifManquant ou ValidationError.
    """
    demande = Demande.objects.verrouiller(demande.pk)
    if par is not None:
        exiger(peut(geste, par, demande))
    avant = demande.etat
    try:
        champs["etat"] = arrivee(CYCLE, geste, avant, motif)
    except TransitionInterdite as erreur:
        raise _trop_tard(demande, par) from erreur
    champs["modifie_le"] = timezone.now()
    for nom, valeur in champs.items():
        setattr(demande, nom, valeur)
    demande.full_clean()
    demande.save(update_fields=champs)
    consigner(demande, geste, par=par, de=avant, vers=demande.etat, motif=motif, details=details)
    return demande


def consigner(
    demande: Demande,
    geste: str,
    *,
    par: Utilisateur | None,
    de: str = "",
    vers: str = "",
    motif: str = "",
    details: dict[str, Any] | None = None,
) -> EvenementDemande:
    return EvenementDemande.objects.create(
        demande=demande, geste=geste, par=par, le=timezone.now(), de=de, vers=vers, motif=motif, details=details or {}
    )
