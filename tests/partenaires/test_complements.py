"""Gestionnaires, contacts, territoire, fermeture : ce qui complète une fiche."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from partenaires.models import Gestionnaire, QuartierPrioritaire, Structure
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import CommuneFactory, StructureFactory, habiliter
from tests.parcours.personne import Personne

pytestmark = pytest.mark.django_db
GESTIONNAIRE = {"nom": "Les Amis du lac", "statut": "association", "siren": "", "siret": "", "rna": "", "adresse": "",
                "code_postal": "", "ville": "Angers", "version": 1}  # fmt: skip


def test_un_gestionnaire_se_cree_une_fois(entrer):
    client, url = entrer(agent(Role.CHARGE_CONSEIL)), reverse("partenaires:creer_gestionnaire")
    assert client.post(url, GESTIONNAIRE)["Location"] == reverse("partenaires:creer")
    reponse = client.post(url, GESTIONNAIRE)
    assert (reponse.status_code, "existe déjà" in reponse.content.decode()) == (422, True)
    assert Gestionnaire.objects.filter(nom="Les Amis du lac").count() == 1


def test_un_gestionnaire_au_siren_faux_est_refuse_pres_du_champ(entrer):
    reponse = entrer(agent(Role.TECHNICIEN_CONSEIL)).post(
        reverse("partenaires:creer_gestionnaire"), GESTIONNAIRE | {"siren": "123456789"}
    )
    assert reponse.status_code == 422
    assert "Ce SIREN n’existe pas" in reponse.content.decode()


def test_la_direction_tient_ses_contacts_a_jour(entrer):
    structure = StructureFactory()
    client = entrer(habiliter(structure, Role.DIRECTION))
    champs = {"nom": "Zoé Accueil", "fonction": "accueil", "courriel": "z@exemple.invalid", "telephone": ""}
    client.post(reverse("partenaires:ajouter_contact", args=[structure.pk]), champs)
    contact = structure.contacts.get()
    client.post(
        reverse("partenaires:modifier_contact", args=[structure.pk, contact.pk]), champs | {"fonction": "secrétariat"}
    )
    contact.refresh_from_db()
    assert contact.fonction == "secrétariat"
    client.post(reverse("partenaires:retirer_contact", args=[structure.pk, contact.pk]))
    assert not structure.contacts.exists()
    assert structure.evenements.count() == 3


def test_le_contact_d_une_autre_structure_est_introuvable(entrer):
    sienne, autre = StructureFactory(), StructureFactory()
    contact = autre.contacts.create(nom="X", fonction="y")
    client = entrer(habiliter(sienne, Role.DIRECTION))
    assert client.post(reverse("partenaires:retirer_contact", args=[sienne.pk, contact.pk])).status_code == 404
    assert autre.contacts.exists()


def test_le_territoire_garde_toujours_la_commune_de_la_structure(entrer):
    structure = StructureFactory()
    cholet = CommuneFactory(code_insee="49099", nom="Cholet")
    quartier = QuartierPrioritaire.objects.create(code="QN04901M", nom="Favreau", commune=cholet)
    entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:territoire", args=[structure.pk]), {"communes": ["49099"], "quartiers": [quartier.pk]}
    )
    assert set(structure.communes_intervention.all()) == {structure.commune, cholet}
    assert list(structure.quartiers_prioritaires.all()) == [quartier]


def test_une_direction_ne_regle_pas_son_territoire(entrer):
    structure = StructureFactory()
    client = entrer(habiliter(structure, Role.DIRECTION))
    assert client.get(reverse("partenaires:territoire", args=[structure.pk])).status_code == 403


@pytest.mark.parametrize("decalage", [0, -30])
def test_une_structure_fermee_quitte_les_listes_et_garde_son_histoire(entrer, decalage):
    structure, chef = StructureFactory(), agent(Role.RESPONSABLE)
    client = entrer(chef)
    le = timezone.localdate() + timedelta(days=decalage)
    url = reverse("partenaires:fermer", args=[structure.pk])
    assert client.post(url, {"le": le.isoformat(), "motif": "Fusion."}).status_code == 302
    assert not Structure.objects.ouvertes().filter(pk=structure.pk).exists()
    assert "Fusion." in client.get(structure.get_absolute_url(), {"onglet": "journal"}).content.decode()
    assert client.post(url, {"le": le.isoformat(), "motif": "Encore."}).status_code == 422


def test_une_fermeture_dans_l_avenir_est_refusee(entrer):
    demain = timezone.localdate() + timedelta(days=1)
    reponse = entrer(agent(Role.RESPONSABLE)).post(
        reverse("partenaires:fermer", args=[StructureFactory().pk]), {"le": demain.isoformat(), "motif": "x"}
    )
    assert reponse.status_code == 422


def test_le_territoire_se_choisit_par_intercommunalite_et_garde_une_saisie_refusee(entrer):
    structure = StructureFactory()
    voisine = CommuneFactory(code_insee="49129", nom="Écouflant", epci=structure.commune.epci)
    quartier = QuartierPrioritaire.objects.create(code="QN04901M", nom="Favreau", commune=voisine)
    client = entrer(agent(Role.CHARGE_CONSEIL))
    adresse = reverse("partenaires:territoire", args=[structure.pk])
    structure.communes_intervention.add(voisine)
    page = client.get(adresse).content.decode()
    assert f'value="{voisine.pk}" id="commune-{voisine.pk}" checked' in page
    assert f"{quartier.nom}, Écouflant" in page
    reponse = client.post(adresse, {"communes": [voisine.pk, "99999"], "quartiers": [quartier.pk]})
    assert reponse.status_code == 422
    refusee = reponse.content.decode()
    assert f'value="{voisine.pk}" id="commune-{voisine.pk}" checked' in refusee
    assert f'value="{quartier.pk}" id="quartier-{quartier.pk}" checked' in refusee


@pytest.mark.django_db(transaction=True)
def test_chercher_une_commune_sans_accent_ne_decoche_rien(ouvrir, live_server):
    structure = StructureFactory()
    CommuneFactory(code_insee="49129", nom="Écouflant")
    CommuneFactory(code_insee="49020", nom="Beaucouzé")
    responsable = agent(Role.RESPONSABLE)
    page = ouvrir()
    personne = Personne(page, live_server.url, responsable)
    personne.aller(f"/structures/{structure.pk}/territoire/")
    page.fill("[data-chercher]", "ecou")
    assert page.get_by_label("Écouflant").is_visible()
    assert page.get_by_label("Beaucouzé").is_hidden()
    page.get_by_label("Écouflant").check()
    page.fill("[data-chercher]", "beau")
    page.get_by_label("Beaucouzé").check()
    assert "2 communes choisies" in page.inner_text("[data-compte]")
    personne.cliquer("Enregistrer")
    noms = set(structure.communes_intervention.values_list("nom", flat=True))
    assert noms == {"Écouflant", "Beaucouzé", structure.commune.nom}
