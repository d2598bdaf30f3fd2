"""Les agents de la Caf : du premier administrateur, à l’installation, au compte qu’on ferme."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agrements.choix import Etat
from comptes.choix import GesteCompte, Role
from comptes.models import EvenementCompte, Utilisateur
from courriers.models import Envoi
from partenaires import actions_acces, actions_agents
from socle.erreurs import Refus
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db
MOT_DE_PASSE = "une phrase assez longue pour entrer"


def jour(n: int = 0) -> date:
    return timezone.localdate() + timedelta(days=n)


@pytest.fixture
def administratrice() -> Utilisateur:
    return agent(Role.ADMINISTRATEUR)


def inviter(par: Utilisateur, *, courriel: str = "nina.roux@caf.invalid", roles: tuple[str, ...] = ("responsable",)):
    return actions_agents.inviter_un_agent(
        courriel=courriel, prenom="Nina", nom="Roux", roles=list(roles), debut=jour(), par=par
    )


def lien_de(personne: Utilisateur) -> str:
    dernier = Envoi.objects.filter(adresse=personne.courriel).order_by("-pk").first()
    return re.search(r"/invitation/\S+", dernier.texte).group()


# --- L’installation -------------------------------------------------------------------------------------------------
def test_le_premier_administrateur_s_ouvre_a_l_installation_et_entre_par_son_lien(capsys):
    call_command("creer_administrateur", "admin@caf.invalid", "Ada", "Min")
    chemin = re.search(r"(/invitation/\S+)", capsys.readouterr().out).group(1)
    client = Client()
    reponse = client.post(chemin, {"mot_de_passe": MOT_DE_PASSE, "confirmation": MOT_DE_PASSE})
    assert reponse.status_code == 302, reponse.content.decode()
    personne = Utilisateur.objects.get(courriel="admin@caf.invalid")
    assert personne.roles == {Role.ADMINISTRATEUR}
    assert personne.check_password(MOT_DE_PASSE)
    assert EvenementCompte.objects.get().par is None


def test_la_commande_ne_double_pas_un_administrateur(administratrice):
    with pytest.raises(CommandError, match="existe déjà"):
        call_command("creer_administrateur", "autre@caf.invalid", "Ada", "Min")
    call_command("creer_administrateur", "autre@caf.invalid", "Ada", "Min", "--encore")
    with pytest.raises(CommandError, match="déjà un compte"):
        call_command("creer_administrateur", "autre@caf.invalid", "Ada", "Min", "--encore")


# --- Inviter --------------------------------------------------------------------------------------------------------
def test_inviter_un_agent_ouvre_son_compte_et_lui_ecrit(administratrice, entrer):
    client = entrer(administratrice)
    champs = {
        "prenom": "Nina", "nom": "Roux", "courriel": "nina.roux@caf.invalid", "debut": jour().isoformat(),
        "roles": ["charge_conseil", "responsable"],
    }  # fmt: skip
    assert client.post(reverse("partenaires:inviter_agent"), champs).status_code == 302
    nina = Utilisateur.objects.get(courriel="nina.roux@caf.invalid")
    assert nina.roles == {Role.CHARGE_CONSEIL, Role.RESPONSABLE}
    assert "/invitation/" in lien_de(nina)
    page = client.get(reverse("partenaires:agents")).content.decode()
    assert "nina.roux@caf.invalid" in page
    assert "Invité" in page


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"roles": []}, "obligatoire"),
        ({"roles": ["direction"]}, "Sélectionnez un choix valide"),
        ({"courriel": "sans-arobase"}, "valide"),
        ({"courriel": "PRISE@caf.invalid"}, "déjà un compte"),
        ({"debut": "31/02/2027"}, "date valide"),
    ],
)
def test_une_invitation_fausse_est_refusee_sans_rien_perdre(administratrice, entrer, champs, phrase):
    agent(Role.CONTROLEUR, courriel="prise@caf.invalid")
    bons = {"prenom": "Nina", "nom": "Roux", "courriel": "n@caf.invalid", "debut": jour().isoformat(),
            "roles": ["responsable"]}  # fmt: skip
    reponse = entrer(administratrice).post(reverse("partenaires:inviter_agent"), bons | champs)
    assert reponse.status_code == 422
    assert phrase in reponse.content.decode()
    assert 'value="Nina"' in reponse.content.decode()
    assert not EvenementCompte.objects.exists()


def test_une_invitation_renvoyee_perime_la_precedente(administratrice):
    nina = inviter(administratrice)
    premier = lien_de(nina)
    actions_agents.renvoyer_l_invitation_d_un_agent(nina, par=administratrice)
    second = lien_de(nina)
    assert premier != second
    perime = Client().get(premier)
    assert perime.status_code == 410
    assert "lien plus récent" in perime.content.decode()
    envoi = {"mot_de_passe": MOT_DE_PASSE, "confirmation": MOT_DE_PASSE}
    assert Client().post(second, envoi).status_code == 302
    with pytest.raises(Refus, match="déjà choisi"):
        actions_agents.renvoyer_l_invitation_d_un_agent(nina, par=administratrice)


def test_l_invitation_d_un_partenaire_renvoyee_perime_la_precedente():
    structure, responsable = StructureFactory(), agent(Role.RESPONSABLE)
    acces = actions_acces.inviter(
        structure, courriel="ana@exemple.invalid", prenom="Ana", nom="Roy", role=Role.DIRECTION, debut=jour(),
        par=responsable,
    )  # fmt: skip
    premier = lien_de(acces.utilisateur)
    Envoi.objects.update(cree_le=timezone.now() - timedelta(hours=1))
    actions_acces.renvoyer_l_invitation(acces, par=responsable)
    assert Client().get(premier).status_code == 410
    assert Client().get(lien_de(acces.utilisateur)).status_code == 200


# --- Rôles ----------------------------------------------------------------------------------------------------------
def test_un_role_se_donne_et_se_retire_avec_sa_trace(administratrice, entrer):
    nina = agent(Role.CHARGE_CONSEIL)
    client = entrer(administratrice)
    adresse = reverse("partenaires:donner_role", args=[nina.pk])
    assert client.post(adresse, {"role": "responsable", "debut": jour().isoformat()}).status_code == 302
    assert Utilisateur.objects.get(pk=nina.pk).roles == {Role.CHARGE_CONSEIL, Role.RESPONSABLE}
    double = client.post(adresse, {"role": "responsable", "debut": jour().isoformat()})
    assert double.status_code == 422
    assert "tient déjà ce rôle" in double.content.decode()
    fonction = nina.fonctions.get(role=Role.CHARGE_CONSEIL)
    retrait = reverse("partenaires:retirer_role", args=[nina.pk, fonction.pk])
    assert client.post(retrait, {"fin": jour().isoformat()}).status_code == 302
    assert Utilisateur.objects.get(pk=nina.pk).roles == {Role.RESPONSABLE}
    gestes = EvenementCompte.objects.filter(agent=nina).values_list("geste", flat=True)
    assert list(gestes) == [GesteCompte.RETIRER_ROLE, GesteCompte.DONNER_ROLE]


def test_un_role_ne_se_reecrit_pas_dans_le_passe(administratrice):
    nina = agent(Role.CHARGE_CONSEIL)
    with pytest.raises(Refus, match="aujourd’hui ou plus tard"):
        actions_agents.donner_un_role(nina, role="responsable", debut=jour(-1), par=administratrice)
    with pytest.raises(Refus, match="ne se réécrit pas"):
        actions_agents.retirer_un_role(nina.fonctions.get(), fin=jour(-1), par=administratrice)
    with pytest.raises(Refus, match="rôle de la Caf"):
        actions_agents.donner_un_role(nina, role="direction", debut=jour(), par=administratrice)


@pytest.mark.parametrize("role", [Role.RESPONSABLE, Role.CHARGE_CONSEIL])
def test_seul_l_administrateur_gere_les_comptes(role):
    with pytest.raises(PermissionDenied):
        inviter(agent(role))


# --- Fermer ---------------------------------------------------------------------------------------------------------
def test_fermer_un_compte_coupe_la_session_en_cours(administratrice, entrer):
    nina = agent(Role.CHARGE_CONSEIL)
    client = entrer(nina)
    assert client.get(reverse("accueil:espace")).status_code == 200
    actions_agents.fermer_le_compte(nina, motif="Mutation.", par=administratrice)
    assert client.get(reverse("accueil:espace")).status_code == 302
    fiche = entrer(administratrice).get(reverse("partenaires:agent", args=[nina.pk])).content.decode()
    assert "Mutation." in fiche
    actions_agents.rouvrir_le_compte(nina, par=administratrice)
    assert Utilisateur.objects.get(pk=nina.pk).is_active


def test_on_ne_ferme_ni_ne_desarme_son_propre_compte(administratrice):
    for geste in (
        lambda: actions_agents.fermer_le_compte(administratrice, motif="x", par=administratrice),
        lambda: actions_agents.retirer_un_role(administratrice.fonctions.get(), fin=jour(), par=administratrice),
        lambda: actions_agents.oublier_le_second_facteur(administratrice, motif="x", par=administratrice),
    ):
        with pytest.raises(Refus):
            geste()
    assert Utilisateur.objects.get(pk=administratrice.pk).tient(Role.ADMINISTRATEUR)


@pytest.mark.django_db(transaction=True)
def test_deux_administratrices_qui_se_ferment_ensemble_il_en_reste_une():
    une, autre = agent(Role.ADMINISTRATEUR), agent(Role.ADMINISTRATEUR)
    fermes, refus = reussites_et_refus(
        lambda: actions_agents.fermer_le_compte(autre, motif="x", par=une) or True,
        lambda: actions_agents.fermer_le_compte(une, motif="x", par=autre) or True,
    )
    assert (len(fermes), len(refus)) == (1, 1)
    assert Utilisateur.objects.filter(is_active=True, pk__in=[une.pk, autre.pk]).count() == 1


def test_un_second_facteur_perdu_s_oublie_avec_sa_raison(administratrice, entrer):
    nina = agent(Role.TECHNICIEN_CONSEIL)
    Authenticator.objects.create(user=nina, type=Authenticator.Type.TOTP, data={"secret": "x"})
    adresse = reverse("partenaires:geste_agent", args=[nina.pk, "oublier-second-facteur"])
    client = entrer(administratrice)
    assert client.post(adresse, {"motif": "  "}).status_code == 422
    assert Authenticator.objects.filter(user=nina).exists()
    assert client.post(adresse, {"motif": "Téléphone volé, rappelée au bureau."}).status_code == 302
    assert not Authenticator.objects.filter(user=nina).exists()
    assert client.post(adresse, {"motif": "Encore."}).status_code == 422


def test_le_journal_des_comptes_ne_se_recrit_pas(administratrice):
    inviter(administratrice)
    with pytest.raises(DatabaseError), transaction.atomic():
        EvenementCompte.objects.update(details="rien")
    with pytest.raises(DatabaseError), transaction.atomic():
        EvenementCompte.objects.all().delete()


# --- Les écrans -----------------------------------------------------------------------------------------------------
def test_une_personne_d_un_centre_n_est_pas_un_agent(administratrice, entrer):
    directrice = habiliter(StructureFactory(), Role.DIRECTION)
    client = entrer(administratrice)
    assert client.get(reverse("partenaires:agent", args=[directrice.pk])).status_code == 404
    assert client.post(reverse("partenaires:geste_agent", args=[directrice.pk, "fermer"])).status_code == 404
    assert directrice.courriel not in client.get(reverse("partenaires:agents")).content.decode()


@pytest.mark.parametrize(
    ("filtre", "noms"),
    [
        ({"q": "eloise"}, ["Éloïse"]),
        ({"role": "controleur"}, ["Bob"]),
        ({"etat": "fermes"}, ["Bob"]),
        ({"q": "zz"}, []),
    ],
)
def test_les_agents_se_cherchent_sans_accents_et_se_filtrent(administratrice, entrer, filtre, noms):
    agent(Role.CHARGE_CONSEIL, prenom="Éloïse", nom="Aube")
    agent(Role.CONTROLEUR, prenom="Bob", nom="Bois", is_active=False)
    page = entrer(administratrice).get(reverse("partenaires:agents"), filtre).context["page"]
    assert [a.prenom for a in page] == noms


@pytest.mark.parametrize("nombre", [1, 20])
def test_la_liste_des_agents_coute_autant_pour_un_que_pour_vingt(
    administratrice, entrer, nombre, django_assert_num_queries
):
    for _ in range(nombre):
        agent(Role.CHARGE_CONSEIL)
    client = entrer(administratrice)
    client.get(reverse("partenaires:agents"))
    with django_assert_num_queries(7):
        client.get(reverse("partenaires:agents"))


def test_fermer_un_compte_dit_d_abord_ce_que_la_personne_suit(administratrice, entrer):
    theatre = Theatre()
    theatre.mener(Etat.DEPOSE)
    client = entrer(administratrice)
    adresse = reverse("partenaires:geste_agent", args=[theatre.charge.pk, "fermer"])
    page = client.get(adresse).content.decode()
    assert "Cette personne suit encore : 1 commune, 1 dossier ouvert." in page
    assert reverse("partenaires:secteurs") in page
    client.post(adresse, {"motif": "Départ en retraite."})
    fiche = client.get(reverse("partenaires:agent", args=[theatre.charge.pk])).content.decode()
    assert "Donner un rôle" not in fiche
    libre = reverse("partenaires:geste_agent", args=[agent(Role.CONTROLEUR).pk, "fermer"])
    assert "suit encore" not in client.get(libre).content.decode()
