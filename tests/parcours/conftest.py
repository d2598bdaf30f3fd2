"""Ce que les parcours d’une visite partagent : des tablettes qui s’allument, des photos à prendre."""

from __future__ import annotations

import pytest

from controles.choix import Etat
from tests.fabriques.controles import Bureau, image
from tests.parcours.tablette import Tablette


@pytest.fixture
def bureau():
    return Bureau()


@pytest.fixture
def controle(bureau):
    return bureau.mener(Etat.EN_COURS)


@pytest.fixture
def tablette(chromium, live_server, tmp_path):
    """Allume des tablettes, les éteint à la fin, et refuse toute faute restée sur l’une d’elles."""
    allumees: list[Tablette] = []

    def allumer(nom: str = "a", **options) -> Tablette:
        allumees.append(Tablette(chromium, live_server.url, tmp_path / f"profil-{nom}", **options))
        return allumees[-1]

    yield allumer
    for une in allumees:
        une.eteindre()
    assert [f for une in allumees for f in une.fautes] == []


@pytest.fixture
def clicher(tmp_path):
    def _clicher(nom: str, contenu: bytes | None = None, **options) -> str:
        chemin = tmp_path / nom
        chemin.write_bytes(contenu if contenu is not None else image(**options))
        return str(chemin)

    return _clicher
