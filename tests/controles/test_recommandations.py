"""Les recommandations : elles survivent au contrôle, se suivent, se comptent, se rappellent, reviennent à l’instruction."""

from __future__ import annotations

from datetime import date, timedelta
from html import unescape

import pytest
from dateutil.relativedelta import relativedelta
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accueil import controles as a_faire
from agrements.choix import Etat as EtatDossier
from agrements.rappels import rappels
from comptes.choix import Role
from controles.actions import contradictoire, recommandations
from controles.choix import Conclusion, Etat, EtatRecommandation
from controles.contenu import deja_signalees
from controles.horloge import suivre_les_controles
from controles.models import Controle, Recommandation, SuiviRecommandation
from courriers.models import Envoi
from partenaires.models import Suppleance
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def recommandation(bureau):
    bureau.mener(Etat.SUITES)
    return Recommandation.objects.get()


def lire(reponse) -> str:
    return unescape(reponse.content.decode()).replace("\u202f", " ").replace("\u00a0", " ")


def echoir(recommandation: Recommandation, dans: int) -> Recommandation:
    Recommandation.objects.filter(pk=recommandation.pk).update(echeance_le=timezone.localdate() + timedelta(days=dans))
    recommandation.refresh_from_db()
    return recommandation


def test_elle_nait_a_la_signature_de_chaque_constat_qui_en_porte_une(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    assert not Recommandation.objects.exists()
    bureau.conclure(controle)
    contradictoire.signer(Controle.objects.get(pk=controle.pk), par=bureau.controleur)

    (nee,) = Recommandation.objects.all()
    assert (nee.code, nee.libelle, nee.responsable) == ("neutralite", "Afficher la charte à l’accueil.", "la direction")
    assert nee.echeance_le == timezone.localdate() + relativedelta(months=6)
    assert bureau.charge.notifications.filter(texte__contains="1 recommandation à suivre").count() == 1


def test_un_constat_leve_n_en_fait_pas_naitre(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    bureau.conclure(controle, Conclusion.LEVE)
    contradictoire.signer(Controle.objects.get(pk=controle.pk), par=bureau.controleur)
    assert not Recommandation.objects.exists()


def test_le_charge_du_secteur_la_suit_meme_le_controle_clos(bureau):
    bureau.mener(Etat.CLOS)
    recommandation = Recommandation.objects.get()
    for personne in (bureau.controleur, bureau.technicien, agent(Role.CHARGE_CONSEIL), bureau.direction):
        with pytest.raises(PermissionDenied):
            recommandations.suivre(recommandation, etat="tenue", texte="x", par=personne)
    with pytest.raises(ValidationError, match="Dites ce que vous avez constaté"):
        recommandations.suivre(recommandation, etat="tenue", texte=" ", par=bureau.charge)
    with pytest.raises(ValidationError, match="Choisissez un état"):
        recommandations.suivre(recommandation, etat="perdue", texte="x", par=bureau.charge)

    recommandations.suivre(recommandation, etat="tenue", texte="Affichée à l’entrée.", par=bureau.charge)
    recommandation.refresh_from_db()
    assert (recommandation.etat, recommandation.fermee_le is None) == (EtatRecommandation.TENUE, False)
    assert bureau.direction.notifications.filter(texte__contains="fait le point").count() == 1

    recommandations.suivre(recommandation, etat="ouverte", texte="Retirée depuis.", par=bureau.responsable)
    recommandation.refresh_from_db()
    assert (recommandation.etat, recommandation.fermee_le) == (EtatRecommandation.OUVERTE, None)
    assert SuiviRecommandation.objects.count() == 2


@pytest.mark.parametrize(
    "ordre",
    [
        "UPDATE controles_suivirecommandation SET texte = 'autre'",
        "DELETE FROM controles_suivirecommandation",
        "DELETE FROM controles_recommandation",
        "UPDATE controles_recommandation SET etat = 'tenue'",
        "UPDATE controles_recommandation SET libelle = ''",
        "UPDATE controles_recommandation SET etat = 'perdue'",
    ],
)
def test_la_base_garde_les_recommandations_et_leurs_suivis(bureau, recommandation, ordre):
    recommandations.suivre(recommandation, etat="ouverte", texte="Vu.", par=bureau.charge)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(ordre)


def test_deja_signalee_se_compte_par_point(bureau):
    premier = bureau.mener(Etat.SUITES)
    second = bureau.mener(Etat.SUITES)
    assert deja_signalees(bureau.structure.pk) == {"neutralite": 2}
    assert deja_signalees(bureau.structure.pk, avant=second) == {"neutralite": 1}
    assert deja_signalees(bureau.structure.pk, avant=premier) == {"neutralite": 1}


def test_deux_rappels_au_plus_avant_puis_a_l_echeance(bureau, recommandation):
    def rappels_de(personne) -> int:
        return personne.notifications.filter(texte__contains="recommandation").filter(
            texte__regex="est à tenir avant|arrive à échéance"
        ).count()  # fmt: skip

    suivre_les_controles()
    assert rappels_de(bureau.direction) == 0
    echoir(recommandation, 30)
    for _ in range(3):
        suivre_les_controles()
    assert (rappels_de(bureau.direction), rappels_de(bureau.charge)) == (1, 1)
    for jours in (5, 1):
        recommandations.rappeler_les_echeances(recommandation.echeance_le - timedelta(days=jours))
    assert rappels_de(bureau.direction) == 1
    for jours in (0, 1, 20):
        recommandations.rappeler_les_echeances(recommandation.echeance_le + timedelta(days=jours))
    assert (rappels_de(bureau.direction), rappels_de(bureau.charge)) == (2, 2)
    assert not Envoi.objects.filter(texte__contains="charte").exists()

    recommandations.suivre(recommandation, etat="tenue", texte="Fait.", par=bureau.charge)
    assert recommandations.rappeler_les_echeances(recommandation.echeance_le) == 0


def test_elle_revient_a_la_prochaine_instruction(bureau, recommandation, entrer):
    le = timezone.localdate()
    (rappel,) = rappels(bureau.structure, le)
    assert (rappel.texte, rappel.urgent) == ("Afficher la charte à l’accueil.", False)
    assert rappels(bureau.structure, recommandation.echeance_le + timedelta(days=1))[0].urgent

    dossier = bureau.structure.dossiers.get(etat=EtatDossier.AGREE)
    client = entrer(bureau.charge)
    for nom in ("fiche", "grille"):
        page = lire(client.get(reverse(f"agrements:{nom}", args=[dossier.pk])))
        assert "Déjà recommandé à cette structure" in page
        assert recommandation.get_absolute_url() in page
    assert "Déjà recommandé" not in lire(entrer(bureau.direction).get(reverse("agrements:fiche", args=[dossier.pk])))


def test_a_faire_le_charge_et_la_structure_la_retrouvent_trente_jours_avant(bureau, recommandation):
    le = timezone.localdate()
    assert a_faire.pour_la_caf(bureau.charge, le) == []
    echoir(recommandation, 30)
    (tache,) = a_faire.pour_la_caf(bureau.charge, le)
    assert (tache.libelle, tache.en_retard) == ("Suivre une recommandation", False)
    echoir(recommandation, -1)
    (tache,) = a_faire.pour_la_structure(bureau.structure, frozenset({Role.DIRECTION}), le)
    assert (tache.libelle, tache.en_retard) == ("Tenir une recommandation de la Caf", True)
    assert a_faire.pour_la_caf(agent(Role.CHARGE_CONSEIL), le) == []


def test_la_fiche_se_suit_par_la_page_et_la_structure_la_lit(bureau, recommandation, entrer):
    lien = recommandation.get_absolute_url()
    client = entrer(bureau.charge)
    assert "Faire le point" in lire(client.get(lien))
    reponse = client.post(lien, {"etat": "tenue", "texte": " "})
    assert reponse.status_code == 422
    assert "Dites ce que vous avez constaté." in lire(reponse)
    assert client.post(lien, {"etat": "zéro", "texte": "x"}).status_code == 422
    page = lire(client.post(lien, {"etat": "tenue", "texte": "Vue à l’accueil."}, follow=True))
    assert "Vue à l’accueil." in page
    assert "Suivie d’effet" in page

    client = entrer(bureau.direction)
    page = lire(client.get(lien))
    assert "Vue à l’accueil." in page
    assert "Faire le point" not in page
    assert client.post(lien, {"etat": "tenue", "texte": "x"}).status_code == 403
    assert entrer(bureau.technicien).post(lien, {"etat": "tenue", "texte": "x"}).status_code == 403
    etranger = habiliter(StructureFactory(), Role.DIRECTION)
    assert entrer(etranger).get(lien).status_code == 404
    assert "Afficher la charte" not in lire(entrer(etranger).get(reverse("controles:recommandations")))


def test_la_fiche_de_la_structure_dit_controles_et_recommandations(bureau, recommandation, entrer):
    lien = f"{bureau.structure.get_absolute_url()}?onglet=controles"
    controle = recommandation.constat.controle
    for personne in (bureau.charge, bureau.direction):
        page = lire(entrer(personne).get(lien))
        assert controle.numero in page
        assert "Afficher la charte à l’accueil." in page
    tu = bureau.mener(Etat.PROGRAMME)
    assert tu.numero not in lire(entrer(bureau.charge).get(lien))
    assert tu.numero in lire(entrer(bureau.responsable).get(lien))


def test_la_liste_se_filtre_par_l_adresse(bureau, recommandation, entrer):
    client = entrer(bureau.charge)
    liste = reverse("controles:recommandations")

    def trouve(**filtres) -> bool:
        return recommandation.get_absolute_url() in lire(client.get(liste, filtres))

    assert trouve()
    assert trouve(structure=bureau.structure.pk)
    assert not trouve(structure=0)
    assert not trouve(structure="zéro")
    assert trouve(suivi="moi")
    assert not trouve(etat="tenue")
    assert not trouve(echues="oui")
    assert not trouve(echues="mois")
    echoir(recommandation, -1)
    assert trouve(echues="oui", q=bureau.structure.nom)
    assert trouve(page=99)
    collegue = agent(Role.CHARGE_CONSEIL)
    assert recommandation.get_absolute_url() not in lire(entrer(collegue).get(liste, {"suivi": "moi"}))
    for hostile in ("9" * 30, "\u0661", "<script>"):
        assert client.get(liste, {"structure": hostile, "etat": hostile}).status_code == 200


def test_la_liste_et_l_onglet_coutent_autant_a_une_et_a_plusieurs_lignes(bureau, recommandation, entrer):
    client = entrer(bureau.charge)
    adresses = [reverse("controles:recommandations"), f"{bureau.structure.get_absolute_url()}?onglet=controles"]

    def couts() -> list[int]:
        rendus = []
        for lien in adresses:
            client.get(lien)
            with CaptureQueriesContext(connection) as capture:
                client.get(lien)
            rendus.append(len(capture))
        return rendus

    une = couts()
    for _ in range(3):
        bureau.mener(Etat.SUITES)
    assert Recommandation.objects.count() == 4
    assert couts() == une


def test_un_suppleant_suit_a_la_place_de_l_absent(bureau, recommandation):
    suppleant = agent(Role.CHARGE_CONSEIL)
    Suppleance.objects.create(
        absent=bureau.charge, suppleant=suppleant, debut=date(2020, 1, 1), fin=timezone.localdate() + timedelta(days=9)
    )
    suivi = recommandations.suivre(recommandation, etat="ouverte", texte="Rendez-vous pris.", par=suppleant)
    assert suivi.par == suppleant
