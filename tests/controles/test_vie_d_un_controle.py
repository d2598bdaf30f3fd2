"""Un contrôle du premier jour au dernier, par les vrais gestes."""

from __future__ import annotations

import pytest

from controles.choix import Etat, Mode
from tests.fabriques.controles import Bureau

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("etat", Etat)
def test_un_controle_se_mene_jusqu_a_chaque_etat(etat):
    assert Bureau().mener(etat).etat == etat


def test_un_controle_sur_pieces_se_mene_sans_visite():
    controle = Bureau().mener(Etat.CLOS, Mode.SUR_PIECES)
    assert (controle.visite_le, controle.etat) == (None, Etat.CLOS)
