"""Les pages d’un contrôle : le même nombre de requêtes pour une ligne ou pour cinquante, des refus dits et gardés."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from controles.actions import contradictoire, visite
from controles.choix import Etat, Mode, NatureConstat
from controles.models import Controle
from documents.models import Acte
from tests.fabriques.controles import Bureau, photo
from tests.fabriques.partenaires import StructureFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def bureau():
    return Bureau(argent=False)


def meubler(bureau, controle, combien=12):
    """Des constats ajoutés, chacun avec sa photo."""
    for n in range(combien):
        uid = uuid4()
        bureau.saisir(controle, f"libre.{uid}.libelle", f"Constat {n}")
        bureau.saisir(controle, f"point.{uid}.constat", NatureConstat.OBSERVATION)
        bureau.saisir(controle, f"point.{uid}.faits", "Vu sur place.")
        visite.recevoir_photo(
            controle, id=uuid4(), televerse=photo(), point=uid, legende="", prise_le=timezone.now(), garder_lieu=False,
            par=bureau.controleur,
        )  # fmt: skip


def test_la_liste_coute_autant_pour_un_controle_que_pour_cinquante(bureau, entrer, django_assert_num_queries):
    client = entrer(bureau.controleur)
    bureau.programmer()
    client.get("/controles/")
    with django_assert_num_queries(8):
        client.get("/controles/")
    gestionnaire = bureau.structure.gestionnaire
    for structure in StructureFactory.create_batch(50, gestionnaire=gestionnaire):
        bureau.programmer(structure=structure)
    with django_assert_num_queries(8):
        page = client.get("/controles/").content.decode()
    assert "51 contrôles" in page


@pytest.mark.parametrize(("adresse", "requetes"), [("", 17), ("visite/", 12), ("pieces/", 7), ("gestes/emettre/", 11)])
def test_une_page_de_visite_coute_autant_pour_une_fiche_vide_que_pleine(
    bureau, entrer, django_assert_num_queries, adresse, requetes
):
    controle = bureau.mener(Etat.EN_COURS)
    client = entrer(bureau.controleur)
    chemin = controle.get_absolute_url() + adresse
    client.get(chemin)
    with django_assert_num_queries(requetes):
        client.get(chemin)
    meubler(bureau, controle)
    with django_assert_num_queries(requetes):
        assert client.get(chemin).status_code == 200


def test_l_appareil_lit_dix_visites_pour_le_prix_d_une(bureau, entrer, django_assert_num_queries):
    bureau.mener(Etat.EN_COURS)
    client = entrer(bureau.controleur)
    adresse = "/controles/appareil/donnees/"
    client.get(adresse)
    with django_assert_num_queries(11):
        client.get(adresse)
    for structure in StructureFactory.create_batch(9, gestionnaire=bureau.structure.gestionnaire):
        autre = bureau.mener(Etat.EN_COURS, structure=structure)
    meubler(bureau, autre, 3)
    with django_assert_num_queries(11):
        assert len(client.get(adresse).json()["visites"]) == 10


@pytest.mark.parametrize(("adresse", "requetes"), [("rapport/", 9), ("reponse/", 9)])
def test_le_rapport_coute_autant_pour_un_constat_que_pour_douze(
    bureau, entrer, django_assert_num_queries, adresse, requetes
):
    petit = bureau.mener(Etat.CONTRADICTOIRE)
    ailleurs = StructureFactory(gestionnaire=bureau.structure.gestionnaire)
    from comptes.choix import Role
    from tests.fabriques.partenaires import habiliter

    habiliter(ailleurs, Role.DIRECTION, utilisateur=bureau.direction)
    habiliter(ailleurs, Role.REPRESENTANT_LEGAL, utilisateur=bureau.president)
    grand = bureau.visiter(bureau.mener(Etat.EN_COURS, structure=ailleurs))
    meubler(bureau, grand)
    grand = contradictoire.emettre(grand, par=bureau.controleur)
    client = entrer(bureau.direction)
    for controle in (petit, grand):
        contradictoire.lire_le_rapport(controle, par=bureau.direction)
        client.get(controle.get_absolute_url() + adresse)
        with django_assert_num_queries(requetes):
            assert client.get(controle.get_absolute_url() + adresse).status_code == 200


def test_conclure_coute_autant_pour_un_point_que_pour_douze(bureau, entrer, django_assert_num_queries):
    petit = bureau.mener(Etat.A_CONCLURE)
    grand = bureau.visiter(bureau.mener(Etat.EN_COURS, structure=StructureFactory()))
    meubler(bureau, grand)
    grand = contradictoire.emettre(grand, par=bureau.controleur)
    Controle.objects.filter(pk=grand.pk).update(reponse_avant_le=timezone.localdate() - timezone.timedelta(days=1))
    contradictoire.constater_silence(grand)
    client = entrer(bureau.controleur)
    for controle in (petit, grand):
        client.get(controle.get_absolute_url() + "conclure/")
        with django_assert_num_queries(8):
            assert client.get(controle.get_absolute_url() + "conclure/").status_code == 200


def test_les_filtres_de_la_liste_sont_dans_l_adresse(bureau, entrer):
    bureau.programmer()
    bureau.programmer(Mode.SUR_PIECES, structure=StructureFactory(nom="Le Moulin"))
    client = entrer(bureau.controleur)
    for requete, nombre in (
        ("mode=sur_pieces", 1), ("q=moulin", 1), ("etat=programme", 2), ("suivi=moi", 2), ("suivi=retard", 0),
        ("origine=tirage", 0), ("q=CTL-2026-99999", 0), ("etat=inconnu", 2), ("page=99", 2),
    ):  # fmt: skip
        page = client.get(f"/controles/?{requete}").content.decode()
        assert f"{nombre} contrôle" in page, requete


def test_une_preparation_refusee_garde_la_saisie_et_repond_422(bureau, entrer):
    controle = bureau.programmer()
    reponse = entrer(bureau.controleur).post(
        f"{controle.get_absolute_url()}preparer/",
        {"mode": "sur_place", "exercices": ["2025"], "objet": "Mon objet à moi", "visite_le": "31/02/2027"},
    )
    page = reponse.content.decode()
    assert reponse.status_code == 422
    assert "Mon objet à moi" in page
    assert "31/02/2027" in page


def test_une_conclusion_refusee_garde_la_saisie_du_point(bureau, entrer):
    controle = bureau.mener(Etat.A_CONCLURE)
    constat = contradictoire.a_conclure(controle)[0]
    reponse = entrer(bureau.controleur).post(
        f"{controle.get_absolute_url()}conclure/",
        {"numero": constat.numero, f"c{constat.numero}-motif": "Une raison gardée"},
    )
    page = reponse.content.decode()
    assert reponse.status_code == 422
    assert "Une raison gardée" in page
    assert "Choisissez une conclusion" in page


def test_la_structure_ne_lit_ni_la_preparation_ni_la_fiche_ni_les_saisies(bureau, entrer):
    controle = bureau.visiter(bureau.mener(Etat.EN_COURS))
    client = entrer(bureau.direction)
    page = client.get(controle.get_absolute_url()).content.decode()
    for secret in ("La charte n’est pas affichée", "score de risque", "Contrôle préparé", "Pas encore vérifiés"):
        assert secret not in page
    for adresse in ("visite/", "dossier/", "conclure/", "preparer/"):
        assert client.get(controle.get_absolute_url() + adresse).status_code == 403


def test_un_controle_sur_pieces_demande_ses_pieces_en_ligne(bureau):
    controle = bureau.mener(Etat.NOTIFIE, Mode.SUR_PIECES)
    piece = controle.pieces_demandees.first()
    assert (piece.en_ligne, piece.requise_le > timezone.localdate()) == (True, True)
    lettre = Acte.objects.get(cle=f"controle-{controle.pk}-notification")
    assert "Déposez-les dans le portail jusqu’au" in " ".join(lettre.contexte["paragraphes"])


def test_une_piece_fausse_se_refuse_pres_de_son_champ(bureau, entrer):
    controle = bureau.mener(Etat.NOTIFIE, Mode.SUR_PIECES)
    piece = controle.pieces_demandees.first()
    adresse = f"{controle.get_absolute_url()}pieces/{piece.pk}/remettre/"
    client = entrer(bureau.direction)
    assert client.post(adresse).status_code == 422
    reponse = client.post(adresse, {"fichier": photo(b"rien", "a.jpg")})
    assert reponse.status_code == 422
    assert f'id="erreur-{piece.pk}"' in reponse.content.decode()
    assert client.post(adresse, {"fichier": photo()}).status_code == 302
