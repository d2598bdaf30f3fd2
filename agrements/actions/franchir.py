"""Les deux seuls chemins par lesquels un dossier ou un agrément est écrit."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from agrements.cycle import CYCLE, CYCLE_AGREMENT, SUR_PLACE
from agrements.droits import peut
from agrements.etapes import libelle_du_dossier
from agrements.models import Agrement, Dossier, EvenementAgrement, EvenementDossier
from comptes.models import Utilisateur
from socle.droits import exiger
from socle.etats import TransitionInterdite, arrivee, trop_tard


def _trop_tard(dossier: Dossier, par: Utilisateur) -> TransitionInterdite:
    return trop_tard("le dossier", libelle_du_dossier(dossier, agent=par.est_agent))


def ouvrir(dossier: Dossier, geste: str, *, par: Utilisateur) -> Dossier:
    """Verrouille le dossier pour un geste sur place ; lève si l’état ou le droit ne le permet plus."""
    dossier = Dossier.objects.verrouiller(dossier.pk)
    exiger(peut(geste, par, dossier))
    if dossier.etat not in SUR_PLACE[geste]:
        raise _trop_tard(dossier, par)
    return dossier


def franchir(
    dossier: Dossier,
    geste: str,
    *,
    par: Utilisateur,
    motif: str = "",
    details: dict[str, Any] | None = None,
    **champs: Any,
) -> Dossier:
    """Le seul chemin par lequel un dossier change d’état : verrou, droit, table, contraintes, journal.

    À appeler dans une transaction. Lève PermissionDenied, TransitionInterdite, MotifManquant ou ValidationError.
    """
    dossier = Dossier.objects.verrouiller(dossier.pk)
    exiger(peut(geste, par, dossier))
    avant = dossier.etat
    try:
        champs["etat"] = arrivee(CYCLE, geste, avant, motif)
    except TransitionInterdite as erreur:
        raise _trop_tard(dossier, par) from erreur
    champs["modifie_le"] = timezone.now()
    for nom, valeur in champs.items():
        setattr(dossier, nom, valeur)
    dossier.full_clean()
    dossier.save(update_fields=champs)
    consigner(dossier, geste, par=par, de=avant, vers=dossier.etat, motif=motif, details=details)
    return dossier


def consigner(
    dossier: Dossier,
    geste: str,
    *,
    par: Utilisateur | None,
    de: str = "",
    vers: str = "",
    motif: str = "",
    details: dict[str, Any] | None = None,
    interne: bool = False,
) -> EvenementDossier:
    return EvenementDossier.objects.create(
        dossier=dossier,
        geste=geste,
        par=par,
        le=timezone.now(),
        de=de,
        vers=vers,
        motif=motif,
        details=details or {},
        interne=interne,
    )


def franchir_agrement(
    agrement: Agrement, geste: str, *, par: Utilisateur | None, motif: str = "", **champs: Any
) -> Agrement:
    """Le seul chemin par lequel un agrément change d’état. ``par`` vide : l’horloge du portail."""
    agrement = Agrement.objects.verrouiller(agrement.pk)
    avant = agrement.etat
    champs["etat"] = arrivee(CYCLE_AGREMENT, geste, avant, motif)
    for nom, valeur in champs.items():
        setattr(agrement, nom, valeur)
    agrement.full_clean()
    agrement.save(update_fields=champs)
    EvenementAgrement.objects.create(
        agrement=agrement, geste=geste, de=avant, vers=agrement.etat, par=par, le=timezone.now(), motif=motif
    )
    return agrement
