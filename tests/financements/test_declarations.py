"""La déclaration par ses gestes : saisir, viser, déposer, corriger, valider. Chaque refus autant que chaque oui."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from comptes.choix import Role
from financements.actions import declarations
from financements.actions.declarations import CaseFermee, DeclarationIncomplete
from financements.actions.droits import CalculBloque
from financements.choix import (
    EtatDeclaration,
    NatureDroit,
    TypeDeclaration,
)
from financements.formulaire import SaisieRefusee
from financements.models import (
    Declaration,
    Droit,
    Saisie,
    VersionDroit,
)
from socle.erreurs import Refus, VersionPerimee
from socle.etats import TransitionInterdite
from tests.fabriques.comptes import agent
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.financements import Caisse
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db
D = Decimal


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


@pytest.mark.django_db(transaction=True)
def test_deux_liquidations_simultanees_n_en_font_qu_une():
    caisse = Caisse()
    caisse.baremes()
    declaration = caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    reussites, refus = reussites_et_refus(
        lambda: declarations.valider(declaration, par=caisse.technicien),
        lambda: declarations.valider(declaration, par=caisse.responsable),
    )
    assert (len(reussites), len(refus)) == (1, 1)
    assert VersionDroit.objects.filter(droit__prestation="agc").count() == 1
