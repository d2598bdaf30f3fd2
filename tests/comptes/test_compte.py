"""La page « Mon compte » et les rôles que l’on tient."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from comptes.models import Fonction, Utilisateur
from tests.fabriques.comptes import UtilisateurFactory, agent
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db
AUJOURD_HUI = timezone.localdate


def test_on_corrige_son_nom_et_son_telephone(entrer) -> None:
    directrice = habiliter(StructureFactory(), Role.DIRECTION)

    reponse = entrer(directrice).post("/compte/", {"prenom": "Zoé", "nom": "L’Hôte", "telephone": "02 41 00 00 00"})

    assert reponse["Location"] == "/compte/"
    directrice.refresh_from_db()
    assert (directrice.prenom, directrice.nom, directrice.telephone) == ("Zoé", "L’Hôte", "02 41 00 00 00")


def test_la_page_ne_change_ni_l_adresse_ni_un_droit(entrer) -> None:
    directrice = habiliter(StructureFactory(), Role.SAISIE)
    courriel = directrice.courriel

    entrer(directrice).post(
        "/compte/",
        {"prenom": "Zoé", "nom": "Roy", "courriel": "autre@exemple.invalid", "is_active": "", "role": "administrateur"},
    )

    directrice = Utilisateur.objects.get(pk=directrice.pk)
    assert directrice.courriel == courriel
    assert directrice.roles == {Role.SAISIE}


@pytest.mark.parametrize(
    "saisie",
    [{"prenom": "", "nom": "Roy"}, {"prenom": "Zoé", "nom": "R" * 101}, {"prenom": "Zo\x00é", "nom": "Roy"},
     {"prenom": "Zoé", "nom": "Roy", "telephone": "0" * 100_000}],
)  # fmt: skip
def test_une_mauvaise_saisie_est_expliquee_et_rien_n_est_perdu(entrer, saisie) -> None:
    reponse = entrer(habiliter(StructureFactory(), Role.DIRECTION)).post("/compte/", saisie)
    assert reponse.status_code == 422
    assert reponse.context["form"].errors
    assert reponse.context["form"]["nom"].value() == saisie["nom"]


def test_la_page_coute_autant_de_requetes_pour_une_et_huit_habilitations(entrer) -> None:
    def requetes(nombre: int) -> int:
        directrice = UtilisateurFactory()
        for _ in range(nombre):
            habiliter(StructureFactory(), Role.DIRECTION, utilisateur=directrice)
        client = entrer(directrice)
        with CaptureQueriesContext(connection) as journal:
            assert client.get("/compte/").status_code == 200
        return len(journal)

    assert requetes(1) == requetes(8)


def test_un_role_ne_vaut_que_pendant_sa_periode() -> None:
    jour = AUJOURD_HUI()
    personne = UtilisateurFactory()
    for role, debut, fin in [
        (Role.CONTROLEUR, jour - timedelta(days=9), jour - timedelta(days=1)),
        (Role.SECRETARIAT, jour, jour),
        (Role.RESPONSABLE, jour + timedelta(days=1), None),
        (Role.CHARGE_CONSEIL, jour - timedelta(days=9), None),
    ]:
        Fonction.objects.create(utilisateur=personne, role=role, debut=debut, fin=fin)

    assert personne.roles == {Role.SECRETARIAT, Role.CHARGE_CONSEIL}
    assert personne.est_agent


def test_un_compte_ferme_ne_tient_plus_aucun_role() -> None:
    personne = agent(Role.ADMINISTRATEUR)
    personne.is_active = False
    assert Utilisateur(pk=personne.pk, is_active=False).roles == frozenset()


def test_une_fonction_n_est_jamais_un_role_de_partenaire() -> None:
    for role in ROLES_PARTENAIRE:
        with pytest.raises(ValidationError):
            Fonction(utilisateur=UtilisateurFactory(), role=role, debut=AUJOURD_HUI()).full_clean()


def test_la_base_refuse_un_role_de_partenaire_a_la_caf() -> None:
    with pytest.raises(IntegrityError, match="fonction_role_de_la_caf"):
        Fonction.objects.create(utilisateur=UtilisateurFactory(), role=Role.SAISIE, debut=AUJOURD_HUI())


def test_la_base_refuse_une_fonction_a_l_envers() -> None:
    jour = AUJOURD_HUI()
    with pytest.raises(IntegrityError, match="fonction_periode_a_l_endroit"):
        Fonction.objects.create(
            utilisateur=UtilisateurFactory(), role=Role.CONTROLEUR, debut=jour, fin=jour - timedelta(days=1)
        )


@pytest.mark.parametrize("ecart", [-30, 0, 30])
def test_la_base_refuse_deux_fois_le_meme_role_au_meme_moment(ecart) -> None:
    personne = agent(Role.CONTROLEUR)
    with pytest.raises(IntegrityError, match="fonction_sans_doublon"):
        Fonction.objects.create(utilisateur=personne, role=Role.CONTROLEUR, debut=AUJOURD_HUI() + timedelta(days=ecart))


def test_les_roles_se_partagent_entre_la_caf_et_les_partenaires() -> None:
    assert frozenset(Role) == ROLES_CAF | ROLES_PARTENAIRE
    assert not ROLES_CAF & ROLES_PARTENAIRE
