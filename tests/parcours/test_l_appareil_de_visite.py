"""L’appareil d’un contrôleur : la sortie, les vues à toutes les largeurs, le clavier, les versions neuves."""

from __future__ import annotations

import pytest

from comptes.choix import Role
from controles.models import SaisieVisite
from tests.fabriques.comptes import agent
from tests.parcours.tablette import CODE
from tests.parcours.test_une_visite_hors_ligne import signer

pytestmark = pytest.mark.django_db(transaction=True)


def test_se_deconnecter_envoie_puis_efface_tout_l_appareil(bureau, controle, tablette):
    t = tablette(largeur=375)
    t.prete(bureau.controleur)
    t.visiter(controle)
    t.couper()
    t.ecrire("visite.notes", "À envoyer avant de partir")
    t.attendre_garde()
    t.retablir()
    t.page.goto(t.racine + "/espace/")
    t.page.click("button:has-text('Se déconnecter')")
    t.page.wait_for_selector("a:has-text('Se connecter')")
    assert SaisieVisite.objects.get(champ="visite.notes").valeur == "À envoyer avant de partir"
    assert t.page.evaluate("indexedDB.databases().then((b) => b.length)") == 0
    assert t.page.evaluate("caches.keys().then((c) => c.length)") == 0
    assert t.page.evaluate("localStorage.getItem('portail-visites')") is None


def test_ce_qui_n_a_pas_pu_partir_se_choisit_a_la_sortie_et_un_autre_compte_ne_voit_rien(bureau, controle, tablette):
    t = tablette(largeur=375)
    t.attendues.append("status of 503")
    t.prete(bureau.controleur)
    t.visiter(controle)
    t.contexte.route("**/operations/", lambda route: route.abort())
    t.attendues.append("ERR_FAILED")
    t.ecrire("visite.notes", "Le portail ne prend pas ceci")
    t.attendre_garde()
    t.page.click("button:has-text('Se déconnecter')")
    question = t.page.locator("dialog.question")
    question.wait_for()
    assert "Il reste 1 saisie sur cet appareil" in question.inner_text()
    t.regarder("sortie")
    question.get_by_role("button", name="Rester connecté").click()
    assert t.champ("visite.notes").locator("textarea").input_value() == "Le portail ne prend pas ceci"
    t.page.click("button:has-text('Se déconnecter')")
    question.get_by_role("button", name="Se déconnecter et les garder").click()
    t.page.wait_for_selector("a:has-text('Se connecter')")
    autre = agent(Role.CONTROLEUR, prenom="Robin", nom="Second")
    t.se_connecter(autre)
    assert "Le portail ne prend pas" not in t.page.content()
    assert "Aucune visite" in t.page.inner_text("main")
    assert t.file() == "Tout est envoyé"
    t.page.click("button:has-text('Se déconnecter')")
    t.page.wait_for_selector("a:has-text('Se connecter')")
    t.contexte.unroute("**/operations/")
    t.se_connecter(bureau.controleur)
    t.tout_envoye()
    assert SaisieVisite.objects.get(champ="visite.notes").valeur == "Le portail ne prend pas ceci"
    assert CODE not in t.page.content()


# Les cibles visibles trop petites ; une case ou un bouton radio se touche par son libellé.
CIBLES = """(cote) => [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), textarea, select")]
  .map((e) => (["checkbox", "radio", "file"].includes(e.type) ? (e.closest("label") ?? e) : e))
  .filter((e) => e.checkVisibility() && !e.closest(".evitement") && !e.classList.contains("evitement"))
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([e, c]) => c.width && (c.width < cote || c.height < cote))
  .map(([e, c]) => `${e.tagName} ${(e.innerText || e.name || e.id).slice(0, 40)} ${Math.round(c.width)}×${Math.round(c.height)}`)"""


def test_chaque_vue_tient_de_320_a_1280_au_doigt_et_devant_axe(bureau, controle, tablette, clicher):
    t = tablette(largeur=375)
    t.se_connecter(bureau.controleur)
    trop_petites: set[str] = set()

    def toutes_les_largeurs(nom: str) -> None:
        for largeur in (320, 375, 768, 1280):
            t.page.set_viewport_size({"width": largeur, "height": 1000})
            t.regarder(nom)
            trop_petites.update(f"{nom} à {largeur} : {c}" for c in t.page.evaluate(CIBLES, 24))

    t.page.wait_for_selector("text=L’application est gardée sur cet appareil.")
    toutes_les_largeurs("liste-sans-code")
    t.choisir_le_code()
    toutes_les_largeurs("liste")
    t.visiter(controle)
    for pli in t.page.locator("details:not([open])").all():
        if pli.is_visible():
            pli.evaluate("pli => (pli.open = true)")
    t.couper()
    neutralite = str(bureau.point(controle, "neutralite").uid)
    t.cocher(f"point.{neutralite}.constat", "Manquement")
    t.ecrire(f"point.{neutralite}.faits", "La charte n’est pas affichée.")
    t.photographier(clicher("mur.jpg"), neutralite)
    t.attendre(lambda: t.page.locator(".cliche-attente").count() == 1)
    signer(t, "visite.signature_structure")
    t.page.click(".file-visites summary")
    toutes_les_largeurs("fiche")
    t.page.click(".file-visites summary")
    t.page.get_by_role("button", name="Retirer").click()
    t.page.locator("dialog.question").wait_for()
    toutes_les_largeurs("question")
    t.page.get_by_role("button", name="La garder").click()
    t.page.reload()
    t.page.wait_for_selector("h1:has-text('Ouvrir mes visites')")
    toutes_les_largeurs("code")
    t.taper_le_code("un mauvais code")
    t.page.wait_for_selector("text=Ce code n’ouvre rien")
    toutes_les_largeurs("code-faux")
    assert trop_petites == set()


def test_la_fiche_se_remplit_au_clavier_et_le_foyer_suit_la_vue(bureau, controle, tablette):
    t = tablette(largeur=1280)
    t.prete(bureau.controleur)
    foyer = "document.activeElement.textContent || document.activeElement.id"
    t.page.get_by_role("link", name=controle.structure.nom).focus()
    t.page.keyboard.press("Enter")
    t.page.wait_for_selector("h2:has-text('Arrivée et départ')")
    assert t.page.evaluate(foyer) == controle.structure.nom
    assert t.page.title() == f"{controle.structure.nom}, contrôle {controle.numero} | Portail AVS"
    t.page.get_by_role("link", name="Notes et photos").press("Enter")
    t.attendre(lambda: t.page.evaluate(foyer) == "Notes et photos")
    uid = bureau.point(controle, "pieces").uid
    t.champ(f"point.{uid}.constat").get_by_label("Conforme").focus()
    t.page.keyboard.press("ArrowRight")
    t.tout_envoye()
    assert SaisieVisite.objects.get(champ=f"point.{uid}.constat").valeur == "observation"
    t.page.get_by_role("link", name="‹ Mes visites").press("Enter")
    t.page.wait_for_selector("h1:has-text('Mes visites de la semaine')")
    assert t.page.evaluate(foyer) == "Mes visites de la semaine"
    assert t.page.title() == "Mes visites | Portail AVS"
    t.regarder()


def test_une_version_neuve_s_annonce_et_ne_se_prend_qu_a_la_demande(bureau, controle, tablette, monkeypatch):
    from controles.views import appareil

    t = tablette(largeur=375)
    t.prete(bureau.controleur)
    t.visiter(controle)
    t.ecrire("visite.notes", "Tapé sous l’ancienne version")
    ancien = appareil.script_de_garde()
    monkeypatch.setattr(
        appareil, "script_de_garde", lambda: ancien.replace('const VERSION = "', 'const VERSION = "neuve-')
    )
    t.page.evaluate(
        "navigator.serviceWorker.getRegistration('/controles/appareil/').then((r) => r.update().then(() => true))"
    )
    t.page.wait_for_selector("text=Une nouvelle version est prête.")
    t.regarder("version")
    caches_ = "caches.keys().then((noms) => noms.filter((n) => n.startsWith('visites-coquille-')))"
    assert len(t.page.evaluate(caches_)) == 2
    with t.page.expect_navigation():
        t.page.click("button:has-text('La prendre')")
    t.page.wait_for_selector("h2:has-text('Arrivée et départ')")
    assert t.champ("visite.notes").locator("textarea").input_value() == "Tapé sous l’ancienne version"
    t.attendre(lambda: len(t.page.evaluate(caches_)) == 1)
    assert t.page.evaluate(caches_)[0].startswith("visites-coquille-neuve-")
    t.tout_envoye()
