"""Le harnais : vraie base, vrai courtier, vrai navigateur ; aucun fichier ne reste après la suite."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test import Client
from django.test.testcases import LiveServerThread
from hypothesis import HealthCheck
from hypothesis import settings as hypothese

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright tourne dans une boucle, l’ORM dans le même fil

# Un test de propriété juge un résultat, pas la lenteur d’une machine chargée.
hypothese.register_profile("portail", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothese.load_profile("portail")

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
CHROMIUM = next((c for c in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if c), None)
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--lang=fr-FR",
]
REGLES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(autouse=True)
def fichiers_et_cache_a_part(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "fichiers"
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid4().hex}}


@pytest.fixture
def entrer() -> Callable[..., Client]:
    """Un navigateur de test déjà connecté, sans passer par la page de connexion."""

    def _entrer(personne) -> Client:
        client = Client()
        client.force_login(personne, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return _entrer


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "Chromium est introuvable : apt-get install chromium"
    with sync_playwright() as playwright:
        navigateur = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield navigateur
        navigateur.close()


@pytest.fixture
def messages_attendus() -> list[str]:
    """Les bouts de message de console qu’un test provoque exprès ; il les y ajoute avant de les provoquer.

    Chromium écrit une erreur pour toute réponse 4xx : 422 est notre refus ordinaire d’un formulaire, il ne dit rien
    d’anormal. Une réponse 5xx, elle, ne s’attend jamais.
    """
    return ["the server responded with a status of 422"]


class ServeurQuiSeVide(ThreadedWSGIServer):
    """Compte ses connexions : la base ne se remet à zéro qu’une fois la dernière réponse partie.

    Une page ouverte enregistre et interroge d’elle-même ; une requête encore en vol quand le test finit verrouille des
    tables que la remise à zéro veut vider, et PostgreSQL tranche l’interblocage en refusant l’une des deux.
    """

    ouvertes = 0
    bascule = threading.Condition()

    def process_request(self, request, client_address):
        with self.bascule:
            type(self).ouvertes += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.bascule:
            type(self).ouvertes -= 1
            self.bascule.notify_all()

    @classmethod
    def se_vider(cls, *, secondes: float = 30) -> None:
        """Attend que plus rien ne soit servi ; échoue, plutôt que de laisser la base se vider sous une requête."""
        fin = time.monotonic() + secondes
        with cls.bascule:
            while cls.ouvertes:
                assert cls.bascule.wait(fin - time.monotonic()), f"{cls.ouvertes} connexion(s) encore servie(s)"


@pytest.fixture(scope="session", autouse=True)
def serveur_qui_se_vide() -> None:
    LiveServerThread.server_class = ServeurQuiSeVide


@pytest.fixture
def ouvrir(chromium, live_server, settings, messages_attendus):
    """Ouvre une page (largeur, avec ou sans JavaScript).

    Échouent à la fin : une erreur de JavaScript ou de console, une réponse 5xx, une requête au dehors.
    """
    fautes: list[str] = []
    contextes = []

    def console(message) -> None:
        if message.type == "error":
            fautes.append(f"console : {message.text} ({message.location.get('url', '')})")

    def _ouvrir(*, largeur: int = 1280, javascript: bool = True):
        contexte = chromium.new_context(
            viewport={"width": largeur, "height": 900}, locale="fr-FR", java_script_enabled=javascript
        )
        contextes.append(contexte)
        page = contexte.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda erreur: fautes.append(f"JavaScript : {erreur}"))
        page.on("console", console)
        page.on("response", lambda r: r.status >= 500 and fautes.append(f"réponse {r.status} : {r.url}"))
        page.on(
            "request",
            lambda r: r.url.startswith((live_server.url, "data:", "blob:", "chrome")) or fautes.append(r.url),
        )
        return page

    yield _ouvrir
    for contexte in contextes:
        contexte.close()
    ServeurQuiSeVide.se_vider()
    surprises = [f for f in fautes if not (f.startswith("console : ") and any(a in f for a in messages_attendus))]
    assert surprises == []


def violations(page) -> list[str]:
    """Ce qu’axe-core reproche à la page, en lignes lisibles."""
    page.evaluate(AXE)
    rapport = page.evaluate("regles => axe.run(document, {runOnly: regles})", REGLES)
    return [f"{page.url} {v['id']} : {v['nodes'][0]['html'][:200]}" for v in rapport["violations"]]
