"""La porte d’entrée des vues : quels rôles entrent. Toute vue porte l’une de ces deux marques."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.views.decorators.http import require_http_methods

from comptes.choix import Role
from comptes.http import Requete

type Vue = Callable[..., HttpResponseBase]


def methodes(*admises: str) -> Callable[[Vue], Vue]:
    """Les méthodes HTTP qu’une vue accepte, gardées lisibles sur elle (``methodes``) ; HEAD va avec GET."""
    completes = [*admises, "HEAD"] if "GET" in admises else list(admises)

    def decorateur(vue: Vue) -> Vue:
        gardee = require_http_methods(completes)(vue)
        gardee.methodes = frozenset(admises)  # type: ignore[attr-defined]
        return gardee

    return decorateur


lecture = methodes("GET")
ecriture = methodes("POST")
lecture_ecriture = methodes("GET", "POST")


def reserve_a(*roles: Role) -> Callable[[Vue], Vue]:
    """Admet ces rôles et eux seuls ; la liste reste lisible sur la vue (``roles_admis``).

    Lève PermissionDenied avec une phrase qui nomme les rôles admis.
    """

    def decorateur(vue: Vue) -> Vue:
        @wraps(vue)
        def vue_gardee(request: Requete, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not request.user.tient(*roles):
                admis = ", ".join(role.label for role in roles)
                raise PermissionDenied(f"Cette page est réservée à : {admis}.")
            return vue(request, *args, **kwargs)

        vue_gardee.roles_admis = frozenset(roles)  # type: ignore[attr-defined]
        return vue_gardee

    return decorateur


def ouverte_aux_connectes(vue: Vue) -> Vue:
    """Toute personne connectée entre, même sans rôle ce jour-là : son compte et sa sortie restent à elle.

    Ce qu’elle voit ensuite dépend de ``visibles_par`` : sans habilitation ni fonction, rien.
    """

    @wraps(vue)
    def vue_gardee(request: Requete, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return vue(request, *args, **kwargs)

    vue_gardee.roles_admis = frozenset(Role)  # type: ignore[attr-defined]
    return vue_gardee


def publique(vue: Vue) -> Vue:
    """Sans connexion ; le dire sur la vue permet au test de la matrice de le vérifier."""
    vue.publique = True  # type: ignore[attr-defined]
    return login_not_required(vue)
