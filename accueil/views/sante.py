"""L’état des services : la base, le courtier, le worker et le stockage."""

from __future__ import annotations

from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from kombu import Connection

from accueil.horloge import CLE_POULS, PERIODE_MAX
from comptes.acces import lecture, publique
from config.celery import app
from documents import stockage


def _base() -> None:
    with connection.cursor() as curseur:
        curseur.execute("SELECT 1")


def _courtier() -> None:
    with Connection(app.conf.broker_url, connect_timeout=3) as courtier:
        courtier.ensure_connection(max_retries=1, timeout=3)


def _worker() -> None:
    """Le worker écrit son pouls quand l’horloge le lui demande : beat et worker vivent, ou rien."""
    dernier = cache.get(CLE_POULS)
    if dernier is None or timezone.now().timestamp() - dernier > PERIODE_MAX:
        raise RuntimeError("aucun pouls du worker depuis une minute")


EPREUVES: dict[str, Callable[[], None]] = {
    "base": _base,
    "courtier": _courtier,
    "worker": _worker,
    "stockage": stockage.eprouver,
}


@lecture
@never_cache
@publique
def sante(request: HttpRequest) -> HttpResponse:
    """200 si tout va bien, 503 sinon ; dit lequel ne va pas, jamais pourquoi (l’adresse est publique)."""
    etats = {}
    for nom, epreuve in EPREUVES.items():
        try:
            epreuve()
        except Exception:  # une panne, quelle qu’elle soit, est la réponse
            etats[nom] = "en panne"
        else:
            etats[nom] = "bien"
    tout_va_bien = set(etats.values()) == {"bien"}
    return JsonResponse({"etat": "bien" if tout_va_bien else "en panne", **etats}, status=200 if tout_va_bien else 503)


@lecture
@never_cache
@publique
def vivant(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"etat": "vivant"})
