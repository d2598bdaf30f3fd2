"""Ce que le contrôle, les listes et les projections montrent à la Caf : rien de caché dans un total."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from financements.actions import declarations, paiements
from financements.choix import EtatDeclaration, TypeDeclaration
from socle.montants import en_euros
from socle.templatetags.presentation import decimal_fr
from tests.fabriques.financements import EXERCICE

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def payee(caisse):
    caisse.baremes()
    caisse.declarer()
    return caisse


def test_le_controle_montre_chaque_fonction_et_un_glissement_de_l_une_a_l_autre(caisse, entrer):
    caisse.baremes()
    caisse.declarer()
    declaration = caisse.declarer(TypeDeclaration.ACTUALISE_JUIN, EtatDeclaration.EN_PREPARATION)
    avant = {s.champ: s for s in declaration.saisies.all()}
    for champ, ecart in (("60.pilotage", D(5000)), ("60.activites", D(-5000))):
        case = avant[champ]
        declarations.enregistrer(
            declaration, champ=champ, saisie=str(case.nombre + ecart).replace(".", ","), version=case.version,
            par=caisse.direction,
        )  # fmt: skip
    declaration = declarations.demander_visa(declaration, par=caisse.direction)
    declaration = declarations.viser(declaration, par=caisse.president)
    declarations.deposer(declaration, par=caisse.direction)
    page = entrer(caisse.technicien).get(reverse("financements:controle", args=[declaration.pk])).content.decode()
    ligne = page.split(">60 Achats")[1].split("</tr>")[0]
    assert en_euros(avant["60.pilotage"].nombre + 5000) in ligne
    assert ligne.count("avant ") == 2
    assert "%" not in ligne
    assert "dont salaires du référent familles" in page


@pytest.mark.parametrize(
    ("valeur", "lu"), [("70", "70"), ("42.4000", "42,4"), ("-2.00", "−2"), ("1250.00", "1\u202f250")]
)
def test_un_pourcentage_ne_s_ecrit_jamais_en_notation_scientifique(valeur, lu):
    assert decimal_fr(D(valeur)) == lu


def test_la_liste_des_droits_parle_francais_et_compte_le_solde_sur_les_paiements(payee, entrer):
    paiements.proposer(payee.droit(), nature="acompte_1", par=payee.technicien)
    page = entrer(payee.technicien).get(reverse("financements:droits")).content.decode()
    assert "Prévisionnel" in page
    assert "previsionnel" not in page.split("<tbody>")[1].split("</tbody>")[0]
    droit = payee.structure.droits.avec_position().get(prestation="agc")
    assert (droit.solde, droit.reste) == (droit.montant, droit.montant - droit.engage)


def test_un_agrement_qui_finit_avant_la_fusion_y_figure_s_il_est_renouvele(payee, entrer):
    type(payee.agrement).objects.filter(pk=payee.agrement.pk).update(fin=date(2028, 12, 31))
    page = entrer(payee.responsable).get(reverse("financements:changements"), {"exercice": 2030}).content.decode()
    assert "si l’agrément est renouvelé" in page
    assert f"en {EXERCICE}" in page


def test_un_compte_hors_charges_et_produits_se_nomme(caisse, entrer):
    declaration = caisse.declarer(etat=EtatDeclaration.EN_PREPARATION)
    balance = "Compte;Libellé;Débit;Crédit\n641;Salaires;100,00;0\n999999;Compte inconnu;0;100,00\n"
    adresse = reverse("financements:importer", args=[declaration.pk])
    client = entrer(caisse.direction)
    client.post(adresse, {"fichier": SimpleUploadedFile("balance.csv", balance.encode())})
    page = client.get(adresse).content.decode()
    assert "1 compte laissé de côté" in page
    assert "999999 Compte inconnu" in page
