"""De vraies courses : plusieurs personnes, chacune dans son fil et sa connexion, au même instant."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection

from socle.erreurs import Refus

REFUS = (Refus, PermissionDenied, ValidationError, IntegrityError)


def ensemble(*gestes: Callable[[], Any]) -> list[Any]:
    """Joue ces gestes au même instant ; rend, dans leur ordre, ce que chacun a donné : valeur ou erreur."""
    depart = Barrier(len(gestes), timeout=10)
    resultats: list[Any] = [None] * len(gestes)

    def jouer(rang: int, geste: Callable[[], Any]) -> None:
        try:
            depart.wait()
            resultats[rang] = geste()
        except Exception as erreur:
            resultats[rang] = erreur
        finally:
            connection.close()

    fils = [Thread(target=jouer, args=paire) for paire in enumerate(gestes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=60)
    return resultats


def reussites_et_refus(*gestes: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
    """Comme ``ensemble``, en séparant qui a réussi de qui s’est vu refuser ; toute autre erreur est levée."""
    resultats = ensemble(*gestes)
    for resultat in resultats:
        if isinstance(resultat, Exception) and not isinstance(resultat, REFUS):
            raise resultat
    return [r for r in resultats if not isinstance(r, REFUS)], [r for r in resultats if isinstance(r, REFUS)]
