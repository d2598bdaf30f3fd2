"""Ce que les agréments disent hors de leurs pages : la liste filtrée, la fiche de la structure, l’accueil, le menu."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from accueil.a_faire import echeances, pour_la_structure
from accueil.contexte import ENTREES_AGENT, ENTREES_PARTENAIRE, MENU_PUBLIC, entree_courante
from agrements.actions import agrements as vie
from agrements.choix import Etat, TypeDossier
from agrements.models import Agrement
from comptes.choix import Role
from documents.models import Acte
from documents.production import produire
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import CommuneFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def theatre():
    return Theatre()


@pytest.fixture
def agree(theatre):
    theatre.mener(Etat.AGREE)
    agrement = Agrement.objects.get()
    Agrement.objects.filter(pk=agrement.pk).update(
        debut=timezone.localdate().replace(year=timezone.localdate().year - 1),
        fin=timezone.localdate(),
        etat="en_cours",
    )
    agrement.refresh_from_db()
    return agrement


@pytest.mark.parametrize("geste", ["suspendre", "retirer"])
def test_la_fiche_dit_d_abord_qu_un_agrement_est_interrompu(theatre, agree, entrer, geste):
    client = entrer(theatre.charge)
    adresse = agree.structure.get_absolute_url()
    assert "alert-danger" not in client.get(adresse).content.decode()
    theatre.entendre(agree)
    getattr(vie, geste)(agree, par=theatre.responsable, motif="Centre fermé.")
    for onglet in ("identite", "documents", "argent"):
        page = client.get(adresse, {"onglet": onglet}).content.decode()
        assert ("Agrément suspendu" if geste == "suspendre" else "Agrément retiré le") in page


def test_l_onglet_documents_montre_les_lettres_et_la_decision_se_lit_d_abord_au_dossier(
    theatre, agree, entrer, monkeypatch
):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")
    for acte in Acte.objects.all():
        produire(acte.pk)
    notification = Acte.objects.get(nature="notification")
    dossier = agree.decision.dossier
    lien = reverse("agrements:acte", args=[dossier.pk, notification.pk])
    onglet = {"onglet": "documents"}
    adresse = agree.structure.get_absolute_url()
    page = entrer(theatre.charge).get(adresse, onglet).content.decode()
    assert lien in page
    assert "Accusé de réception" in page
    page = entrer(theatre.direction).get(adresse, onglet).content.decode()
    assert lien not in page
    assert f'<a href="{dossier.get_absolute_url()}">Décision du' in page


@pytest.mark.parametrize(
    ("filtre", "nombre"),
    [
        ("", 1),
        ("avant=6", 1),
        ("avant=9999", 1),
        ("etat=en_cours", 1),
        ("etat=suspendu", 0),
        ("charge={charge}", 1),
        ("charge={autre}", 0),
        ("epci={epci}", 1),
        ("q=introuvable", 0),
        ("q={nom}", 1),
    ],
)
def test_la_liste_des_agrements_se_filtre_par_l_adresse(theatre, agree, entrer, filtre, nombre):
    structure = agree.structure
    dits = filtre.format(
        charge=theatre.charge.pk,
        autre=_un_autre_charge().pk,
        epci=structure.commune.epci_id,
        nom=structure.nom,
    )
    page = entrer(theatre.charge).get(f"{reverse('agrements:agrements')}?{dits}")
    assert page.status_code == 200
    assert page.context["page"].paginator.count == nombre


def _un_autre_charge():
    CommuneFactory()
    return agent(Role.CHARGE_CONSEIL)


def test_ce_qui_expire_dit_une_structure_une_fois_et_le_nombre_en_tout(
    theatre, agree, entrer, django_assert_num_queries
):
    jour = timezone.localdate()
    assert theatre.responsable.tient(Role.RESPONSABLE)  # ses fonctions sont lues une fois par requête
    with django_assert_num_queries(1):
        dit = echeances(theatre.responsable, jour)
    assert [(s, fin, len(objets)) for s, fin, objets in dit.lignes] == [(agree.structure, agree.fin, 1)]
    assert dit.total == 1
    page = entrer(theatre.responsable).get(dit.lien)
    assert page.context["page"].paginator.count == 1
    assert entrer(theatre.charge).get(echeances(theatre.charge, jour).lien).context["page"].paginator.count == 1
    assert echeances(_un_autre_charge(), jour).total == 0


@pytest.mark.parametrize(
    ("entrees", "chemin", "nom"),
    [
        (ENTREES_AGENT, "/dossiers/12/grille/", "agrements:liste"),
        (ENTREES_AGENT, "/dossiers/", "agrements:liste"),
        (ENTREES_AGENT, "/compte/", ""),
        (ENTREES_AGENT, "/espace/", "accueil:espace"),
        (ENTREES_AGENT, "/declarations/4/", "financements:declarations"),
        (ENTREES_AGENT, "/lots/4/", "financements:paiements"),
        (ENTREES_PARTENAIRE, "/declarations/4/", "financements:accueil"),
        (MENU_PUBLIC, "/", "accueil:accueil"),
        (MENU_PUBLIC, "/connexion/", ""),
    ],
)
def test_le_menu_marque_la_rubrique_de_la_page(entrees, chemin, nom):
    assert entree_courante(entrees, chemin) == nom


def test_un_renouvellement_en_redaction_dit_quand_finit_l_agrement_en_cours(theatre, agree):
    suivant = theatre.ouvrir(TypeDossier.RENOUVELLEMENT)
    roles = frozenset({Role.DIRECTION})
    (tache,) = [
        t for t in pour_la_structure(theatre.structure, roles, timezone.localdate()) if "Continuer" in t.libelle
    ]
    assert (tache.echeance, tache.lien) == (agree.fin, suivant.get_absolute_url())
    assert "fin de l’agrément en cours" in tache.detail
