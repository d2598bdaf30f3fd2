"""La liste des dossiers se retrouve : vues nommées, dossier suivant, retour à l’endroit d’où l’on vient."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from agrements.actions.vues import VUES_MAX, enregistrer_vue
from agrements.choix import Etat
from agrements.models import Dossier, VueEnregistree
from comptes.choix import Role
from tests.agrements.test_pages import cloner
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent

pytestmark = pytest.mark.django_db
LISTE = reverse("agrements:liste")


@pytest.fixture
def theatre():
    return Theatre()


@pytest.fixture
def depose(theatre):
    return theatre.mener(Etat.DEPOSE)


def liens(page, rel):
    return [unescape(lien) for lien in re.findall(rf'rel="{rel}" href="([^"]+)"', page)]


def test_on_parcourt_la_liste_filtree_dans_les_deux_sens(theatre, depose, entrer):
    cloner(depose, 3)
    ordre = list(Dossier.objects.order_by("-modifie_le", "-pk"))
    hors_filtre = ordre[1]
    Dossier.objects.filter(pk=hors_filtre.pk).update(charge=None, etat=Etat.EN_INSTRUCTION)
    client = entrer(theatre.charge)
    page = client.get(f"{LISTE}?etat=depose&q=&page=1").content.decode()
    assert f'{ordre[0].get_absolute_url()}?liste=etat%3Ddepose"' in page

    page = client.get(f"{ordre[0].get_absolute_url()}?liste=etat%3Ddepose").content.decode()
    assert liens(page, "prev") == []
    assert liens(page, "next") == [f"{ordre[2].get_absolute_url()}?liste=etat%3Ddepose"]
    assert f'href="{LISTE}?etat=depose"' in page
    page = client.get(liens(page, "next")[0]).content.decode()
    assert liens(page, "prev") == [f"{ordre[0].get_absolute_url()}?liste=etat%3Ddepose"]
    projet = client.get(f"{reverse('agrements:projet', args=[ordre[2].pk])}?liste=etat%3Ddepose").content.decode()
    assert liens(projet, "next") == liens(page, "next")

    sorti = client.get(f"{hors_filtre.get_absolute_url()}?liste=etat%3Ddepose").content.decode()
    assert liens(sorti, "next") == [f"{ordre[2].get_absolute_url()}?liste=etat%3Ddepose"], "on continue après un geste"


def test_sans_liste_d_origine_la_fiche_n_offre_pas_de_voisin(theatre, depose, entrer):
    cloner(depose, 1)
    page = entrer(theatre.charge).get(depose.get_absolute_url()).content.decode()
    assert liens(page, "prev") + liens(page, "next") == []
    assert "Retour à la liste" not in page


def test_un_parametre_pirate_ne_sort_pas_de_la_liste(theatre, depose, entrer):
    page = entrer(theatre.charge).get(f"{depose.get_absolute_url()}?liste=etat%3Dpirate%26next%3D//mal.fr%22%3E")
    assert page.status_code == 200
    assert "mal.fr" not in page.content.decode()


def test_la_structure_ne_voit_pas_le_dossier_d_une_autre_comme_voisin(theatre, depose, entrer):
    cloner(depose, 3)
    page = entrer(theatre.direction).get(f"{depose.get_absolute_url()}?liste=").content.decode()
    assert "Retour à la liste" in page
    assert liens(page, "prev") + liens(page, "next") == []


@pytest.mark.parametrize("nombre", [3, 40])
def test_le_voisinage_coute_autant_dans_une_longue_liste(theatre, depose, entrer, nombre, django_assert_num_queries):
    cloner(depose, nombre - 1)
    milieu = Dossier.objects.order_by("-modifie_le", "-pk")[1]
    client = entrer(theatre.charge)
    adresse = f"{milieu.get_absolute_url()}?liste=etat%3Ddepose%26suivi%3Dmoi"
    client.get(adresse)
    with django_assert_num_queries(12):
        assert "Dossier suivant" in client.get(adresse).content.decode()


def test_un_agent_nomme_son_filtre_le_retrouve_et_le_supprime(theatre, depose, entrer):
    client = entrer(theatre.charge)
    reponse = client.post(
        reverse("agrements:enregistrer_vue"), {"nom": "  À  vérifier ", "filtre": "etat=depose&q=&page=3&x=1"}
    )
    assert reponse["Location"] == f"{LISTE}?etat=depose"
    vue = VueEnregistree.objects.get()
    assert (vue.nom, vue.filtre, vue.utilisateur) == ("À vérifier", "etat=depose", theatre.charge)
    page = client.get(vue.get_absolute_url()).content.decode()
    assert 'aria-current="page">À vérifier' in page
    assert "Enregistrer cette vue" not in page, "elle l’est déjà"
    assert "À vérifier" not in entrer(theatre.responsable).get(LISTE).content.decode()

    supprimer = reverse("agrements:supprimer_vue", args=[vue.pk])
    assert entrer(theatre.responsable).post(supprimer).status_code == 404
    assert client.post(supprimer).status_code == 302
    assert not VueEnregistree.objects.exists()


@pytest.mark.parametrize(
    ("nom", "filtre", "phrase"),
    [
        ("Prise", "etat=depose", "Vous avez déjà une vue de ce nom"),
        ("", "etat=depose", "Ce champ est obligatoire"),
        ("x" * 61, "etat=depose", "60 caractères"),
        ("Tout", "page=2", "Choisissez d’abord un filtre"),
    ],
)
def test_une_vue_refusee_dit_pourquoi_a_cote_du_nom_et_ne_perd_rien(theatre, entrer, nom, filtre, phrase):
    enregistrer_vue(nom="Prise", filtre="suivi=moi", par=theatre.charge)
    reponse = entrer(theatre.charge).post(reverse("agrements:enregistrer_vue"), {"nom": nom, "filtre": filtre})
    page = unescape(reponse.content.decode())
    assert reponse.status_code == 422
    assert phrase in page
    assert f'value="{filtre}"' in page
    assert VueEnregistree.objects.count() == 1


def test_les_vues_sont_bornees_et_la_base_refuse_un_doublon(theatre, entrer):
    for rang in range(VUES_MAX):
        enregistrer_vue(nom=f"Vue {rang}", filtre="suivi=moi", par=theatre.charge)
    reponse = entrer(theatre.charge).post(
        reverse("agrements:enregistrer_vue"), {"nom": "De trop", "filtre": "suivi=moi"}
    )
    assert "supprimez-en une" in reponse.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        VueEnregistree.objects.create(utilisateur=theatre.charge, nom="Vue 1", filtre="suivi=moi")
    VueEnregistree.objects.exclude(nom="Vue 1").delete()
    with pytest.raises(ValidationError, match="déjà une vue"):
        enregistrer_vue(nom="Vue 1", filtre="suivi=moi", par=theatre.charge)
    collegue = agent(Role.CHARGE_CONSEIL)
    assert enregistrer_vue(nom="Vue 1", filtre="suivi=moi", par=collegue).utilisateur == collegue


@pytest.mark.parametrize("tri", ["echeance", "structure"])
def test_les_voisins_suivent_l_ordre_choisi(theatre, depose, entrer, tri):
    cloner(depose, 3)
    dossiers = list(Dossier.objects.order_by("pk"))
    for dossier, jours in zip(dossiers, (5, None, 2, 5), strict=True):
        echeance = timezone.localdate() + timedelta(days=jours) if jours else None
        Dossier.objects.filter(pk=dossier.pk).update(echeance_le=echeance)
    un, deux, trois, quatre = dossiers
    attendu = {
        "echeance": [trois, un, quatre, deux],
        "structure": sorted(dossiers, key=lambda d: (d.structure.nom_tri, d.pk)),
    }
    client = entrer(theatre.charge)
    page = client.get(f"{LISTE}?tri={tri}")
    assert list(page.context["page"]) == attendu[tri]
    parcourus, adresse = [], f"{attendu[tri][0].get_absolute_url()}?liste=tri%3D{tri}"
    for _ in range(4):
        parcourus.append(int(adresse.split("/")[2]))
        suite = liens(client.get(adresse).content.decode(), "next")
        if not suite:
            break
        adresse = suite[0]
    assert parcourus == [d.pk for d in attendu[tri]]


def test_le_perimetre_ouvert_laisse_les_dossiers_finis(theatre, entrer):
    theatre.mener(Etat.REFUSE)
    page = entrer(theatre.charge).get(f"{LISTE}?suivi=ouverts")
    assert page.context["page"].paginator.count == 0
    assert entrer(theatre.charge).get(LISTE).context["page"].paginator.count == 1
