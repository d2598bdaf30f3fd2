"""Les pages du dossier : mauvaises entrées, requêtes comptées, deux fois le même envoi."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from agrements.choix import Etat, Instance, TypeDossier
from agrements.models import Dossier, Seance, VersionDossier
from tests.fabriques.agrements import Theatre
from tests.fabriques.partenaires import StructureFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def theatre():
    return Theatre()


def champ(client, dossier, nom, valeur, version=0):
    return client.post(
        reverse("agrements:champ", args=[dossier.pk, nom]),
        {"valeur": valeur, "version": version},
        headers={"Accept": "application/json"},
    )


def test_un_champ_se_garde_et_dit_l_heure(theatre, entrer):
    dossier = theatre.ouvrir()
    reponse = champ(entrer(theatre.direction), dossier, "presentation", "Bonjour")
    assert reponse.status_code == 200
    assert reponse.json()["version"] == 1
    assert "\u00a0h\u00a0" in reponse.json()["enregistre_a"]


@pytest.mark.parametrize(
    ("nom", "valeur", "statut"),
    [
        ("presentation", "a" * 100_000, 422),
        ("benevoles", "beaucoup", 422),
        ("budget_lignes", "{", 422),
        ("chiffres_territoire", "x", 422),
        ("inconnu", "x", 403),
        ("presentation", "😀 שלום مرحبا", 200),
        ("presentation", "nul\x00octet", 200),
    ],
)
def test_une_saisie_bizarre_a_sa_reponse_claire(theatre, entrer, nom, valeur, statut):
    reponse = champ(entrer(theatre.direction), theatre.ouvrir(), nom, valeur)
    assert reponse.status_code == statut
    if statut != 200:
        assert reponse.json()["erreur"].endswith((".", "»"))


def test_une_version_perimee_rend_les_deux_textes(theatre, entrer):
    dossier = theatre.ouvrir()
    champ(entrer(theatre.direction), dossier, "presentation", "Le premier")
    reponse = champ(entrer(theatre.saisie), dossier, "presentation", "Le second")
    assert reponse.status_code == 409
    assert reponse.json()["affichage"] == "Le premier"
    assert reponse.json()["par"] == str(theatre.direction)


def test_sans_javascript_une_erreur_sur_un_champ_garde_les_autres_et_ne_perd_rien(theatre, entrer):
    dossier = theatre.ouvrir()
    reponse = entrer(theatre.direction).post(
        reverse("agrements:section", args=[dossier.pk, "gouvernance"]),
        {"benevoles": "plein", "version-benevoles": "0", "adherents": "300", "version-adherents": "0"},
    )
    page = reponse.content.decode()
    assert reponse.status_code == 422
    assert "plein" in page
    assert "n’est pas un nombre" in page
    assert dossier.reponses.get(champ="adherents").valeur == 300


def test_deposer_deux_fois_ne_fait_qu_un_depot(theatre, entrer):
    dossier = theatre.mener(Etat.VISE)
    client = entrer(theatre.direction)
    adresse = reverse("agrements:geste", args=[dossier.pk, "deposer"])
    client.post(adresse)
    seconde = client.post(adresse, follow=True)
    assert "Ce n’est plus possible" in seconde.content.decode()
    assert dossier.versions.count() == 1


def test_un_motif_vide_est_demande_a_cote_du_champ(theatre, entrer):
    dossier = theatre.mener(Etat.DEPOSE)
    reponse = entrer(theatre.direction).post(reverse("agrements:geste", args=[dossier.pk, "retirer"]), {"motif": "  "})
    assert reponse.status_code == 422
    dossier.refresh_from_db()
    assert dossier.etat == Etat.DEPOSE


def test_un_executable_deguise_est_refuse_a_cote_de_sa_piece(theatre, entrer):
    dossier = theatre.ouvrir()
    reponse = entrer(theatre.direction).post(
        reverse("agrements:pieces", args=[dossier.pk]),
        {"exigence": "statuts", "fichier": SimpleUploadedFile("statuts.pdf", b"MZ\0\0" * 50)},
    )
    assert reponse.status_code == 422
    assert "pas d’un type accepté" in reponse.content.decode()
    assert not dossier.pieces_jointes.exists()


def test_une_piece_deja_deposee_se_reprend_du_coffre_sans_la_renvoyer(theatre, entrer):
    from agrements.actions import redaction
    from agrements.demo.dossiers import document

    premier = theatre.ouvrir()
    jointe = redaction.joindre(premier, exigence="statuts", televerse=document("statuts"), par=theatre.direction)
    redaction.retirer(premier, par=theatre.direction, motif="x")
    second = theatre.ouvrir()
    client = entrer(theatre.direction)
    adresse = reverse("agrements:pieces", args=[second.pk])
    assert "Reprendre de votre coffre" in client.get(adresse).content.decode()
    client.post(adresse, {"exigence": "statuts", "coffre": jointe.piece_id})
    assert second.pieces_jointes.get().piece == jointe.piece


def test_une_fin_avant_le_debut_se_dit_a_cote_du_champ_de_la_decision(theatre, entrer):
    dossier = theatre.mener(Etat.INSCRIT_CA)
    passage = dossier.passages.get(seance__instance="ca")
    nom = f"p{passage.pk}"
    reponse = entrer(theatre.secretariat).post(
        reverse("agrements:enregistrer", args=[passage.seance_id, passage.pk]),
        {f"{nom}-sens": "agree", f"{nom}-debut": "2027-01-01", f"{nom}-fin": "2026-01-01"},
    )
    assert reponse.status_code == 422
    assert "précède son début" in reponse.content.decode()
    dossier.refresh_from_db()
    assert dossier.etat == Etat.INSCRIT_CA


@pytest.mark.parametrize("nombre", [1, 50])
def test_la_liste_des_dossiers_coute_autant_pour_un_que_pour_cinquante(
    theatre, entrer, nombre, django_assert_num_queries
):
    dossier = theatre.mener(Etat.DEPOSE)
    cloner(dossier, nombre - 1)
    client = entrer(theatre.charge)
    client.get(reverse("agrements:liste"))
    with django_assert_num_queries(9):
        page = client.get(reverse("agrements:liste"))
    assert f"{nombre} dossier" in page.content.decode()


def cloner(dossier, combien):
    """Des dossiers déposés de plus, un par structure : assez pour une liste."""
    for _ in range(combien):
        structure = StructureFactory()
        maintenant = timezone.now()
        copie = Dossier.objects.create(
            structure=structure, type=TypeDossier.PREMIER, objets=dossier.objets, regime=dossier.regime,
            debut_souhaite=dossier.debut_souhaite, cree_par=dossier.cree_par, charge=dossier.charge,
        )  # fmt: skip
        version = VersionDossier.objects.create(
            dossier=copie, numero=1, contenu=dossier.version_courante.contenu, empreinte="0" * 64,
            deposee_par=dossier.cree_par, deposee_le=maintenant,
        )  # fmt: skip
        Dossier.objects.filter(pk=copie.pk).update(etat=Etat.DEPOSE, depose_le=maintenant, version_courante=version)


def test_la_fiche_d_un_dossier_tient_en_moins_de_douze_requetes(theatre, entrer, django_assert_max_num_queries):
    dossier = theatre.mener(Etat.INCOMPLET)
    for personne in (theatre.charge, theatre.direction):
        client = entrer(personne)
        client.get(dossier.get_absolute_url())
        with django_assert_max_num_queries(11):
            assert client.get(dossier.get_absolute_url()).status_code == 200


def test_les_filtres_vivent_dans_l_adresse_et_une_valeur_fausse_ne_casse_rien(theatre, entrer):
    dossier = theatre.mener(Etat.DEPOSE)
    client = entrer(theatre.charge)
    for filtre, present in (
        ("etat=depose", True), ("etat=agree", False), ("etat=pirate", True), ("suivi=moi", True),
        (f"q={dossier.numero}", True), ("q=introuvable", False), ("page=999", True), ("q=%00", True),
    ):  # fmt: skip
        reponse = client.get(f"{reverse('agrements:liste')}?{filtre}")
        assert reponse.status_code == 200
        assert (dossier.numero in reponse.content.decode()) == present, filtre


@pytest.mark.parametrize("nombre", ["9" * 5000, "-1", "٣", "²"])
def test_un_nombre_demesure_dans_une_adresse_ou_un_champ_cache_ne_casse_rien(theatre, entrer, nombre):
    dossier = theatre.mener(Etat.INSTRUIT)
    client, secretaire = entrer(theatre.charge), entrer(theatre.secretariat)
    seance = Seance.objects.create(instance=Instance.CAS, tenue_le=timezone.localdate() + timedelta(days=30))
    suite = {"avant": nombre, "apres": nombre}
    assert client.get(reverse("agrements:versions", args=[dossier.pk]), suite).status_code == 200
    assert client.get(reverse("agrements:agrements"), suite).status_code == 200
    inscription = secretaire.post(reverse("agrements:inscrire", args=[seance.pk]), {"dossiers": nombre}, follow=True)
    assert "Cochez au moins un dossier à inscrire." in inscription.content.decode()
    assert champ(entrer(theatre.direction), dossier, "presentation", "Bonjour", nombre).status_code == 422


def test_une_seance_ne_se_cree_pas_deux_fois_le_meme_jour(theatre, entrer):
    client = entrer(theatre.secretariat)
    jour = (timezone.localdate() + timedelta(days=40)).isoformat()
    for statut in (302, 422):
        reponse = client.post(reverse("agrements:creer_seance"), {"instance": Instance.CAS, "tenue_le": jour})
        assert reponse.status_code == statut
    assert Seance.objects.count() == 1


def test_un_message_interne_ne_se_montre_pas_a_la_structure(theatre, entrer):
    dossier = theatre.mener(Etat.DEPOSE)
    adresse = reverse("agrements:fil", args=[dossier.pk])
    entrer(theatre.charge).post(adresse, {"texte": "Entre nous", "interne": "on"})
    entrer(theatre.direction).post(adresse, {"texte": "Bonjour la Caf", "interne": "on"})
    assert "Entre nous" not in entrer(theatre.direction).get(adresse).content.decode()
    page = entrer(theatre.charge).get(adresse).content.decode()
    assert "Entre nous" in page
    assert "Bonjour la Caf" in page


def test_les_champs_caches_du_navigateur_ne_suffisent_pas_a_forcer_un_geste(theatre, entrer):
    dossier = theatre.mener(Etat.DEPOSE)
    for geste in ("agreer", "viser", "inconnu", "__class__"):
        assert entrer(theatre.charge).post(f"/dossiers/{dossier.pk}/gestes/{geste}/").status_code == 404
    assert entrer(theatre.charge).post(f"/dossiers/{dossier.pk}/gestes/deposer/").status_code == 403


def test_la_page_de_section_donne_au_navigateur_des_donnees_bien_formees(theatre, entrer):
    dossier = theatre.ouvrir()
    page = entrer(theatre.direction).get(reverse("agrements:section", args=[dossier.pk, "projet"]))
    import re
    from html import unescape

    brut = re.search(r"data-natures=\"([^\"]+)\"", page.content.decode()).group(1)
    assert json.loads(unescape(brut))["enjeu"] == ["axe"]
