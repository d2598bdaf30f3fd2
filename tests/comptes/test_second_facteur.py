"""Le second facteur des agents, avec de vrais codes TOTP."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, format_hotp_value, hotp_value
from django.utils import timezone

from comptes.choix import ROLES_CAF, Role
from tests.fabriques.comptes import MOT_DE_PASSE, agent
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db
ACTIVER = "/compte/second-facteur/activer/"


def code_de(secret: str) -> str:
    """Le code de l’instant, calculé comme une application d’authentification (RFC 6238)."""
    return format_hotp_value(hotp_value(secret, int(timezone.now().timestamp()) // 30))


def connecter(client, personne):
    return client.post("/connexion/", {"login": personne.courriel, "password": MOT_DE_PASSE})


def activer(client) -> str:
    client.get(ACTIVER)
    client.post("/confirmation/", {"password": MOT_DE_PASSE, "next": ACTIVER})
    client.get(ACTIVER)
    secret = client.session[SECRET_SESSION_KEY]
    reponse = client.post(ACTIVER, {"code": code_de(secret)})
    assert reponse["Location"] == "/compte/codes-de-secours/"
    return secret


@pytest.fixture
def exige(settings) -> None:
    settings.SECOND_FACTEUR_AGENTS = True


@pytest.mark.parametrize("role", sorted(ROLES_CAF))
def test_un_agent_sans_second_facteur_ne_va_que_l_activer(client, exige, role) -> None:
    personne = agent(role)
    connecter(client, personne)

    for chemin in ("/espace/", "/dossiers/", "/structures/", "/compte/", "/compte/mot-de-passe/", "/notifications/"):
        assert client.get(chemin)["Location"] == ACTIVER, chemin
    assert client.post("/notifications/tout-lire/")["Location"] == ACTIVER
    assert client.get(ACTIVER)["Location"].startswith("/confirmation/")


def test_il_peut_toujours_se_deconnecter_et_lire_les_pages_publiques(client, exige) -> None:
    connecter(client, agent(Role.CHARGE_CONSEIL))
    assert client.get("/verifier/").status_code == 200
    assert client.post("/deconnexion/").status_code == 302


def test_le_second_facteur_active_ouvre_le_portail(client, exige) -> None:
    connecter(client, agent(Role.CHARGE_CONSEIL))
    activer(client)
    assert client.get("/espace/").status_code == 200


def test_un_partenaire_n_est_pas_oblige(client, exige) -> None:
    connecter(client, habiliter(StructureFactory(), Role.DIRECTION))
    assert client.get("/espace/").status_code == 200


def test_le_reglage_ferme_n_oblige_personne(client) -> None:
    connecter(client, agent(Role.RESPONSABLE))
    assert client.get("/espace/").status_code == 200


def test_la_production_l_exige_par_defaut() -> None:
    from importlib import import_module

    assert import_module("config.settings.base").SECOND_FACTEUR_AGENTS is True


def test_un_code_faux_n_active_rien(client, exige) -> None:
    connecter(client, agent(Role.CHARGE_CONSEIL))
    client.get(ACTIVER)
    client.post("/confirmation/", {"password": MOT_DE_PASSE, "next": ACTIVER})
    client.get(ACTIVER)
    secret = client.session[SECRET_SESSION_KEY]
    faux = f"{(int(code_de(secret)) + 1) % 1_000_000:06d}"

    reponse = client.post(ACTIVER, {"code": faux})

    assert "Code incorrect." in reponse.content.decode()
    assert not Authenticator.objects.exists()


class TestALaConnexion:
    @pytest.fixture
    def personne(self, client):
        personne = agent(Role.CHARGE_CONSEIL)
        connecter(client, personne)
        self.secret = activer(client)
        page = client.get("/compte/codes-de-secours/").content.decode()
        self.secours = re.findall(r"<code>(\d{8})</code>", page)
        client.post("/deconnexion/")
        return personne

    def test_le_mot_de_passe_ne_suffit_plus(self, client, personne) -> None:
        assert connecter(client, personne)["Location"] == "/connexion/code/"
        assert client.get("/espace/").status_code == 302
        assert "_auth_user_id" not in client.session

    def test_le_code_de_l_instant_ouvre(self, client, personne) -> None:
        with time_machine.travel(timezone.now() + timedelta(seconds=31)):
            connecter(client, personne)
            assert client.post("/connexion/code/", {"code": code_de(self.secret)})["Location"] == "/espace/"
            assert client.get("/espace/").status_code == 200

    def test_un_code_ne_sert_pas_deux_fois(self, client, personne) -> None:
        with time_machine.travel(timezone.now() + timedelta(seconds=31), tick=False):
            code = code_de(self.secret)
            connecter(client, personne)
            client.post("/connexion/code/", {"code": code})
            client.post("/deconnexion/")
            connecter(client, personne)
            assert "Code incorrect." in client.post("/connexion/code/", {"code": code}).content.decode()

    def test_un_code_de_secours_ouvre_une_seule_fois(self, client, personne) -> None:
        assert len(self.secours) == 10
        connecter(client, personne)
        assert client.post("/connexion/code/", {"code": self.secours[0]})["Location"] == "/espace/"
        client.post("/deconnexion/")
        connecter(client, personne)
        assert client.post("/connexion/code/", {"code": self.secours[0]}).status_code != 302

    def test_les_codes_essayes_au_hasard_sont_arretes(self, client, personne) -> None:
        connecter(client, personne)
        pages = [client.post("/connexion/code/", {"code": f"{n:06d}"}).content.decode() for n in range(7)]
        assert "Code incorrect." in pages[0]
        assert "Code incorrect." not in pages[-1]
        assert "_auth_user_id" not in client.session
