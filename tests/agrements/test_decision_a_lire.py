"""La structure apprend la décision par sa lettre : rien ne la dit avant, ni mot, ni couleur, ni bouton, ni filtre."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from agrements.actions import redaction
from agrements.choix import DECISION_A_LIRE, Etat
from agrements.models import Agrement, Dossier
from tests.agrements.test_pages import cloner
from tests.fabriques.agrements import Theatre

pytestmark = pytest.mark.django_db
DECIDES = [Etat.AGREE, Etat.AGREE_RESERVES, Etat.AJOURNE, Etat.REFUSE]
INDICES = re.compile(
    r"agréé|ajourn|refus|réserves|Recruter|Participation insuffisante|reprend l’examen|alert-(danger|success|warning)"
    r"|etat-(succes|refus)|À venir|Retirer la demande",
    re.IGNORECASE,
)


@pytest.fixture
def theatre():
    return Theatre()


def corps(reponse) -> str:
    """Le contenu de la page, sans les listes de choix des filtres, qui nomment tous les états."""
    page = unescape(reponse.content.decode()).split("<main", 1)[1].split("</main>", 1)[0]
    return re.sub(r"<form method=\"get\".*?</form>", "", page, flags=re.DOTALL)


def pages(theatre, dossier):
    structure = theatre.structure.get_absolute_url()
    return {
        "liste": reverse("agrements:liste"),
        "fiche": dossier.get_absolute_url(),
        "projet": reverse("agrements:projet", args=[dossier.pk]),
        "journal": reverse("agrements:journal", args=[dossier.pk]),
        "espace": "/espace/",
        "agréments": reverse("agrements:agrements"),
        "fiche de la structure, agréments": f"{structure}?onglet=agrements",
        "fiche de la structure, dossiers": f"{structure}?onglet=dossiers",
    }


@pytest.mark.parametrize("etat", DECIDES)
def test_avant_la_lecture_aucune_page_de_la_structure_ne_dit_la_decision(theatre, entrer, etat):
    dossier = theatre.mener(etat)
    client = entrer(theatre.direction)
    for nom, adresse in pages(theatre, dossier).items():
        page = corps(client.get(adresse))
        if nom != "projet":  # le texte du projet, écrit par la structure, peut dire « refus »
            assert (indice := INDICES.search(page)) is None, (nom, indice)
        if nom not in ("agréments", "fiche de la structure, agréments"):
            assert DECISION_A_LIRE in page, nom
    assert corps(client.get("/espace/")).count(DECISION_A_LIRE) == 2, "la pastille et la frise"


@pytest.mark.parametrize("etat", DECIDES)
def test_apres_la_lecture_la_structure_lit_la_decision_partout(theatre, entrer, etat):
    dossier = theatre.mener(etat)
    redaction.lire_notification(dossier, par=theatre.direction)
    client = entrer(theatre.saisie)
    for nom in ("liste", "fiche", "espace", "journal"):
        page = corps(client.get(pages(theatre, dossier)[nom]))
        assert DECISION_A_LIRE not in page, nom
        assert INDICES.search(page), nom
    agree = etat in (Etat.AGREE, Etat.AGREE_RESERVES)
    assert Agrement.objects.visibles_par(theatre.direction).exists() == agree


@pytest.mark.parametrize("etat", DECIDES)
def test_la_caf_lit_l_etat_sans_attendre(theatre, entrer, etat):
    dossier = theatre.mener(etat)
    page = corps(entrer(theatre.charge).get(dossier.get_absolute_url()))
    assert Etat(etat).label in page
    assert DECISION_A_LIRE not in page


def test_filtrer_la_liste_ne_devine_pas_la_decision(theatre, entrer):
    dossier = theatre.mener(Etat.REFUSE)
    client, liste = entrer(theatre.direction), reverse("agrements:liste")

    def presents():
        return {etat for etat in (*DECIDES, "a_lire") if dossier.numero in corps(client.get(f"{liste}?etat={etat}"))}

    assert presents() == {"a_lire"}
    redaction.lire_notification(dossier, par=theatre.direction)
    assert presents() == {Etat.REFUSE}


def test_un_geste_devenu_impossible_ne_dit_pas_la_decision(theatre, entrer):
    dossier = theatre.mener(Etat.AGREE)
    reponse = entrer(theatre.direction).post(
        reverse("agrements:geste", args=[dossier.pk, "retirer"]), {"motif": "x"}, follow=True
    )
    assert f"le dossier est maintenant « {DECISION_A_LIRE} »" in corps(reponse)
    assert "Agréé" not in corps(reponse)


def test_la_liste_et_la_fiche_disent_la_meme_chose_avant_et_apres_la_lecture(theatre):
    dossier = theatre.mener(Etat.AJOURNE)
    assert Dossier.objects.avec_lecture().get(pk=dossier.pk).decision_a_lire is True
    assert Dossier.objects.get(pk=dossier.pk).decision_a_lire is True
    redaction.lire_notification(dossier, par=theatre.direction)
    assert Dossier.objects.avec_lecture().get(pk=dossier.pk).decision_a_lire is False
    assert Dossier.objects.get(pk=dossier.pk).decision_a_lire is False


@pytest.mark.parametrize("nombre", [1, 30])
def test_la_liste_de_la_structure_coute_autant_pour_un_que_pour_trente(
    theatre, entrer, nombre, django_assert_num_queries
):
    dossier = theatre.mener(Etat.REFUSE)
    cloner(dossier, nombre - 1)
    Dossier.objects.update(structure=theatre.structure, etat=Etat.REFUSE, decide_le=theatre.jour)
    client = entrer(theatre.direction)
    client.get(reverse("agrements:liste"))
    with django_assert_num_queries(6):
        client.get(reverse("agrements:liste"))
