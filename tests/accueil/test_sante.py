"""/sante/ ne dit « bien » que de ce qui vient d’être éprouvé ; une panne se voit, sa cause ne se lit pas."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from celery.signals import beat_init
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django.urls import reverse

from accueil.horloge import CLE_POULS, PERIODE_MAX, battre
from config.celery import app

pytestmark = pytest.mark.django_db


@pytest.fixture
def pouls():
    battre()


def etats(client) -> tuple[int, dict[str, str]]:
    reponse = client.get(reverse("accueil:sante"))
    return reponse.status_code, reponse.json()


def test_tout_va_bien(client, pouls):
    assert etats(client) == (
        200,
        {"etat": "bien", "base": "bien", "courtier": "bien", "worker": "bien", "stockage": "bien"},
    )


def test_l_epreuve_du_stockage_ne_laisse_aucun_fichier(client, pouls, settings):
    etats(client)
    assert [f for f in Path(settings.MEDIA_ROOT).rglob("*") if f.is_file()] == []


def test_sans_pouls_le_worker_est_en_panne_et_lui_seul(client):
    assert etats(client) == (
        503,
        {"etat": "en panne", "base": "bien", "courtier": "bien", "worker": "en panne", "stockage": "bien"},
    )


@pytest.mark.parametrize(("age", "attendu"), [(PERIODE_MAX - 5, "bien"), (PERIODE_MAX + 1, "en panne")])
def test_un_pouls_vieux_d_une_minute_ne_compte_plus(client, age, attendu):
    cache.set(CLE_POULS, time.time() - age)
    assert etats(client)[1]["worker"] == attendu


def test_la_tache_du_pouls_est_a_l_horloge_plus_souvent_que_sa_peremption(settings):
    lignes = [ligne for ligne in settings.CELERY_BEAT_SCHEDULE.values() if ligne["task"] == battre.name]
    assert len(lignes) == 1
    assert lignes[0]["schedule"] * 2 < PERIODE_MAX


def test_le_courtier_mort_rend_503(client, pouls, monkeypatch, tmp_path):
    """``CELERY_BROKER_URL`` l’emporte sur les réglages : c’est elle qu’on détourne."""
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{tmp_path}/personne?virtual_host=1")
    assert str(tmp_path) in app.conf.broker_url
    statut, corps = etats(client)
    assert (statut, corps["courtier"], corps["base"]) == (503, "en panne", "bien")


def test_un_stockage_plein_ou_ferme_rend_503(client, pouls, settings, tmp_path):
    """Le dossier des fichiers est remplacé par un fichier : rien ne s’y écrit, quel que soit le compte."""
    bouche = tmp_path / "bouche"
    bouche.write_text("")
    settings.MEDIA_ROOT = bouche
    statut, corps = etats(client)
    assert (statut, corps["stockage"], corps["worker"]) == (503, "en panne", "bien")


def test_un_stockage_qui_rend_autre_chose_est_en_panne(client, pouls, monkeypatch):
    ouvrir = default_storage.open

    def mentir(nom, mode="rb"):
        Path(default_storage.path(nom)).write_bytes(b"autre chose")
        return ouvrir(nom, mode)

    monkeypatch.setattr(default_storage, "open", mentir)
    statut, corps = etats(client)
    assert (statut, corps["stockage"]) == (503, "en panne")


def tomber(*args, **kwargs):
    raise OSError("mot de passe refusé pour portail sur 10.0.0.5")


def test_la_base_morte_rend_503_sans_en_dire_la_cause(client, pouls, monkeypatch):
    with monkeypatch.context() as panne:
        panne.setattr(connection, "cursor", tomber)
        reponse = client.get(reverse("accueil:sante"))
    assert reponse.status_code == 503
    assert reponse.json()["base"] == "en panne"
    assert "10.0.0.5" not in reponse.content.decode()


def test_vivant_repond_meme_quand_tout_est_mort(client, monkeypatch):
    with monkeypatch.context() as panne:
        panne.setattr(connection, "cursor", tomber)
        panne.setattr(cache, "get", tomber)
        reponse = client.get(reverse("accueil:vivant"))
    assert (reponse.status_code, reponse.json()) == (200, {"etat": "vivant"})


@pytest.mark.parametrize("nom", ["accueil:sante", "accueil:vivant"])
def test_la_reponse_n_est_jamais_gardee_et_se_lit_seulement(client, nom, pouls):
    reponse = client.get(reverse(nom))
    assert "no-store" in reponse["Cache-Control"]
    assert reponse["Content-Type"] == "application/json"
    assert client.head(reverse(nom)).status_code == 200
    assert client.post(reverse(nom)).status_code == 405


def test_l_eprouver_n_ouvre_pas_de_session(client, pouls):
    assert etats(client)[0] == 200
    assert not client.cookies


def test_en_production_la_sonde_ne_recoit_pas_une_redirection_vers_https(client, settings):
    """Le répartiteur interroge le conteneur en clair : une redirection passerait pour une panne."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^sante/"]
    from django.test import Client

    assert Client().get("/sante/vivant").status_code == 200
    assert Client().get("/gerer/").status_code == 301


def test_le_pouls_a_sa_file_et_le_worker_du_poste_l_ecoute(settings):
    from outils import lancer

    assert settings.CELERY_TASK_ROUTES[battre.name]["queue"] == "pouls"
    source = Path(lancer.__file__).read_text(encoding="utf-8")
    compose = (Path(settings.BASE_DIR) / "docker-compose.yml").read_text(encoding="utf-8")
    assert '"-Q", "celery,pouls"' in source
    assert '"-Q", "celery,pouls"' in compose


def test_l_horloge_demande_un_pouls_des_son_demarrage(monkeypatch, django_capture_on_commit_callbacks):
    demandes = []
    monkeypatch.setattr(battre, "apply_async", lambda **options: demandes.append(options))
    with django_capture_on_commit_callbacks(execute=True):
        beat_init.send(sender=None)
    assert len(demandes) == 1
