"""Les refus d’allauth parlent en 422, les liens partent de l’adresse publique, une adresse d’envoi ne se visite pas."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from courriers.models import Envoi
from partenaires import actions_acces
from socle.erreurs import Refus
from tests.fabriques.comptes import MOT_DE_PASSE, UtilisateurFactory, agent
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


def test_une_connexion_refusee_repond_422_avec_sa_phrase(client):
    reponse = client.post("/connexion/", {"login": "x@exemple.invalid", "password": "faux"})
    assert reponse.status_code == 422
    assert "Adresse ou mot de passe faux" in reponse.content.decode()


def test_une_connexion_juste_entre_toujours(client):
    personne = agent(Role.RESPONSABLE)
    assert client.post("/connexion/", {"login": personne.courriel, "password": MOT_DE_PASSE}).status_code == 302


def test_un_mot_de_passe_trop_court_repond_422(entrer):
    reponse = entrer(agent(Role.RESPONSABLE)).post(
        "/compte/mot-de-passe/", {"oldpassword": MOT_DE_PASSE, "password1": "court", "password2": "court"}
    )
    assert reponse.status_code == 422


def test_le_lien_de_mot_de_passe_ignore_l_en_tete_host(client, settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PORTAIL_ADRESSE = "https://portail.exemple.invalid"
    personne = UtilisateurFactory()
    client.post("/mot-de-passe/oublie/", {"email": personne.courriel}, headers={"Host": "pirate.invalid"})
    lien = re.search(r"https?://\S+", mail.outbox[0].body).group()
    assert lien.startswith("https://portail.exemple.invalid/mot-de-passe/nouveau/")
    assert "pirate" not in mail.outbox[0].body
    page = client.get(lien.removeprefix("https://portail.exemple.invalid"), follow=True)
    assert "password1" in page.content.decode()


def test_une_adresse_d_envoi_sans_session_mene_a_la_connexion_puis_a_l_espace(client):
    assert client.post(reverse("partenaires:choisir_structure"), {"structure": "1"})["Location"] == "/connexion/"


def test_un_agent_ne_desactive_pas_le_second_facteur_qui_lui_est_du(entrer, settings):
    settings.SECOND_FACTEUR_AGENTS = True
    reponse = entrer(agent(Role.CONTROLEUR)).post("/compte/second-facteur/desactiver/")
    assert reponse.status_code in (302, 403)
    settings.SECOND_FACTEUR_AGENTS = False
    assert entrer(agent(Role.CONTROLEUR)).get("/compte/second-facteur/desactiver/").status_code != 403


def inviter(structure, **champs):
    return actions_acces.inviter(
        structure, courriel="zoe@exemple.invalid", prenom="Zoé", nom="Neuve", role=Role.SAISIE,
        debut=timezone.localdate(), par=agent(Role.RESPONSABLE), **champs,
    )  # fmt: skip


def test_un_compte_ferme_ne_s_invite_pas():
    UtilisateurFactory(courriel="zoe@exemple.invalid", is_active=False)
    with pytest.raises(Refus, match="fermé"):
        inviter(StructureFactory())


def test_une_invitation_perdue_se_renvoie_mais_pas_sans_fin(entrer):
    structure = StructureFactory()
    habilitation = inviter(structure)
    client = entrer(habiliter(structure, Role.REPRESENTANT_LEGAL))
    url = reverse("partenaires:renvoyer_invitation", args=[structure.pk, habilitation.pk])
    assert "attendez dix minutes" in client.post(url, follow=True).content.decode()
    Envoi.objects.update(cree_le=timezone.now() - timedelta(minutes=11))
    client.post(url)
    assert Envoi.objects.filter(cle__startswith=f"invitation-{habilitation.pk}-").count() == 2


def test_la_passation_vers_la_directrice_en_place_est_refusee():
    structure = StructureFactory()
    directrice = habiliter(structure, Role.DIRECTION)
    with pytest.raises(Refus, match="dirige déjà"):
        actions_acces.passer_la_direction(
            structure, courriel=directrice.courriel, prenom="x", nom="y", le=timezone.localdate(),
            par=agent(Role.RESPONSABLE),
        )  # fmt: skip


@pytest.mark.parametrize("relais", [None, 30])
def test_le_dernier_jour_de_l_ancienne_direction_se_choisit(relais):
    structure, jour = StructureFactory(), timezone.localdate()
    ancienne = habiliter(structure, Role.DIRECTION)
    fermeture = jour + timedelta(days=relais) if relais else None
    actions_acces.passer_la_direction(
        structure, courriel="neuve@exemple.invalid", prenom="Neuve", nom="Direction", le=jour, fermeture=fermeture,
        par=agent(Role.RESPONSABLE),
    )  # fmt: skip
    assert ancienne.habilitations.get().fin == (fermeture or jour - timedelta(days=1))


@pytest.mark.django_db(transaction=True)
def test_la_fin_de_session_previent_et_un_clic_prolonge(ouvrir, live_server, settings):
    settings.SESSION_COOKIE_AGE, settings.SESSION_PREAVIS = 60, 58
    personne = agent(Role.RESPONSABLE)
    page = ouvrir()
    page.goto(f"{live_server.url}/connexion/")
    page.fill("[name=login]", personne.courriel)
    page.fill("[name=password]", MOT_DE_PASSE)
    page.click("main button:has-text('Se connecter')")
    page.wait_for_url("**/espace/")
    page.wait_for_selector("#fin-de-session[open]")
    assert "Ce que vous avez saisi est gardé" in page.inner_text("#fin-de-session")
    with page.expect_response("**/session/prolonger/") as reponse:
        page.click("#fin-de-session [data-prolonger]")
    assert reponse.value.ok
    page.wait_for_selector("#fin-de-session[open]", state="hidden")
