"""Entrer, rester, sortir."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from comptes import actions
from comptes.actions import InvitationPerimee, accepter_invitation, jeton_d_invitation, lire_invitation
from comptes.choix import Role
from comptes.models import Utilisateur
from tests.fabriques.comptes import MOT_DE_PASSE, UtilisateurFactory, agent

pytestmark = pytest.mark.django_db


def se_connecter(client, personne, mot_de_passe=MOT_DE_PASSE):
    return client.post(reverse("account_login"), {"login": personne.courriel, "password": mot_de_passe})


def test_on_entre_avec_son_adresse_quelle_que_soit_la_casse(client):
    personne = agent(Role.CHARGE_CONSEIL)
    reponse = client.post(reverse("account_login"), {"login": personne.courriel.upper(), "password": MOT_DE_PASSE})
    assert reponse["Location"] == "/espace/"


def test_une_erreur_ne_dit_pas_si_le_compte_existe(client):
    phrases = []
    for courriel in (agent(Role.RESPONSABLE).courriel, "personne@ailleurs.invalid"):
        page = client.post(reverse("account_login"), {"login": courriel, "password": "faux"}).content.decode()
        phrases.append(re.findall(r"<li>(.*?)</li>", page[page.index("alert-danger") :])[0])
    assert phrases[0] == phrases[1]


def test_les_essais_sont_limites(client):
    personne = agent(Role.RESPONSABLE)
    for _ in range(12):
        reponse = se_connecter(client, personne, "faux")
    assert "Trop d’essais" in reponse.content.decode()
    assert se_connecter(client, personne).status_code != 302


def test_un_compte_ferme_n_entre_pas(client):
    personne = agent(Role.RESPONSABLE)
    Utilisateur.objects.filter(pk=personne.pk).update(is_active=False)
    se_connecter(client, personne)
    assert client.get("/espace/").status_code == 302


@pytest.mark.parametrize(
    ("mot_de_passe", "accepte"),
    [
        ("quatorze signes"[:14], False),
        ("correct cheval batterie agrafe", True),
        ("123456789987654321", False),
        ("aaaaaaaaaaaaaaaaaaaa", True),
    ],
)
def test_un_mot_de_passe_est_long_et_rare_sans_regle_de_composition(client, mot_de_passe, accepte):
    personne = Utilisateur.objects.creer("neuve@exemple.invalid", prenom="Zoé", nom="Neuve")
    jeton = jeton_d_invitation(personne)
    reponse = client.post(
        reverse("comptes:accepter_invitation", args=[jeton]),
        {"mot_de_passe": mot_de_passe, "confirmation": mot_de_passe},
    )
    assert reponse.status_code == (302 if accepte else 422)
    personne.refresh_from_db()
    assert personne.check_password(mot_de_passe) is accepte


def test_une_invitation_ne_sert_qu_une_fois():
    personne = Utilisateur.objects.creer("neuve@exemple.invalid", prenom="Zoé", nom="Neuve")
    jeton = jeton_d_invitation(personne)
    accepter_invitation(jeton, mot_de_passe=MOT_DE_PASSE)
    with pytest.raises(InvitationPerimee, match="déjà servi"):
        lire_invitation(jeton)


def test_une_invitation_de_quinze_jours_a_expire():
    personne = Utilisateur.objects.creer("neuve@exemple.invalid", prenom="Zoé", nom="Neuve")
    jeton = jeton_d_invitation(personne)
    with (
        time_machine.travel(timezone.now() + timedelta(days=15)),
        pytest.raises(InvitationPerimee, match="plus de 14 jours"),
    ):
        lire_invitation(jeton)


def test_un_jeton_abime_a_sa_page(client):
    assert client.get(reverse("comptes:accepter_invitation", args=["abime"])).status_code == 410


def test_le_mot_de_passe_oublie_envoie_un_lien_sans_dire_si_le_compte_existe(client):
    personne = UtilisateurFactory()
    for courriel in (personne.courriel, "inconnu@ailleurs.invalid"):
        reponse = client.post(reverse("account_reset_password"), {"email": courriel})
        assert reponse["Location"] == reverse("account_reset_password_done")
    lien = re.search(r"/mot-de-passe/nouveau/\S+", mail.outbox[0].body).group()
    page = client.get(lien, follow=True)
    neuf = "une toute nouvelle phrase"
    client.post(page.redirect_chain[-1][0], {"password1": neuf, "password2": neuf})
    personne.refresh_from_db()
    assert personne.check_password(neuf)


def test_une_requete_de_fond_sans_session_recoit_401_et_non_une_redirection(client):
    reponse = client.post("/dossiers/1/champs/presentation/", headers={"Accept": "application/json"})
    assert (reponse.status_code, "Rien" in reponse.json()["erreur"] or "rien" in reponse.json()["erreur"]) == (
        401,
        True,
    )


def test_prolonger_la_session_dit_combien_il_reste(entrer, settings):
    reponse = entrer(agent(Role.RESPONSABLE)).post(reverse("comptes:prolonger"))
    assert reponse.json() == {"expire_dans": settings.SESSION_COOKIE_AGE}


def test_les_pages_privees_ne_se_gardent_pas_en_cache(entrer):
    reponse = entrer(agent(Role.RESPONSABLE)).get("/espace/")
    assert "no-store" in reponse["Cache-Control"]
    assert reponse["X-Frame-Options"] == "DENY"
    assert "unsafe" not in reponse["Content-Security-Policy"]


def test_trace_est_refuse(client):
    assert client.generic("TRACE", "/").status_code == 405


def test_un_agent_sans_second_facteur_ne_va_nulle_part_ailleurs(client, settings):
    settings.SECOND_FACTEUR_AGENTS = True
    personne = agent(Role.CHARGE_CONSEIL)
    se_connecter(client, personne)
    assert client.get("/espace/")["Location"] == reverse("mfa_activate_totp")
    assert client.get("/dossiers/")["Location"] == reverse("mfa_activate_totp")


def test_un_agent_active_son_second_facteur_puis_entre_avec_un_code(client, settings):
    settings.SECOND_FACTEUR_AGENTS = True
    personne = agent(Role.CHARGE_CONSEIL)
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(personne, secret)
    reponse = se_connecter(client, personne)
    assert reponse["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get("/espace/").status_code == 302

    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert client.get("/espace/").status_code == 200


def test_chacun_corrige_ses_coordonnees_et_rien_d_autre(entrer):
    personne = agent(Role.CHARGE_CONSEIL)
    reponse = entrer(personne).post(
        reverse("comptes:compte"),
        {"prenom": "Zoé", "nom": "Nouvelle", "telephone": "02 41 00 00 00", "courriel": "pirate@x.fr"},
    )
    assert reponse.status_code == 302
    personne.refresh_from_db()
    assert (personne.nom, personne.courriel.endswith("@exemple.invalid")) == ("Nouvelle", True)
    assert actions.DUREE_INVITATION == 1_209_600
