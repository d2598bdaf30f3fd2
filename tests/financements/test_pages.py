"""Les pages de l’argent : ce qu’elles montrent, ce qu’elles refusent, ce qu’elles coûtent en requêtes."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from documents import production
from financements.actions import conventions, droits, paiements
from financements.choix import EtatConvention, EtatDeclaration, TypeDeclaration
from financements.etude import etudier
from financements.models import Campagne, CleRepartition, ImportComptes, Saisie, Scenario
from partenaires.models import AffectationGestionnaire
from tests.fabriques.comptes import agent
from tests.fabriques.financements import EXERCICE, Caisse
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def caisse():
    return Caisse()


@pytest.fixture
def payee(caisse):
    caisse.baremes()
    caisse.declarer()
    return caisse


# --- Déclaration ----------------------------------------------------------------------------------------------------
def test_le_technicien_controle_ligne_par_ligne(caisse, entrer):
    caisse.baremes()
    declaration = caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    client = entrer(caisse.technicien)
    page = client.get(reverse("financements:controle", args=[declaration.pk])).content.decode()
    assert 'name="remarque-60"' in page
    client.post(reverse("financements:controle", args=[declaration.pk]), {"remarque-60": "Détaillez.", "envoyer": ""})
    declaration.refresh_from_db()
    assert declaration.etat == EtatDeclaration.A_CORRIGER


def test_une_case_refusee_rend_422_avec_sa_phrase_et_garde_les_autres(caisse, entrer):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    reponse = entrer(caisse.direction).post(
        reverse("financements:declaration", args=[declaration.pk]),
        {"60.pilotage": "mille", "version-60.pilotage": "1", "73": "1 234,5", "version-73": "0"},
    )
    texte = reponse.content.decode()
    assert reponse.status_code == 422
    assert "Écrivez un montant en euros" in texte
    assert 'value="mille"' in texte
    assert Saisie.objects.get(declaration=declaration, champ="73").nombre == D("1234.50")


@pytest.mark.parametrize(
    ("donnees", "statut"),
    [
        ({"valeur": "12", "version": "0"}, 200),
        ({"valeur": "12", "version": ""}, 422),
        ({"valeur": "12", "version": "٣"}, 422),
        ({"valeur": "x\x00y", "version": "0"}, 422),
        ({"valeur": "9" * 100_000, "version": "0"}, 422),
        ({"valeur": "12", "version": "7"}, 409),
    ],
)
def test_une_case_se_garde_se_refuse_ou_entre_en_conflit(caisse, entrer, donnees, statut):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    if statut == 409:
        Saisie.objects.create(
            declaration=declaration, champ="73", nombre=1, modifie_par=caisse.saisie, modifie_le=timezone.now()
        )
    url = reverse("financements:case", args=[declaration.pk, "73"])
    assert entrer(caisse.direction).post(url, donnees).status_code == statut


def test_une_case_inconnue_est_fermee(caisse, entrer):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    url = reverse("financements:case", args=[declaration.pk, "99.pirate"])
    assert entrer(caisse.direction).post(url, {"valeur": "1", "version": "0"}).status_code == 403


def test_ouvrir_deux_fois_la_meme_campagne_ouvre_une_seule_declaration(caisse, entrer):
    campagne, client = caisse.campagne(), entrer(caisse.direction)
    adresses = {client.post(reverse("financements:ouvrir", args=[campagne.pk]))["Location"] for _ in range(2)}
    assert len(adresses) == 1


def test_une_campagne_pas_encore_ouverte_se_dit(caisse, entrer):
    demain = timezone.localdate() + timedelta(days=1)
    campagne = Campagne.objects.create(exercice=2029, type="reel", ouverture=demain, limite=demain)
    reponse = entrer(caisse.direction).post(reverse("financements:ouvrir", args=[campagne.pk]), follow=True)
    assert "pas encore ouverte" in reponse.content.decode()


# --- Import ---------------------------------------------------------------------------------------------------------
def envoyer(client, declaration, contenu: bytes, nom="balance.csv"):
    return client.post(
        reverse("financements:importer", args=[declaration.pk]), {"fichier": SimpleUploadedFile(nom, contenu)}
    )


@pytest.mark.parametrize(
    ("nom", "contenu"),
    [
        ("vide.csv", b""),
        ("programme.exe", b"MZ\x90\x00"),
        ("image.xlsx", b"\x89PNG\r\n"),
        ("macro.xlsm", b"PK\x03\x04"),
        ("sans-colonne.csv", b"a;b\n1;2\n"),
    ],
)
def test_un_fichier_illisible_se_refuse_pres_du_champ_et_ne_change_rien(caisse, entrer, nom, contenu):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    avant = declaration.saisies.count()
    reponse = envoyer(entrer(caisse.direction), declaration, contenu, nom)
    assert reponse.status_code == 422
    assert reponse.context["form"].errors["fichier"]
    assert declaration.saisies.count() == avant
    assert not ImportComptes.objects.exists()


BALANCE = "Compte;Libellé;Débit;Crédit\n606000;Achats;1 000,00;\n744000;Commune;;1 000,00\n".encode()


def test_l_import_nomme_les_comptes_sans_ligne_garde_la_cle_puis_remplit(caisse, entrer):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    client = entrer(caisse.direction)
    assert envoyer(client, declaration, BALANCE).status_code == 302
    url = reverse("financements:importer", args=[declaration.pk])
    page = client.get(url).content.decode()
    assert "606000 Achats" in page
    assert "Remplir la déclaration" not in page
    cle = {
        "r0-prefixe": "606",
        "r0-compte": "60",
        "r0-pilotage": "33,33",
        "r0-activites": "33,33",
        "r0-logistique": "33,34",
    }
    client.post(reverse("financements:cle", args=[declaration.pk]), cle)
    assert CleRepartition.objects.get().parts == {"pilotage": "33.33", "activites": "33.33", "logistique": "33.34"}
    reponse = client.post(url, {"appliquer": ""})
    assert reponse["Location"] == declaration.get_absolute_url()
    montants = dict(declaration.saisies.filter(champ__startswith="60.").values_list("champ", "nombre"))
    assert sum(montants.values()) == 1000
    assert declaration.saisies.get(champ="744").nombre == 1000


def test_une_cle_qui_ne_fait_pas_cent_est_refusee(caisse, entrer):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    client = entrer(caisse.direction)
    envoyer(client, declaration, BALANCE)
    reponse = client.post(
        reverse("financements:cle", args=[declaration.pk]),
        {"r0-prefixe": "606", "r0-compte": "60", "r0-pilotage": "50"},
    )
    assert reponse.status_code == 422
    assert "50 %" in reponse.content.decode()


# --- Listes ---------------------------------------------------------------------------------------------------------
def plusieurs_droits(caisse, nombre: int) -> None:
    """Des droits de plus, copiés sous d’autres structures : la liste ne regarde qu’eux."""
    droit = caisse.droit()
    version = droit.versions.get()
    for _ in range(nombre):
        structure = StructureFactory()
        copie = type(droit).objects.create(structure=structure, prestation=droit.prestation, exercice=EXERCICE)
        version.pk, version.droit = None, copie
        version.save(force_insert=True)


@pytest.mark.parametrize("nombre", [0, 30])
def test_la_liste_des_droits_coute_autant_pour_un_que_pour_trente(payee, entrer, django_assert_num_queries, nombre):
    plusieurs_droits(payee, nombre)
    client = entrer(payee.technicien)
    client.get(reverse("financements:droits"))
    with django_assert_num_queries(8):
        client.get(reverse("financements:droits"))


@pytest.mark.parametrize("nom", ["financements:declarations", "financements:paiements", "financements:conventions"])
def test_les_listes_coutent_peu(payee, entrer, django_assert_max_num_queries, nom):
    paiements.proposer(payee.droit(), nature="acompte_1", par=payee.technicien)
    client = entrer(payee.technicien)
    client.get(reverse(nom))
    with django_assert_max_num_queries(12):
        assert client.get(reverse(nom)).status_code == 200


def test_les_filtres_sont_dans_l_adresse(payee, entrer):
    client = entrer(payee.technicien)
    url = reverse("financements:droits")
    assert client.get(url, {"solde": "verser", "suivi": "moi"}).context["page"].paginator.count == 2
    assert client.get(url, {"solde": "rendre"}).context["page"].paginator.count == 0
    assert client.get(url, {"q": "inexistante"}).context["page"].paginator.count == 0
    autre = agent(Role.TECHNICIEN_CONSEIL)
    assert entrer(autre).get(url, {"suivi": "moi"}).context["page"].paginator.count == 0


def test_mon_portefeuille_suit_les_affectations(payee, entrer):
    AffectationGestionnaire.objects.all().delete()
    client = entrer(payee.technicien)
    assert client.get(reverse("financements:droits"), {"suivi": "moi"}).context["page"].paginator.count == 0


def test_l_export_rend_un_classeur_sans_formule(payee, entrer):
    type(payee.structure).objects.filter(pk=payee.structure.pk).update(nom="=2+5")
    reponse = entrer(payee.technicien).get(reverse("financements:exporter_droits"))
    classeur = openpyxl.load_workbook(io.BytesIO(b"".join(reponse.streaming_content)))
    lignes = list(classeur.active.iter_rows(values_only=True))
    assert lignes[0][0] == "Exercice"
    cellule = classeur.active.cell(row=2, column=2)
    assert (cellule.value, cellule.data_type) == ("=2+5", "s")
    assert {ligne[6] for ligne in lignes[1:]} == {61056.0, 22896.0}


# --- Droit, mes financements ----------------------------------------------------------------------------------------
def test_la_fiche_du_droit_explique_ligne_a_ligne(payee, entrer):
    page = entrer(payee.direction).get(payee.droit().get_absolute_url()).content.decode()
    for mot in ("Quote-part de la logistique", "42,4", "valeur de démonstration", "61\u202f056,00"):
        assert mot in page
    assert "Forcer un montant" not in page


def test_une_ancienne_version_se_relit_et_dit_qu_elle_est_remplacee(payee, entrer):
    payee.declarer(TypeDeclaration.REEL, echelle="0.5")
    page = entrer(payee.direction).get(payee.droit().get_absolute_url(), {"version": "1"}).content.decode()
    assert "remplacée" in page
    assert "61\u202f056,00" in page


@pytest.mark.parametrize("exercice", ["", "2027", "abc", "99999", "٢٠٢٧"])
def test_mes_financements_repond_quelle_que_soit_l_annee(payee, entrer, exercice):
    assert entrer(payee.direction).get(reverse("financements:accueil"), {"exercice": exercice}).status_code == 200


def test_une_personne_sans_structure_lit_pourquoi(entrer):
    structure = StructureFactory()
    personne = habiliter(structure, Role.DIRECTION)
    client = entrer(personne)
    structure.habilitations.all().delete()
    assert client.get(reverse("financements:accueil")).status_code == 403


def test_un_forcage_passe_par_deux_ecrans_et_deux_personnes(payee, entrer):
    droit = payee.droit()
    entrer(payee.technicien).post(
        reverse("financements:forcer", args=[droit.pk]), {"montant": "50 000,00", "motif": "Poste vacant."}
    )
    demande = droit.derogations.get()
    responsable = entrer(payee.responsable)
    url = reverse("financements:decider", args=[demande.pk])
    assert responsable.post(url, {"refuser": "", "motif": ""}).status_code == 422
    assert responsable.post(url, {"approuver": "", "motif": ""}).status_code == 302
    page = entrer(payee.direction).get(droit.get_absolute_url()).content.decode()
    assert "Montant forcé" in page
    assert "Poste vacant." in page


@pytest.mark.parametrize("montant", ["-1", "1e3", "10" + "0" * 15, "abc", ""])
def test_un_montant_absurde_est_refuse_pres_du_champ(payee, entrer, montant):
    reponse = entrer(payee.technicien).post(
        reverse("financements:forcer", args=[payee.droit().pk]), {"montant": montant, "motif": "x"}
    )
    assert reponse.status_code == 422
    assert reponse.context["form"].errors["montant"]


def test_suspendre_puis_reprendre_les_versements(payee, entrer):
    url = reverse("financements:versements", args=[payee.droit().pk])
    client = entrer(payee.technicien)
    assert client.post(url, {"motif": ""}).status_code == 422
    client.post(url, {"motif": "Comptes en retard."})
    assert payee.droit().suspendu_le == timezone.localdate()
    client.post(url)
    assert payee.droit().suspendu_le is None


# --- Barèmes, campagnes, scénarios ----------------------------------------------------------------------------------
BAREME = {"taux": "42,4", "prix_plafond": "180 000", "postes": ["pilotage"], "quote_part": "on", "prorata": "aucun",
          "effet_le": "2027-01-01", "source": "x"}  # fmt: skip


@pytest.mark.parametrize(
    ("champs", "champ"),
    [({"taux": "0"}, "__all__"), ({"taux": "101"}, "taux"), ({"prix_plafond": "-3"}, "prix_plafond"),
     ({"postes": []}, "postes"), ({"source": ""}, "source"), ({"effet_le": "2027-02-30"}, "effet_le")],
)  # fmt: skip
def test_un_bareme_mal_saisi_dit_ou(caisse, entrer, champs, champ):
    reponse = entrer(caisse.administrateur).post(
        reverse("financements:creer_bareme") + f"?prestation=agc&exercice={EXERCICE}", BAREME | champs
    )
    assert reponse.status_code == 422
    assert reponse.context["form"].errors[champ]


def test_un_bareme_pour_une_annee_hors_de_la_prestation_est_refuse(caisse, entrer):
    reponse = entrer(caisse.administrateur).post(
        reverse("financements:creer_bareme") + "?prestation=unique&exercice=2026", BAREME
    )
    assert reponse.status_code == 422
    assert "existe depuis 2030" in reponse.content.decode()


def test_qui_change_de_regime_a_la_fusion_se_voit_et_rien_n_est_invente(payee, entrer):
    page = entrer(payee.responsable).get(reverse("financements:changements"), {"exercice": 2030}).content.decode()
    assert payee.structure.nom in page
    assert "PS unique" in page
    assert "0,00" not in page.split("<tbody>")[1].split("</tbody>")[0]


def test_la_projection_se_calcule_quand_le_bareme_unique_est_publie(payee, entrer):
    from financements.models import Prestation

    Prestation.objects.filter(pk="unique").update(premier_exercice=EXERCICE + 1)
    Prestation.objects.filter(pk__in=["agc", "acf"]).update(dernier_exercice=EXERCICE)
    payee.bareme("unique", exercice=EXERCICE + 1, taux=D(50), prix_plafond=D(100_000), postes=["pilotage"])
    page = entrer(payee.responsable).get(reverse("financements:changements"), {"exercice": EXERCICE + 1})
    assert "50\u202f000,00" in page.content.decode()


def test_un_scenario_ne_touche_aucun_droit(payee, entrer):
    client = entrer(payee.responsable)
    avant = payee.courante().montant
    champs = {"exercice": EXERCICE, "nom": "Moins 2 %", "variation_plafond": "0", "variation_taux": "0",
              "variation_enveloppe": "-2"}  # fmt: skip
    assert client.post(reverse("financements:creer_scenario"), champs).status_code == 302
    scenario = Scenario.objects.get()
    assert D(scenario.resultat["apres"]) == pytest.approx(D(scenario.resultat["avant"]) * D("0.98"), abs=D("0.02"))
    assert payee.courante().montant == avant
    client.post(reverse("financements:retenir", args=[scenario.pk]))
    assert client.post(reverse("financements:creer_scenario"), champs).status_code == 422
    scenario.refresh_from_db()
    assert scenario.retenu


def test_le_scenario_de_fusion_demande_un_bareme_plutot_que_d_en_inventer(payee, entrer):
    champs = {"exercice": EXERCICE, "nom": "Fusion", "variation_plafond": "0", "variation_taux": "0", "fusion": "on"}
    reponse = entrer(payee.responsable).post(reverse("financements:creer_scenario"), champs)
    assert reponse.status_code == 422
    assert "n’invente ni taux ni plafond" in reponse.content.decode()


def test_une_relance_se_prepare_a_blanc(caisse, entrer):
    campagne = caisse.campagne()
    client = entrer(caisse.administrateur)
    url = reverse("financements:relancer", args=[campagne.pk])
    assert str(caisse.direction) in client.get(url).content.decode()
    assert "2 relance" in client.post(url, follow=True).content.decode()
    assert "Personne à relancer" in client.get(url).content.decode()


def test_les_campagnes_par_defaut_s_ajoutent_une_fois(caisse, entrer):
    client = entrer(caisse.administrateur)
    for _ in range(2):
        client.post(reverse("financements:creer_campagnes"), {"exercice": 2030})
    assert Campagne.objects.filter(exercice=2030).count() == 4


# --- Convention -----------------------------------------------------------------------------------------------------
def pdf(nom="signee.pdf"):
    from agrements.demo.dossiers import document

    return document(nom)


def test_une_convention_se_signe_des_deux_cotes_et_ouvre_les_paiements(payee, entrer):
    type(payee.gestionnaire).objects.filter(pk=payee.gestionnaire.pk).update(statut="association")
    convention = conventions.creer(payee.agrement, dernier_exercice=2030, par=payee.technicien)
    production.produire(convention.acte_id)
    convention.acte.refresh_from_db()
    url = reverse("financements:deposer_scan", args=[convention.pk])
    president, responsable = entrer(payee.president), entrer(payee.responsable)
    assert president.post(url, {"fichier": pdf(), "code": "AAAABBBBCCCC"}).status_code == 422
    assert (
        entrer(payee.direction).post(url, {"fichier": pdf(), "code": convention.acte.code_lisible}).status_code == 403
    )
    assert president.post(url, {"fichier": pdf(), "code": convention.acte.code_lisible}).status_code == 302
    assert "convention signée" in etudier(payee.droit()).obstacles[0]
    assert responsable.post(url, {"fichier": pdf(), "code": convention.acte.code}).status_code == 302
    convention.refresh_from_db()
    assert convention.etat == EtatConvention.SIGNEE
    assert etudier(payee.droit()).obstacles == ()
    assert responsable.post(url, {"fichier": pdf(), "code": convention.acte.code}).status_code == 422


def test_l_exemplaire_signe_se_reconnait_a_son_qr(payee, entrer):
    """Ni code à recopier, ni signature du mauvais document."""
    convention = conventions.creer(payee.agrement, dernier_exercice=2030, par=payee.technicien)
    production.produire(convention.acte_id)
    url, president = reverse("financements:deposer_scan", args=[convention.pk]), entrer(payee.president)
    sans_qr = president.post(url, {"fichier": pdf()})
    assert sans_qr.status_code == 422
    assert "Le QR ne se lit pas" in sans_qr.content.decode()
    autre = payee.actes("notification_droit")[0]
    production.produire(autre.pk)
    refuse = president.post(url, {"fichier": exemplaire(autre)})
    assert refuse.status_code == 422
    assert "celui d’un autre document" in refuse.content.decode()
    assert president.post(url, {"fichier": exemplaire(convention.acte)}).status_code == 302
    convention.refresh_from_db()
    assert convention.etat == EtatConvention.SIGNEE_PARTENAIRE


def exemplaire(acte) -> SimpleUploadedFile:
    acte.refresh_from_db()
    with acte.pdf.open("rb") as contenu:
        return SimpleUploadedFile("signee.pdf", contenu.read())


def test_un_avenant_suppose_une_convention_signee(payee, entrer):
    convention = conventions.creer(payee.agrement, dernier_exercice=2030, par=payee.technicien)
    client = entrer(payee.technicien)
    assert client.get(reverse("financements:avenant", args=[convention.pk])).status_code == 403


def test_une_seconde_convention_pour_le_meme_agrement_est_refusee(payee, entrer):
    conventions.creer(payee.agrement, dernier_exercice=2030, par=payee.technicien)
    url = reverse("financements:creer_convention", args=[payee.agrement.pk])
    reponse = entrer(payee.technicien).post(url, {"dernier_exercice": "2030"})
    assert reponse.status_code == 422
    assert "faites un avenant" in reponse.content.decode()


# --- Simulateur -----------------------------------------------------------------------------------------------------
def test_le_simulateur_dit_son_calcul(payee, entrer):
    cas = {
        "prestation": "agc",
        "exercice": EXERCICE,
        "pilotage": "120 000",
        "activites": "180000",
        "logistique": "60000",
    }
    page = entrer(payee.direction).get(reverse("financements:simulateur"), cas)
    assert "61\u202f056,00" in page.content.decode()


def test_le_simulateur_sans_bareme_le_dit_pres_du_champ(caisse, entrer):
    page = entrer(caisse.direction).get(
        reverse("financements:simulateur"), {"prestation": "al", "exercice": "2027", "assiette": "100"}
    )
    assert page.status_code == 422
    assert page.context["form"].errors


def test_une_derogation_deja_decidee_ne_se_redecide_pas(payee, entrer):
    demande = droits.demander_forcage(payee.droit(), montant=D(1), motif="x", par=payee.technicien)
    client, url = entrer(payee.responsable), reverse("financements:decider", args=[demande.pk])
    client.post(url, {"refuser": "", "motif": "Non."})
    reponse = client.post(url, {"approuver": "", "motif": ""})
    assert "déjà reçu une décision" in reponse.content.decode()
