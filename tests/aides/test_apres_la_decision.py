"""Une aide accordée, jusqu’à son solde : factures, délais, bilan, destination sociale, sommes rendues."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from agrements.demo.dossiers import document
from aides.actions import redaction, restitutions, suites, versements
from aides.choix import Etat, EtatBilan
from aides.models import BilanAide, Demande, Enveloppe
from aides.versements import etudier
from socle.erreurs import Refus
from tests.aides.test_parcours_d_une_demande import payer
from tests.fabriques.aides import Guichet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def guichet():
    return Guichet()


def test_le_versement_sur_factures_suit_le_reel_et_le_solde_rend_le_reste_a_l_enveloppe(guichet):
    version = guichet.dispositif(sur_factures=True, avance_part=D(30), bilan_mois=6)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    with pytest.raises(Refus, match="pas signée"):
        versements.proposer(demande, nature="avance", par=guichet.technicien)
    guichet.signer(demande)
    avance = versements.proposer(demande, nature="avance", par=guichet.technicien)
    assert avance.montant == D("2400.00")
    assert payer(guichet, avance).etat == "paye"
    facture = versements.joindre_facture(
        demande, depense_pk=demande.depenses.get().pk, numero="F1", datee_le=timezone.localdate(),
        montant_ht=D(12_000), montant_ttc=D(15_000), televerse=document("facture"), par=guichet.direction,
    )  # fmt: skip
    versements.verifier_facture(facture, retenu=D(15_000), motif="", par=guichet.technicien)
    demande = Demande.objects.pour_fiche().get(pk=demande.pk)
    assert etudier(demande).du == D("6000.00")  # 8 000 × 15 000 ÷ 20 000
    suite = versements.proposer(demande, nature="factures", par=guichet.technicien)
    assert suite.montant == D("3600.00")
    payer(guichet, suite)
    with pytest.raises(Refus, match="bilan"):
        versements.solder(demande, par=guichet.technicien)
    suites.rendre_bilan(
        demande, recit="Cent familles.", depenses=D(15_000), produits=D(15_000), realises=["104"], version=1,
        par=guichet.direction,
    )  # fmt: skip
    suites.lire_bilan(demande, accepte=True, motif="", par=guichet.charge)
    demande = versements.solder(Demande.objects.pour_fiche().get(pk=demande.pk), par=guichet.technicien)
    assert demande.etat == Etat.SOLDEE
    assert Enveloppe.objects.get().engage == D("6000.00")
    assert BilanAide.objects.get().indicateurs == [
        {"indicateur": "Familles accueillies", "prevu": "100", "realise": "104"}
    ]


def test_une_facture_d_avant_la_decision_n_est_pas_aidee_sauf_demarrage_autorise(guichet):
    version = guichet.dispositif(sur_factures=True)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    hier = timezone.localdate() - timedelta(days=1)
    facture = {
        "depense_pk": demande.depenses.get().pk, "numero": "F1", "datee_le": hier, "montant_ht": D(1),
        "montant_ttc": D(1), "televerse": document("facture"), "par": guichet.direction,
    }  # fmt: skip
    with pytest.raises(ValidationError, match="n’est pas aidée"):
        versements.joindre_facture(demande, **facture)
    Demande.objects.filter(pk=demande.pk).update(demarrage_autorise_le=hier)
    assert versements.joindre_facture(demande, **{**facture, "televerse": document("facture")}).numero == "F1"


def test_le_delai_previent_deux_fois_puis_rend_l_aide_caduque(guichet):
    from aides.actions.calendrier import suivre_le_calendrier
    from courriers.models import Notification

    version = guichet.dispositif(bilan_mois=0)
    enveloppe = guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    aujourd_hui = timezone.localdate()
    for reste in (80, 80, 20):
        Demande.objects.filter(pk=demande.pk).update(limite_le=aujourd_hui + timedelta(days=reste))
        suivre_le_calendrier(aujourd_hui)
        suivre_le_calendrier(aujourd_hui)
    avertis = Notification.objects.filter(destinataire=guichet.direction, texte__contains="à réaliser avant le")
    assert avertis.count() == 2
    Demande.objects.filter(pk=demande.pk).update(limite_le=aujourd_hui - timedelta(days=1))
    suivre_le_calendrier(aujourd_hui)
    suivre_le_calendrier(aujourd_hui)
    demande.refresh_from_db()
    enveloppe.refresh_from_db()
    assert (demande.etat, enveloppe.engage) == (Etat.CADUQUE, 0)


def test_une_prorogation_repousse_le_delai_et_se_motive(guichet):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    avant = demande.limite_le
    with pytest.raises(ValidationError, match="court déjà"):
        suites.proroger(demande, apres=avant, motif="x", par=guichet.responsable)
    demande = suites.proroger(demande, apres=avant + timedelta(days=90), motif="Chantier.", par=guichet.responsable)
    assert demande.limite_le == avant + timedelta(days=90)
    with pytest.raises(PermissionDenied):
        suites.proroger(demande, apres=avant + timedelta(days=99), motif="x", par=guichet.charge)


def test_la_destination_rompue_se_rend_au_prorata_du_temps_restant(guichet):
    version = guichet.dispositif(destination_ans=10, convention_exigee=False, bilan_mois=0)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    paiement = versements.proposer(demande, nature="solde_aide", par=guichet.technicien)
    payer(guichet, paiement)
    debut, fin = suites.engagement(demande)
    moitie = debut + (fin - debut + timedelta(days=1)) / 2
    paye, montant, explication = suites.calcul_de_rupture(demande, moitie)
    assert paye == D(8_000)
    assert abs(montant - D(4_000)) <= D("2.20")  # au jour près
    assert D(explication[0]["montant"]) == montant
    assert not suites.demander_attestation(demande, debut.year, timezone.localdate())
    assert suites.demander_attestation(demande, debut.year + 1, timezone.localdate())
    assert not suites.demander_attestation(demande, debut.year + 1, timezone.localdate())
    suites.attester(demande, annee=debut.year + 1, maintenue=True, commentaire="", par=guichet.direction)


def test_un_bilan_en_retard_ferme_la_demande_suivante(guichet):
    from aides.constats import Cas, constater

    version = guichet.dispositif(conditions=[{"nature": "bilans"}], convention_exigee=False)
    guichet.voter(version)
    guichet.mener(version, Etat.ACCORDEE)
    cas = Cas(guichet.structure, version, version.exercice_du, timezone.localdate())
    assert constater(cas)[0].remplie
    BilanAide.objects.update(attendu_le=timezone.localdate() - timedelta(days=1))
    constat = constater(cas)[0]
    assert (constat.remplie, constat.lien) == (False, f"/aides/{BilanAide.objects.get().demande_id}/bilan/")
    BilanAide.objects.update(etat=EtatBilan.A_RENDRE)


def test_une_somme_rendue_retablit_l_eligibilite(guichet):
    from aides.constats import Cas, constater

    version = guichet.dispositif(
        destination_ans=10, convention_exigee=False, bilan_mois=0, conditions=[{"nature": "sans_indu"}]
    )
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    payer(guichet, versements.proposer(demande, nature="solde_aide", par=guichet.technicien))
    demande.reponses.filter(champ="fin").update(valeur=timezone.localdate().isoformat())
    rupture = suites.rompre(demande, le=timezone.localdate(), motif="Vendu.", par=guichet.responsable)
    assert rupture.montant == D(8_000)
    cas = Cas(guichet.structure, version, version.exercice_du, timezone.localdate())
    assert not constater(cas)[0].remplie
    with pytest.raises(ValidationError, match="avenir"):
        restitutions.enregistrer_rendu(rupture, le=timezone.localdate() + timedelta(days=1), par=guichet.technicien)
    restitutions.enregistrer_rendu(rupture, le=timezone.localdate(), par=guichet.technicien)
    assert constater(cas)[0].remplie
    with pytest.raises(Refus, match="n’est plus à rendre"):
        restitutions.enregistrer_rendu(rupture, le=timezone.localdate(), par=guichet.technicien)


def test_une_depense_trop_facturee_ne_paie_pas_pour_une_autre(guichet):
    version = guichet.dispositif(sur_factures=True, convention_exigee=False)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.EN_PREPARATION)
    redaction.ecrire_depense(
        demande, par=guichet.direction, libelle="Mobilier", fournisseur="", montant_ht=D(8_000), montant_ttc=D(10_000)
    )
    redaction.joindre_devis(
        demande, depense_pk=demande.depenses.get().pk, televerse=document("devis"), par=guichet.direction
    )
    demande = guichet.finir(demande, Etat.ACCORDEE, montant=12_000)
    mobilier = demande.depenses.get(libelle="Mobilier")
    facture = versements.joindre_facture(
        demande, depense_pk=mobilier.pk, numero="F1", datee_le=timezone.localdate(), montant_ht=D(24_000),
        montant_ttc=D(30_000), televerse=document("facture"), par=guichet.direction,
    )  # fmt: skip
    versements.verifier_facture(facture, retenu=D(30_000), motif="", par=guichet.technicien)
    etude = etudier(Demande.objects.pour_fiche().get(pk=demande.pk))
    assert (etude.prevu, etude.reel, etude.du) == (D(30_000), D(10_000), D(4_000))


def test_un_bilan_a_reprendre_ne_se_lit_pas_accepte_au_journal(guichet):
    version = guichet.dispositif(convention_exigee=False)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    suites.rendre_bilan(
        demande, recit="Cent familles.", depenses=D(20_000), produits=D(20_000), realises=["90"], version=1,
        par=guichet.direction,
    )  # fmt: skip
    suites.lire_bilan(demande, accepte=False, motif="Il manque les comptes.", par=guichet.charge)
    assert demande.evenements.first().fait == "bilan à reprendre"
