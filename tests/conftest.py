"""Le harnais : vraie base, vrai courtier, vrai navigateur ; aucun fichier ne reste après la suite."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright tourne dans une boucle, l’ORM dans le même fil

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
    surprises = [f for f in fautes if not (f.startswith("console : ") and any(a in f for a in messages_attendus))]
    assert surprises == []


def violations(page) -> list[str]:
    """Ce qu’axe-core reproche à la page, en lignes lisibles."""
    page.evaluate(AXE)
    rapport = page.evaluate("regles => axe.run(document, {runOnly: regles})", REGLES)
    return [f"{page.url} {v['id']} : {v['nodes'][0]['html'][:200]}" for v in rapport["violations"]]
