"""Les règles du contrôle s’écrivent, se publient à deux, ne se réécrivent pas ; chaque erreur se lit près de sa case."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError, ProgrammingError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from controles.actions import regles as actions
from controles.choix import EtatRegles
from controles.models import ReglesControle
from socle.erreurs import Refus
from tests.fabriques.comptes import agent
from tests.fabriques.controles import REGLES, regles
from tests.fabriques.courses import reussites_et_refus

pytestmark = pytest.mark.django_db


def demain(jours: int = 1) -> date:
    return timezone.localdate() + timedelta(days=jours)


@pytest.fixture
def administrateur(db):
    return agent(Role.ADMINISTRATEUR)


@pytest.fixture
def responsable(db):
    return agent(Role.RESPONSABLE)


def ecrire(par, **autres) -> ReglesControle:
    return actions.saisir(par=par, **{**REGLES, "effet_le": demain(), **autres})


# --- écrire et publier ------------------------------------------------------------------------------------------------


def test_qui_ecrit_ne_publie_pas_et_la_base_le_tient(administrateur, responsable):
    brouillon = ecrire(administrateur)
    with pytest.raises(PermissionDenied, match="Vous avez écrit ces règles"):
        actions.publier(brouillon, par=administrateur)
    with pytest.raises(IntegrityError, match="publiee_par_un_autre"), transaction.atomic():
        ReglesControle.objects.filter(pk=brouillon.pk).update(
            etat="publiee", publiee_par=administrateur, publiee_le=timezone.now()
        )
    publiees = actions.publier(brouillon, par=responsable)
    assert (publiees.etat, publiees.publiee_par) == (EtatRegles.PUBLIEE, responsable)
    with pytest.raises(PermissionDenied, match="reviennent à l’administrateur"):
        ecrire(agent(Role.CONTROLEUR))


def test_qui_corrige_en_devient_l_auteur(administrateur, responsable):
    brouillon = actions.corriger(ecrire(administrateur), par=responsable, part_tirage=30)
    assert (brouillon.saisie_par, brouillon.part_tirage) == (responsable, 30)
    with pytest.raises(PermissionDenied):
        actions.publier(brouillon, par=responsable)
    assert actions.publier(brouillon, par=administrateur).etat == EtatRegles.PUBLIEE


def test_des_regles_publiees_ne_se_reecrivent_pas_en_base_non_plus(administrateur, responsable):
    publiees = actions.publier(ecrire(administrateur), par=responsable)
    for geste in (
        lambda: ReglesControle.objects.filter(pk=publiees.pk).update(part_tirage=1),
        publiees.delete,
    ):
        with pytest.raises((InternalError, IntegrityError, ProgrammingError)), transaction.atomic():
            geste()
    for geste in (actions.abandonner, actions.corriger, actions.publier):
        with pytest.raises(Refus, match="préparez-en de nouvelles"):
            geste(publiees, par=responsable)


def test_un_brouillon_s_abandonne(administrateur, responsable):
    brouillon = actions.abandonner(ecrire(administrateur), par=administrateur)
    assert brouillon.etat == EtatRegles.ABANDONNEE
    with pytest.raises(Refus, match="« abandonnée »"):
        actions.publier(brouillon, par=responsable)


def test_la_date_d_effet_est_unique_et_a_venir_sauf_la_premiere(administrateur, responsable):
    premieres = actions.publier(ecrire(administrateur, effet_le=demain(-500)), par=responsable)
    assert premieres.etat == EtatRegles.PUBLIEE
    with pytest.raises(ValidationError, match="Cette date est passée"):
        ecrire(administrateur, effet_le=demain(-1))
    une, autre = ecrire(administrateur), ecrire(administrateur)
    actions.publier(une, par=responsable)
    with pytest.raises(Refus, match="prennent déjà effet"):
        actions.publier(autre, par=responsable)
    with pytest.raises(ValidationError, match="choisissez un autre jour"):
        ecrire(administrateur)
    assert ReglesControle.objects.en_vigueur(timezone.localdate()) == premieres
    assert ReglesControle.objects.en_vigueur(demain()) == une


def test_un_brouillon_que_le_temps_a_rattrape_ne_se_publie_pas(administrateur, responsable):
    regles()
    brouillon = ecrire(administrateur)
    ReglesControle.objects.filter(pk=brouillon.pk).update(effet_le=demain(-1))
    with pytest.raises(Refus, match="Cette date est passée"):
        actions.publier(brouillon, par=responsable)


@pytest.mark.parametrize(
    ("faute", "champ", "phrase"),
    [
        ({"poids": []}, "poids", "au moins un critère"),
        ({"points": []}, "points", "au moins un point"),
        ({"poids": [{"critere": "enjeu", "seuil": "-1", "points": 1}]}, "poids", "seuil positif"),
        ({"echelle": [{"code": "a", "libelle": "A", "taux": "2"}]}, "echelle", "de plus de 0 à 100"),
        ({"sanctions_actives": True, "echelle": []}, "__all__", "demande une échelle"),
        ({"part_tirage": 101}, "__all__", "de 0 à 100"),
        ({"reponse_jours": 0}, "__all__", "un jour au moins"),
    ],
)
def test_ce_qui_ne_peut_pas_s_appliquer_ne_se_garde_pas(administrateur, faute, champ, phrase):
    with pytest.raises(ValidationError) as erreur:
        ecrire(administrateur, **faute)
    assert phrase in " ".join(erreur.value.message_dict[champ])
    assert not ReglesControle.objects.exists()


def test_les_regles_livrees_se_chargent_une_fois(capsys):
    call_command("charger_regles_controle")
    call_command("charger_regles_controle")
    sorties = capsys.readouterr().out
    [chargees] = ReglesControle.objects.all()
    assert (chargees.etat, chargees.demonstration, chargees.effet_le) == (EtatRegles.PUBLIEE, True, date(2024, 1, 1))
    assert "Publiées : règles du contrôle au 01/01/2024." in sorties
    assert "a déjà ses règles" in sorties
    assert {p.critere for p in chargees.poids_lus} >= {"ecart_reel", "jamais_controlee", "forcages"}
    assert len(chargees.points_lus) > 5


@pytest.mark.django_db(transaction=True)
def test_deux_publications_pour_le_meme_jour_n_en_font_qu_une():
    administrateur, responsable = agent(Role.ADMINISTRATEUR), agent(Role.RESPONSABLE)
    une, autre = ecrire(administrateur), ecrire(responsable)
    faits, refus = reussites_et_refus(
        lambda: actions.publier(une, par=responsable), lambda: actions.publier(autre, par=administrateur)
    )
    assert (len(faits), len(refus)) == (1, 1)
    assert "prennent déjà effet" in str(refus[0])


# --- les pages --------------------------------------------------------------------------------------------------------


def saisie(**autres) -> dict[str, str]:
    """Ce que poste le formulaire : deux critères, deux points, une pièce, deux degrés."""
    donnees = {
        "effet_le": demain().isoformat(), "source": "note du 3 mars", "part_tirage": "25", "preavis_jours": "15",
        "exercices_max": "3", "reponse_jours": "20", "reponse_ouvres": "on", "prolongation_max": "30",
        "conservation_jours": "7",
        "poids-seuil-ecart_reel-0": "30", "poids-points-ecart_reel-0": "4",
        "poids-seuil-ecart_reel-1": "12,5", "poids-points-ecart_reel-1": "2",
        "poids-points-jamais_controlee-0": "3",
        "points-TOTAL_FORMS": "3", "points-INITIAL_FORMS": "0",
        "points-0-theme": "Accueil", "points-0-libelle": "La charte est affichée", "points-0-regle": "charte",
        "points-1-theme": "Comptes", "points-1-libelle": "Les comptes concordent",
        "pieces-TOTAL_FORMS": "1", "pieces-INITIAL_FORMS": "0",
        "pieces-0-libelle": "Grand livre", "pieces-0-par_exercice": "on",
        "echelle-TOTAL_FORMS": "2", "echelle-INITIAL_FORMS": "0",
        "echelle-0-libelle": "Manquement simple", "echelle-0-taux": "2,5",
        "echelle-1-libelle": "Manquement lourd", "echelle-1-taux": "15 %",
    }  # fmt: skip
    return {**donnees, **autres}


def test_le_formulaire_ecrit_des_regles_qu_on_relit_en_mots(administrateur, entrer):
    client = entrer(administrateur)
    reponse = client.post(reverse("controles:creer_regles"), saisie(), follow=True)
    ecrites = ReglesControle.objects.get()
    assert ecrites.poids == [
        {"critere": "ecart_reel", "seuil": "12.5", "points": 2},
        {"critere": "ecart_reel", "seuil": "30", "points": 4},
        {"critere": "jamais_controlee", "seuil": "0", "points": 3},
    ]
    assert [p["code"] for p in ecrites.points] == ["la-charte-est-affichee", "les-comptes-concordent"]
    assert ecrites.pieces == [{"code": "grand-livre", "libelle": "Grand livre", "par_exercice": True}]
    assert [d["taux"] for d in ecrites.echelle] == ["0.025", "0.15"]
    page = reponse.content.decode()
    for phrase in (
        "12,5\u00a0% au moins : 2 points",
        "3 points",
        "Manquement lourd : 15 % de la base",
        "20\u00a0jours ouvrés",
    ):
        assert phrase in page
    assert "Vous avez écrit ces règles" in page


def test_un_point_reecrit_garde_son_code_et_une_ligne_cochee_s_en_va(administrateur, entrer):
    client = entrer(administrateur)
    client.post(reverse("controles:creer_regles"), saisie())
    ecrites = ReglesControle.objects.get()
    adresse = reverse("controles:modifier_regles", args=[ecrites.pk])
    page = client.get(adresse).content.decode()
    assert 'value="12,5"' in page
    reprise = saisie(**{
        "points-INITIAL_FORMS": "2", "points-0-code": "la-charte-est-affichee", "points-0-libelle": "Charte visible",
        "points-1-code": "les-comptes-concordent", "points-1-DELETE": "on",
    })  # fmt: skip
    assert client.post(adresse, reprise).status_code == 302
    ecrites.refresh_from_db()
    assert ecrites.points == [
        {"code": "la-charte-est-affichee", "theme": "Accueil", "libelle": "Charte visible", "regle": "charte"}
    ]


@pytest.mark.parametrize(
    ("faute", "ancre", "phrase"),
    [
        ({"poids-points-ecart_reel-1": ""}, "id_poids-points-ecart_reel-1", "Écrivez les points de ce seuil."),
        ({"poids-seuil-ecart_reel-1": ""}, "id_poids-seuil-ecart_reel-1", "Écrivez le seuil de ces points."),
        ({"poids-seuil-ecart_reel-1": "30"}, "id_poids-seuil-ecart_reel-1", "Ce seuil est déjà écrit"),
        ({"poids-seuil-ecart_reel-1": "douze"}, "id_poids-seuil-ecart_reel-1", "Écrivez un nombre positif"),
        ({"poids-points-ecart_reel-1": "1000"}, "id_poids-points-ecart_reel-1", "inférieure ou égale à 100"),
    ],
)
def test_une_erreur_de_poids_se_lit_sous_sa_case_et_rien_n_est_perdu(administrateur, entrer, faute, ancre, phrase):
    reponse = entrer(administrateur).post(reverse("controles:creer_regles"), saisie(**faute))
    page = reponse.content.decode()
    assert reponse.status_code == 422
    sous_la_case = page.split(f'id="erreur-{ancre}"')[1].split("</p>")[0]
    assert phrase in sous_la_case
    assert "À corriger plus bas : les poids du risque." in page
    assert "note du 3 mars" in page
    assert "Les comptes concordent" in page
    assert not ReglesControle.objects.exists()


@pytest.mark.parametrize(
    ("faute", "phrase"),
    [
        ({"effet_le": "hier"}, "Saisissez une date valide"),
        ({"effet_le": "2020-01-01"}, "Cette date est passée"),
        ({"part_tirage": "130"}, "inférieure ou égale à 100"),
        ({"points-1-libelle": "La charte est affichée"}, "déjà écrite plus haut"),
        ({"points-1-libelle": ""}, "obligatoire"),
        ({"points-0-DELETE": "on", "points-1-DELETE": "on"}, "au moins un point"),
        ({"echelle-1-taux": "1"}, "L’échelle monte"),
        ({"echelle-1-taux": "beaucoup"}, "Écrivez un pourcentage"),
        ({"sanctions_actives": "on", "echelle-TOTAL_FORMS": "0"}, "demande une échelle"),
        ({"points-TOTAL_FORMS": "mille"}, "est arrivée incomplète"),
    ],
)  # fmt: skip
def test_chaque_mauvaise_saisie_se_dit_avec_un_422(administrateur, entrer, faute, phrase):
    regles()
    reponse = entrer(administrateur).post(reverse("controles:creer_regles"), saisie(**faute))
    assert reponse.status_code == 422
    assert phrase in reponse.content.decode()
    assert ReglesControle.objects.count() == 1


def test_publier_et_abandonner_depuis_la_page(administrateur, responsable, entrer):
    une, autre = ecrire(administrateur), ecrire(administrateur, effet_le=demain(2))
    client = entrer(responsable)
    page = client.get(une.get_absolute_url()).content.decode()
    assert "Publier ces règles" in page
    assert client.post(reverse("controles:publier_regles", args=[une.pk])).status_code == 302
    assert client.post(reverse("controles:abandonner_regles", args=[autre.pk])).status_code == 302
    assert [r.etat for r in ReglesControle.objects.order_by("pk")] == ["publiee", "abandonnee"]
    assert entrer(administrateur).post(reverse("controles:publier_regles", args=[une.pk])).status_code == 403
    apres = client.get(reverse("controles:modifier_regles", args=[une.pk]), follow=True)
    assert "ne se réécrivent pas" in apres.content.decode()


def test_la_liste_des_regles_coute_autant_pour_une_que_pour_vingt(administrateur, entrer):
    client = entrer(administrateur)
    regles()
    couts = []
    for nombre in (0, 20):
        for rang in range(nombre):
            ecrire(administrateur, effet_le=demain(rang + 1))
        client.get(reverse("controles:liste_regles"))
        with CaptureQueriesContext(connection) as capture:
            assert client.get(reverse("controles:liste_regles")).status_code == 200
        couts.append(len(capture))
    assert couts[0] == couts[1]
