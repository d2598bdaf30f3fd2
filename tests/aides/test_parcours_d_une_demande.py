"""La vie d’une demande, du dispositif décrit à l’aide soldée, par les vrais gestes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from agrements.actions import seances
from agrements.demo.dossiers import document
from aides.actions import enveloppes, instruction, redaction
from aides.choix import Etat, SensAvis
from aides.contenu import ContenuDemande
from aides.models import DecisionAide, Demande, Enveloppe
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


def test_un_scenario_ne_depasse_jamais_et_ses_montants_deviennent_les_propositions(guichet):
    version = guichet.dispositif()
    enveloppe = guichet.voter(version, 12_000)
    une, deux = (guichet.mener(version, Etat.INSTRUITE) for _ in range(2))
    scenario = enveloppes.essayer(enveloppe, nom="Moitié-moitié", par=guichet.responsable)
    with pytest.raises(Refus, match="dépasse ce qui reste"):
        enveloppes.retenir(scenario, par=guichet.responsable)
    enveloppes.repartir(
        scenario, demande_pk=une.pk, montant=D(6_000), par=guichet.responsable
    )  # mieux, pas encore assez
    with pytest.raises(Refus, match="Il ne reste que"):
        enveloppes.repartir(scenario, demande_pk=une.pk, montant=D(6_001), par=guichet.responsable)
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
