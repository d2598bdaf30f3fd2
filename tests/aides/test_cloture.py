"""Clore une aide : ce qui est dû n’est jamais perdu, ce qui est versé de trop se rend, au centime et avec sa raison."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from agrements.demo.dossiers import document
from aides.actions import instruction, restitutions, suites, versements
from aides.actions.calendrier import suivre_le_calendrier
from aides.choix import Etat, NatureARendre
from aides.constats import Cas, constater
from aides.models import BilanAide, DecisionAide, Demande, Enveloppe, SommeARendre
from aides.versements import etudier
from courriers.models import Notification
from documents.models import Acte
from socle.erreurs import Refus
from tests.aides.test_parcours_d_une_demande import payer
from tests.fabriques.aides import Guichet

pytestmark = pytest.mark.django_db
AUJOURD_HUI = timezone.localdate()


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def guichet():
    return Guichet()


def accorder(guichet, **regle) -> Demande:
    version = guichet.dispositif(**{"convention_exigee": False, **regle})
    guichet.voter(version)
    return guichet.mener(version, Etat.ACCORDEE)


def facturer(guichet, demande, montant, numero="F1", *, verifier=True):
    facture = versements.joindre_facture(
        demande, depense_pk=demande.depenses.get().pk, numero=numero, datee_le=AUJOURD_HUI, montant_ht=montant,
        montant_ttc=montant, televerse=document("facture"), par=guichet.direction,
    )  # fmt: skip
    if verifier:
        versements.verifier_facture(facture, retenu=montant, motif="", par=guichet.technicien)
    return facture


def verser(guichet, demande, nature):
    return payer(guichet, versements.proposer(demande, nature=nature, par=guichet.technicien))


def echoir(demande: Demande) -> Demande:
    """Le délai de réalisation est passé hier ; l’horloge passe."""
    Demande.objects.filter(pk=demande.pk).update(limite_le=AUJOURD_HUI - timedelta(days=1))
    suivre_le_calendrier(AUJOURD_HUI)
    return Demande.objects.pour_fiche().get(pk=demande.pk)


def rendre_le_bilan(guichet, demande):
    return suites.rendre_bilan(
        demande, recit="Cent familles.", depenses=D(20_000), produits=D(20_000), realises=["90"],
        version=BilanAide.objects.get(demande=demande).version, par=guichet.direction,
    )  # fmt: skip


def test_une_aide_toute_versee_n_est_pas_caduque_et_son_bilan_reste_a_rendre(guichet):
    demande = accorder(guichet)
    verser(guichet, demande, "solde_aide")
    Demande.objects.filter(pk=demande.pk).update(limite_le=AUJOURD_HUI + timedelta(days=20))
    suivre_le_calendrier(AUJOURD_HUI)
    assert not Notification.objects.filter(texte__contains="à réaliser avant le").exists()
    assert echoir(demande).etat == Etat.ACCORDEE
    assert rendre_le_bilan(guichet, demande).etat == "rendu"


def test_une_facture_jointe_a_temps_n_est_pas_perdue_parce_que_la_caf_tarde(guichet):
    demande = accorder(guichet, sur_factures=True, bilan_mois=0)
    facture = facturer(guichet, demande, D(10_000), verifier=False)
    assert echoir(demande).etat == Etat.ACCORDEE
    with pytest.raises(Refus, match="attend d’être vérifiée"):
        versements.solder(demande, par=guichet.technicien)
    versements.verifier_facture(facture, retenu=D(10_000), motif="", par=guichet.technicien)
    assert echoir(demande).etat == Etat.ACCORDEE
    with pytest.raises(Refus, match="Un versement est dû"):
        suites.constater_caducite(Demande.objects.get(pk=demande.pk), par=guichet.technicien)
    assert verser(guichet, demande, "factures").montant == D(4_000)
    assert echoir(demande).etat == Etat.CADUQUE
    assert Enveloppe.objects.get().engage == D(4_000)
    assert not SommeARendre.objects.exists()


def test_un_solde_qui_attend_le_bilan_n_est_caduc_qu_une_fois_le_bilan_en_retard(guichet):
    demande = accorder(guichet, avance_part=D(50), bilan_mois=6, conditions=[{"nature": "bilans"}])
    verser(guichet, demande, "avance")
    assert echoir(demande).etat == Etat.ACCORDEE
    BilanAide.objects.update(attendu_le=AUJOURD_HUI - timedelta(days=1))
    assert echoir(demande).etat == Etat.CADUQUE
    cas = Cas(guichet.structure, demande.version, demande.exercice, AUJOURD_HUI)
    assert not constater(cas)[0].remplie
    rendre_le_bilan(guichet, demande)  # le délai est passé, le bilan reste dû : il rouvre les demandes
    assert constater(cas)[0].remplie


def test_un_bilan_rendu_a_temps_garde_le_solde(guichet):
    demande = accorder(guichet, avance_part=D(50), bilan_mois=6)
    verser(guichet, demande, "avance")
    rendre_le_bilan(guichet, demande)
    BilanAide.objects.update(attendu_le=AUJOURD_HUI - timedelta(days=1))
    assert echoir(demande).etat == Etat.ACCORDEE
    suites.lire_bilan(demande, accepte=True, motif="", par=guichet.charge)
    assert echoir(demande).etat == Etat.ACCORDEE
    assert verser(guichet, demande, "solde_aide").montant == D(4_000)


def test_une_aide_caduque_dont_rien_n_est_verse_n_attend_plus_de_bilan(guichet):
    demande = accorder(guichet, convention_exigee=True, bilan_mois=6, conditions=[{"nature": "bilans"}])
    assert echoir(demande).etat == Etat.CADUQUE
    assert not BilanAide.objects.exists()


def test_une_avance_que_les_factures_n_ont_pas_suivie_se_rend_avec_son_calcul(guichet):
    demande = accorder(
        guichet, sur_factures=True, avance_part=D(30), bilan_mois=0, destination_ans=10,
        conditions=[{"nature": "sans_indu"}],
    )  # fmt: skip
    verser(guichet, demande, "avance")
    facturer(guichet, demande, D(2_000))
    demande = versements.solder(Demande.objects.pour_fiche().get(pk=demande.pk), par=guichet.technicien)
    somme = SommeARendre.objects.get()
    assert (demande.etat, somme.nature, somme.montant) == (Etat.SOLDEE, NatureARendre.TROP_VERSE, D(1_600))
    assert sum(D(ligne["montant"]) for ligne in somme.explication) == somme.montant
    assert "dépasse l’aide due" in somme.acte.contexte["paragraphes"][0]
    cas = Cas(guichet.structure, demande.version, demande.exercice, AUJOURD_HUI)
    assert (constater(cas)[0].remplie, "1\u202f600,00" in constater(cas)[0].preuve) == (False, True)
    restitutions.enregistrer_rendu(somme, le=AUJOURD_HUI, par=guichet.technicien)
    assert constater(cas)[0].remplie
    debut, _ = suites.engagement(demande)
    assert suites.calcul_de_rupture(demande, debut)[:2] == (D(800), D(800))  # sur ce que la structure a gardé


def test_le_trop_verse_se_constate_aussi_a_la_caducite(guichet):
    demande = accorder(guichet, sur_factures=True, avance_part=D(30), bilan_mois=0)
    verser(guichet, demande, "avance")
    assert echoir(demande).etat == Etat.CADUQUE
    assert SommeARendre.objects.get().montant == D(2_400)
    assert etudier(demande).trop_verse == D(2_400)


def test_la_somme_rendue_s_enregistre_depuis_la_page_de_l_argent(guichet, entrer):
    demande = accorder(guichet, sur_factures=True, avance_part=D(30), bilan_mois=0)
    verser(guichet, demande, "avance")
    echoir(demande)
    client = entrer(guichet.technicien)
    page = client.get(f"/aides/{demande.pk}/argent/").content.decode()
    somme = SommeARendre.objects.get()
    adresse = f"/aides/{demande.pk}/sommes/{somme.pk}/rendue/"
    assert adresse in page
    assert client.post(adresse, {"le": AUJOURD_HUI.isoformat()}).status_code == 302
    somme.refresh_from_db()
    assert (somme.rendue_le, adresse in client.get(f"/aides/{demande.pk}/argent/").content.decode()) == (
        AUJOURD_HUI, False,
    )  # fmt: skip


def test_on_ne_solde_depuis_la_page_que_ce_qui_peut_l_etre(guichet, entrer):
    demande = accorder(guichet, bilan_mois=6)
    client = entrer(guichet.technicien)
    adresse = f"/aides/{demande.pk}/gestes/solder/"
    texte = client.get(f"/aides/{demande.pk}/argent/").content.decode()
    assert (adresse in texte, "Pas encore à solder" in texte) == (False, True)
    verser(guichet, demande, "solde_aide")
    rendre_le_bilan(guichet, demande)
    suites.lire_bilan(demande, accepte=True, motif="", par=guichet.charge)
    assert adresse in client.get(f"/aides/{demande.pk}/argent/").content.decode()


def test_la_lettre_de_refus_dit_les_conditions_qui_manquent_et_leur_preuve(guichet):
    version = guichet.dispositif(conditions=[{"nature": "senacs", "parametre": 0}])
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    instruction.proposer(
        demande, sens="defavorable", montant=None, motivation="Senacs manque.", notes=[], par=guichet.charge
    )
    guichet.decider(guichet.inscrire(demande), sens="refuse")
    lettre = Acte.objects.get(pk=DecisionAide.objects.get().acte_id).contexte
    assert [ligne["nom"] for ligne in lettre["releve"]] == [f"A contribué à Senacs {demande.exercice}"]
    assert "Aucune contribution" in lettre["releve"][0]["valeur"]
