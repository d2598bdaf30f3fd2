from __future__ import annotations

import pytest
from django.test import RequestFactory

from partenaires.models import Commune, Structure
from socle.listes import PAR_PAGE, paginer
from tests.fabriques.partenaires import StructureFactory


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("demandee", "rendue"),
    [("", 1), ("1", 1), ("2", 2), ("0", 2), ("-3", 2), ("99", 2), ("abc", 1), ("\x00", 1), ("1.5", 1), ("9" * 5000, 1)],
)
def test_toute_page_demandee_rend_une_page(demandee, rendue):
    StructureFactory.create_batch(PAR_PAGE + 1)
    page = paginer(RequestFactory().get("/", {"page": demandee}), Structure.objects.all())
    assert (page.number, len(page)) == (rendue, PAR_PAGE if rendue == 1 else 1)


@pytest.mark.django_db
def test_une_liste_vide_a_une_page():
    page = paginer(RequestFactory().get("/"), Commune.objects.all())
    assert (page.number, len(page), page.has_next()) == (1, 0, False)


@pytest.mark.django_db
def test_le_total_peut_se_compter_sans_les_jointures(django_assert_num_queries):
    StructureFactory.create_batch(3)
    with django_assert_num_queries(2):
        page = paginer(
            RequestFactory().get("/"), Structure.objects.select_related("commune__epci"), total=Structure.objects.all()
        )
        assert (page.paginator.count, [s.commune.epci.nom for s in page]) == (3, ["Angers Loire Métropole"] * 3)
