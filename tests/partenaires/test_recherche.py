"""Les listes et la recherche : accents, anciennes communes, retour en arrière."""

from __future__ import annotations

import unicodedata

import pytest
from django.urls import reverse

from comptes.choix import Role
from partenaires.models import (
    Commune,
)
from socle.texte import cle_de_tri
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import (
    StructureFactory,
)

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
