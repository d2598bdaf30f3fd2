"""L’argent par ses gestes : barèmes, déclarations, droits, paiements. Chaque refus est éprouvé autant que chaque oui."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from comptes.choix import Role
from courriers.models import Envoi, Notification
from financements.actions import baremes, declarations, droits, paiements, relances
from financements.actions.declarations import CaseFermee, DeclarationIncomplete
from financements.actions.droits import CalculBloque
from financements.choix import (
    EtatBareme,
    EtatDeclaration,
    EtatPaiement,
    NatureDroit,
    NaturePaiement,
    OrigineVersion,
    TypeDeclaration,
)
from financements.formulaire import SaisieRefusee
from financements.models import (
    Bareme,
    Declaration,
    Derogation,
    Droit,
    Indu,
    Paiement,
    Prestation,
    ReglesDePaiement,
    Saisie,
    VersionDroit,
)
from financements.sepa import Donneur, Retour
from socle.erreurs import Refus, VersionPerimee
from socle.etats import TransitionInterdite
from tests.fabriques.comptes import agent
from tests.fabriques.financements import Caisse
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db
D = Decimal
DONNEUR = Donneur(nom="Caf de démonstration", iban="FR7630006000011234567890189", bic="AGRIFRPP")


@pytest.fixture
def caisse(django_capture_on_commit_callbacks):
    return Caisse()


# --- Barèmes --------------------------------------------------------------------------------------------------------
def test_qui_saisit_un_bareme_ne_le_publie_pas(caisse):
    bareme = caisse.bareme(publier=False)
    with pytest.raises(PermissionDenied, match="collègue"):
        baremes.publier(bareme, par=caisse.administrateur)
    publie = baremes.publier(bareme, par=caisse.responsable)
    assert (publie.etat, publie.publie_par) == (EtatBareme.PUBLIE, caisse.responsable)


def test_un_brouillon_corrige_change_d_auteur_et_le_premier_peut_publier(caisse):
    bareme = caisse.bareme(publier=False)
    baremes.corriger(bareme, par=caisse.responsable, taux=D("40"))
    with pytest.raises(PermissionDenied):
        baremes.publier(bareme, par=caisse.responsable)
    assert baremes.publier(bareme, par=caisse.administrateur).taux == 40


def test_un_bareme_publie_ne_change_plus_meme_en_sql(caisse):
    bareme = caisse.bareme()
    with pytest.raises(Refus, match="nouvelle version"):
        baremes.corriger(bareme, par=caisse.responsable, taux=D("50"))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute("UPDATE financements_bareme SET taux = 50 WHERE id = %s", [bareme.pk])
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute("DELETE FROM financements_bareme WHERE id = %s", [bareme.pk])


def test_remplacer_un_bareme_exige_sa_raison_et_garde_l_ancien(caisse):
    ancien = caisse.bareme()
    with pytest.raises(Refus, match="dites pourquoi"):
        caisse.bareme(prix_plafond=D(170_000))
    nouveau = caisse.bareme(prix_plafond=D(170_000), motif="Circulaire de juin.")
    ancien.refresh_from_db()
    assert (ancien.etat, nouveau.etat, nouveau.numero) == (EtatBareme.REMPLACE, EtatBareme.PUBLIE, 2)
    assert nouveau.remplace == ancien


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"taux": D(0)}, "entre 0 et 100"),
        ({"taux": D(101)}, "entre 0 et 100"),
        ({"prix_plafond": D(0)}, "supérieur à zéro"),
        ({"postes": []}, "un poste au moins"),
        ({"postes": ["cantine"]}, "cantine"),
        ({"etp_minimum": D(-1)}, "ETP minimum"),
    ],
)
def test_un_bareme_impossible_est_refuse_a_la_saisie(caisse, champs, phrase):
    with pytest.raises(ValidationError, match=phrase):
        caisse.bareme(publier=False, **champs)


def test_pas_de_bareme_pour_une_prestation_hors_de_ses_exercices(caisse):
    with pytest.raises(Refus, match="existe depuis 2030"):
        caisse.bareme("unique", exercice=2027, publier=False)


def test_un_technicien_ne_saisit_pas_de_bareme(caisse):
    with pytest.raises(PermissionDenied):
        baremes.saisir(
            prestation=Prestation.objects.get(pk="agc"), exercice=2027, par=caisse.technicien, taux=D(1),
            prix_plafond=D(1), postes=["pilotage"], effet_le=date(2027, 1, 1), source="x",
        )  # fmt: skip


def test_deux_publications_simultanees_n_en_font_qu_une(caisse):
    premier = caisse.bareme(publier=False)
    baremes.publier(premier, par=caisse.responsable)
    with pytest.raises((Refus, PermissionDenied)):
        baremes.publier(premier, par=caisse.responsable)
    assert Bareme.objects.filter(etat=EtatBareme.PUBLIE, prestation="agc").count() == 1


# --- Déclarations ---------------------------------------------------------------------------------------------------
def test_une_declaration_suit_son_chemin_et_fait_naitre_les_droits(caisse):
    caisse.baremes()
    declaration = caisse.declarer()
    assert declaration.etat == EtatDeclaration.VALIDEE
    agc, acf = caisse.courante("agc"), caisse.courante("acf")
    assert agc.montant == D("61056.00")
    # référent 30 000 + logistique 60 000 × 30 000 ÷ 300 000 = 36 000 ; 63,6 %
    assert acf.montant == D("22896.00")
    assert agc.nature == NatureDroit.PREVISIONNEL
    assert (agc.bareme.prestation_id, agc.declaration, agc.agrement) == (
        "agc", declaration.version_courante, caisse.agrement,
    )  # fmt: skip
    assert sum(D(ligne["montant"]) for ligne in agc.explication) == agc.montant
    assert len(caisse.actes("accuse_reception")) == 1
    assert len(caisse.actes("notification_droit")) == 1


def test_sans_bareme_rien_n_est_valide_et_le_droit_n_est_pas_a_zero(caisse):
    caisse.bareme("agc")
    declaration = caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    with pytest.raises(CalculBloque, match="ACF 2027 n’est pas publié"):
        declarations.valider(declaration, par=caisse.technicien)
    declaration.refresh_from_db()
    assert declaration.etat == EtatDeclaration.DEPOSEE
    assert not Droit.objects.exists()


def test_le_reel_revise_le_droit_sans_effacer_le_previsionnel(caisse):
    caisse.baremes()
    caisse.declarer()
    caisse.declarer(TypeDeclaration.REEL, echelle="0.5")
    versions = list(caisse.droit().versions.order_by("numero"))
    assert [(v.nature, v.montant, v.courante) for v in versions] == [
        ("previsionnel", D("61056.00"), False), ("reel", D("30528.00"), True),
    ]  # fmt: skip


def test_une_declaration_anterieure_ne_defait_pas_le_reel(caisse):
    caisse.baremes()
    tardive = caisse.declarer(TypeDeclaration.ACTUALISE_JUIN, EtatDeclaration.DEPOSEE)
    caisse.declarer(TypeDeclaration.REEL)
    with pytest.raises(Refus, match="plus tardive"):
        declarations.valider(tardive, par=caisse.technicien)


@pytest.mark.parametrize(
    ("champ", "saisie"),
    [("64.pilotage", "-5"), ("64.pilotage", "1e9"), ("64.pilotage", "1" + "0" * 15), ("64.pilotage", "12,345"),
     ("64.pilotage", "=1+1"), ("64.pilotage", "١٢٣"), ("activite.etp_referent", "5000"), ("activite.adherents", "1,5")],
)  # fmt: skip
def test_une_saisie_absurde_est_refusee_avec_une_phrase(caisse, champ, saisie):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    with pytest.raises(SaisieRefusee) as refus:
        declarations.enregistrer(declaration, champ=champ, saisie=saisie, version=1, par=caisse.direction)
    assert str(refus.value).startswith(("Écrivez", "Ce "))


@pytest.mark.parametrize("saisie", ["1 234,5", "1\u202f234,50 €", "1234.5"])
def test_un_montant_se_tape_comme_on_l_ecrit(caisse, saisie):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    gardee = declarations.enregistrer(declaration, champ="73", saisie=saisie, version=0, par=caisse.direction)
    assert gardee.nombre == D("1234.50")


def test_deux_personnes_sur_la_meme_case_le_second_ne_l_ecrase_pas(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    declarations.enregistrer(declaration, champ="73", saisie="10", version=0, par=caisse.direction)
    with pytest.raises(VersionPerimee):
        declarations.enregistrer(declaration, champ="73", saisie="20", version=0, par=caisse.saisie)
    assert Saisie.objects.get(declaration=declaration, champ="73").nombre == 10


def test_un_budget_desequilibre_ne_part_pas_au_visa_et_dit_de_combien(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    declarations.enregistrer(declaration, champ="73", saisie="100", version=0, par=caisse.direction)
    with pytest.raises(DeclarationIncomplete) as refus:
        declarations.demander_visa(declaration, par=caisse.direction)
    assert "100,00" in refus.value.manques[0].phrase


def test_un_compte_reel_peut_finir_en_deficit(caisse):
    declaration = caisse.declarer(TypeDeclaration.REEL, EtatDeclaration.EN_PREPARATION)
    declarations.enregistrer(declaration, champ="60.activites", saisie="99000", version=1, par=caisse.direction)
    assert declarations.demander_visa(declaration, par=caisse.direction).etat == EtatDeclaration.A_VISER


def test_une_forte_variation_demande_une_explication(caisse):
    caisse.baremes()
    caisse.declarer()
    declaration = caisse.declarer(TypeDeclaration.REEL, EtatDeclaration.EN_PREPARATION, echelle="2")
    declaration.saisies.filter(champ__startswith="explication.").delete()
    with pytest.raises(DeclarationIncomplete) as refus:
        declarations.demander_visa(declaration, par=caisse.direction)
    assert any("expliquez la variation" in m.phrase for m in refus.value.manques)


def test_seul_le_representant_legal_vise(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.A_VISER)
    for autre in (caisse.direction, caisse.saisie, caisse.technicien, caisse.responsable):
        with pytest.raises(PermissionDenied):
            declarations.viser(declaration, par=autre)
    refusee = declarations.refuser_visa(declaration, motif="Le 64 est faux.", par=caisse.president)
    assert (refusee.etat, refusee.motif_refus_visa) == (EtatDeclaration.EN_PREPARATION, "Le 64 est faux.")


def test_une_declaration_modifiee_apres_visa_ne_se_depose_pas(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.VISEE)
    Saisie.objects.filter(declaration=declaration, champ="70").update(nombre=1)
    with pytest.raises(Refus, match="changé depuis le visa"):
        declarations.deposer(declaration, par=caisse.direction)


def test_une_correction_n_ouvre_que_les_lignes_commentees(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.A_CORRIGER)
    avec = {"version": 1, "par": caisse.direction}
    assert declarations.enregistrer(declaration, champ="64.pilotage", saisie="92000", **avec)
    assert declarations.enregistrer(declaration, champ="explication.64", saisie="Un poste de plus.", **avec)
    with pytest.raises(CaseFermee):
        declarations.enregistrer(declaration, champ="60.pilotage", saisie="1", **avec)
    renvoyee = declarations.renvoyer(declaration, par=caisse.direction)
    assert (renvoyee.etat, renvoyee.version_courante.numero) == (EtatDeclaration.DEPOSEE, 2)
    assert not renvoyee.remarques.filter(levee_le__isnull=True).exists()


def test_demander_une_correction_sans_remarque_n_a_pas_de_sens(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    with pytest.raises(Refus, match="au moins une remarque"):
        declarations.demander_correction(declaration, par=caisse.technicien)


def test_un_technicien_d_un_autre_portefeuille_ne_valide_pas(caisse):
    caisse.baremes()
    declaration = caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    with pytest.raises(PermissionDenied, match="portefeuille d’un collègue"):
        declarations.valider(declaration, par=caisse.collegue)
    for autre in (caisse.charge, caisse.secretariat, agent(Role.CONTROLEUR), caisse.direction):
        with pytest.raises(PermissionDenied):
            declarations.valider(declaration, par=autre)


def test_la_caf_ne_voit_pas_un_brouillon_et_une_autre_structure_ne_voit_rien(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.VISEE)
    etrangere = habiliter(StructureFactory(), Role.DIRECTION)
    for personne in (caisse.technicien, caisse.responsable, etrangere):
        assert not Declaration.objects.visibles_par(personne).exists()
    assert Declaration.objects.visibles_par(caisse.direction).get() == declaration


@pytest.mark.parametrize("etat", list(EtatDeclaration))
def test_chaque_geste_depuis_chaque_etat_passe_ou_se_refuse(caisse, etat):
    from financements.cycle import CYCLE_DECLARATION

    caisse.baremes()
    declaration = caisse.declarer(etat=etat)
    gestes = {
        "demander_visa": lambda: declarations.demander_visa(declaration, par=caisse.direction),
        "reprendre": lambda: declarations.reprendre(declaration, par=caisse.direction),
        "viser": lambda: declarations.viser(declaration, par=caisse.president),
        "refuser_visa": lambda: declarations.refuser_visa(declaration, motif="Non.", par=caisse.president),
        "deposer": lambda: declarations.deposer(declaration, par=caisse.direction),
        "renvoyer": lambda: declarations.renvoyer(declaration, par=caisse.direction),
        "valider": lambda: declarations.valider(declaration, par=caisse.technicien),
    }
    for nom, geste in gestes.items():
        point = transaction.savepoint_create()
        if etat in CYCLE_DECLARATION[nom].depuis:
            geste()
            declaration.refresh_from_db()
            assert declaration.etat == CYCLE_DECLARATION[nom].vers
        else:
            with pytest.raises(TransitionInterdite):
                geste()
        transaction.savepoint_rollback(point)
        declaration.refresh_from_db()
        assert declaration.etat == etat


def test_importer_remplace_les_comptes_et_garde_l_activite(caisse):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    declarations.importer(declaration, {"60.pilotage": D("10.50"), "70": D("10.50")}, par=caisse.direction)
    valeurs = dict(declaration.saisies.filter(nombre__isnull=False).values_list("champ", "nombre"))
    assert valeurs["60.pilotage"] == D("10.50")
    assert "64.pilotage" not in valeurs
    assert valeurs["activite.etp_referent"] == D("0.60")


# --- Relances -------------------------------------------------------------------------------------------------------
def test_une_relance_se_voit_a_blanc_puis_part_une_seule_fois(caisse):
    campagne = caisse.campagne()
    le = campagne.limite - timedelta(days=15)
    prevues = relances.prevues(campagne, -15)
    assert {r.destinataire for r in prevues} == {caisse.direction, caisse.president}
    assert not Envoi.objects.filter(cle__startswith="relance-").exists()
    assert relances.envoyer(le) == 2
    assert relances.envoyer(le) == 0
    assert Envoi.objects.filter(cle__startswith="relance-").count() == 2
    assert relances.envoyer(le + timedelta(days=1)) == 0


def test_qui_a_depose_n_est_plus_relance(caisse):
    caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    assert relances.prevues(caisse.campagne(), -3) == []


def test_une_relance_ne_deborde_pas_son_plafond(caisse, monkeypatch):
    monkeypatch.setattr(relances, "PLAFOND", 1)
    assert relances.envoyer(caisse.campagne().limite - timedelta(days=3)) == 1


# --- Droits ---------------------------------------------------------------------------------------------------------
def test_un_montant_force_demande_deux_personnes_une_raison_et_reste_visible(caisse):
    caisse.baremes()
    caisse.declarer()
    droit = caisse.droit()
    with pytest.raises(Refus, match="pourquoi"):
        droits.demander_forcage(droit, montant=D(50_000), motif=" ", par=caisse.technicien)
    demande = droits.demander_forcage(droit, montant=D(50_000), motif="Poste vacant six mois.", par=caisse.technicien)
    for autre in (caisse.technicien, caisse.collegue, caisse.administrateur):
        with pytest.raises(PermissionDenied):
            droits.decider_du_forcage(demande, approuver=True, motif="", par=autre)
    _, version = droits.decider_du_forcage(demande, approuver=True, motif="", par=caisse.responsable)
    assert (version.montant, version.origine, version.par, version.approuve_par) == (
        D(50_000), OrigineVersion.DEROGATION, caisse.technicien, caisse.responsable,
    )  # fmt: skip
    assert sum(D(ligne["montant"]) for ligne in version.explication) == D(50_000)
    with pytest.raises(DatabaseError), transaction.atomic():
        VersionDroit.objects.filter(pk=version.pk).update(motif="")
    with pytest.raises(DatabaseError), transaction.atomic():
        Derogation.objects.all().delete()


def test_un_forcage_demande_sur_un_ancien_montant_ne_s_approuve_pas(caisse):
    caisse.baremes()
    caisse.declarer()
    demande = droits.demander_forcage(caisse.droit(), montant=D(1), motif="x", par=caisse.technicien)
    caisse.declarer(TypeDeclaration.REEL)
    with pytest.raises(Refus, match="révisé depuis"):
        droits.decider_du_forcage(demande, approuver=True, motif="", par=caisse.responsable)


def test_la_base_refuse_deux_versions_courantes_et_toute_reecriture(caisse):
    caisse.baremes()
    caisse.declarer()
    version = caisse.courante()
    with pytest.raises(DatabaseError), transaction.atomic():
        VersionDroit.objects.filter(pk=version.pk).update(montant=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        version.delete()
    version.pk, version.numero = None, 2
    with pytest.raises(IntegrityError), transaction.atomic():
        version.save(force_insert=True)


def test_suspendre_un_agrement_retient_les_versements(caisse):
    from agrements.actions import agrements
    from agrements.choix import EtatAgrement

    caisse.baremes()
    caisse.declarer()
    type(caisse.agrement).objects.filter(pk=caisse.agrement.pk).update(etat=EtatAgrement.EN_COURS)
    agrements.suspendre(caisse.agrement, par=caisse.responsable, motif="Direction vacante.")
    assert "Direction vacante" in caisse.droit().motif_suspension
    with pytest.raises(Refus, match="suspendus"):
        paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien)


# --- Paiements ------------------------------------------------------------------------------------------------------
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
    with pytest.raises(Refus, match="a baissé"):
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
    indu = paiements.notifier_indu(paye.droit(), par=paye.technicien)
    assert indu.montant == D("42739.20") - D("30528.00")
    assert len(paye.actes("notification_indu")) == 1
    with pytest.raises(Refus, match="déjà ouvert"):
        paiements.notifier_indu(paye.droit(), par=paye.technicien)
    acf = paye.droit("acf")
    paiement = paiements.proposer(acf, nature="solde", par=paye.technicien, compenser=True)
    assert paiement.compense == min(indu.montant, paiement.montant)
    reste = paiements.reste_d_indu(indu)
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
    assert paiements.etudier(paye.droit()).suite.trop_verse > 0
    with pytest.raises(Refus, match="après le droit réel"):
        paiements.notifier_indu(paye.droit(), par=paye.technicien)
    assert not Indu.objects.exists()


def test_aucune_lettre_ni_nouvelle_ne_parle_de_fraude(paye):
    paye.declarer(TypeDeclaration.REEL, echelle="0.5")
    textes = " ".join(Notification.objects.values_list("texte", flat=True))
    textes += " ".join(Envoi.objects.values_list("texte", flat=True))
    assert "fraude" not in textes.lower()


@pytest.mark.parametrize("etat", list(EtatPaiement))
def test_chaque_nature_de_paiement_connait_ses_etats(etat):
    assert etat.label
    assert set(NaturePaiement.values) == {"acompte_1", "acompte_2", "solde", "rappel"}


# --- Courses --------------------------------------------------------------------------------------------------------
def en_meme_temps(*gestes):
    """Lance chaque geste dans son fil, au même instant ; rend les résultats et les erreurs."""
    depart, issues = Barrier(len(gestes)), []

    def courir(geste):
        try:
            depart.wait(timeout=10)
            issues.append(geste())
        except (Refus, PermissionDenied, ValidationError, IntegrityError) as erreur:
            issues.append(erreur)
        finally:
            connection.close()

    fils = [Thread(target=courir, args=(g,)) for g in gestes]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=30)
    return [i for i in issues if not isinstance(i, Exception)], [i for i in issues if isinstance(i, Exception)]


@pytest.mark.django_db(transaction=True)
def test_deux_liquidations_simultanees_n_en_font_qu_une():
    caisse = Caisse()
    caisse.baremes()
    declaration = caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    reussites, refus = en_meme_temps(
        lambda: declarations.valider(declaration, par=caisse.technicien),
        lambda: declarations.valider(declaration, par=caisse.responsable),
    )
    assert (len(reussites), len(refus)) == (1, 1)
    assert VersionDroit.objects.filter(droit__prestation="agc").count() == 1


@pytest.mark.django_db(transaction=True)
def test_deux_paiements_simultanes_de_la_meme_echeance_n_en_font_qu_un():
    caisse = Caisse()
    caisse.baremes()
    caisse.declarer()
    droit = caisse.droit()
    reussites, refus = en_meme_temps(
        lambda: paiements.proposer(droit, nature="acompte_1", par=caisse.technicien),
        lambda: paiements.proposer(droit, nature="acompte_1", par=caisse.responsable),
    )
    assert (len(reussites), len(refus)) == (1, 1)
    paiement = paiements.valider(reussites[0], par=caisse.collegue)
    reussites, refus = en_meme_temps(lambda: ordonnancer(caisse, paiement), lambda: ordonnancer(caisse, paiement))
    assert (len(reussites), len(refus)) == (1, 1)
    assert Paiement.objects.filter(etat=EtatPaiement.ORDONNANCE).count() == 1
