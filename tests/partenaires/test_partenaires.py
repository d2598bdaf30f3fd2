"""Fiches, identifiants, accès, secteurs."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from courriers.models import Envoi
from partenaires import actions, actions_acces, actions_secteurs
from partenaires.interlocuteurs import charge_de
from partenaires.models import (
    AffectationCommune,
    Commune,
    CommuneDeleguee,
    DemandeContact,
    Epci,
    Habilitation,
    QuartierPrioritaire,
    Realisation,
    Suppleance,
)
from partenaires.validateurs import valider_iban, valider_rna, valider_siren, valider_siret
from socle.erreurs import Refus, VersionPerimee
from socle.texte import cle_de_tri
from tests.fabriques.comptes import UtilisateurFactory, agent
from tests.fabriques.partenaires import CommuneFactory, StructureFactory, affecter, habiliter

VALIDES = {"SIRET": valider_siret, "SIREN": valider_siren, "RNA": valider_rna, "IBAN": valider_iban}


@pytest.mark.parametrize(
    ("validateur", "valeur", "juste"),
    [
        (valider_siret, "32742082400044", True),
        (valider_siret, "32742082400045", False),
        (valider_siret, "21490007800012", True),
        (valider_siren, "214900078", True),
        (valider_siren, "214900079", False),
        (valider_rna, "W491000001", True),
        (valider_rna, "W49", False),
        (valider_iban, "FR7630006000011234567890189", True),
        (valider_iban, "FR7630006000011234567890188", False),
        (valider_iban, "FR1420041010050500013M02606", True),
    ],
)
def test_un_identifiant_se_juge_a_sa_cle(validateur, valeur, juste):
    if juste:
        validateur(valeur)
    else:
        with pytest.raises(ValidationError):
            validateur(valeur)


@pytest.mark.django_db
def test_les_donnees_publiques_se_chargent_entieres_et_se_rechargent_sans_doublon(capsys):
    for _ in range(2):
        call_command("charger_referentiels")
    nombres = [m.objects.count() for m in (Commune, CommuneDeleguee, Epci, QuartierPrioritaire)]
    assert nombres == [176, 231, 10, 15]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("saisie", "commune"),
    [("ecoufl", "Écouflant"), ("49300", "Cholet"), ("Ambillou", "Tuffalun"), ("zz", None), ("", None)],
)
def test_une_commune_se_trouve_par_son_nom_son_code_ou_son_ancien_nom(saisie, commune):
    call_command("charger_referentiels")
    noms = [c.nom for c in Commune.objects.cherchees_par(saisie)]
    assert (commune in noms) if commune else noms == []


@pytest.mark.django_db
def test_la_cle_de_tri_de_la_base_est_celle_du_code():
    for nom in ("Écouflant", "L’Œuvre d’Été", "Saint-Georges-sur-Loire", "  À   Ç "):
        structure = StructureFactory(nom=nom)
        structure.refresh_from_db()
        assert structure.nom_tri == cle_de_tri(nom)


@pytest.mark.django_db
class TestFiches:
    def test_deux_agents_sur_une_fiche_le_second_voit_les_deux_textes(self, entrer):
        structure = StructureFactory()
        client = entrer(agent(Role.CHARGE_CONSEIL))
        champs = {
            "nom": "Nom du second", "type": structure.type, "gestionnaire": structure.gestionnaire_id,
            "commune": structure.commune_id, "adresse": "x", "code_postal": "49000", "version": 1,
        }  # fmt: skip
        actions.modifier_structure(structure, version=1, par=agent(Role.RESPONSABLE), nom="Nom du premier")

        reponse = client.post(reverse("partenaires:modifier", args=[structure.pk]), champs)

        page = reponse.content.decode()
        assert (reponse.status_code, "Nom du premier" in page, "Nom du second" in page) == (422, True, True)
        structure.refresh_from_db()
        assert structure.nom == "Nom du premier"

    def test_une_modification_laisse_l_avant_et_l_apres(self):
        structure = StructureFactory(adresse="avant")
        actions.modifier_structure(structure, version=1, par=agent(Role.RESPONSABLE), adresse="après")
        assert structure.evenements.get().details["changes"] == {"adresse": ["avant", "après"]}

    def test_l_iban_ne_s_ecrit_pas_en_clair_au_journal(self):
        gestionnaire = StructureFactory().gestionnaire
        actions.modifier_gestionnaire(
            gestionnaire, version=1, par=agent(Role.TECHNICIEN_CONSEIL), iban="FR7630006000011234567890189"
        )
        assert "30006" not in str(gestionnaire.evenements.get().details)

    def test_la_direction_corrige_l_adresse_mais_pas_l_identite_juridique(self, entrer):
        structure = StructureFactory()
        client = entrer(habiliter(structure, Role.DIRECTION))
        reponse = client.post(
            reverse("partenaires:modifier", args=[structure.pk]),
            {"adresse": "2 rue Neuve", "code_postal": "49100", "nom": "Pirate", "version": 1},
        )
        structure.refresh_from_db()
        assert (reponse.status_code, structure.adresse, structure.nom != "Pirate") == (302, "2 rue Neuve", True)
        assert client.get(reverse("partenaires:modifier_gestionnaire", args=[structure.pk])).status_code == 403

    def test_un_siret_faux_se_dit_a_cote_du_champ_et_rien_n_est_perdu(self, entrer):
        structure = StructureFactory()
        reponse = entrer(agent(Role.CHARGE_CONSEIL)).post(
            reverse("partenaires:modifier", args=[structure.pk]),
            {"nom": "Nouveau nom", "type": "evs", "gestionnaire": structure.gestionnaire_id, "commune": "49007",
             "siret": "327 420 824 00045", "version": 1},
        )  # fmt: skip
        page = reponse.content.decode()
        assert (reponse.status_code, "14 chiffres" in page, "Nouveau nom" in page) == (422, True, True)

    @pytest.mark.parametrize("nombre", [1, 40])
    def test_la_liste_des_structures_coute_autant_pour_une_que_pour_quarante(
        self, entrer, nombre, django_assert_num_queries
    ):
        StructureFactory.create_batch(nombre)
        client = entrer(agent(Role.CHARGE_CONSEIL))
        client.get(reverse("partenaires:liste"))
        with django_assert_num_queries(10):
            client.get(reverse("partenaires:liste"))

    @pytest.mark.parametrize("q", ["écou", "\x00", "😀", "א", "a" * 5000, "%' OR 1=1"])
    def test_une_recherche_bizarre_repond_toujours(self, entrer, q):
        assert entrer(agent(Role.CHARGE_CONSEIL)).get(reverse("partenaires:liste"), {"q": q}).status_code == 200


@pytest.mark.django_db
class TestAcces:
    def test_le_representant_legal_invite_et_le_lien_ouvre_l_acces(self, client, entrer):
        structure = StructureFactory()
        president = habiliter(structure, Role.REPRESENTANT_LEGAL)
        reponse = entrer(president).post(
            reverse("partenaires:acces", args=[structure.pk]),
            {"prenom": "Zoé", "nom": "Neuve", "courriel": "zoe@exemple.invalid", "role": "direction",
             "debut": timezone.localdate().isoformat()},
        )  # fmt: skip
        assert reponse.status_code == 302
        lien = next(mot for mot in Envoi.objects.get().texte.split() if "/invitation/" in mot)
        chemin = lien[lien.index("/invitation/") :]
        assert client.get(chemin).status_code == 200
        phrase = "une longue phrase choisie"
        client.post(chemin, {"mot_de_passe": phrase, "confirmation": phrase})
        client.post("/connexion/", {"login": "zoe@exemple.invalid", "password": phrase})
        assert structure.nom in client.get("/espace/").content.decode()

    def test_la_direction_n_ouvre_que_la_saisie(self):
        structure = StructureFactory()
        direction = habiliter(structure, Role.DIRECTION)
        champs = {
            "courriel": "a@exemple.invalid",
            "prenom": "A",
            "nom": "B",
            "debut": date(2026, 1, 1),
            "par": direction,
        }
        with pytest.raises(PermissionDenied, match="aide à la saisie"):
            actions_acces.inviter(structure, role=Role.DIRECTION, **champs)
        assert actions_acces.inviter(structure, role=Role.SAISIE, **champs).role == Role.SAISIE

    def test_on_ne_ferme_pas_le_dernier_representant_legal(self):
        structure = StructureFactory()
        habiliter(structure, Role.REPRESENTANT_LEGAL)
        with pytest.raises(Refus, match="dernier représentant légal"):
            actions_acces.fermer_acces(
                structure.habilitations.get(), fin=timezone.localdate(), par=agent(Role.RESPONSABLE)
            )

    def test_la_passation_ouvre_le_jour_dit_et_ferme_la_veille(self):
        structure = StructureFactory()
        president, ancienne = habiliter(structure, Role.REPRESENTANT_LEGAL), habiliter(structure, Role.DIRECTION)
        le = timezone.localdate() + timedelta(days=10)

        actions_acces.passer_la_direction(
            structure, courriel="suivante@exemple.invalid", prenom="Ada", nom="Suivante", le=le, par=president
        )

        assert ancienne.habilitations.get().fin == le - timedelta(days=1)
        nouvelle = structure.habilitations.en_cours(le).get(role=Role.DIRECTION)
        assert (str(nouvelle.utilisateur), nouvelle.debut) == ("Ada Suivante", le)

    def test_la_direction_ne_passe_pas_elle_meme_la_main(self):
        structure = StructureFactory()
        direction = habiliter(structure, Role.DIRECTION)
        with pytest.raises(PermissionDenied, match="représentant légal"):
            actions_acces.passer_la_direction(
                structure, courriel="x@exemple.invalid", prenom="X", nom="Y", le=timezone.localdate(), par=direction
            )

    def test_on_change_de_structure_sans_se_reconnecter_mais_pas_pour_une_autre(self, entrer):
        premiere, seconde, ailleurs = StructureFactory.create_batch(3)
        personne = habiliter(premiere, Role.DIRECTION)
        habiliter(seconde, Role.DIRECTION, utilisateur=personne)
        client = entrer(personne)
        client.post(reverse("partenaires:choisir_structure"), {"structure": seconde.pk})
        assert seconde.nom in client.get("/espace/").content.decode()
        for faux in (ailleurs.pk, "abc", ""):
            assert client.post(reverse("partenaires:choisir_structure"), {"structure": faux}).status_code == 404

    @pytest.mark.parametrize(
        ("champs", "contrainte"),
        [
            ({"role": "responsable"}, "habilitation_role_de_partenaire"),
            ({"fin": date(2019, 1, 1)}, "habilitation_periode_a_l_endroit"),
        ],
    )
    def test_la_base_refuse_une_habilitation_incoherente(self, champs, contrainte):
        habiliter(StructureFactory(), Role.DIRECTION)
        with pytest.raises(IntegrityError, match=contrainte), transaction.atomic():
            Habilitation.objects.update(**champs)

    def test_la_base_refuse_deux_fois_le_meme_role_en_meme_temps(self):
        structure = StructureFactory()
        personne = habiliter(structure, Role.DIRECTION)
        with pytest.raises(IntegrityError, match="sans_doublon"), transaction.atomic():
            habiliter(structure, Role.DIRECTION, utilisateur=personne)


@pytest.mark.django_db
class TestSecteurs:
    def test_un_secteur_se_transmet_en_un_geste_date(self):
        structure = StructureFactory()
        ancien, nouveau = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        affecter(structure.commune, ancien)
        le = timezone.localdate() + timedelta(days=5)

        assert (
            actions_secteurs.transmettre_secteur(
                de=ancien, vers=nouveau, le=le, communes=None, par=agent(Role.RESPONSABLE)
            )
            == 1
        )

        assert charge_de(structure, le - timedelta(days=1)) == ancien
        assert charge_de(structure, le) == nouveau

    def test_un_secteur_ne_se_transmet_pas_a_n_importe_qui(self):
        with pytest.raises(Refus, match="n’est pas chargé de conseil"):
            actions_secteurs.transmettre_secteur(
                de=agent(Role.CHARGE_CONSEIL), vers=agent(Role.CONTROLEUR), le=timezone.localdate(), communes=None,
                par=agent(Role.RESPONSABLE),
            )  # fmt: skip

    def test_une_commune_n_a_qu_un_charge_a_la_fois(self):
        commune = CommuneFactory()
        affecter(commune, agent(Role.CHARGE_CONSEIL))
        with pytest.raises(IntegrityError, match="un_seul_agent"), transaction.atomic():
            affecter(commune, agent(Role.CHARGE_CONSEIL))

    def test_on_ne_se_supplee_pas_soi_meme_et_la_fin_suit_le_debut(self):
        personne = agent(Role.CHARGE_CONSEIL)
        for suppleant, debut in ((personne, date(2026, 1, 1)), (agent(Role.CHARGE_CONSEIL), date(2026, 3, 1))):
            with pytest.raises(IntegrityError), transaction.atomic():
                Suppleance.objects.create(absent=personne, suppleant=suppleant, debut=debut, fin=date(2026, 2, 1))

    def test_la_page_des_secteurs_transmet_et_dit_les_erreurs(self, entrer):
        de = agent(Role.CHARGE_CONSEIL)
        client = entrer(agent(Role.RESPONSABLE))
        mauvais = {"geste": "secteur", "secteur-de": de.pk, "secteur-vers": de.pk, "secteur-le": "2030-01-01"}
        reponse = client.post(reverse("partenaires:secteurs"), mauvais)
        assert (reponse.status_code, "autre personne" in reponse.content.decode()) == (422, True)
        assert not AffectationCommune.objects.exists()


@pytest.mark.django_db
def test_un_message_du_public_va_au_charge_de_la_commune(client):
    commune = CommuneFactory()
    charge = agent(Role.CHARGE_CONSEIL)
    affecter(commune, charge)
    champs = {
        "objet": "creer",
        "commune": "49007",
        "nom": "Léa",
        "courriel": "lea@exemple.invalid",
        "message": "Bonjour",
    }
    assert client.post("/contact/", champs).status_code == 302
    demande = DemandeContact.objects.get()
    assert (demande.agent, charge.notifications.count()) == (charge, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("champ", "valeur"), [("courriel", "pas une adresse"), ("commune", "75056"), ("message", ""), ("site", "robot")]
)
def test_un_message_du_public_mal_rempli_est_refuse_sans_rien_perdre(client, champ, valeur):
    CommuneFactory()
    champs = {
        "objet": "creer",
        "commune": "49007",
        "nom": "Léa",
        "courriel": "l@e.fr",
        "message": "Bonjour",
        champ: valeur,
    }
    reponse = client.post("/contact/", champs)
    assert (reponse.status_code, "Léa" in reponse.content.decode()) == (422, True)
    assert not DemandeContact.objects.exists()


def test_la_liste_livree_des_structures_est_celle_annoncee():
    fichier = Path(__file__).parents[2] / "partenaires" / "donnees" / "structures_avs_49.csv"
    with fichier.open(encoding="utf-8") as flux:
        assert len(list(csv.DictReader(flux))) == 42


@pytest.mark.django_db
def test_une_fiche_perimee_leve_et_n_ecrit_rien():
    structure = StructureFactory()
    with pytest.raises(VersionPerimee):
        actions.modifier_structure(structure, version=7, par=agent(Role.RESPONSABLE), nom="x")
    assert UtilisateurFactory().roles == frozenset()


@pytest.mark.django_db
def test_un_article_s_ecrit_dans_le_portail_et_se_montre_quand_on_le_publie(client, entrer):
    auteur = entrer(agent(Role.CHARGE_CONSEIL))
    champs = {"titre": "Un café qui roule", "chapeau": "Chaque jeudi.", "texte": "Un.\n\nDeux <script>x</script>"}
    auteur.post(reverse("accueil:nouvel_article"), champs)
    assert client.get("/realisations/un-cafe-qui-roule/").status_code == 404
    article = Realisation.objects.get()
    auteur.post(reverse("accueil:ecrire_article", args=[article.pk]), {**champs, "publier": "on"})
    page = client.get("/realisations/un-cafe-qui-roule/").content.decode()
    assert "Un." in page
    assert "<script>x" not in page
    auteur.post(reverse("accueil:nouvel_article"), champs)
    assert Realisation.objects.filter(slug="un-cafe-qui-roule-2").exists()
