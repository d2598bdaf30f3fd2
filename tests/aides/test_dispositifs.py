"""Un dispositif se décrit, se publie à deux, se remplace ; ce qui ne peut pas s’appliquer ne se garde pas."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, ProgrammingError, transaction
from django.db.utils import InternalError

from aides.actions import dispositifs
from aides.choix import Etat, EtatDispositif
from aides.models import VersionDispositif
from socle.erreurs import Refus
from tests.fabriques.aides import EXERCICE, Guichet

pytestmark = pytest.mark.django_db


@pytest.fixture
def guichet():
    return Guichet()


def test_qui_saisit_ne_publie_pas(guichet):
    version = guichet.dispositif(publier=False)
    with pytest.raises(PermissionDenied, match="Vous avez saisi ce dispositif"):
        dispositifs.publier(version, par=guichet.administrateur)
    assert dispositifs.publier(version, par=guichet.responsable).etat == EtatDispositif.PUBLIE


def test_des_exercices_qui_se_chevauchent_sont_refuses_par_une_phrase_pres_du_champ(guichet):
    guichet.dispositif()
    with pytest.raises(ValidationError) as erreur:
        guichet.dispositif(publier=False)
    assert "couvre déjà l’un de ces exercices" in erreur.value.message_dict["exercice_du"][0]
    assert guichet.dispositif(publier=False, exercice_du=EXERCICE + 2, exercice_au=EXERCICE + 3).numero == 2


def test_une_version_publiee_se_remplace_avec_sa_raison_et_les_demandes_gardent_la_leur(guichet):
    ancienne = guichet.dispositif()
    demande = guichet.mener(ancienne, Etat.EN_PREPARATION)
    neuve = guichet.dispositif(taux=D(50), motif="Taux relevé par le CA.")
    ancienne.refresh_from_db()
    demande.refresh_from_db()
    assert (ancienne.etat, neuve.etat, demande.version_id) == ("remplace", "publie", ancienne.pk)


def test_la_base_refuse_de_modifier_une_version_publiee(guichet):
    version = guichet.dispositif()
    for geste in (lambda: VersionDispositif.objects.filter(pk=version.pk).update(taux=D(99)), version.delete):
        with pytest.raises((InternalError, IntegrityError, ProgrammingError)), transaction.atomic():
            geste()
    with pytest.raises(Refus, match="saisissez-en une nouvelle"):
        dispositifs.corriger(version, par=guichet.administrateur, taux=D(50))


def test_la_base_refuse_deux_versions_publiees_pour_un_exercice(guichet):
    version = guichet.dispositif()
    with pytest.raises(IntegrityError), transaction.atomic():
        VersionDispositif.objects.filter(pk=version.pk).update(etat="remplace")
        autre = guichet.dispositif()
        assert autre.etat == "publie"
        VersionDispositif.objects.filter(pk=version.pk).update(etat="publie")


@pytest.mark.parametrize(
    ("faute", "champ", "phrase"),
    [
        ({"taux": None}, "__all__", "Réglez le calcul"),
        ({"taux": D(120)}, "__all__", "en pour cent"),
        ({"mode": "parts"}, "parts", "Ajoutez une part"),
        (
            {"mode": "parts", "parts": [{"libelle": "x", "critere": "population", "montant": "5", "tranche": "0"}]},
            "parts", "divise par zéro",
        ),
        ({"exercice_au": 1990}, "__all__", "précède le premier"),
        ({"minimum": D(40_000)}, "minimum", "rien ne serait accordé"),
        ({"types": []}, "__all__", "au moins un type"),
        ({"forme": "pret"}, "__all__", "nombre d’échéances"),
        ({"forme": "pret", "pret_echeances": 360, "plafond": D("1.00")}, "pret_echeances", "ne se partagent pas"),
        ({"conditions": [{"nature": "lune"}]}, "conditions", "n’existe pas"),
        ({"sur_factures": True, "avec_depenses": False, "mode": "forfait", "forfait": D(5)}, "__all__", "factures"),
    ],
)  # fmt: skip
def test_ce_qui_ne_peut_pas_s_appliquer_ne_se_garde_pas(guichet, faute, champ, phrase):
    with pytest.raises(ValidationError) as erreur:
        guichet.dispositif(publier=False, **faute)
    assert phrase in " ".join(erreur.value.message_dict[champ])
    assert not VersionDispositif.objects.exists()


def test_deux_brouillons_du_meme_dispositif_ne_coexistent_pas(guichet):
    guichet.dispositif(publier=False)
    with pytest.raises(ValidationError, match="Un brouillon existe déjà"):
        guichet.dispositif(publier=False, exercice_du=EXERCICE + 2, exercice_au=EXERCICE + 2)
