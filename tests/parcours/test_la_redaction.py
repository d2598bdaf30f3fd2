"""La rédaction devant un vrai écran : ce qui est tapé se garde, quoi qu’il arrive autour."""

from __future__ import annotations

import pytest

from agrements.choix import Etat
from tests.fabriques.agrements import Theatre
from tests.parcours.test_un_projet_social import Personne

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def theatre():
    return Theatre()


def test_ce_qui_est_tape_avant_l_arrivee_du_module_est_envoye_quand_meme(theatre, ouvrir, live_server):
    dossier = theatre.ouvrir()
    page = ouvrir()
    directrice = Personne(page, live_server.url, theatre.direction)
    retenus = []
    page.route("**/js/sauvegarde.js", lambda route: retenus.append(route))
    page.goto(f"{live_server.url}/dossiers/{dossier.pk}/sections/locaux/", wait_until="commit")
    page.fill("#champ-horaires", "Du lundi au samedi")
    page.fill("#champ-accessibilite-riche", "Un lieu ouvert à tous.")
    page.wait_for_timeout(1200)
    assert not dossier.reponses.filter(champ="horaires").exists()

    retenus[0].continue_()
    for champ in ("horaires", "accessibilite"):
        page.wait_for_selector(f"#statut-{champ}[data-statut=enregistre]")
    assert str(dossier.reponses.get(champ="horaires").valeur) == "Du lundi au samedi"
    assert "Un lieu ouvert à tous." in dossier.reponses.get(champ="accessibilite").valeur
    assert page.evaluate("Object.keys(localStorage).filter(c => c.startsWith('brouillon:'))") == []
    directrice.regarder()
    assert directrice.fautes == []


def test_une_zone_remplie_avant_tous_les_modules_part_seule_sans_renvoyer_les_autres(theatre, ouvrir, live_server):
    dossier = theatre.ouvrir()
    theatre.remplir(dossier)
    page = ouvrir()
    Personne(page, live_server.url, theatre.direction, axe=False)
    retenus, envois = [], []
    page.route("**/js/*.js", lambda route: retenus.append(route))
    page.on("request", lambda r: "/champs/" in r.url and envois.append(r.url))
    page.goto(f"{live_server.url}/dossiers/{dossier.pk}/sections/identification/", wait_until="commit")
    page.fill("#champ-presentation", "Tapé dans la zone nue.")
    while retenus:
        retenus.pop(0).continue_()
        page.wait_for_timeout(200)
    page.wait_for_selector("#statut-presentation[data-statut=enregistre]")
    page.wait_for_timeout(1000)
    assert "Tapé dans la zone nue." in dossier.reponses.get(champ="presentation").valeur
    assert [url for url in envois if not url.endswith("/champs/presentation/")] == []


def test_un_collegue_dans_la_meme_section_se_voit_puis_disparait_en_partant(theatre, ouvrir, live_server):
    dossier = theatre.ouvrir()
    chemin = f"/dossiers/{dossier.pk}/sections/locaux/"
    pages = []
    for compte in (theatre.direction, theatre.saisie):
        page = ouvrir()
        page.clock.install()
        pages.append(Personne(page, live_server.url, compte))
    directrice, saisie = pages
    directrice.aller(chemin)
    zone = directrice.page.locator("[data-presence]")
    assert zone.get_attribute("aria-live") == "polite"
    assert zone.inner_text() == ""

    with directrice.page.expect_response("**/presence/"):
        directrice.page.click("#champ-horaires")
        directrice.page.clock.fast_forward(26_000)
    saisie.aller(chemin)
    phrase = f"{theatre.direction.get_full_name()} écrit aussi dans cette section."
    saisie.page.wait_for_selector(f"[data-presence]:has-text('{phrase}')")
    with directrice.page.expect_response("**/presence/"):
        directrice.page.clock.fast_forward(26_000)
    directrice.page.wait_for_selector(
        f"[data-presence]:has-text('{theatre.saisie.get_full_name()} écrit aussi dans cette section.')"
    )
    directrice.regarder()

    saisie.aller(f"/dossiers/{dossier.pk}/sections/budget/")
    with directrice.page.expect_response("**/presence/"):
        directrice.page.clock.fast_forward(26_000)
    directrice.page.wait_for_function("() => document.querySelector('[data-presence]').textContent === ''")

    saisie.aller(chemin)
    saisie.page.wait_for_selector("[data-presence]:has-text('écrit aussi')")
    directrice.page.clock.fast_forward(200_000)  # plus une touche depuis trois minutes : elle n’écrit plus
    saisie.page.wait_for_timeout(300)
    with saisie.page.expect_response("**/presence/"):
        saisie.page.click("#champ-horaires")
        saisie.page.clock.fast_forward(26_000)
    saisie.page.wait_for_function("() => document.querySelector('[data-presence]').textContent === ''")
    assert directrice.fautes + saisie.fautes == []


def test_le_budget_part_du_plan_comptable_et_dit_de_combien_il_s_ecarte(theatre, ouvrir, live_server):
    dossier = theatre.ouvrir()
    page = ouvrir()
    directrice = Personne(page, live_server.url, theatre.direction)
    directrice.aller(f"/dossiers/{dossier.pk}/sections/budget/")
    assert page.inner_text(".totaux") == ""
    page.click("button:has-text('Partir du plan comptable associatif')")
    montants = page.get_by_label("Montant (€), ligne 5")
    montants.fill("1 200,50")
    assert page.locator("button:has-text('Partir du plan comptable associatif')").is_hidden()
    page.wait_for_selector("#statut-budget_lignes[data-statut=enregistre], [id^=statut-][data-statut=enregistre]")
    assert "Il manque 1\u202f200,50\u00a0€ de produits." in page.inner_text(".totaux")
    garde = next(r.valeur for r in dossier.reponses.all() if isinstance(r.valeur, list) and r.valeur)
    assert {"compte": "64", "libelle": "Charges de personnel", "montant": "1200.50"} in garde
    directrice.regarder()
    assert directrice.fautes == []


def test_un_clic_garde_un_verdict_et_rien_de_tape_ne_se_perd(theatre, ouvrir, live_server):
    dossier = theatre.mener(Etat.EN_INSTRUCTION)
    page = ouvrir()
    chargee = Personne(page, live_server.url, theatre.charge)
    chargee.aller(f"/dossiers/{dossier.pk}/grille/")
    un, deux, trois = (page.locator("form[data-brouillon]").nth(rang) for rang in range(3))
    un.get_by_label("Conforme", exact=True).check()
    un.get_by_text("Enregistré le").wait_for()

    deux.get_by_label("À compléter").check()
    deux.get_by_text("Dites ce qui manque ou ne convient pas").wait_for()
    assert deux.get_by_label("À compléter").is_checked()
    deux.locator("textarea").fill("Le bilan n’est pas partagé.")
    trois.locator("textarea").focus()  # quitter le champ suffit
    deux.get_by_text("Enregistré le").wait_for()
    chargee.regarder()

    trois.locator("textarea").press_sequentially("Tapé, pas quitté.")
    page.reload()
    assert "Votre saisie est retrouvée" in trois.inner_text()
    assert trois.locator("textarea").input_value() == "Tapé, pas quitté."
    assert deux.locator("textarea").input_value() == "Le bilan n’est pas partagé."
    assert "Votre saisie est retrouvée" not in deux.inner_text()
    assert dict(dossier.evaluations.values_list("verdict", "commentaire")) == {
        "conforme": "",
        "a_completer": "Le bilan n’est pas partagé.",
    }
