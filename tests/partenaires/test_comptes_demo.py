"""La commande qui dit avec quels comptes essayer le portail."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command

from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from partenaires.demo.comptes import COMPTES_A_ESSAYER, MOT_DE_PASSE, semer_agents, semer_partenaires
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture
def semes(settings):
    settings.PORTAIL_DEMONSTRATION = True
    condense = make_password(MOT_DE_PASSE)
    semer_agents(condense)
    structures = [StructureFactory() for _ in range(5)]
    semer_partenaires(structures, condense)
    return structures


def en_json() -> list[dict]:
    sortie = StringIO()
    call_command("comptes_demo", "--json", stdout=sortie)
    return json.loads(sortie.getvalue())


def test_chaque_compte_dit_son_mot_de_passe_ses_roles_et_ses_structures(semes) -> None:
    comptes = en_json()

    assert {tuple(c) for c in comptes} == {("courriel", "mot_de_passe", "roles", "structures")}
    assert {role for c in comptes for role in c["roles"]} == {role.name for role in Role}
    directrice = next(c for c in comptes if c["courriel"] == "direction@demo.invalid")
    assert directrice["roles"] == ["DIRECTION"]
    assert directrice["structures"] == [s.nom for s in semes[:3]]


def test_les_equipes_ont_la_taille_de_la_caf(semes) -> None:
    effectifs = {role: sum(role.name in c["roles"] for c in en_json()) for role in ROLES_CAF}
    assert effectifs == {
        Role.CHARGE_CONSEIL: 10, Role.TECHNICIEN_CONSEIL: 9, Role.CONTROLEUR: 3, Role.SECRETARIAT: 1,
        Role.RESPONSABLE: 1, Role.ADMINISTRATEUR: 1,
    }  # fmt: skip


def test_le_mot_de_passe_annonce_ouvre_chaque_compte(semes, client) -> None:
    for compte in [c for c in en_json() if c["roles"]][::5]:
        reponse = client.post("/connexion/", {"login": compte["courriel"], "password": compte["mot_de_passe"]})
        assert reponse.status_code == 302, compte
        client.post("/deconnexion/")
    assert len(MOT_DE_PASSE) >= 15


def test_seuls_des_comptes_inventes_sont_montres(semes) -> None:
    reelle = habiliter(semes[0], Role.DIRECTION)
    assert reelle.courriel not in {c["courriel"] for c in en_json()}
    assert all(c["courriel"].endswith("@demo.invalid") for c in en_json())


def test_hors_demonstration_rien_n_est_montre(semes, settings) -> None:
    settings.PORTAIL_DEMONSTRATION = False
    assert en_json() == []


def test_les_comptes_proposes_a_la_connexion_existent(semes, client) -> None:
    assert {c["courriel"] for c in COMPTES_A_ESSAYER} <= set(Utilisateur.objects.values_list("courriel", flat=True))
    assert MOT_DE_PASSE in client.get("/connexion/").content.decode()


def test_hors_demonstration_la_connexion_ne_montre_aucun_compte(client, settings) -> None:
    settings.PORTAIL_DEMONSTRATION = False
    page = client.get("/connexion/").content.decode()
    assert "demo.invalid" not in page
    assert MOT_DE_PASSE not in page


def test_semer_deux_fois_ne_double_rien(semes) -> None:
    avant = Utilisateur.objects.count()
    condense = make_password(MOT_DE_PASSE)
    semer_agents(condense)
    semer_partenaires(semes, condense)
    assert Utilisateur.objects.count() == avant


def test_le_tableau_se_lit_aussi_sans_json(semes) -> None:
    sortie = StringIO()
    call_command("comptes_demo", stdout=sortie)
    assert "direction@demo.invalid" in sortie.getvalue()
    assert ROLES_PARTENAIRE
