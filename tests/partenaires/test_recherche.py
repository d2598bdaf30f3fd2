"""Les listes et la recherche : accents, anciennes communes, retour en arrière."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from django.urls import reverse

from comptes.choix import Role
from partenaires.models import AffectationCommune, AffectationGestionnaire, Commune, Structure
from socle.texte import cle_de_tri
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import CommuneFactory, StructureFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", [Role.CONTROLEUR, Role.SECRETARIAT])
def test_on_ne_propose_pas_de_creer_a_qui_ne_le_peut_pas(entrer, role):
    page = entrer(agent(role)).get(reverse("partenaires:liste")).content.decode()
    assert reverse("partenaires:creer") not in page


def test_un_retour_en_arriere_htmx_rend_la_page_entiere(entrer):
    r = entrer(agent(Role.CHARGE_CONSEIL)).get(
        reverse("partenaires:liste"), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )
    assert "<html" in r.content.decode()


def test_la_liste_varie_selon_htmx(entrer):
    r = entrer(agent(Role.CHARGE_CONSEIL)).get(reverse("partenaires:liste"), headers={"HX-Request": "true"})
    assert "HX-Request" in r.headers.get("Vary", "") or "no-store" in r.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "nom", ["Łódź", "Straße", "Ørsted", "Centre №5", "½ lune", "ﬁn", "İstanbul", "Ð", "1ᵉʳ étage", "東京"]
)
def test_toute_lettre_a_la_meme_cle_dans_la_base_et_dans_le_code(nom):
    s = StructureFactory(nom=nom)
    s.refresh_from_db()
    assert s.nom_tri == cle_de_tri(nom)


def test_un_nom_decompose_se_cherche_comme_l_autre():
    s = StructureFactory(nom=unicodedata.normalize("NFD", "Écouflant été"))
    s.refresh_from_db()
    assert s.nom_tri == "ecouflant ete"


@pytest.mark.parametrize("q", ["chateau", "493", "St Georges"])
def test_recherches_de_commune_attendues(q):
    from django.core.management import call_command

    call_command("charger_referentiels")
    noms = [d.nom for c in Commune.objects.cherchees_par(q) for d in c.deleguees.all()] + [
        c.nom for c in Commune.objects.cherchees_par(q)
    ]
    attendu = {"chateau": "Ambillou-Château", "493": "Cholet", "St Georges": "Saint-Georges-sur-Loire"}[q]
    assert attendu in noms


def test_la_liste_tronquee_des_communes_le_dit(client):
    from django.core.management import call_command

    call_command("charger_referentiels")
    total = Commune.objects.cherchees_par("saint").count()
    page = client.get(reverse("partenaires:communes"), {"q": "saint"}).content.decode()
    assert page.count("/contact/?commune=") == total or "précisez" in page.lower()


@pytest.fixture
def saint_ser() -> Structure:
    return StructureFactory(nom="Maison Saint-Ser", commune=CommuneFactory(code_insee="49323", nom="Saint-Saumur"))


@pytest.mark.parametrize("saisie", ["st ser", "Saint Ser", "SAINT-SER", "st saumur"])
def test_st_et_saint_se_valent_dans_la_liste(entrer, saint_ser, saisie):
    StructureFactory(nom="Ailleurs", commune=CommuneFactory(code_insee="49007", nom="Angers"))
    page = entrer(agent(Role.CHARGE_CONSEIL)).get(reverse("partenaires:liste"), {"q": saisie}).context["page"]
    assert list(page) == [saint_ser]


def test_une_structure_fermee_se_retrouve_et_le_dit(entrer, saint_ser):
    Structure.objects.filter(pk=saint_ser.pk).update(fermee_le=date(2026, 1, 31))
    client, adresse = entrer(agent(Role.CHARGE_CONSEIL)), reverse("partenaires:liste")
    assert list(client.get(adresse).context["page"]) == []
    trouvee = client.get(adresse, {"etat": "fermees"})
    assert list(trouvee.context["page"]) == [saint_ser]
    assert "Fermée le 31\u00a0janvier\u00a02026" in trouvee.content.decode()


def test_la_liste_se_filtre_par_secteur_portefeuille_et_gestion_et_se_trie(entrer, saint_ser):
    aussi = StructureFactory(nom="Avant", commune=CommuneFactory(code_insee="49007", nom="Angers"),
                             gestionnaire__statut="commune", premier_agrement_le=date(1999, 1, 1))  # fmt: skip
    charge, technicien = agent(Role.CHARGE_CONSEIL), agent(Role.TECHNICIEN_CONSEIL)
    AffectationCommune.objects.create(commune=saint_ser.commune, agent=charge, debut=date(2020, 1, 1))
    AffectationGestionnaire.objects.create(gestionnaire=aussi.gestionnaire, agent=technicien, debut=date(2020, 1, 1))
    client, adresse = entrer(charge), reverse("partenaires:liste")
    for filtre, attendues in (
        ({"charge": charge.pk}, [saint_ser]),
        ({"technicien": technicien.pk}, [aussi]),
        ({"statut": "commune"}, [aussi]),
        ({"tri": "commune"}, [aussi, saint_ser]),
        ({"tri": "agrement"}, [aussi, saint_ser]),
        ({"tri": "nimporte", "charge": "x"}, [aussi, saint_ser]),
    ):
        assert list(client.get(adresse, filtre).context["page"]) == attendues, filtre
