"""Les pages des structures et des secteurs : requêtes comptées, mauvaises saisies, portes fermées."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.choix import ROLES_CAF, Role
from partenaires import actions
from partenaires.models import (
    AffectationCommune,
    Commune,
    CommuneDeleguee,
    Contact,
    EvenementPartenaire,
    QuartierPrioritaire,
    Structure,
)
from tests.conftest import violations
from tests.fabriques.comptes import MOT_DE_PASSE, agent
from tests.fabriques.partenaires import CommuneFactory, EpciFactory, StructureFactory, affecter, champs_de, habiliter

ONGLETS = ["identite", "territoire", "personnes", "agrements", "dossiers", "documents", "journal"]
IBAN = "FR7630006000011234567890189"


def peupler(structure: Structure, nombre: int) -> None:
    """Autant de tout ce que montrent les onglets."""
    chef = agent(Role.RESPONSABLE)
    for n in range(nombre):
        commune = CommuneFactory(code_insee=f"49{n:03}", nom=f"Commune {n}")
        structure.communes_intervention.add(commune)
        structure.quartiers_prioritaires.add(
            QuartierPrioritaire.objects.create(code=f"QN{n:05}", nom=f"Quartier {n}", commune=commune)
        )
        Contact.objects.create(structure=structure, nom=f"Contact {n}", fonction="accueil")
        habiliter(structure, Role.SAISIE)
        EvenementPartenaire.objects.create(structure=structure, geste="modifier", par=chef)


@pytest.mark.django_db
@pytest.mark.parametrize("onglet", ONGLETS)
def test_un_onglet_coute_autant_pour_une_ligne_que_pour_cinquante(
    entrer, onglet, django_assert_num_queries, django_assert_max_num_queries
):
    petite, grande = StructureFactory.create_batch(2)
    client = entrer(agent(Role.CHARGE_CONSEIL))
    peupler(petite, 1)
    client.get(petite.get_absolute_url(), {"onglet": onglet})
    with django_assert_max_num_queries(16 if onglet == "journal" else 12) as releve:  # le journal a dix sources
        assert client.get(petite.get_absolute_url(), {"onglet": onglet}).status_code == 200
    QuartierPrioritaire.objects.all().delete()
    peupler(grande, 50)
    with django_assert_num_queries(len(releve)):
        client.get(grande.get_absolute_url(), {"onglet": onglet})


@pytest.mark.django_db
@pytest.mark.parametrize("onglet", ["inconnu", "", "\x00", "a" * 100_000])
def test_un_onglet_inconnu_est_une_page_introuvable(entrer, onglet):
    reponse = entrer(agent(Role.CHARGE_CONSEIL)).get(StructureFactory().get_absolute_url(), {"onglet": onglet})
    assert reponse.status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE])
def test_la_fiche_d_une_autre_structure_n_existe_pas(entrer, role):
    sienne, autre = StructureFactory.create_batch(2)
    client = entrer(habiliter(sienne, role))
    for nom in ("fiche", "modifier", "acces", "passation"):
        adresse = reverse(f"partenaires:{nom}", args=[autre.pk])
        assert (client.get(adresse).status_code, client.post(adresse, {"version": 1}).status_code) in {
            (404, 404),
            (404, 405),
        }
    assert list(client.get(reverse("partenaires:liste")).context["page"]) == [sienne]
    assert client.get("/structures/99999999999999999999/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(ROLES_CAF | {Role.DIRECTION}))
@pytest.mark.parametrize("onglet", ["identite", "journal"])
def test_l_iban_ne_se_lit_jamais_en_entier_sur_la_fiche(entrer, role, onglet):
    structure = StructureFactory(gestionnaire__iban=IBAN)
    personne = habiliter(structure, Role(role)) if role == Role.DIRECTION else agent(Role(role))
    page = entrer(personne).get(structure.get_absolute_url(), {"onglet": onglet}).content.decode()
    assert (IBAN in page, "•••• 0189" in page) == (False, onglet == "identite")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("champ", "valeur"),
    [
        ("nom", ""),
        ("nom", "a" * 100_000),
        ("nom", "a\x00b"),
        ("type", "piscine"),
        ("gestionnaire", "999999"),
        ("gestionnaire", "9" * 5000),
        ("gestionnaire", "\x00"),
        ("commune", "75056"),
        ("commune", "\x00"),
        ("siret", "327420824000"),
        ("siret", "😀"),
        ("premier_agrement_le", "2026-02-30"),
        ("premier_agrement_le", "demain"),
        ("site_web", "javascript:alert(1)"),
        ("version", "0"),
        ("version", "abc"),
    ],
)
def test_une_mauvaise_saisie_est_refusee_sans_toucher_a_la_fiche(entrer, champ, valeur):
    structure = StructureFactory()
    reponse = entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:modifier", args=[structure.pk]),
        champs_de(structure, **{"adresse": "ma saisie gardée", champ: valeur}),
    )
    assert (reponse.status_code, "ma saisie gardée" in reponse.content.decode()) == (422, True)
    assert champ in reponse.context["form"].errors
    structure.refresh_from_db()
    assert (structure.version, structure.adresse != "ma saisie gardée") == (1, True)


@pytest.mark.django_db
@pytest.mark.parametrize("nom", ["Le café 😀", "مركز اجتماعي", "L’Été <b>gras</b> & Cie", "Ω‮retourné"])
def test_un_nom_venu_d_ailleurs_se_garde_tel_quel_et_s_affiche_sans_danger(entrer, nom):
    structure = StructureFactory()
    client = entrer(agent(Role.CHARGE_CONSEIL))
    adresse = reverse("partenaires:modifier", args=[structure.pk])
    assert client.post(adresse, champs_de(structure, nom=nom)).status_code == 302
    structure.refresh_from_db()
    assert structure.nom == nom
    assert "<b>gras" not in client.get(structure.get_absolute_url()).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("champ", "valeur", "phrase"),
    [
        ("siren", "214900079", "9 chiffres"),
        ("siret", "21490007800013", "14 chiffres"),
        ("rna", "W49", "W suivi de 9 chiffres"),
        ("iban", "FR7630006000011234567890188", "relevé d’identité bancaire"),
        ("iban", "FR7630006000011234567890189999", "relevé d’identité bancaire"),
    ],
)
def test_un_identifiant_faux_se_dit_en_francais(entrer, champ, valeur, phrase):
    structure = StructureFactory()
    gestionnaire = structure.gestionnaire
    envoi = {"nom": gestionnaire.nom, "statut": gestionnaire.statut, "ville": "Ma ville", "version": 1, champ: valeur}
    reponse = entrer(agent(Role.TECHNICIEN_CONSEIL)).post(
        reverse("partenaires:modifier_gestionnaire", args=[structure.pk]), envoi
    )
    page = reponse.content.decode()
    assert (reponse.status_code, phrase in page, "Ma ville" in page) == (422, True, True)


@pytest.mark.django_db
def test_un_iban_recopie_avec_ses_espaces_est_compris(entrer):
    structure = StructureFactory()
    gestionnaire = structure.gestionnaire
    envoi = {"nom": gestionnaire.nom, "statut": gestionnaire.statut, "version": 1}
    entrer(agent(Role.TECHNICIEN_CONSEIL)).post(
        reverse("partenaires:modifier_gestionnaire", args=[structure.pk]),
        {**envoi, "iban": "fr76 3000 6000 0112 3456 7890 189"},
    )
    gestionnaire.refresh_from_db()
    assert gestionnaire.iban == IBAN


@pytest.mark.django_db
class TestListe:
    @pytest.fixture
    def trois(self):
        saumur = EpciFactory(siren="200071876", nom="Saumur Val de Loire")
        rurale = CommuneFactory(code_insee="49003", nom="Écuillé", epci=saumur, en_frr=True)
        angers = CommuneFactory()
        quartier = QuartierPrioritaire.objects.create(code="QN1", nom="Roseraie", commune=angers)
        a = StructureFactory(nom="L’Œuvre", type="evs", commune=rurale)
        b = StructureFactory(nom="Jean Vilar", commune=angers)
        b.quartiers_prioritaires.add(quartier)
        c = StructureFactory(nom="Fermée", commune=angers, fermee_le=date(2020, 1, 1))
        return a, b, c

    @pytest.mark.parametrize(
        ("filtre", "noms"),
        [
            ({}, ["Jean Vilar", "L’Œuvre"]),
            ({"q": "ECUILLE"}, ["L’Œuvre"]),
            ({"q": "oeuvre"}, ["L’Œuvre"]),
            ({"type": "evs"}, ["L’Œuvre"]),
            ({"type": "piscine"}, ["Jean Vilar", "L’Œuvre"]),
            ({"epci": "200071876"}, ["L’Œuvre"]),
            ({"epci": "9" * 5000}, ["Jean Vilar", "L’Œuvre"]),  # un filtre inconnu ne filtre pas
            ({"zone": "qpv"}, ["Jean Vilar"]),
            ({"zone": "frr"}, ["L’Œuvre"]),
            ({"zone": "frr", "type": "centre_social"}, []),
            ({"page": "9" * 5000}, ["Jean Vilar", "L’Œuvre"]),
        ],
    )
    def test_les_filtres_de_l_adresse(self, entrer, trois, filtre, noms):
        page = entrer(agent(Role.CHARGE_CONSEIL)).get(reverse("partenaires:liste"), filtre).context["page"]
        assert [s.nom for s in page] == noms

    def test_htmx_ne_recoit_que_les_resultats(self, entrer, trois):
        page = entrer(agent(Role.CHARGE_CONSEIL)).get(reverse("partenaires:liste"), headers={"HX-Request": "true"})
        assert page.content.decode().strip().startswith('<section id="resultats"')

    def test_la_seconde_page_garde_les_filtres(self, entrer):
        StructureFactory.create_batch(30, nom="Même nom")
        page = entrer(agent(Role.CHARGE_CONSEIL)).get(reverse("partenaires:liste"), {"q": "meme", "type": ""})
        assert "q=meme" in page.content.decode().split('rel="next" href="')[1].split('"')[0]
        assert len(page.context["page"]) == 25


@pytest.mark.django_db
class TestSecteurs:
    @pytest.mark.parametrize("nombre", [1, 50])
    def test_la_page_coute_autant_pour_une_commune_que_pour_cinquante(self, entrer, nombre, django_assert_num_queries):
        charge = agent(Role.CHARGE_CONSEIL)
        for n in range(nombre):
            affecter(CommuneFactory(code_insee=f"49{n:03}"), charge)
            agent(Role.TECHNICIEN_CONSEIL)
        client = entrer(agent(Role.RESPONSABLE))
        client.get(reverse("partenaires:secteurs"))
        with django_assert_num_queries(16):
            client.get(reverse("partenaires:secteurs"))

    @pytest.mark.parametrize(
        ("champ", "valeur"),
        [("de", ""), ("de", "9" * 5000), ("vers", "\x00"), ("le", "2026-02-30"), ("le", "0001-01-01"), ("le", "😀")],
    )
    def test_une_mauvaise_transmission_est_refusee(self, entrer, champ, valeur):
        de, vers = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        affecter(CommuneFactory(), de)
        envoi = {"de": de.pk, "vers": vers.pk, "le": timezone.localdate().isoformat(), champ: valeur}
        reponse = entrer(agent(Role.RESPONSABLE)).post(
            reverse("partenaires:secteurs"), {"geste": "secteur", **{f"secteur-{n}": v for n, v in envoi.items()}}
        )
        assert (reponse.status_code, AffectationCommune.objects.get().agent) == (422, de)

    def test_une_absence_a_l_envers_est_refusee(self, entrer):
        absent, suppleant = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        reponse = entrer(agent(Role.RESPONSABLE)).post(
            reverse("partenaires:secteurs"),
            {"geste": "absence", "absence-absent": absent.pk, "absence-suppleant": suppleant.pk,
             "absence-debut": "2027-01-10", "absence-fin": "2027-01-09"},
        )  # fmt: skip
        assert (reponse.status_code, "précède son début" in reponse.content.decode()) == (422, True)
        assert not suppleant.suppleances.exists()


@pytest.mark.django_db
class TestCommunes:
    @pytest.fixture(autouse=True)
    def tuffalun(self):
        commune = CommuneFactory(code_insee="49003", nom="Tuffalun", codes_postaux=["49700"])
        CommuneDeleguee.objects.create(code_insee="49181", nom="Louerre", commune=commune)

    @pytest.mark.parametrize("q", ["Louerre", "LOUERRE", "49700", "49003", "tuff"])
    def test_le_public_trouve_la_commune_actuelle(self, client, q):
        reponse = client.get(reverse("partenaires:communes"), {"q": q}, headers={"Accept": "application/json"})
        assert reponse.json() == {"communes": [{"code": "49003", "nom": "Tuffalun", "codes_postaux": ["49700"]}]}
        assert "/contact/?commune=49003" in client.get(reverse("partenaires:communes"), {"q": q}).content.decode()

    @pytest.mark.parametrize("q", ["", " ", "\x00", "😀", "%", "_", "' OR 1=1", "مدينة", "a" * 100_000, "9" * 5000])
    def test_une_recherche_sans_reponse_repond_quand_meme(self, client, q):
        reponse = client.get(reverse("partenaires:communes"), {"q": q}, headers={"Accept": "application/json"})
        assert (reponse.status_code, reponse.json()) == (200, {"communes": []})

    def test_la_recherche_coute_autant_pour_une_que_pour_douze(self, client, django_assert_num_queries):
        adresse = reverse("partenaires:communes")
        with django_assert_num_queries(2):
            client.get(adresse, {"q": "tuff"}, headers={"Accept": "application/json"})
        for n in range(12):
            commune = CommuneFactory(code_insee=f"49{n + 100}", nom=f"Tuff {n}")
            CommuneDeleguee.objects.create(code_insee=f"49{n + 100}", nom=f"Ancienne {n}", commune=commune)
        with django_assert_num_queries(2):
            client.get(adresse, {"q": "tuff"}, headers={"Accept": "application/json"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("largeur", [1280, 375])
def test_les_pages_des_structures_sont_accessibles_et_tiennent_a_l_ecran(ouvrir, live_server, largeur):
    structure = StructureFactory(gestionnaire__iban=IBAN)
    peupler(structure, 3)
    chef = agent(Role.RESPONSABLE)
    agent(Role.TECHNICIEN_CONSEIL)
    affecter(Commune.objects.get(pk="49001"), agent(Role.CHARGE_CONSEIL))
    actions.modifier_structure(structure, version=1, par=chef, nom="Centre social de l’Exemple")
    page = ouvrir(largeur=largeur)
    page.goto(f"{live_server.url}/connexion/")
    page.fill("[name=login]", chef.courriel)
    page.fill("[name=password]", MOT_DE_PASSE)
    page.click("main button:has-text('Se connecter')")
    page.wait_for_url("**/espace/")
    fiche = structure.get_absolute_url()
    adresses = [
        "/structures/", "/structures/?q=introuvable", "/structures/nouvelle/", f"{fiche}modifier/",
        f"{fiche}gestionnaire/", "/secteurs/", "/communes/?q=commune", *(f"{fiche}?onglet={o}" for o in ONGLETS if o != "territoire"),
    ]  # fmt: skip
    fautes = []
    for adresse in adresses:
        page.goto(live_server.url + adresse)
        fautes += violations(page)
        debord = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if debord > 0:
            fautes.append(f"{adresse} déborde de {debord} px")
    assert fautes == []
