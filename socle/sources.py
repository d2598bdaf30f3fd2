"""Ce que les apps au-dessus apportent à celle d’en dessous, qui ne les connaît pas."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain


class Sources[**P, T]:
    """Une liste de fonctions, chacune déclarée une fois (``@declarer_…``), lues ensemble par ``reunies``."""

    def __init__(self) -> None:
        self._sources: list[Callable[P, list[T]]] = []

    def __call__(self, source: Callable[P, list[T]]) -> Callable[P, list[T]]:
        if source not in self._sources:
            self._sources.append(source)
        return source

    def reunies(self, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        return list(chain.from_iterable(source(*args, **kwargs) for source in self._sources))
