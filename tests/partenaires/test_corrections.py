"""Fiches, secteurs, absences, recherche : ce qui a un jour été faux et ne doit plus l’être."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from agrements.models import Dossier
from comptes.choix import Role
from comptes.models import Fonction
from partenaires import actions, actions_secteurs
from partenaires.models import (
    AffectationGestionnaire,
    Commune,
    EvenementPartenaire,
    Structure,
    Suppleance,
)
from partenaires.validateurs import valider_siren
from socle.erreurs import Refus
from socle.texte import cle_de_tri
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import CommuneFactory, StructureFactory, affecter, habiliter

pytestmark = pytest.mark.django_db
IBAN = "FR7630006000011234567890189"


def champs_de(structure, **autres):
    return {
        "nom": structure.nom,
        "type": structure.type,
        "gestionnaire": structure.gestionnaire_id,
        "siret": "",
        "adresse": structure.adresse,
        "code_postal": structure.code_postal,
        "commune": structure.commune_id,
        "version": structure.version,
    } | autres


def champs_g(g, **autres):
    return {
        "nom": g.nom,
        "statut": g.statut,
        "siren": "",
        "siret": "",
        "rna": "",
        "iban": g.iban,
        "adresse": "",
        "code_postal": "",
        "ville": "",
        "version": g.version,
    } | autres


# --- conflit de version
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


# --- 500
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


def test_transmettre_avant_une_transmission_deja_prevue_se_refuse_avec_une_phrase(entrer):
    commune, (a, b, c) = CommuneFactory(), (agent(Role.CHARGE_CONSEIL) for _ in range(3))
    affecter(commune, a)
    chef, jour = agent(Role.RESPONSABLE), timezone.localdate()
    actions_secteurs.transmettre_secteur(de=a, vers=b, le=jour + timedelta(10), communes=None, par=chef)
    reponse = entrer(chef).post(
        reverse("partenaires:secteurs"),
        {"geste": "secteur", "secteur-de": a.pk, "secteur-vers": c.pk, "secteur-le": (jour + timedelta(5)).isoformat()},
    )
    assert reponse.status_code in {302, 422}


# --- journal
def test_changer_la_ville_du_gestionnaire_ne_dit_pas_que_l_iban_a_change(entrer):
    s = StructureFactory(gestionnaire__iban=IBAN)
    g = s.gestionnaire
    entrer(agent(Role.TECHNICIEN_CONSEIL)).post(
        reverse("partenaires:modifier_gestionnaire", args=[s.pk]), champs_g(g, ville="Cholet")
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


def test_une_transmission_s_ecrit_au_journal():
    s = StructureFactory()
    a, b = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    affecter(s.commune, a)
    actions_secteurs.transmettre_secteur(
        de=a, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
    )
    assert EvenementPartenaire.objects.filter(geste="affecter", structure=s).exists()


# --- secteurs
def test_celui_qui_recoit_un_secteur_est_prevenu():
    s, a, b = StructureFactory(), agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    affecter(s.commune, a)
    actions_secteurs.transmettre_secteur(
        de=a, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
    )
    assert b.notifications.exists()


def test_les_dossiers_ouverts_suivent_le_secteur():
    from agrements.choix import Etat
    from tests.fabriques.agrements import Theatre

    scene = Theatre()
    d, b = scene.mener(Etat.DEPOSE), agent(Role.CHARGE_CONSEIL)
    actions_secteurs.transmettre_secteur(
        de=scene.charge, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
    )
    assert Dossier.objects.suivis_par(b, timezone.localdate()).filter(pk=d.pk).exists()


def test_le_secteur_d_un_agent_parti_se_transmet_depuis_la_page(entrer):
    parti, b = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    affecter(CommuneFactory(), parti)
    Fonction.objects.filter(utilisateur=parti).update(fin=timezone.localdate() - timedelta(1))
    reponse = entrer(agent(Role.RESPONSABLE)).post(
        reverse("partenaires:secteurs"),
        {
            "geste": "secteur",
            "secteur-de": parti.pk,
            "secteur-vers": b.pk,
            "secteur-le": timezone.localdate().isoformat(),
        },
    )
    assert reponse.status_code == 302


def test_un_compte_ferme_ne_recoit_pas_de_secteur():
    a, b = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL, is_active=False)
    affecter(CommuneFactory(), a)
    with pytest.raises(Refus):
        actions_secteurs.transmettre_secteur(
            de=a, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
        )


def test_transmettre_rien_se_dit(entrer):
    a, b = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    with pytest.raises(Refus):
        actions_secteurs.transmettre_secteur(
            de=a, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
        )


def test_apres_transmission_le_portefeuille_de_l_ancien_est_vide(entrer):
    s = StructureFactory()
    a, b = agent(Role.TECHNICIEN_CONSEIL, nom="Avant"), agent(Role.TECHNICIEN_CONSEIL, nom="Zaprès")
    AffectationGestionnaire.objects.create(gestionnaire=s.gestionnaire, agent=a, debut=date(2020, 1, 1))
    chef = agent(Role.RESPONSABLE)
    actions_secteurs.transmettre_portefeuille(de=a, vers=b, le=timezone.localdate(), par=chef)
    reponse = entrer(chef).get(reverse("partenaires:secteurs"))
    assert {t.nom: t.nombre for t in reponse.context["techniciens"]} == {"Avant": 0, "Zaprès": 1}


def test_une_commune_sans_charge_se_voit_sur_la_page_des_secteurs(entrer):
    CommuneFactory(code_insee="49099", nom="Cholet-l’Orpheline")
    page = entrer(agent(Role.RESPONSABLE)).get(reverse("partenaires:secteurs")).content.decode()
    assert "Cholet-l’Orpheline" in page


def test_on_declare_sa_propre_absence_depuis_un_ecran(entrer):
    absent, collegue, jour = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL), timezone.localdate().isoformat()
    champs = {"suppleant": collegue.pk, "debut": jour, "fin": jour}
    assert entrer(absent).post(reverse("partenaires:mon_absence"), champs).status_code == 302
    assert Suppleance.objects.get(absent=absent).suppleant == collegue


def test_deux_suppleants_a_la_fois_sont_refuses():
    a, b, c = (agent(Role.CHARGE_CONSEIL) for _ in range(3))
    j = timezone.localdate()
    actions_secteurs.declarer_absence(absent=a, suppleant=b, debut=j, fin=j + timedelta(5), motif="", par=a)
    with pytest.raises(Refus, match="déjà suppléé"):
        actions_secteurs.declarer_absence(absent=a, suppleant=c, debut=j, fin=j, motif="", par=a)
    assert Suppleance.objects.filter(absent=a).count() == 1


def test_un_suppleant_absent_lui_meme_est_refuse():
    a, b = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    j = timezone.localdate()
    actions_secteurs.declarer_absence(absent=a, suppleant=b, debut=j, fin=j + timedelta(5), motif="", par=a)
    with pytest.raises((Refus, ValidationError)):
        actions_secteurs.declarer_absence(absent=b, suppleant=a, debut=j, fin=j + timedelta(5), motif="", par=b)


def test_une_absence_ne_concerne_que_la_caf():
    s = StructureFactory()
    a, b = habiliter(s, Role.DIRECTION), habiliter(s, Role.DIRECTION)
    j = timezone.localdate()
    with pytest.raises((Refus, PermissionDenied)):
        actions_secteurs.declarer_absence(absent=a, suppleant=b, debut=j, fin=j, motif="", par=a)


# --- contact public
def test_un_message_pour_une_commune_sans_charge_arrive_a_quelqu_un(client):
    CommuneFactory()
    chef = agent(Role.RESPONSABLE)
    client.post(
        "/contact/",
        {"objet": "creer", "commune": "49007", "nom": "Léa", "courriel": "l@exemple.invalid", "message": "B"},
    )
    assert chef.notifications.exists() or chef.demandes_de_contact.exists()


def test_un_message_pendant_une_absence_previent_le_suppleant(client):
    commune, a, b = CommuneFactory(), agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    affecter(commune, a)
    j = timezone.localdate()
    actions_secteurs.declarer_absence(absent=a, suppleant=b, debut=j, fin=j, motif="", par=a)
    avant = b.notifications.count()
    client.post(
        "/contact/",
        {"objet": "creer", "commune": "49007", "nom": "Léa", "courriel": "l@exemple.invalid", "message": "B"},
    )
    assert b.notifications.count() == avant + 1


# --- droits
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


@pytest.mark.parametrize("role", [Role.CONTROLEUR, Role.SECRETARIAT])
def test_on_ne_propose_pas_de_creer_a_qui_ne_le_peut_pas(entrer, role):
    page = entrer(agent(role)).get(reverse("partenaires:liste")).content.decode()
    assert reverse("partenaires:creer") not in page


# --- listes et recherche
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


# --- données
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
        champs_g(s.gestionnaire, siren="214900078", siret="32742082400044"),
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


def test_un_geste_inconnu_sur_la_page_des_secteurs_n_est_pas_un_succes(entrer):
    assert entrer(agent(Role.RESPONSABLE)).post(reverse("partenaires:secteurs"), {"geste": "pirate"}).status_code in {
        400,
        404,
        422,
    }


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


def test_retransmettre_avant_une_transmission_prevue_se_refuse_avec_une_phrase():
    a, b, c = (agent(Role.CHARGE_CONSEIL) for _ in range(3))
    affecter(CommuneFactory(), a)
    chef, jour = agent(Role.RESPONSABLE), timezone.localdate()
    actions_secteurs.transmettre_secteur(de=a, vers=b, le=jour + timedelta(10), communes=None, par=chef)
    with pytest.raises(Refus, match="déjà prévue"):
        actions_secteurs.transmettre_secteur(de=b, vers=c, le=jour + timedelta(5), communes=None, par=chef)
