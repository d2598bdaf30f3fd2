"""Qui écrit où : une trace courte, vue des seuls collègues de la structure."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.urls import reverse

from agrements import presence
from comptes.choix import Role
from tests.fabriques.agrements import Theatre
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture
def theatre():
    return Theatre()


def test_on_voit_ses_collegues_jamais_soi_ni_l_autre_section(theatre):
    dossier = theatre.ouvrir()
    presence.battre(dossier, "locaux", par=theatre.direction)
    assert presence.autres(dossier, "locaux", que=theatre.saisie) == [theatre.direction.get_full_name()]
    assert presence.autres(dossier, "locaux", que=theatre.direction) == []
    assert presence.autres(dossier, "budget", que=theatre.saisie) == []
    presence.partir(dossier, "locaux", par=theatre.direction)
    assert presence.autres(dossier, "locaux", que=theatre.saisie) == []


def test_la_trace_s_efface_seule(theatre):
    dossier = theatre.ouvrir()
    presence.battre(dossier, "locaux", par=theatre.direction)
    cle = cache.make_key(presence._cle(dossier, "locaux", theatre.direction.pk))
    assert 0 < cache._cache.get_client(cle).ttl(cle) <= presence.DUREE


def test_la_phrase_s_accorde():
    assert presence.phrase([]) == ""
    assert presence.phrase(["Ana Roy"]) == "Ana Roy écrit aussi dans cette section."
    assert presence.phrase(["A B", "C D", "E F"]) == "A B, C D et E F écrivent aussi dans cette section."


def test_le_battement_repond_a_l_equipe_et_a_elle_seule(theatre, entrer, django_assert_max_num_queries):
    dossier = theatre.ouvrir()
    adresse = reverse("agrements:presence", args=[dossier.pk, "locaux"])
    assert entrer(theatre.direction).post(adresse).json() == {"phrase": ""}
    collegue = entrer(theatre.saisie)
    assert theatre.direction.get_full_name() in collegue.post(adresse).json()["phrase"]
    with django_assert_max_num_queries(7):
        collegue.post(adresse)
    assert entrer(theatre.direction).post(adresse, {"depart": "1"}).json() == {"phrase": ""}
    assert collegue.post(adresse).json() == {"phrase": ""}
    assert collegue.get(adresse).status_code == 405
    assert collegue.post(reverse("agrements:presence", args=[dossier.pk, "inconnue"])).status_code == 404
    etranger = habiliter(StructureFactory(), Role.DIRECTION)
    assert entrer(etranger).post(adresse).status_code == 404
    assert entrer(theatre.charge).post(adresse).status_code == 403


def test_sans_javascript_la_page_dit_deja_qui_ecrit(theatre, entrer):
    dossier = theatre.ouvrir()
    presence.battre(dossier, "locaux", par=theatre.president)
    page = entrer(theatre.direction).get(reverse("agrements:section", args=[dossier.pk, "locaux"])).content.decode()
    assert f"{theatre.president.get_full_name()} écrit aussi dans cette section." in page
