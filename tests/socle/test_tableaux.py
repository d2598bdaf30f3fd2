"""Un montant tel qu’un tableur ou un logiciel comptable l’écrit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from socle.montants import MontantIllisible
from socle.tableaux import montant_de


@pytest.mark.parametrize(
    ("ecrit", "lu"),
    [("1 234,5", "1234.50"), ("1\u202f234,50 €", "1234.50"), ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("1.234.567", "1234567.00"),
     ("(12,00)", "-12.00"), ("12,00-", "-12.00"), ("−3", "-3.00"), ("+7,1", "7.10"), ("", "0.00"), (" - ", "0.00"), (12, "12.00"),
     (1234567.89, "1234567.89"), ("999999999999,99", "999999999999.99"), ("0012,", "12.00")],
)  # fmt: skip
def test_les_ecritures_francaises_d_un_montant_sont_lues(ecrit, lu):
    assert montant_de(ecrit) == Decimal(lu)
    assert montant_de(ecrit).as_tuple().exponent == -2


@pytest.mark.parametrize(
    "ecrit",
    ["douze", "1,234", "1.234", "1,2345", "12,34,56", "1e3", "NaN", "Infinity", "--5", "1000000000000", "9" * 500, 1e12, float("nan"),
     float("inf"), 1e300, 0.123, True, "١٢", "=1", "12,00 $"],
)  # fmt: skip
def test_un_montant_illisible_ambigu_ou_absurde_est_refuse(ecrit):
    with pytest.raises(MontantIllisible):
        montant_de(ecrit)
