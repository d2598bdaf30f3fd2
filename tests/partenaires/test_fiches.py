"""Corriger une fiche : rien ne s’écrase, chaque refus à côté de son champ, tout s’écrit au journal."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from partenaires import actions
from partenaires.models import (
    Structure,
)
from partenaires.validateurs import valider_siren
from socle.erreurs import Refus
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import (
    StructureFactory,
    champs_de,
    champs_du_gestionnaire,
    habiliter,
)

pytestmark = pytest.mark.django_db
IBAN = "FR7630006000011234567890189"


def test_sans_version_rien_ne_s_ecrase(entrer):
    s = StructureFactory()
    client = entrer(agent(Role.CHARGE_CONSEIL))
    actions.modifier_structure(s, version=1, par=agent(Role.RESPONSABLE), nom="Nom du premier")
    s.refresh_from_db()
    envoi = champs_de(s, nom="Nom du second")
    del envoi["version"]
    client.post(reverse("partenaires:modifier", args=[s.pk]), envoi)
    s.refresh_from_db()
    assert s.nom == "Nom du premier"


def test_apres_un_conflit_on_peut_garder_sa_saisie_en_connaissance_de_cause(entrer):
    s = StructureFactory()
    client = entrer(agent(Role.CHARGE_CONSEIL))
    url = reverse("partenaires:modifier", args=[s.pk])
    actions.modifier_structure(s, version=1, par=agent(Role.RESPONSABLE), nom="Nom du premier")
    page = client.post(url, champs_de(s, nom="Nom du second", version=1)).content.decode()
    version = re.search(r'name="version" value="(\d+)"', page).group(1)
    reponse = client.post(url, champs_de(s, nom="Nom du second", version=version))
    assert reponse.status_code == 302


def test_le_conflit_ne_montre_que_ce_que_l_autre_a_change_et_reprend_ce_qu_on_n_a_pas_touche(entrer):
    s = StructureFactory(nom="Avant", adresse="1 rue d’avant", quartier="Ancien")
    autre = agent(Role.RESPONSABLE, nom="Autrice")
    actions.modifier_structure(s, version=1, par=autre, nom="Nom de l’autre", adresse="2 rue de l’autre")
    client, url = entrer(agent(Role.CHARGE_CONSEIL)), reverse("partenaires:modifier", args=[s.pk])
    envoi = champs_de(s, nom="Mon nom", adresse="1 rue d’avant", quartier="Mon quartier", version=1)
    reponse = client.post(url, envoi)
    assert reponse.status_code == 422
    montres = {nom: (valeur, qui) for nom, valeur, qui in reponse.context["autre"]}
    assert montres == {"Nom": ("Nom de l’autre", str(autre)), "Adresse": ("2 rue de l’autre", str(autre))}
    saisie = reponse.context["form"].data
    assert (saisie["nom"], saisie["adresse"], saisie["quartier"]) == ("Mon nom", "2 rue de l’autre", "Mon quartier")


@pytest.mark.parametrize("nom", ["MAISON DE L ETE", "Maison de l’Été"])
def test_un_double_se_refuse_aux_accents_pres_a_la_creation_et_a_la_modification(entrer, nom):
    existante = StructureFactory(nom="Maison de l’été")
    seconde = StructureFactory(nom="Autre", commune=existante.commune)
    for geste in (
        lambda: actions.modifier_structure(seconde, version=1, par=agent(Role.RESPONSABLE), nom=nom),
        lambda: actions.creer_structure(
            par=agent(Role.RESPONSABLE), nom=nom, type="evs", commune=existante.commune,
            gestionnaire=existante.gestionnaire,
        ),
    ):  # fmt: skip
        with pytest.raises(Refus, match="existe déjà"):
            geste()
    seconde.refresh_from_db()
    assert seconde.nom == "Autre"


def test_un_gestionnaire_ne_prend_pas_le_nom_d_un_autre_de_sa_ville(entrer):
    premier = StructureFactory(gestionnaire__nom="Léo Lagrange", gestionnaire__ville="Angers").gestionnaire
    second = StructureFactory(gestionnaire__nom="Autre", gestionnaire__ville="Angers").gestionnaire
    with pytest.raises(Refus, match="existe déjà"):
        actions.modifier_gestionnaire(second, version=1, par=agent(Role.RESPONSABLE), nom="LEO LAGRANGE")
    actions.modifier_gestionnaire(premier, version=1, par=agent(Role.RESPONSABLE), nom="Léo-Lagrange")


def test_le_conflit_parle_francais(entrer):
    s = StructureFactory(type="centre_social")
    client = entrer(agent(Role.CHARGE_CONSEIL))
    actions.modifier_structure(s, version=1, par=agent(Role.RESPONSABLE), nom="Premier")
    page = client.post(
        reverse("partenaires:modifier", args=[s.pk]),
        champs_de(s, nom="Second", version=1, type="evs", premier_agrement_le="2020-01-01"),
    ).content.decode()
    conflit = page[page.index('class="conflit"') : page.index("<form", page.index('class="conflit"'))]
    assert "None" not in conflit
    assert "centre_social" not in conflit


def test_enregistrer_sans_rien_changer_ne_perime_pas_la_fiche_d_un_collegue(entrer):
    s = StructureFactory()
    entrer(agent(Role.CHARGE_CONSEIL)).post(reverse("partenaires:modifier", args=[s.pk]), champs_de(s))
    s.refresh_from_db()
    assert s.version == 1


def test_une_fiche_ancienne_au_siret_faux_se_corrige_sans_panne(entrer):
    s = StructureFactory()
    Structure.objects.update(siret="12345678901234")
    client = entrer(habiliter(s, Role.DIRECTION))
    reponse = client.post(
        reverse("partenaires:modifier", args=[s.pk]), {"adresse": "2 rue Neuve", "code_postal": "49100", "version": 1}
    )
    assert reponse.status_code in {302, 422}


def test_un_numero_de_structure_de_5000_chiffres_est_une_404(entrer):
    client = entrer(habiliter(StructureFactory(), Role.DIRECTION))
    assert client.post(reverse("partenaires:choisir_structure"), {"structure": "9" * 5000}).status_code == 404


def test_changer_la_ville_du_gestionnaire_ne_dit_pas_que_l_iban_a_change(entrer):
    s = StructureFactory(gestionnaire__iban=IBAN)
    g = s.gestionnaire
    entrer(agent(Role.TECHNICIEN_CONSEIL)).post(
        reverse("partenaires:modifier_gestionnaire", args=[s.pk]), champs_du_gestionnaire(g, ville="Cholet")
    )
    assert g.evenements.get().details["changes"] == {"ville": ["", "Cholet"]}


def test_le_changement_d_iban_se_lit_au_journal_de_la_fiche(entrer):
    s = StructureFactory()
    actions.modifier_gestionnaire(s.gestionnaire, version=1, par=agent(Role.TECHNICIEN_CONSEIL), ville="Cholet")
    page = entrer(agent(Role.CONTROLEUR)).get(s.get_absolute_url(), {"onglet": "journal"}).content.decode()
    assert "Cholet" in page


def test_le_journal_nomme_le_gestionnaire_et_le_champ(entrer):
    s, autre = StructureFactory(), StructureFactory(gestionnaire__nom="Ville d’Exemple")
    chef = agent(Role.RESPONSABLE)
    actions.modifier_structure(s, version=1, par=chef, gestionnaire=autre.gestionnaire, code_postal="49100")
    page = entrer(chef).get(s.get_absolute_url(), {"onglet": "journal"}).content.decode()
    assert "Ville d’Exemple" in page
    assert "code_postal" not in page


def test_le_journal_dit_qui_a_recu_un_acces(entrer):
    s, chef = StructureFactory(), agent(Role.RESPONSABLE)
    from partenaires import actions_acces

    actions_acces.inviter(
        s,
        courriel="zoe@exemple.invalid",
        prenom="Zoé",
        nom="Neuve",
        role=Role.DIRECTION,
        debut=timezone.localdate(),
        par=chef,
    )
    page = entrer(chef).get(s.get_absolute_url(), {"onglet": "journal"}).content.decode()
    assert "Zoé Neuve" in page


def test_l_action_elle_meme_refuse_l_identite_juridique_a_la_direction():
    s = StructureFactory()
    with pytest.raises(PermissionDenied):
        actions.modifier_structure(s, version=1, par=habiliter(s, Role.DIRECTION), nom="Pirate", siret="")


def test_l_iban_entier_n_est_montre_qu_au_technicien(entrer):
    s = StructureFactory(gestionnaire__iban=IBAN)
    page = (
        entrer(agent(Role.CHARGE_CONSEIL))
        .get(reverse("partenaires:modifier_gestionnaire", args=[s.pk]))
        .content.decode()
    )
    assert IBAN not in page


def test_deux_envois_de_la_meme_creation_ne_font_qu_une_fiche(entrer):
    s = StructureFactory()
    client = entrer(agent(Role.CHARGE_CONSEIL))
    for _ in range(2):
        client.post(reverse("partenaires:creer"), champs_de(s, nom="Neuf"))
    assert Structure.objects.filter(nom="Neuf").count() == 1


def test_le_siret_du_siege_commence_par_le_siren(entrer):
    s = StructureFactory()
    r = entrer(agent(Role.TECHNICIEN_CONSEIL)).post(
        reverse("partenaires:modifier_gestionnaire", args=[s.pk]),
        champs_du_gestionnaire(s.gestionnaire, siren="214900078", siret="32742082400044"),
    )
    assert r.status_code == 422


@pytest.mark.parametrize("code", ["abcde", "1", "😀"])
def test_un_code_postal_a_cinq_chiffres(entrer, code):
    s = StructureFactory()
    r = entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:modifier", args=[s.pk]), champs_de(s, code_postal=code)
    )
    assert r.status_code == 422


def test_un_siren_de_zeros_est_faux():
    with pytest.raises(ValidationError):
        valider_siren("000000000")


def test_un_siret_recopie_avec_des_points_ou_tirets_passe(entrer):
    s = StructureFactory()
    r = entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:modifier", args=[s.pk]), champs_de(s, siret="327.420.824-00044")
    )
    assert r.status_code == 302


def test_un_site_javascript_est_refuse(entrer):
    s = StructureFactory()
    r = entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:modifier", args=[s.pk]), champs_de(s, site_web="javascript:alert(1)")
    )
    assert r.status_code == 422


def test_un_premier_agrement_futur_est_refuse(entrer):
    s = StructureFactory()
    r = entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:modifier", args=[s.pk]), champs_de(s, premier_agrement_le="2999-01-01")
    )
    assert r.status_code == 422


def test_une_commune_sans_intercommunalite_n_affiche_pas_none(entrer):
    s = StructureFactory(commune__code_insee="49998", commune__epci=None)
    s.communes_intervention.set([s.commune])
    client = entrer(agent(Role.CHARGE_CONSEIL))
    assert ">None<" not in client.get(reverse("partenaires:liste")).content.decode()
    assert ">None<" not in client.get(s.get_absolute_url(), {"onglet": "territoire"}).content.decode()


def test_une_ligne_de_journal_technique_s_ecrit_en_json():
    import json
    import logging

    formateur = logging.getLogger().handlers  # noqa: F841
    from logging.config import DictConfigurator

    from django.conf import settings

    f = DictConfigurator({}).configure_formatter(dict(settings.LOGGING["formatters"]["json"]))
    ligne = f.format(
        logging.makeLogRecord({"msg": "Refusé : %s", "args": ("/x/",), "levelname": "WARNING", "levelno": 30})
    )
    assert json.loads(ligne)["event"] == "Refusé : /x/"


def test_un_siret_aux_chiffres_pleine_chasse_ne_s_enregistre_pas_tel_quel(entrer):
    s = StructureFactory()
    entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:modifier", args=[s.pk]), champs_de(s, siret="３２７４２０８２４０００４４")
    )
    s.refresh_from_db()
    assert s.siret in {"", "32742082400044"}


@pytest.mark.django_db(transaction=True)
def test_l_onglet_territoire_defile_au_clavier_a_375(ouvrir, live_server):
    """Avec la correction : retirer l’exception « territoire » de tests/partenaires/test_pages.py."""
    from tests.conftest import violations
    from tests.fabriques.comptes import MOT_DE_PASSE

    s, chef = StructureFactory(), agent(Role.RESPONSABLE)
    s.communes_intervention.add(s.commune)
    page = ouvrir(largeur=375)
    page.goto(f"{live_server.url}/connexion/")
    page.fill("[name=login]", chef.courriel)
    page.fill("[name=password]", MOT_DE_PASSE)
    page.click("main button:has-text('Se connecter')")
    page.wait_for_url("**/espace/")
    page.goto(f"{live_server.url}{s.get_absolute_url()}?onglet=territoire")
    assert violations(page) == []


def test_une_adresse_de_site_fausse_se_dit_en_francais(entrer):
    s = StructureFactory()
    reponse = entrer(agent(Role.CHARGE_CONSEIL)).post(
        reverse("partenaires:modifier", args=[s.pk]), champs_de(s, site_web="pas un site")
    )
    assert reponse.status_code == 422
    assert "Écrivez l’adresse d’un site" in reponse.content.decode()
