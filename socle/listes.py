"""Des pages de liste : vingt-cinq lignes, l’adresse porte les filtres, une page hors bornes ramène à la dernière."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PAR_PAGE = 25


def fragment(request: HttpRequest) -> bool:
    """Vrai si htmx ne demande que le morceau ; un retour en arrière redemande la page entière."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.history_restore_request


def paginer(request: HttpRequest, objets: QuerySet[Any] | list[Any], *, total: QuerySet[Any] | None = None) -> Page:
    """``total`` : le même ensemble sans jointure, quand le compte en serait ralenti."""
    pages = Paginator(objets, PAR_PAGE)
    if total is not None:
        pages.count = total.count()
    return pages.get_page(request.GET.get("page"))
