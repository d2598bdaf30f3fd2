"""L’application gardée sur l’appareil : une coquille qui ne dit rien de personne, et rien d’autre de gardé."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse

from comptes.choix import Role
from tests.fabriques.comptes import UtilisateurFactory, agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def controleur():
    return agent(Role.CONTROLEUR, prenom="Aliénor", nom="Contrôle-Secret")


def garde(client) -> tuple[str, str, list[str]]:
    """La version, la coquille et les adresses que le script garde."""
    script = client.get(reverse("controles:service_worker")).content.decode()
    lues = {
        n: json.loads(v) for n, v in re.findall(r"^const (VERSION|COQUILLE|ADRESSES) = (.+);$", script, re.MULTILINE)
    }
    return lues["VERSION"], lues["COQUILLE"], lues["ADRESSES"]


def test_la_coquille_ne_montre_ni_nom_ni_jeton_ni_visite(entrer, controleur):
    client = entrer(controleur)
    reponse = client.get(reverse("controles:appareil"))
    page = reponse.content.decode()
    assert reponse.status_code == 200
    assert not any(
        dit in page for dit in ("Aliénor", "Contrôle-Secret", controleur.courriel, "csrf", f'"{controleur.pk}"')
    )
    assert "csrftoken" not in reponse.cookies


def test_la_coquille_est_la_meme_pour_deux_controleurs(entrer, controleur):
    autre = agent(Role.CONTROLEUR)
    adresse = reverse("controles:appareil")
    assert entrer(controleur).get(adresse).content == entrer(autre).get(adresse).content


def test_seul_un_controleur_ouvre_la_coquille(entrer, client):
    adresse = reverse("controles:appareil")
    assert client.get(adresse).status_code == 302
    assert entrer(agent(Role.CHARGE_CONSEIL)).get(adresse).status_code == 403
    assert entrer(UtilisateurFactory()).get(adresse).status_code == 403


def test_la_coquille_ne_permet_que_le_micro_de_la_dictee(entrer, controleur):
    reponse = entrer(controleur).get(reverse("controles:appareil"))
    assert "microphone=(self)" in reponse["Permissions-Policy"]
    assert "camera=()" in reponse["Permissions-Policy"]
    assert "geolocation=()" in reponse["Permissions-Policy"]
    assert "'unsafe-inline'" not in reponse["Content-Security-Policy"]


def test_le_script_de_garde_se_lit_sans_session_et_se_reverifie_toujours(client):
    reponse = client.get(reverse("controles:service_worker"))
    assert reponse.status_code == 200
    assert reponse["Content-Type"].startswith("text/javascript")
    assert reponse["Service-Worker-Allowed"] == "/controles/"
    assert reponse["Cache-Control"] == "no-cache"


def test_le_script_de_garde_ne_garde_que_la_coquille_et_des_fichiers_statiques(client):
    version, coquille, adresses = garde(client)
    assert re.fullmatch(r"[0-9a-f]{16}", version)
    assert coquille == reverse("controles:appareil")
    assert [a for a in adresses if not a.startswith(settings.STATIC_URL)] == [coquille]
    assert reverse("controles:donnees_visites") not in adresses


def test_tout_ce_que_la_coquille_et_ses_modules_demandent_est_garde(client, entrer, controleur):
    """Une seule adresse oubliée, et l’application ne s’ouvre pas dans un sous-sol."""
    _, _, adresses = garde(client)
    page = entrer(controleur).get(reverse("controles:appareil")).content.decode()
    demandees = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    racine = settings.STATIC_URL
    a_lire = [a for a in adresses if a.endswith((".js", ".css"))]
    for adresse in a_lire:
        chemin = adresse.removeprefix(racine)
        texte = Path(finders.find(chemin)).read_text(encoding="utf-8")
        dossier = adresse.rsplit("/", 1)[0]
        lies = re.findall(r'(?:from|import\() ?"(\.[^"]+)"', texte) + re.findall(r'url\("?(\.\.[^")]+)"?\)', texte)
        demandees |= {normaliser(f"{dossier}/{lie}") for lie in lies}
    assert demandees - set(adresses) == set()
    assert len(demandees) > 20


def normaliser(adresse: str) -> str:
    morceaux: list[str] = []
    for morceau in adresse.split("/"):
        if morceau == "..":
            morceaux.pop()
        elif morceau != ".":
            morceaux.append(morceau)
    return "/".join(morceaux)


def test_la_version_change_avec_un_seul_fichier(client, monkeypatch, tmp_path):
    from controles.views import appareil

    avant = garde(client)[0]
    change = tmp_path / "visite.css"
    change.write_text("body { color: red }")
    vrai = appareil._source
    monkeypatch.setattr(appareil, "_source", lambda nom: change if nom == "css/visite.css" else vrai(nom))
    appareil.script_de_garde.cache_clear()
    try:
        assert garde(client)[0] != avant
    finally:
        appareil.script_de_garde.cache_clear()


def test_le_manifeste_rend_l_application_installable(client):
    reponse = client.get(reverse("controles:manifeste"))
    manifeste = reponse.json()
    assert reponse["Content-Type"] == "application/manifest+json"
    assert manifeste["lang"] == "fr"
    assert manifeste["start_url"] == manifeste["scope"] == reverse("controles:appareil")
    assert {(i["sizes"], i["purpose"]) for i in manifeste["icons"]} == {
        ("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"),
    }  # fmt: skip
    from PIL import Image

    for icone in manifeste["icons"]:
        with Image.open(finders.find(icone["src"].removeprefix(settings.STATIC_URL))) as image:
            assert f"{image.width}x{image.height}" == icone["sizes"]
