"""La vie d’une demande, du dispositif décrit à l’aide soldée, par les vrais gestes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from agrements.actions import seances
from agrements.demo.dossiers import document
from aides.actions import enveloppes, instruction, redaction, suites, versements
from aides.choix import Etat, EtatBilan, SensAvis
from aides.contenu import ContenuDemande
from aides.models import BilanAide, DecisionAide, Demande, Enveloppe
from aides.versements import etudier
from documents.models import Acte
from financements.actions import paiements
from financements.donneur import donneur
from financements.models import Paiement
from financements.sepa import Retour
from socle.erreurs import Refus
from tests.fabriques.aides import Guichet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def guichet():
    return Guichet()


def payer(guichet, paiement: Paiement) -> Paiement:
    paiements.valider(paiement, par=guichet.collegue)
    lot = paiements.ordonnancer(
        [paiement.pk], execution_le=timezone.localdate(), donneur=donneur(), par=guichet.technicien
    )
    paiement = lot.paiements.get()
    paiements.lire_retours((Retour(paiement.reference, True, "", None),), par=guichet.technicien)
    return Paiement.objects.get(pk=paiement.pk)


def test_une_demande_accordee_engage_l_enveloppe_et_ecrit_sa_lettre(guichet):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    enveloppe = Enveloppe.objects.get()
    assert (demande.etat, demande.montant_accorde) == (Etat.ACCORDEE, D(8_000))
    assert (enveloppe.engage, enveloppe.reste) == (D(8_000), D(92_000))
    decision = DecisionAide.objects.get()
    assert decision.acte.contexte["total"] == "8\u202f000,00\u00a0€"
    assert sum(D(ligne["montant"]) for ligne in decision.explication) == D(8_000)
    assert demande.limite_le > timezone.localdate()
    assert {a.nature for a in Acte.objects.filter(objet=f"aide-{demande.pk}")} == {
        "accuse_reception", "notification", "convention_aide",
    }  # fmt: skip


def test_l_explication_dit_chaque_euro_meme_quand_l_instance_accorde_moins(guichet):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.INSCRITE)
    passage = guichet.seance().passages.get()
    with pytest.raises(ValidationError) as erreur:
        guichet.decider(passage, montant=D(5_000))
    assert "dites pourquoi" in str(erreur.value)
    guichet.decider(passage, montant=D(5_000), motivation="Le solde ira à un autre projet.")
    decision = DecisionAide.objects.get(demande=demande)
    assert sum(D(ligne["montant"]) for ligne in decision.explication) == D(5_000)
    assert decision.explication[-1]["libelle"] == "Fixé par l’instance"


def test_une_decision_qui_depasse_l_enveloppe_n_ecrit_rien(guichet):
    version = guichet.dispositif()
    guichet.voter(version, 5_000)
    demande = guichet.mener(version, Etat.INSCRITE)
    passage = guichet.seance().passages.get()
    with pytest.raises(Refus, match="ne suffit pas : il reste"):
        guichet.decider(passage)
    demande.refresh_from_db()
    passage.refresh_from_db()
    assert (demande.etat, passage.saisi_le) == (Etat.INSCRITE, None)
    assert not DecisionAide.objects.exists()


def test_un_avis_favorable_demande_toutes_les_conditions(guichet):
    version = guichet.dispositif(conditions=[{"nature": "senacs", "parametre": 1}, {"nature": "sans_indu"}])
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    with pytest.raises(Refus, match="Il manque : A contribué à Senacs"):
        guichet.instruire(demande)
    instruction.proposer(
        demande, sens=SensAvis.DEFAVORABLE, montant=None, motivation="Senacs manque.", notes=[], par=guichet.charge
    )
    demande.refresh_from_db()
    assert (demande.etat, demande.montant_propose) == (Etat.INSTRUITE, 0)


def test_une_depense_ecartee_baisse_le_calcul_et_dit_pourquoi(guichet):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    depense = demande.depenses.get()
    with pytest.raises(ValidationError, match="pas retenue en entier"):
        instruction.retenir_depenses(demande, retenus={depense.pk: (D(10_000), "")}, par=guichet.charge)
    instruction.retenir_depenses(
        demande, retenus={depense.pk: (D(10_000), "Mobilier de bureau exclu.")}, par=guichet.charge
    )
    assert ContenuDemande(Demande.objects.pour_fiche().get(pk=demande.pk)).calculer().montant == D(4_000)


def test_les_collectivites_comptent_hors_taxes_et_les_associations_toutes_taxes(guichet):
    version = guichet.dispositif()
    association = guichet.ouvrir(version)
    guichet.remplir(association)
    commune = Guichet("commune")
    publique = commune.ouvrir(version)
    commune.remplir(publique)
    assert ContenuDemande(association).cout == D(20_000)
    assert ContenuDemande(publique).cout == D(16_000)


def test_un_plan_desequilibre_ne_se_fait_pas_viser(guichet):
    version = guichet.dispositif()
    demande = guichet.ouvrir(version)
    guichet.remplir(demande)
    redaction.demander_montant(demande, montant=D(9_000), par=guichet.direction)
    with pytest.raises(redaction.DemandeIncomplete) as erreur:
        redaction.demander_visa(demande, par=guichet.direction)
    assert "le plan doit s’équilibrer" in erreur.value.manques[0].phrase


def test_une_demande_changee_apres_le_visa_ne_se_depose_pas(guichet):
    version = guichet.dispositif()
    demande = guichet.mener(version, Etat.VISEE)
    demande.depenses.update(libelle="Autre chose")
    with pytest.raises(Refus, match="a changé depuis le visa"):
        redaction.deposer(demande, par=guichet.direction)


def test_les_complements_n_ouvrent_que_les_parties_nommees(guichet):
    version = guichet.dispositif()
    demande = guichet.mener(version, Etat.DEPOSEE)
    instruction.demander_complements(
        demande, parties=["depenses"], message="Un devis plus récent.",
        echeance_le=timezone.localdate() + timedelta(days=20), par=guichet.charge,
    )  # fmt: skip
    demande = Demande.objects.get(pk=demande.pk)
    with pytest.raises(PermissionDenied):
        redaction.enregistrer_reponse(demande, champ="public", saisie="x", version=1, par=guichet.direction)
    with pytest.raises(PermissionDenied):
        redaction.demander_montant(demande, montant=D(1), par=guichet.direction)
    redaction.joindre_devis(
        demande, depense_pk=demande.depenses.get().pk, televerse=document("devis"), par=guichet.direction
    )
    demande = redaction.renvoyer(demande, par=guichet.direction)
    assert (demande.etat, demande.versions.count()) == (Etat.DEPOSEE, 2)


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


def test_un_debut_deja_passe_contredit_non_commence_jusqu_a_l_autorisation(guichet):
    aujourd_hui = timezone.localdate()
    version = guichet.dispositif(conditions=[{"nature": "non_commence"}])
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    demande.reponses.filter(champ="debut").update(valeur=aujourd_hui.isoformat())
    (constat,) = ContenuDemande(demande).constats
    assert (constat.remplie, "son début est écrit au" in constat.preuve) == (False, True)
    with pytest.raises(Refus, match="non commencé avant la décision"):
        guichet.instruire(demande)
    autorisee = instruction.autoriser_demarrage(
        demande, le=aujourd_hui + timedelta(days=9), motif="Chantier d’été.", par=guichet.responsable
    )
    assert not ContenuDemande(autorisee).constats[0].remplie
    Demande.objects.filter(pk=demande.pk).update(demarrage_autorise_le=aujourd_hui)
    assert guichet.instruire(Demande.objects.get(pk=demande.pk)).etat == Etat.ACCORDEE


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


def test_un_scenario_ne_depasse_jamais_et_ses_montants_deviennent_les_propositions(guichet):
    version = guichet.dispositif()
    enveloppe = guichet.voter(version, 12_000)
    une, deux = (guichet.mener(version, Etat.INSTRUITE) for _ in range(2))
    scenario = enveloppes.essayer(enveloppe, nom="Moitié-moitié", par=guichet.responsable)
    with pytest.raises(Refus, match="Il ne reste que"):
        enveloppes.repartir(scenario, demande_pk=une.pk, montant=D(8_000), par=guichet.responsable)
    enveloppes.repartir(scenario, demande_pk=une.pk, montant=D(4_000), par=guichet.responsable)
    with pytest.raises(Refus, match="au plus"):
        enveloppes.repartir(scenario, demande_pk=deux.pk, montant=D(8_001), par=guichet.responsable)
    enveloppes.retenir(scenario, par=guichet.responsable)
    une.refresh_from_db()
    assert une.montant_propose == D(4_000)
    assert une.evenements.filter(motif__contains="Moitié-moitié").count() == 1
    with pytest.raises(Refus, match="déjà retenu"):
        enveloppes.retenir(scenario, par=guichet.responsable)


def test_un_transfert_se_voit_des_deux_cotes_et_ne_prend_pas_ce_qui_est_engage(guichet):
    version, autre = guichet.dispositif(), guichet.dispositif("FLA AVS")
    de, vers = guichet.voter(version, 10_000), guichet.voter(autre, 1_000)
    guichet.mener(version, Etat.ACCORDEE)
    with pytest.raises(ValidationError, match="Il reste"):
        enveloppes.transferer(de, vers, montant=D(2_001), motif="Besoin.", par=guichet.responsable)
    enveloppes.transferer(de, vers, montant=D(2_000), motif="Besoin.", par=guichet.responsable)
    de.refresh_from_db()
    vers.refresh_from_db()
    assert (de.vote, vers.vote) == (D(8_000), D(3_000))
    assert sum(m.montant for m in vers.mouvements.all()) == vers.vote


def test_la_sequence_reportee_ou_annulee_rend_la_demande(guichet):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.INSCRITE)
    seance = guichet.seance()
    seances.modifier_seance(seance, tenue_le=timezone.localdate() + timedelta(days=9), par=guichet.secretariat)
    demande.refresh_from_db()
    assert demande.echeance_le == timezone.localdate() + timedelta(days=9)
    seances.annuler_seance(seance, motif="Grève.", par=guichet.secretariat)
    demande.refresh_from_db()
    assert demande.etat == Etat.INSTRUITE


def test_une_seance_ne_se_clot_pas_sans_la_decision_d_une_aide(guichet):
    version = guichet.dispositif()
    guichet.voter(version)
    guichet.mener(version, Etat.INSCRITE)
    seance = guichet.seance()
    with pytest.raises(Refus, match="1 dossier sans avis ni décision"):
        seances.clore_seance(seance, par=guichet.secretariat)
    guichet.decider(seance.passages.get(), sens="refuse")
    assert seances.clore_seance(seance, par=guichet.secretariat).close_le is not None


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
        suites.enregistrer_rendu(demande, le=timezone.localdate() + timedelta(days=1), par=guichet.technicien)
    suites.enregistrer_rendu(demande, le=timezone.localdate(), par=guichet.technicien)
    assert constater(cas)[0].remplie
    with pytest.raises(Refus, match="Aucune somme"):
        suites.enregistrer_rendu(demande, le=timezone.localdate(), par=guichet.technicien)


def test_les_demandes_ouvertes_suivent_le_secteur_transmis(guichet):
    from aides.actions.secteurs import suivre_les_secteurs
    from comptes.choix import Role
    from partenaires.models import AffectationCommune
    from tests.fabriques.comptes import agent

    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.INSTRUITE)
    aujourd_hui = timezone.localdate()
    AffectationCommune.objects.filter(agent=guichet.charge).update(fin=aujourd_hui - timedelta(days=1))
    neuve = agent(Role.CHARGE_CONSEIL)
    AffectationCommune.objects.create(commune=guichet.structure.commune, agent=neuve, debut=aujourd_hui)
    assert suivre_les_secteurs(aujourd_hui) == 1
    assert suivre_les_secteurs(aujourd_hui) == 0
    demande.refresh_from_db()
    assert demande.charge == neuve
    assert demande.evenements.filter(geste="affecter").count() == 1


def test_une_aide_a_une_demande_par_exercice_se_redemande_apres_un_refus_seulement(guichet):
    version = guichet.dispositif(une_par_exercice=True)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    with pytest.raises(Refus, match="déjà demandé cette aide"):
        guichet.ouvrir(version)
    guichet.instruire(demande, Etat.REFUSEE)
    assert guichet.ouvrir(version, "Seconde").etat == Etat.EN_PREPARATION


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
