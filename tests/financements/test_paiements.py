"""Payer : proposer, valider à deux, ordonnancer, lire la banque, réclamer un trop-versé."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone

from courriers.models import Envoi, Notification
from financements.actions import paiements
from financements.choix import (
    FAMILLES_PAIEMENT,
    EtatPaiement,
    TypeDeclaration,
)
from financements.etude import etudier, reste_d_indu
from financements.models import (
    Droit,
    Indu,
    Paiement,
    ReglesDePaiement,
)
from financements.sepa import Donneur, Retour
from socle.erreurs import Refus
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.financements import Caisse

pytestmark = pytest.mark.django_db
D = Decimal
DANS_UN_MOIS = timezone.localdate() + timedelta(days=31)
DONNEUR = Donneur(nom="Caf de démonstration", iban="FR7630006000011234567890189", bic="AGRIFRPP")


@pytest.fixture
def paye(caisse):
    caisse.baremes()
    caisse.declarer()
    return caisse


def ordonnancer(caisse, *retenus: Paiement, par=None):
    return paiements.ordonnancer(
        [p.pk for p in retenus], execution_le=timezone.localdate() + timedelta(days=2), donneur=DONNEUR,
        par=par or caisse.technicien,
    )  # fmt: skip


def payer(caisse, nature: str, **options) -> Paiement:
    paiement = paiements.proposer(caisse.droit(), nature=nature, par=caisse.technicien, **options)
    paiement = paiements.valider(paiement, par=caisse.collegue)
    ordonnancer(caisse, paiement)
    retour = Retour(reference=paiement.reference, paye=True, motif="", date=timezone.localdate())
    paiements.lire_retours((retour,), par=caisse.technicien)
    return Paiement.objects.get(pk=paiement.pk)


def test_acomptes_puis_solde_font_le_droit(paye):
    premier, second = payer(paye, "acompte_1"), payer(paye, "acompte_2")
    assert (premier.montant, second.montant) == (D("21369.60"), D("21369.60"))
    paye.declarer(TypeDeclaration.REEL)
    solde = payer(paye, "solde")
    assert premier.montant + second.montant + solde.montant == D("61056.00")
    position = Droit.objects.avec_position().get(pk=paye.droit().pk)
    assert (position.solde, position.paye) == (0, D("61056.00"))


def test_un_paiement_ne_se_propose_pas_deux_fois(paye):
    paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)
    with pytest.raises(Refus):
        paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)


def test_au_dessus_du_seuil_qui_propose_ne_valide_pas(paye):
    paiement = paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)
    assert paiement.double_regard
    with pytest.raises(PermissionDenied, match="double regard"):
        paiements.valider(paiement, par=paye.technicien)
    assert paiements.valider(paiement, par=paye.collegue).etat == EtatPaiement.VALIDE


def test_sous_le_seuil_une_personne_suffit(paye):
    ReglesDePaiement.objects.update(seuil_double_regard=D(1_000_000))
    paiement = paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)
    assert paiements.valider(paiement, par=paye.technicien).etat == EtatPaiement.VALIDE


def test_sans_iban_ni_convention_rien_ne_part(paye):
    type(paye.gestionnaire).objects.filter(pk=paye.gestionnaire.pk).update(iban="")
    with pytest.raises(Refus, match="IBAN"):
        paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)


def test_une_association_au_dela_de_23_000_euros_doit_avoir_signe(paye):
    type(paye.gestionnaire).objects.filter(pk=paye.gestionnaire.pk).update(statut="association")
    with pytest.raises(Refus, match="convention signée"):
        paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)


def test_le_droit_baisse_avant_la_validation_elle_est_refusee(paye):
    paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)
    second = paiements.proposer(paye.droit(), nature="acompte_2", par=paye.technicien)
    paye.declarer(TypeDeclaration.REEL, echelle="0.5")
    with pytest.raises(Refus, match="a changé"):
        paiements.valider(second, par=paye.collegue)


def test_un_rejet_de_la_banque_rend_l_echeance_a_proposer(paye):
    paiement = paiements.valider(
        paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien), par=paye.collegue
    )
    ordonnancer(paye, paiement)
    rejet = Retour(reference=paiement.reference, paye=False, motif="Compte clos.", date=None)
    bilan = paiements.lire_retours((rejet,), par=paye.technicien)
    assert (bilan.rejetes, bilan.payes) == (1, 0)
    assert paiements.lire_retours((rejet,), par=paye.technicien).deja == 1
    nouveau = paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien)
    assert nouveau.montant == paiement.montant


def test_un_retour_inconnu_est_dit_et_ne_change_rien(paye):
    bilan = paiements.lire_retours(
        (Retour("PS-2027-99999999", True, "", None), Retour("n’importe quoi", True, "", None)), par=paye.technicien
    )
    assert bilan.inconnus == ("PS-2027-99999999", "n’importe quoi")


def test_un_lot_garde_l_ordre_de_virement_tel_qu_il_est_parti(paye):
    from hashlib import sha256

    paiement = paiements.valider(
        paiements.proposer(paye.droit(), nature="acompte_1", par=paye.technicien), par=paye.collegue
    )
    lot = ordonnancer(paye, paiement)
    with lot.fichier.open("rb") as fichier:
        octets = fichier.read()
    assert sha256(octets).hexdigest() == lot.empreinte
    assert paiement.reference.encode() in octets
    assert (lot.nombre, lot.total) == (1, paiement.montant)
    with pytest.raises(Refus, match="retirez-le"):
        ordonnancer(paye, paiement)
    with pytest.raises(DatabaseError), transaction.atomic():
        type(lot).objects.filter(pk=lot.pk).update(total=1)


def test_un_indu_se_notifie_se_compense_et_se_solde(paye):
    payer(paye, "acompte_1")
    payer(paye, "acompte_2")
    paye.declarer(TypeDeclaration.REEL, echelle="0.5")
    indu = paiements.notifier_indu(paye.droit(), premiere_echeance=DANS_UN_MOIS, par=paye.technicien)
    assert indu.montant == D("42739.20") - D("30528.00")
    assert len(paye.actes("notification_indu")) == 1
    with pytest.raises(Refus, match="déjà ouvert"):
        paiements.notifier_indu(paye.droit(), premiere_echeance=DANS_UN_MOIS, par=paye.technicien)
    acf = paye.droit("acf")
    paiement = paiements.proposer(acf, nature="solde", par=paye.technicien, compenser=True)
    assert paiement.compense == min(indu.montant, paiement.montant)
    reste = reste_d_indu(indu)
    if reste:
        with pytest.raises(Refus, match="Il reste"):
            paiements.enregistrer_remboursement(indu, montant=reste + 1, le=timezone.localdate(), par=paye.technicien)
        paiements.enregistrer_remboursement(indu, montant=reste, le=timezone.localdate(), par=paye.technicien)
    indu.refresh_from_db()
    assert indu.etat == "solde"
    assert Droit.objects.avec_position().get(pk=paye.droit().pk).solde == 0
    paiements.annuler(paiement, motif="Erreur.", par=paye.technicien)
    indu.refresh_from_db()
    assert indu.etat == "notifie"


def test_un_trop_verse_avant_le_reel_se_previent_sans_se_notifier(paye):
    payer(paye, "acompte_1")
    payer(paye, "acompte_2")
    paye.declarer(TypeDeclaration.ACTUALISE_JUIN, echelle="0.1")
    assert etudier(paye.droit()).suite.trop_verse > 0
    with pytest.raises(Refus, match="après le droit réel"):
        paiements.notifier_indu(paye.droit(), premiere_echeance=DANS_UN_MOIS, par=paye.technicien)
    assert not Indu.objects.exists()


def test_aucune_lettre_ni_nouvelle_ne_parle_de_fraude(paye):
    paye.declarer(TypeDeclaration.REEL, echelle="0.5")
    textes = " ".join(Notification.objects.values_list("texte", flat=True))
    textes += " ".join(Envoi.objects.values_list("texte", flat=True))
    assert "fraude" not in textes.lower()


@pytest.mark.parametrize("etat", list(EtatPaiement))
def test_chaque_etat_de_paiement_se_dit(etat):
    assert etat.label
    assert FAMILLES_PAIEMENT[etat]


@pytest.mark.django_db(transaction=True)
def test_deux_paiements_simultanes_de_la_meme_echeance_n_en_font_qu_un():
    caisse = Caisse()
    caisse.baremes()
    caisse.declarer()
    droit = caisse.droit()
    reussites, refus = reussites_et_refus(
        lambda: paiements.proposer(droit, nature="acompte_1", par=caisse.technicien),
        lambda: paiements.proposer(droit, nature="acompte_1", par=caisse.responsable),
    )
    assert (len(reussites), len(refus)) == (1, 1)
    paiement = paiements.valider(reussites[0], par=caisse.collegue)
    reussites, refus = reussites_et_refus(lambda: ordonnancer(caisse, paiement), lambda: ordonnancer(caisse, paiement))
    assert (len(reussites), len(refus)) == (1, 1)
    assert Paiement.objects.filter(etat=EtatPaiement.ORDONNANCE).count() == 1
