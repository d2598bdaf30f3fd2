"""La session qui glisse, qui prévient, qui finit ; une requête de fond n’est jamais redirigée."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from comptes.choix import Role
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture
def connectee(entrer):
    return entrer(habiliter(StructureFactory(), Role.DIRECTION))


def test_prolonger_dit_combien_il_reste(connectee, settings) -> None:
    reponse = connectee.post("/session/prolonger/", headers={"Accept": "application/json"})
    assert reponse.json() == {"expire_dans": settings.SESSION_COOKIE_AGE} == {"expire_dans": 3600}


def test_prolonger_ne_se_fait_pas_par_un_lien(connectee) -> None:
    assert connectee.get("/session/prolonger/").status_code == 405


@pytest.mark.parametrize(
    "entetes", [{"HX-Request": "true"}, {"X-Requested-With": "XMLHttpRequest"}, {"Accept": "application/json"}]
)
def test_une_requete_de_fond_sans_session_recoit_401_et_une_phrase(client, entetes) -> None:
    for methode in (client.get, client.post):
        reponse = methode("/espace/", headers=entetes)
        assert reponse.status_code == 401
        assert reponse.json() == {"erreur": "Votre session est finie. Reconnectez-vous, rien n’est perdu."}


def test_une_page_sans_session_mene_a_la_connexion_et_y_revient(client) -> None:
    assert client.get("/structures/?q=a")["Location"] == "/connexion/?next=/structures/%3Fq%3Da"


def test_la_session_glisse_et_finit_une_heure_apres_la_derniere_requete(connectee) -> None:
    depart = timezone.now()
    with time_machine.travel(depart + timedelta(minutes=50)):
        assert connectee.get("/espace/").status_code == 200
    with time_machine.travel(depart + timedelta(minutes=100)):
        assert connectee.get("/espace/").status_code == 200
    with time_machine.travel(depart + timedelta(minutes=161)):
        from django.contrib.sessions.models import Session
        from django.core.cache import cache

        cache.clear()  # l’horloge du cache est celle du serveur : on ne garde que celle de la base
        assert Session.objects.exists()
        assert connectee.get("/espace/").status_code == 302


def test_la_page_dit_au_navigateur_la_duree_et_le_preavis(connectee) -> None:
    page = connectee.get("/espace/").content.decode()
    assert 'data-session-duree="3600" data-session-preavis="300"' in page
    assert 'data-session-prolonger="/session/prolonger/"' in page


def test_un_agent_n_a_pas_de_structure_courante(entrer) -> None:
    client = entrer(agent(Role.CHARGE_CONSEIL))
    assert client.get("/espace/").context["structure_courante"] == None  # noqa: E711 — objet paresseux


def test_changer_de_structure_sans_se_reconnecter(entrer) -> None:
    premiere, seconde = StructureFactory(nom="Les Arbres"), StructureFactory(nom="Les Bois")
    directrice = habiliter(premiere, Role.DIRECTION)
    habiliter(seconde, Role.DIRECTION, utilisateur=directrice)
    client = entrer(directrice)
    assert client.get("/espace/").context["structure"] == premiere

    assert client.post("/structure-courante/", {"structure": seconde.pk})["Location"] == "/espace/"

    assert client.get("/espace/").context["structure"] == seconde


@pytest.mark.parametrize("saisie", ["", "abc", "-1", "999999", "²", "1\x00", "9" * 40])
def test_une_structure_inconnue_ou_mal_ecrite_n_existe_pas(entrer, saisie) -> None:
    client = entrer(habiliter(StructureFactory(), Role.SAISIE))
    assert client.post("/structure-courante/", {"structure": saisie}).status_code == 404


def test_la_structure_d_un_autre_n_existe_pas(entrer) -> None:
    client = entrer(habiliter(StructureFactory(), Role.DIRECTION))
    autre = StructureFactory()
    assert client.post("/structure-courante/", {"structure": autre.pk}).status_code == 404
    assert client.get("/espace/").context["structure"] != autre


def test_la_structure_choisie_puis_fermee_laisse_place_a_une_autre(entrer) -> None:
    premiere, seconde = StructureFactory(nom="Les Arbres"), StructureFactory(nom="Les Bois")
    directrice = habiliter(premiere, Role.DIRECTION)
    habiliter(seconde, Role.DIRECTION, utilisateur=directrice)
    client = entrer(directrice)
    client.post("/structure-courante/", {"structure": seconde.pk})

    seconde.habilitations.update(fin=timezone.localdate() - timedelta(days=1))

    assert client.get("/espace/").context["structure"] == premiere
