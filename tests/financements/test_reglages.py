"""Prestations, règles de paiement, campagnes : des données que la Caf règle elle-même, avec leur histoire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from financements.actions import paiements, reglages
from financements.couverture import ouvertures, regles_de_paiement
from financements.forms import ReglesForm
from financements.models import Campagne, EvenementReglage, Prestation, ReglesDePaiement
from socle.erreurs import Refus
from tests.fabriques.financements import EXERCICE

pytestmark = pytest.mark.django_db
D = Decimal


def test_de_nouvelles_regles_valent_a_partir_de_leur_exercice(caisse):
    regles = reglages.fixer_les_regles(
        exercice=2028,
        acompte_1=D(50),
        acompte_2=D(20),
        source="CA du 1er mars",
        motif="Trésorerie des centres.",
        par=caisse.administrateur,
    )
    assert regles_de_paiement(2027).acompte_1 == 35
    assert regles_de_paiement(2028) == regles
    trace = EvenementReglage.objects.get()
    assert (trace.par, trace.motif, trace.cle) == (caisse.administrateur, "Trésorerie des centres.", "2028")
    assert trace.champs["premier acompte (%)"] == ["", "50"]


def test_des_regles_qui_ont_servi_ne_changent_plus(caisse):
    caisse.baremes()
    caisse.declarer()
    paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien)
    regles = regles_de_paiement(EXERCICE)
    with pytest.raises(Refus, match="déjà servi"):
        reglages.corriger_les_regles(regles, acompte_1=D(10), motif="x", par=caisse.administrateur)
    with pytest.raises(Refus, match=f"à partir de {EXERCICE + 1}"):
        reglages.fixer_les_regles(exercice=EXERCICE, source="x", motif="x", par=caisse.administrateur)
    assert reglages.fixer_les_regles(exercice=EXERCICE + 1, source="x", motif="x", par=caisse.administrateur)


def test_corriger_des_regles_garde_l_avant_et_l_apres(caisse):
    reglages.corriger_les_regles(
        ReglesDePaiement.objects.get(), marge_estimation=D("7.5"), motif="Retour des centres.", par=caisse.responsable
    )
    assert EvenementReglage.objects.get().champs == {"écart envisagé d’ici au réel (%)": ["10", "7,5"]}


def test_enregistrer_sans_rien_changer_n_ecrit_aucune_trace(caisse):
    reglages.corriger_les_regles(ReglesDePaiement.objects.get(), acompte_1=D(35), motif="", par=caisse.responsable)
    assert not EvenementReglage.objects.exists()


def test_l_histoire_d_un_reglage_ne_se_recrit_pas(caisse):
    reglages.corriger_les_regles(ReglesDePaiement.objects.get(), acompte_1=D(30), motif="x", par=caisse.responsable)
    with pytest.raises(DatabaseError), transaction.atomic():
        EvenementReglage.objects.update(motif="autre")
    with pytest.raises(DatabaseError), transaction.atomic():
        EvenementReglage.objects.all().delete()


def test_un_technicien_ne_regle_rien(caisse):
    with pytest.raises(PermissionDenied):
        reglages.corriger_les_regles(ReglesDePaiement.objects.get(), acompte_1=D(1), motif="x", par=caisse.technicien)


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"acompte_1": D(60)}, "dépassent leur plafond"),
        ({"acompte_1_jour": 31}, "1er au 28"),
        ({"marge_estimation": D(101)}, "0 à 100"),
        ({"seuil_variation": D(0)}, "positifs"),
    ],
)
def test_des_regles_impossibles_sont_refusees(caisse, champs, phrase):
    with pytest.raises(ValidationError, match=phrase):
        reglages.corriger_les_regles(ReglesDePaiement.objects.get(), **champs, motif="x", par=caisse.responsable)


def test_avancer_la_fusion_est_un_reglage_et_change_les_prestations_ouvertes(caisse):
    """La trajectoire 2027-2030 : des dates et un successeur, rien dans le code."""
    unique = Prestation.objects.get(pk="unique")
    for code in ("agc", "acf"):
        reglages.regler_la_prestation(
            Prestation.objects.get(pk=code), dernier_exercice=2027, motif="Circulaire.", par=caisse.administrateur
        )
    reglages.regler_la_prestation(unique, premier_exercice=2028, motif="Circulaire.", par=caisse.administrateur)
    assert [o.prestation.pk for o in ouvertures(caisse.structure, 2028)] == ["unique"]
    assert {o.prestation.pk for o in ouvertures(caisse.structure, 2027)} == {"agc", "acf"}


def test_une_prestation_garde_les_exercices_de_ses_baremes_publies(caisse):
    caisse.bareme("agc")
    with pytest.raises(Refus, match="doit exister en 2027"):
        reglages.regler_la_prestation(
            Prestation.objects.get(pk="agc"), dernier_exercice=2026, motif="x", par=caisse.administrateur
        )


def test_un_successeur_commence_apres_et_ne_tourne_pas_en_rond(caisse):
    unique = Prestation.objects.get(pk="unique")
    with pytest.raises(Refus, match="prend la suite"):
        reglages.regler_la_prestation(unique, premier_exercice=2029, successeur=Prestation.objects.get(pk="al"),
                                      motif="x", par=caisse.administrateur)  # fmt: skip
    with pytest.raises(Refus, match=r"prend la suite|en rond"):
        reglages.regler_la_prestation(
            unique, dernier_exercice=2031, successeur=Prestation.objects.get(pk="agc"), motif="x",
            par=caisse.administrateur,
        )  # fmt: skip
    assert Prestation.objects.get(pk="unique").successeur is None


def test_ouvrir_deux_fois_les_campagnes_d_un_exercice_n_en_ajoute_pas(caisse):
    assert reglages.ouvrir_les_campagnes(2029, par=caisse.administrateur) == 4
    assert reglages.ouvrir_les_campagnes(2029, par=caisse.administrateur) == 0
    assert EvenementReglage.objects.filter(sujet="campagne").count() == 4


# --- Les écrans -----------------------------------------------------------------------------------------------------
def test_l_administrateur_fixe_de_nouvelles_regles_depuis_l_ecran(caisse, entrer):
    client, adresse = entrer(caisse.administrateur), reverse("financements:fixer_regles")
    page = client.get(adresse).content.decode()
    assert 'value="35"' in page
    saisie = {
        "exercice": "2028", "acompte_1": "40", "acompte_1_jour": "1", "acompte_1_mois": "3", "acompte_2": "40",
        "acompte_2_jour": "2", "acompte_2_mois": "10", "plafond_acomptes": "70", "seuil_double_regard": "10 000",
        "seuil_convention": "23000", "seuil_variation": "20", "marge_estimation": "12,5", "source": "CA",
        "motif": "Essai",
    }  # fmt: skip
    refusee = client.post(adresse, saisie)
    assert refusee.status_code == 422
    assert "dépassent leur plafond" in refusee.content.decode()
    assert 'value="12,5"' in refusee.content.decode()
    assert client.post(adresse, saisie | {"plafond_acomptes": "80"}).status_code == 302
    assert ReglesDePaiement.objects.get(exercice=2028).marge_estimation == D("12.5")
    assert "12,5" in client.get(reverse("financements:regles")).content.decode()


def test_l_ecran_d_une_prestation_montre_son_histoire(caisse, entrer):
    client, adresse = entrer(caisse.administrateur), reverse("financements:prestation", args=["al"])
    saisie = {
        "sigle": "AL", "libelle": "Animation locale", "objets": ["animation_locale"], "premier_exercice": "2002",
        "dernier_exercice": "2031", "successeur": "", "ordre": "3", "source": "Circulaire", "motif": "Nouvelle date",
    }  # fmt: skip
    assert client.post(adresse, saisie).status_code == 302
    page = client.get(adresse).content.decode()
    assert "Nouvelle date" in page
    assert "vide → 2031" in page
    assert client.post(adresse, saisie | {"dernier_exercice": "1990"}).status_code == 422


def test_une_campagne_reglee_garde_son_exercice_et_laisse_sa_trace(caisse, entrer):
    campagne = caisse.campagne()
    client, adresse = entrer(caisse.administrateur), campagne.get_absolute_url()
    saisie = {"ouverture": "2027-01-01", "limite": "2027-03-01", "relances": "-5", "source": "CA", "exercice": "2040"}
    sans_raison = client.post(adresse, saisie)
    assert sans_raison.status_code == 422
    assert client.post(adresse, saisie | {"motif": "Report."}).status_code == 302
    campagne = Campagne.objects.get(pk=campagne.pk)
    assert (campagne.limite, campagne.exercice) == (date(2027, 3, 1), EXERCICE)
    assert "Report." in client.get(adresse).content.decode()


@pytest.mark.parametrize(
    ("champ", "saisie", "phrase"),
    [
        ("acompte_1", "350", "Écrivez un pourcentage entre 0 et 100"),
        ("acompte_1", "-5", "Écrivez un pourcentage entre 0 et 100"),
        ("acompte_1", "trente", "Écrivez un pourcentage entre 0 et 100"),
        ("acompte_1", "", "Ce champ est obligatoire"),
        ("acompte_1_jour", "31", "Choisissez un jour du 1er au 28."),
        ("seuil_double_regard", "-5", "Écrivez un montant positif"),
    ],
)
def test_une_regle_fausse_se_dit_dans_son_unite_et_pres_de_son_champ(champ, saisie, phrase):
    form = ReglesForm({champ: saisie}, neuves=True)
    assert phrase in form.errors[champ][0]


@pytest.mark.parametrize("saisie", ["42,4", "42.4 %", " 42,40 % "])
def test_un_pourcentage_s_ecrit_comme_on_veut(saisie):
    assert ReglesForm({"acompte_1": saisie}, neuves=True)["acompte_1"].field.clean(saisie) == D("42.4")
