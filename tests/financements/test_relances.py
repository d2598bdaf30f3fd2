"""Une relance se voit à blanc, part une fois, et ne déborde pas."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from courriers.models import Envoi
from financements.actions import relances
from financements.choix import (
    EtatDeclaration,
)

pytestmark = pytest.mark.django_db
D = Decimal


def test_une_relance_se_voit_a_blanc_puis_part_une_seule_fois(caisse):
    campagne = caisse.campagne()
    le = campagne.limite - timedelta(days=15)
    prevues = relances.prevues(campagne, -15)
    assert {r.destinataire for r in prevues} == {caisse.direction, caisse.president}
    assert not Envoi.objects.filter(cle__startswith="relance-").exists()
    assert relances.envoyer(le) == 2
    assert relances.envoyer(le) == 0
    assert Envoi.objects.filter(cle__startswith="relance-").count() == 2
    assert relances.envoyer(le + timedelta(days=1)) == 0


def test_qui_a_depose_n_est_plus_relance(caisse):
    caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    assert relances.prevues(caisse.campagne(), -3) == []


def test_une_relance_ne_deborde_pas_son_plafond(caisse, monkeypatch):
    monkeypatch.setattr(relances, "PLAFOND", 1)
    assert relances.envoyer(caisse.campagne().limite - timedelta(days=3)) == 1
