"""La porte d’entrée des vues : quels rôles entrent. Toute vue porte l’une de ces deux marques."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase

from comptes.choix import Role
from comptes.http import Requete

type Vue = Callable[..., HttpResponseBase]


def reserve_a(*roles: Role) -> Callable[[Vue], Vue]:
    """Admet ces rôles et eux seuls ; la liste reste lisible sur la vue (``roles_admis``).

    Lève PermissionDenied avec une phrase qui nomme les rôles admis.
    """

    def decorateur(vue: Vue) -> Vue:
        @wraps(vue)
        def vue_gardee(request: Requete, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.tient(*roles):
                admis = ", ".join(role.label for role in roles)
                raise PermissionDenied(f"Cette page est réservée à : {admis}.")
            return vue(request, *args, **kwargs)

        vue_gardee.roles_admis = frozenset(roles)  # type: ignore[attr-defined]
        return vue_gardee

    return decorateur


def ouverte_aux_connectes(vue: Vue) -> Vue:
    """Toute personne connectée entre : pages de compte, accueil."""
    return reserve_a(*Role)(vue)


def publique(vue: Vue) -> Vue:
    """Sans connexion ; le dire sur la vue permet au test de la matrice de le vérifier."""
    vue.publique = True  # type: ignore[attr-defined]
    return login_not_required(vue)
