"""La tablette d’un contrôleur : un vrai Chromium, un vrai dossier de profil, qu’on tue et qu’on rallume."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from django.contrib.sessions.models import Session
from django.core.cache import cache

from tests.conftest import CHROMIUM, OPTIONS, violations
from tests.fabriques.comptes import MOT_DE_PASSE

CODE = "sous-sol 2027"


class Tablette:
    """Ce qui est grave s’accumule dans ``fautes`` : erreur de script, de console, requête au dehors, axe-core, débordement."""

    def __init__(self, chromium, racine: str, profil: Path, *, largeur: int = 768, axe: bool = True) -> None:
        self.chromium, self.racine, self.profil, self.largeur, self.axe = chromium, racine, profil, largeur, axe
        self.fautes: list[str] = []
        self.attendues = ["ERR_INTERNET_DISCONNECTED", "401 (Unauthorized)", "status of 401", "status of 422"]
        self.allumer()

    def allumer(self, *, hors_ligne: bool = False) -> None:
        self.contexte = self.chromium.browser_type.launch_persistent_context(
            self.profil, executable_path=CHROMIUM, args=OPTIONS, locale="fr-FR", timezone_id="Europe/Paris",
            viewport={"width": self.largeur, "height": 1000}, offline=hors_ligne, has_touch=True,
        )  # fmt: skip
        self.page = self.contexte.pages[0]
        self.ecouter(self.page)

    def ecouter(self, page) -> None:
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda erreur: self.fautes.append(f"JavaScript : {erreur}"))
        page.on("console", self._console)
        page.on("response", lambda r: r.status >= 500 and self.fautes.append(f"réponse {r.status} : {r.url}"))
        page.on(
            "request",
            lambda r: r.url.startswith((self.racine, "data:", "blob:", "chrome")) or self.fautes.append(r.url),
        )

    def _console(self, message) -> None:
        if message.type == "error" and not any(a in message.text for a in self.attendues):
            self.fautes.append(f"console : {message.text}")

    def tuer(self) -> None:
        """Tue net les processus de ce profil, comme une batterie qui lâche ; rien n’est prévenu."""
        for pid in self._processus():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # mort avec son parent
        fin = time.monotonic() + 10
        while self._processus() and time.monotonic() < fin:
            time.sleep(0.05)
        assert not self._processus()
        for verrou in self.profil.glob("Singleton*"):
            verrou.unlink()

    def _processus(self) -> list[int]:
        marque = f"--user-data-dir={self.profil}".encode()
        trouves = []
        for dossier in Path("/proc").iterdir():
            if dossier.name.isdigit():
                try:
                    commande = (dossier / "cmdline").read_bytes()
                    vivant = b"State:\tZ" not in (dossier / "status").read_bytes()
                except OSError:
                    continue  # fini entre-temps
                if marque in commande and vivant:
                    trouves.append(int(dossier.name))
        return trouves

    def eteindre(self) -> None:
        self.contexte.close()

    def couper(self) -> None:
        self.contexte.set_offline(True)

    def retablir(self) -> None:
        self.contexte.set_offline(False)

    # --- Aller et regarder ---------------------------------------------------------------------------------------------

    def se_connecter(self, compte, page=None) -> None:
        page = page or self.page
        page.goto(self.racine + "/connexion/?next=/controles/appareil/")
        page.fill("[name=login]", compte.courriel)
        page.fill("[name=password]", MOT_DE_PASSE)
        page.click("main button:has-text('Se connecter')")
        page.wait_for_selector("h1:has-text('Mes visites de la semaine')")

    def se_reconnecter(self, compte) -> None:
        """Par le lien du bandeau, dans un autre onglet ; la première page n’est pas quittée."""
        self.page.wait_for_selector("text=Votre session est finie. Rien n’est perdu")
        with self.contexte.expect_page() as neuve:
            self.page.click("a:has-text('Se reconnecter')")
        self.ecouter(neuve.value)
        neuve.value.fill("[name=login]", compte.courriel)
        neuve.value.fill("[name=password]", MOT_DE_PASSE)
        neuve.value.click("main button:has-text('Se connecter')")
        neuve.value.wait_for_selector("h1:has-text('Mes visites de la semaine')")

    def ouvrir_l_application(self) -> None:
        self.page.goto(self.racine + "/controles/appareil/")

    def choisir_le_code(self, code: str = CODE) -> None:
        page = self.page
        page.fill("label:has-text('Code de cet appareil') ~ input >> nth=0", code)
        page.fill("label:has-text('Le même, une seconde fois') + input", code)
        page.click("button:has-text('Choisir ce code')")
        page.wait_for_selector("text=Un code rouvre vos visites sans réseau.")

    def prete(self, compte) -> None:
        """Connectée, coquille gardée, code choisi : prête à partir."""
        self.se_connecter(compte)
        self.page.wait_for_selector("text=L’application est gardée sur cet appareil.")
        self.choisir_le_code()
        self.regarder()

    def taper_le_code(self, code: str = CODE) -> None:
        self.page.fill("label:has-text('Code de cet appareil') + input", code)
        self.page.click("button:has-text('Ouvrir mes visites')")

    def visiter(self, controle) -> None:
        self.page.click(f".carte-visite a:has-text('{controle.structure.nom}')")
        self.page.wait_for_selector("h2:has-text('Arrivée et départ')")

    def regarder(self, nom: str = "") -> None:
        if self.axe:
            self.fautes += violations(self.page)
        if self.page.evaluate("document.documentElement.scrollWidth") > self.page.viewport_size["width"]:
            self.fautes.append(f"{self.page.url} déborde à {self.page.viewport_size['width']}")
        if nom and (dossier := os.environ.get("VUES")):
            self.page.screenshot(path=f"{dossier}/{nom}-{self.page.viewport_size['width']}.png", full_page=True)
            self.page.screenshot(path=f"{dossier}/{nom}-{self.page.viewport_size['width']}-vu.png")

    # --- Saisir ---------------------------------------------------------------------------------------------------------

    def champ(self, nom: str):
        return self.page.locator(f"[data-champ='{nom}']")

    def ecrire(self, nom: str, texte: str) -> None:
        """Tape, sans quitter le champ ; ouvre le pli s’il est fermé."""
        pli = self.champ(nom).locator("xpath=ancestor::details[1]")
        if pli.count() and not pli.evaluate("pli => pli.open"):
            pli.locator("summary").click()
        self.champ(nom).locator("input, textarea").first.fill(texte)

    def cocher(self, nom: str, libelle: str) -> None:
        self.champ(nom).get_by_label(libelle, exact=True).check()

    def photographier(self, fichier, point: str = "", *, lieu: bool = False) -> None:
        bloc = self.page.locator(f"#point-{point} .bloc-photos" if point else "#section-notes .bloc-photos")
        pli = bloc.locator("xpath=ancestor::details[1]")
        if pli.count() and not pli.evaluate("pli => pli.open"):
            pli.locator("summary").click()
        case = bloc.get_by_label("Garder le lieu de la photo")
        case.set_checked(lieu)
        bloc.locator("input[type=file]").first.set_input_files(fichier)

    def file(self) -> str:
        return self.page.inner_text(".file-texte")

    def attendre(self, vrai: Callable[[], bool], *, secondes: float = 10) -> None:
        """Sonde depuis le test : la CSP de la page refuse ce que ``wait_for_function`` y évaluerait."""
        fin = time.monotonic() + secondes
        while not vrai():
            assert time.monotonic() < fin, self.page.inner_text("body")[:800]
            self.page.wait_for_timeout(100)

    def attendre_la_file(self, texte: str, *, secondes: float = 20) -> None:
        self.attendre(lambda: texte in self.file(), secondes=secondes)

    def attendre_garde(self) -> None:
        """Le temps qu’une frappe soit dans le coffre : moins d’une seconde, c’est la promesse."""
        self.page.wait_for_timeout(700)

    def tout_envoye(self, *, secondes: float = 20) -> None:
        self.attendre_garde()
        self.attendre_la_file("Tout est envoyé", secondes=secondes)


def finir_les_sessions() -> None:
    Session.objects.all().delete()
    cache.clear()
