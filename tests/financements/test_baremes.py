"""Un barème se saisit, se corrige, se publie à deux, et ne change plus."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction

from financements.actions import baremes
from financements.choix import (
    EtatBareme,
)
from financements.models import (
    Bareme,
    Prestation,
)
from socle.erreurs import Refus
from tests.fabriques.courses import reussites_et_refus

pytestmark = pytest.mark.django_db
D = Decimal


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


@pytest.mark.django_db(transaction=True)
def test_deux_publications_simultanees_n_en_font_qu_une(caisse):
    brouillon = caisse.bareme(publier=False)
    publies, refus = reussites_et_refus(*[partial(baremes.publier, brouillon, par=caisse.responsable)] * 2)
    assert (len(publies), len(refus)) == (1, 1)
    assert Bareme.objects.filter(etat=EtatBareme.PUBLIE, prestation="agc").count() == 1
