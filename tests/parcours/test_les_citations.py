"""Citer le projet dans la page : à la souris, au clavier, au téléphone, et en collant quand JavaScript manque."""

from __future__ import annotations

import pytest

from agrements.actions import instruction
from agrements.choix import Etat
from agrements.contenu import texte_lisible
from agrements.models import Citation
from tests.fabriques.agrements import Theatre
from tests.parcours.test_un_projet_social import Personne

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def theatre():
    return Theatre()


@pytest.fixture
def dossier(theatre):
    return theatre.mener(Etat.EN_INSTRUCTION)


def choisir_a_la_souris(page, selecteur, *, clics=3):
    page.locator(selecteur).first.click(click_count=clics, position={"x": 30, "y": 8})
    page.wait_for_selector(".barre-citation:visible")


@pytest.mark.parametrize("largeur", [1280, 375])
def test_un_paragraphe_choisi_a_la_souris_s_attache_a_un_critere_et_se_surligne(
    theatre, dossier, ouvrir, live_server, largeur
):
    page = ouvrir(largeur=largeur)
    charge = Personne(page, live_server.url, theatre.charge)
    charge.aller(f"/dossiers/{dossier.pk}/grille/")
    assert not page.is_visible(".barre-citation")
    choisir_a_la_souris(page, "[data-citable=diagnostic_analyse] p")
    charge.regarder()
    page.select_option(".barre-citation select", "accessibilite")
    page.click(".barre-citation button:has-text('Citer ce passage')")
    page.wait_for_selector("[data-citable=diagnostic_analyse] mark")

    citation = Citation.objects.get()
    assert (citation.evaluation.critere, citation.champ) == ("accessibilite", "diagnostic_analyse")
    assert citation.version_dossier == dossier.version_courante
    source = dossier.version_courante.contenu["reponses"]["diagnostic_analyse"]
    champ = dossier.regime.referentiel.champs["diagnostic_analyse"]
    assert citation.extrait == texte_lisible(champ, source).split("\n")[0]
    marque = page.inner_text("[data-citable=diagnostic_analyse] mark")
    assert " ".join(marque.split()) == " ".join(citation.extrait.split())
    numero = next(c.numero for c in dossier.regime.referentiel.criteres if c.code == "accessibilite")
    assert f"critère {numero}" in page.inner_text("[data-citable=diagnostic_analyse] .critere-cite")
    assert page.input_value(".barre-citation select") == "accessibilite"
    assert citation.extrait[:40] in page.inner_text("#critere-accessibilite .citation")
    charge.regarder()
    charge.aller(f"/dossiers/{dossier.pk}/projet/")
    assert page.locator("[data-citable=diagnostic_analyse] mark").count() >= 1
    assert charge.fautes == []


def test_un_passage_se_choisit_et_se_cite_au_clavier_seul(theatre, dossier, ouvrir, live_server):
    page = ouvrir()
    charge = Personne(page, live_server.url, theatre.charge)
    charge.aller(f"/dossiers/{dossier.pk}/projet/?critere=accessibilite")
    page.focus("[data-citable=horaires]")
    page.keyboard.press("ArrowRight")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector(".barre-citation:visible")
    assert "Passage choisi" in page.inner_text("[data-citation-annonce]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "critere-de-la-citation"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-citable=horaires] mark")
    citation = Citation.objects.get()
    debut = " ".join(dossier.version_courante.contenu["reponses"]["horaires"].split()[:3])
    assert citation.extrait == debut.rstrip(" ,.;")
    assert citation.evaluation.critere == "accessibilite"

    page.focus("[data-citable=horaires]")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".barre-citation:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector(".barre-citation", state="hidden")
    assert charge.fautes == []


def test_un_passage_a_cheval_sur_deux_reponses_ne_se_cite_pas_et_on_le_dit(theatre, dossier, ouvrir, live_server):
    page = ouvrir()
    Personne(page, live_server.url, theatre.charge).aller(f"/dossiers/{dossier.pk}/projet/")
    page.evaluate(
        """() => {
          const [a, b] = ["horaires", "tarification"].map((c) => document.querySelector(`[data-citable=${c}]`));
          getSelection().setBaseAndExtent(a, 0, b, b.childNodes.length);
        }"""
    )
    page.wait_for_selector("[data-citation-annonce]:has-text('une seule réponse')", state="attached")
    assert not page.is_visible(".barre-citation")


def test_l_etiquette_d_un_critere_ne_se_retrouve_pas_dans_la_citation_suivante(theatre, dossier, ouvrir, live_server):
    horaires = dossier.version_courante.contenu["reponses"]["horaires"]
    instruction.citer(dossier, critere="accessibilite", champ="horaires", extrait=horaires[:8], par=theatre.charge)
    page = ouvrir()
    Personne(page, live_server.url, theatre.charge).aller(f"/dossiers/{dossier.pk}/projet/")
    choisir_a_la_souris(page, "[data-citable=horaires] p")
    with page.expect_navigation():
        page.click("button:has-text('Citer ce passage')")
    assert Citation.objects.latest("pk").extrait == " ".join(horaires.split())


def test_sans_javascript_on_colle_le_passage_et_il_se_surligne(theatre, dossier, ouvrir, live_server):
    page = ouvrir(javascript=False)
    charge = Personne(page, live_server.url, theatre.charge, axe=False)
    charge.aller(f"/dossiers/{dossier.pk}/grille/")
    assert not page.is_visible(".barre-citation")
    bloc = page.locator("#critere-accessibilite")
    bloc.locator("summary").click()
    bloc.locator("select[name=champ]").select_option("horaires")
    bloc.locator("textarea[name=extrait]").fill(dossier.version_courante.contenu["reponses"]["horaires"][:20])
    bloc.locator("button:has-text('Citer')").last.click()
    page.wait_for_load_state()
    assert page.locator(".projet-a-lire mark").count() == 1


def test_qui_ne_peut_pas_evaluer_lit_les_passages_sans_barre_et_la_structure_ne_les_voit_pas(
    theatre, dossier, ouvrir, live_server
):
    horaires = dossier.version_courante.contenu["reponses"]["horaires"]
    instruction.citer(dossier, critere="accessibilite", champ="horaires", extrait=horaires, par=theatre.charge)
    page = ouvrir()
    secretaire = Personne(page, live_server.url, theatre.secretariat)
    secretaire.aller(f"/dossiers/{dossier.pk}/projet/")
    assert page.locator("mark").count() == 1
    assert page.locator(".barre-citation").count() == 0
    assert secretaire.fautes == []

    page = ouvrir()
    Personne(page, live_server.url, theatre.direction, axe=False).aller(f"/dossiers/{dossier.pk}/projet/")
    assert horaires[:20] in page.inner_text("main")
    assert page.locator("mark, .critere-cite, .barre-citation").count() == 0
