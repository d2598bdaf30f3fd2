"""Le lien d’invitation : signé, à usage unique, quatorze jours ; il ouvre un mot de passe, pas un droit."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from comptes.actions import InvitationPerimee, accepter_invitation, jeton_d_invitation, lire_invitation
from comptes.models import Utilisateur

pytestmark = pytest.mark.django_db
PHRASE = "les tilleuls sentent bon"


@pytest.fixture
def invitee():
    return Utilisateur.objects.creer("Neuve@exemple.invalid ", prenom="Ana", nom="Roy")


def lien(personne) -> str:
    return reverse("comptes:accepter_invitation", args=[jeton_d_invitation(personne)])


def test_une_personne_invitee_n_a_pas_de_mot_de_passe_et_n_entre_pas(client, invitee) -> None:
    assert invitee.courriel == "neuve@exemple.invalid"
    assert not invitee.has_usable_password()
    for essai in ("", "!", PHRASE):
        client.post("/connexion/", {"login": invitee.courriel, "password": essai})
        assert "_auth_user_id" not in client.session


def test_elle_choisit_son_mot_de_passe_puis_se_connecte(client, invitee) -> None:
    adresse = lien(invitee)
    page = client.get(adresse)
    assert page.status_code == 200
    assert "Ana Roy" in page.content.decode()
    assert "no-store" in page["Cache-Control"]

    assert client.post(adresse, {"mot_de_passe": PHRASE, "confirmation": PHRASE})["Location"] == "/connexion/"

    reponse = client.post("/connexion/", {"login": invitee.courriel, "password": PHRASE})
    assert reponse["Location"] == "/espace/"


def test_lire_le_lien_ne_l_use_pas(client, invitee) -> None:
    adresse = lien(invitee)
    assert [client.get(adresse).status_code for _ in range(3)] == [200, 200, 200]


def test_le_lien_ne_sert_qu_une_fois(client, invitee) -> None:
    adresse = lien(invitee)
    client.post(adresse, {"mot_de_passe": PHRASE, "confirmation": PHRASE})

    for reponse in (client.get(adresse), client.post(adresse, {"mot_de_passe": "une autre phrase longue"})):
        assert reponse.status_code == 410
        assert "Ce lien a déjà servi" in reponse.content.decode()
    invitee.refresh_from_db()
    assert invitee.check_password(PHRASE)


def test_deux_liens_envoyes_le_premier_qui_sert_use_l_autre(invitee) -> None:
    premier, second = jeton_d_invitation(invitee), jeton_d_invitation(invitee)
    accepter_invitation(second, mot_de_passe=PHRASE)
    with pytest.raises(InvitationPerimee, match="déjà servi"):
        accepter_invitation(premier, mot_de_passe="une autre phrase longue")


@pytest.mark.parametrize(("jours", "vaut"), [(13, True), (15, False)])
def test_le_lien_vaut_quatorze_jours(client, invitee, jours, vaut) -> None:
    adresse = lien(invitee)
    with time_machine.travel(timezone.now() + timedelta(days=jours)):
        reponse = client.get(adresse)
    assert reponse.status_code == (200 if vaut else 410)
    assert vaut or "plus de 14 jours" in reponse.content.decode()


def test_un_lien_recopie_de_travers_le_dit(client, invitee) -> None:
    jeton = jeton_d_invitation(invitee)
    for abime in (jeton[:-1], jeton[1:], "x", "é" * 20, f"{jeton}.{jeton}"):
        reponse = client.get(reverse("comptes:accepter_invitation", args=[abime]))
        assert reponse.status_code == 410
        assert "incomplet" in reponse.content.decode()


def test_un_compte_ferme_depuis_ne_s_ouvre_pas(invitee) -> None:
    jeton = jeton_d_invitation(invitee)
    Utilisateur.objects.filter(pk=invitee.pk).update(is_active=False)
    with pytest.raises(InvitationPerimee):
        lire_invitation(jeton)


@pytest.mark.parametrize(
    ("mot_de_passe", "confirmation", "phrase"),
    [
        ("xyz-14-signes!", "xyz-14-signes!", "15 caractères"),
        (PHRASE, "les tilleuls sentent", "Les deux mots de passe sont différents."),
        (PHRASE, "", "Ce champ est obligatoire."),
    ],
)
def test_un_mot_de_passe_refuse_garde_le_lien(client, invitee, mot_de_passe, confirmation, phrase) -> None:
    adresse = lien(invitee)

    reponse = client.post(adresse, {"mot_de_passe": mot_de_passe, "confirmation": confirmation})

    assert reponse.status_code == 422
    assert phrase in reponse.content.decode()
    assert mot_de_passe not in reponse.content.decode(), "un mot de passe ne revient jamais dans la page"
    assert client.get(adresse).status_code == 200


def test_les_espaces_et_les_accents_du_mot_de_passe_comptent(client, invitee) -> None:
    exact = "  été 🌞 à la mer  "
    client.post(lien(invitee), {"mot_de_passe": exact, "confirmation": exact})
    invitee.refresh_from_db()
    assert invitee.check_password(exact)
    assert not invitee.check_password(exact.strip())
