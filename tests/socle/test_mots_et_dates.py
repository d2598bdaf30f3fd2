"""Les petites règles que toutes les apps partagent : accords, auteur, périodes, sources déclarées."""

from __future__ import annotations

from datetime import date

import pytest

from socle.dates import dernier_jour, en_duree
from socle.sources import Sources
from socle.templatetags.presentation import pluriel
from socle.texte import accorde, auteur


@pytest.mark.parametrize(
    ("nombre", "mots", "dit"),
    [
        (0, ("dossier",), "0 dossier"),
        (1, ("dossier", "ouvert"), "1 dossier ouvert"),
        (2, ("commune", "transmise"), "2 communes transmises"),
        (2, ("déjà connu",), "2 déjà connus"),
    ],
)
def test_le_pluriel_commence_a_deux(nombre, mots, dit):
    assert accorde(nombre, *mots) == dit


@pytest.mark.parametrize(("nombre", "marque"), [(0, ""), (1, ""), ("1.5", ""), (2, "s")])
def test_un_gabarit_accorde_comme_le_code(nombre, marque):
    assert pluriel(nombre) == marque


def test_un_gabarit_donne_ses_deux_formes():
    assert [pluriel(n, "il sera,ils seront") for n in (1, 2)] == ["il sera", "ils seront"]


def test_sans_personne_c_est_le_portail():
    assert [auteur(None), auteur("Anne Roux")] == ["le portail", "Anne Roux"]


@pytest.mark.parametrize(
    ("debut", "mois", "fin"),
    [
        (date(2027, 1, 1), 48, date(2030, 12, 31)),
        (date(2027, 3, 31), 11, date(2028, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 27)),
    ],
)
def test_le_dernier_jour_d_une_periode(debut, mois, fin):
    assert dernier_jour(debut, mois) == fin


def test_une_periode_de_quatre_ans_se_dit_quatre_ans():
    debut = date(2027, 1, 1)
    assert en_duree(debut, dernier_jour(debut, 48)) == "4\u00a0ans"


def test_une_source_declaree_deux_fois_n_apporte_qu_une_fois_et_l_ordre_est_garde():
    declarer: Sources[[int], int] = Sources()

    @declarer
    def un(n: int) -> list[int]:
        return [n]

    declarer(un)
    declarer(lambda n: [n * 10, n * 100])
    assert declarer.reunies(2) == [2, 20, 200]
