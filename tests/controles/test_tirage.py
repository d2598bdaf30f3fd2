"""Le tirage au sort se rejoue à la main : même graine, même population, même résultat ; le partage est égal."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controles.repartition import Tache, repartir
from controles.tirage import part, rang, tirer

cles = st.sets(st.integers(min_value=1, max_value=10_000), max_size=60)
graines = st.text(min_size=1, max_size=40)


def test_l_ordre_est_celui_des_empreintes_que_chacun_recalcule():
    graine = "c0ffee"
    a_la_main = sorted([3, 1, 2], key=lambda n: sha256(f"c0ffee:{n}".encode()).hexdigest())
    assert tirer([1, 2, 3], graine=graine, combien=3) == a_la_main
    assert rang(graine, 1) == sha256(b"c0ffee:1").hexdigest()


def test_un_tirage_sans_graine_n_existe_pas():
    with pytest.raises(ValueError, match="graine"):
        tirer([1], graine="", combien=1)


@given(population=cles, graine=graines, combien=st.integers(-3, 80), hasard=st.randoms())
def test_le_tirage_ne_depend_que_de_la_graine_et_de_la_population(population, graine, combien, hasard):
    melangee = list(population)
    hasard.shuffle(melangee)
    tirees = tirer(melangee, graine=graine, combien=combien)
    assert tirees == tirer(sorted(population), graine=graine, combien=combien)
    assert len(tirees) == len(set(tirees)) == min(max(combien, 0), len(population))
    assert set(tirees) <= population


@given(population=cles, graine=graines, combien=st.integers(0, 30), encore=st.integers(0, 30), data=st.data())
def test_tirer_davantage_poursuit_le_meme_ordre_meme_dans_une_population_reduite(
    population, graine, combien, encore, data
):
    """Compléter un tirage n’en change jamais le début : on ne recommence pas un tirage qui n’a pas plu."""
    deja = tirer(population, graine=graine, combien=combien)
    partantes = data.draw(st.sets(st.sampled_from(sorted(population - set(deja))))) if population - set(deja) else set()
    assert tirer(population - partantes, graine=graine, combien=combien + encore)[: len(deja)] == deja


@given(population=cles.filter(lambda p: len(p) > 5), une=graines, autre=graines)
def test_chaque_structure_a_sa_chance_selon_la_graine(population, une, autre):
    ordre = tirer(population, graine=une, combien=len(population))
    assert sorted(ordre) == sorted(population)
    assert une != autre or ordre == tirer(population, graine=autre, combien=len(population))


@pytest.mark.parametrize(
    ("total", "pour_cent", "attendu"),
    [(10, 20, 2), (12, 20, 3), (1, 20, 1), (1, 1, 1), (10, 0, 0), (7, 100, 7), (0, 20, 0)],
)
def test_la_part_tiree_s_arrondit_au_dessus(total, pour_cent, attendu):
    assert part(total, pour_cent) == attendu


taches = st.lists(
    st.builds(
        Tache,
        cle=st.integers(1, 10_000),
        mode=st.sampled_from(["sur_place", "sur_pieces"]),
        controleur=st.none() | st.sampled_from([1, 2, 3]),
        trimestre=st.none() | st.sampled_from([1, 2, 3, 4]),
    ),
    max_size=40,
    unique_by=lambda t: t.cle,
)


@given(taches=taches)
def test_repartir_ne_touche_pas_a_ce_qui_est_choisi_et_donne_tout_le_reste(taches):
    partage = repartir(taches, controleurs=[1, 2, 3], trimestres=[2, 3, 4])
    assert partage == repartir(taches, controleurs=[1, 2, 3], trimestres=[2, 3, 4])
    assert partage.keys() == {t.cle for t in taches}
    for tache in taches:
        qui, quand = partage[tache.cle]
        assert tache.controleur in (None, qui)
        assert tache.trimestre in (None, quand)
        assert qui in (1, 2, 3)
        assert tache.trimestre or quand in (2, 3, 4)


@given(nombre=st.integers(0, 50), combien=st.integers(1, 6))
def test_un_plan_neuf_se_partage_a_un_controle_pres(nombre, combien):
    neuves = [Tache(n, "sur_place" if n % 3 else "sur_pieces", None, None) for n in range(nombre)]
    partage = repartir(neuves, controleurs=list(range(combien)), trimestres=[1, 2, 3, 4])
    charges = Counter(qui for qui, _ in partage.values())
    assert not charges or max(charges.values()) - min(charges[c] for c in range(combien)) <= 1
    for controleur in range(combien):
        par_trimestre = Counter(quand for qui, quand in partage.values() if qui == controleur)
        assert max(par_trimestre.values(), default=0) - min(par_trimestre[t] for t in (1, 2, 3, 4)) <= 1


def test_repartir_entre_personne_est_refuse():
    with pytest.raises(ValueError, match="contrôleur"):
        repartir([], controleurs=[], trimestres=[1])
