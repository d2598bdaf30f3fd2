"""Transmettre un secteur, déclarer une absence : qui suit quoi, sans trou et sans doublon."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from agrements.actions import instruction
from agrements.choix import Etat
from agrements.models import Dossier
from comptes.choix import Role
from comptes.models import Fonction
from partenaires import actions_secteurs
from partenaires.models import (
    AffectationCommune,
    AffectationGestionnaire,
    EvenementPartenaire,
    Suppleance,
)
from socle.erreurs import Refus
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import (
    CommuneFactory,
    StructureFactory,
    affecter,
    habiliter,
)

pytestmark = pytest.mark.django_db


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


def test_une_transmission_s_ecrit_au_journal():
    s = StructureFactory()
    a, b = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    affecter(s.commune, a)
    actions_secteurs.transmettre_secteur(
        de=a, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
    )
    assert EvenementPartenaire.objects.filter(geste="affecter", structure=s).exists()


def test_celui_qui_recoit_un_secteur_est_prevenu():
    s, a, b = StructureFactory(), agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    affecter(s.commune, a)
    actions_secteurs.transmettre_secteur(
        de=a, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
    )
    assert b.notifications.exists()


def test_les_dossiers_ouverts_suivent_le_secteur():
    scene = Theatre()
    d, b = scene.mener(Etat.DEPOSE), agent(Role.CHARGE_CONSEIL)
    actions_secteurs.transmettre_secteur(
        de=scene.charge, vers=b, le=timezone.localdate(), communes=None, par=agent(Role.RESPONSABLE)
    )
    assert Dossier.objects.suivis_par(b, timezone.localdate()).filter(pk=d.pk).exists()


def test_un_secteur_recu_et_rendu_le_meme_jour_emporte_ses_dossiers():
    scene, b, c = Theatre(), agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    dossier, jour, chef = scene.mener(Etat.DEPOSE), timezone.localdate(), agent(Role.RESPONSABLE)
    actions_secteurs.transmettre_secteur(de=scene.charge, vers=b, le=jour, communes=None, par=chef)
    actions_secteurs.transmettre_secteur(de=b, vers=c, le=jour, communes=None, par=chef)
    dossier.refresh_from_db()
    assert dossier.charge == c


def test_un_dossier_confie_a_la_main_ne_suit_pas_le_secteur():
    scene, ailleurs, b = Theatre(), agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
    dossier, jour, chef = scene.mener(Etat.DEPOSE), timezone.localdate(), agent(Role.RESPONSABLE)
    instruction.affecter(dossier, charge=ailleurs, par=scene.responsable)
    actions_secteurs.transmettre_secteur(de=scene.charge, vers=b, le=jour, communes=None, par=chef)
    dossier.refresh_from_db()
    assert dossier.charge == ailleurs


def test_une_absence_se_lit_au_journal_des_structures_suivies_et_d_elles_seules():
    jour, chef = timezone.localdate(), agent(Role.RESPONSABLE)
    suivie, quittee, portee = StructureFactory(), StructureFactory(commune=CommuneFactory()), StructureFactory()
    charge, technicien = agent(Role.CHARGE_CONSEIL), agent(Role.TECHNICIEN_CONSEIL)
    autre = CommuneFactory(code_insee="49353", nom="Trélazé")
    type(quittee).objects.filter(pk=quittee.pk).update(commune=autre)
    AffectationCommune.objects.create(commune=autre, agent=charge, debut=date(2020, 1, 1), fin=jour - timedelta(1))
    type(suivie).objects.filter(pk=suivie.pk).update(
        commune=(cible := CommuneFactory(code_insee="49323", nom="Saumur"))
    )
    affecter(cible, charge)
    AffectationGestionnaire.objects.create(gestionnaire=portee.gestionnaire, agent=technicien, debut=date(2020, 1, 1))
    for absent, role in ((charge, Role.CHARGE_CONSEIL), (technicien, Role.TECHNICIEN_CONSEIL)):
        actions_secteurs.declarer_absence(
            absent=absent, suppleant=agent(role), debut=jour, fin=jour + timedelta(3), motif="", par=chef
        )
    assert [s.evenements.count() for s in (suivie, quittee, portee)] == [1, 0, 1]


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
    assert {t["agent"].nom: len(t["gestionnaires"]) for t in reponse.context["techniciens"]} == {
        "Avant": 0,
        "Zaprès": 1,
    }


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


def test_un_geste_inconnu_sur_la_page_des_secteurs_n_est_pas_un_succes(entrer):
    assert entrer(agent(Role.RESPONSABLE)).post(reverse("partenaires:secteurs"), {"geste": "pirate"}).status_code in {
        400,
        404,
        422,
    }


def test_retransmettre_avant_une_transmission_prevue_se_refuse_avec_une_phrase():
    a, b, c = (agent(Role.CHARGE_CONSEIL) for _ in range(3))
    affecter(CommuneFactory(), a)
    chef, jour = agent(Role.RESPONSABLE), timezone.localdate()
    actions_secteurs.transmettre_secteur(de=a, vers=b, le=jour + timedelta(10), communes=None, par=chef)
    with pytest.raises(Refus, match="déjà prévue"):
        actions_secteurs.transmettre_secteur(de=b, vers=c, le=jour + timedelta(5), communes=None, par=chef)
