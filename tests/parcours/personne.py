"""Quelqu’un devant son écran : ce que tous les parcours partagent."""

from __future__ import annotations

from documents import production
from documents.models import Acte
from tests.conftest import violations
from tests.fabriques.comptes import MOT_DE_PASSE


class Personne:
    """Quelqu’un devant son écran. Chaque page visitée passe devant axe-core (avec JavaScript)."""

    def __init__(self, page, racine, compte, *, axe=True):
        self.page, self.racine, self.axe = page, racine, axe
        self.fautes: list[str] = []
        self.aller("/connexion/")
        page.fill("[name=login]", compte.courriel)
        page.fill("[name=password]", MOT_DE_PASSE)
        page.click("main button:has-text('Se connecter')")
        self.regarder()

    def aller(self, chemin):
        self.page.goto(self.racine + chemin)
        self.regarder()

    def cliquer(self, texte):
        self.page.click(f"main :is(a, button):has-text('{texte}')")
        self.page.wait_for_load_state()
        self.regarder()

    def regarder(self):
        if self.axe:
            self.fautes += violations(self.page)
        largeur = self.page.viewport_size["width"]
        if self.page.evaluate("document.documentElement.scrollWidth") > largeur:
            self.fautes.append(f"{self.page.url} déborde à {largeur}")

    def lire(self):
        return self.page.inner_text("main")


def produire_les_lettres():
    for cle in Acte.objects.filter(produit_le=None).values_list("pk", flat=True):
        production.produire(cle)
