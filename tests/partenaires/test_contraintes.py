"""Ce que la base refuse d’elle-même, quel que soit le code qui lui écrit."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from comptes.choix import Role
from partenaires import actions
from partenaires.models import (
    AffectationCommune,
    AffectationGestionnaire,
    CommuneDeleguee,
    DemandeContact,
    EvenementPartenaire,
    Gestionnaire,
    Structure,
    Suppleance,
)
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import CommuneFactory, GestionnaireFactory, StructureFactory, affecter, habiliter

pytestmark = pytest.mark.django_db
JOUR = date(2026, 6, 15)


def evenement(structure: Structure) -> EvenementPartenaire:
    return EvenementPartenaire.objects.create(structure=structure, geste="modifier", par=agent(Role.RESPONSABLE))


@pytest.mark.parametrize(
    ("champs", "contrainte"),
    [
        ({"type": "piscine"}, "structure_type_connu"),
        ({"lat": 47.4, "lon": None}, "structure_position_entiere"),
        ({"lat": None, "lon": -0.5}, "structure_position_entiere"),
    ],
)
def test_une_structure_incoherente(champs, contrainte):
    StructureFactory()
    with pytest.raises(IntegrityError, match=contrainte), transaction.atomic():
        Structure.objects.update(**champs)


def test_un_gestionnaire_au_statut_inconnu():
    GestionnaireFactory()
    with pytest.raises(IntegrityError, match="gestionnaire_statut_connu"), transaction.atomic():
        Gestionnaire.objects.update(statut="secte")


def test_deux_gestionnaires_du_meme_siren_mais_plusieurs_sans_siren():
    GestionnaireFactory.create_batch(2, siren="")
    GestionnaireFactory(siren="214900078")
    with pytest.raises(IntegrityError, match="gestionnaire_siren_unique"), transaction.atomic():
        GestionnaireFactory(siren="214900078")


def test_une_ancienne_commune_en_double():
    commune = CommuneFactory()
    CommuneDeleguee.objects.create(code_insee="49001", nom="Ancienne", commune=commune)
    with pytest.raises(IntegrityError, match="commune_deleguee_unique"), transaction.atomic():
        CommuneDeleguee.objects.create(code_insee="49001", nom="Ancienne", commune=commune)


def test_une_demande_de_contact_sans_message():
    with pytest.raises(IntegrityError, match="demande_contact_non_vide"), transaction.atomic():
        DemandeContact.objects.create(commune=CommuneFactory(), objet="x", nom="Léa", courriel="l@e.fr", message="")


def test_un_evenement_sans_objet():
    with pytest.raises(IntegrityError, match="evenement_partenaire_a_un_objet"), transaction.atomic():
        EvenementPartenaire.objects.create(geste="modifier", par=agent(Role.RESPONSABLE))


def test_une_affectation_qui_finit_avant_de_commencer():
    commune, charge = CommuneFactory(), agent(Role.CHARGE_CONSEIL)
    with pytest.raises(IntegrityError, match="affectation_commune_a_l_endroit"), transaction.atomic():
        AffectationCommune.objects.create(commune=commune, agent=charge, debut=JOUR, fin=JOUR - timedelta(days=1))
    with pytest.raises(IntegrityError, match="affectation_gestionnaire_a_l_endroit"), transaction.atomic():
        AffectationGestionnaire.objects.create(
            gestionnaire=GestionnaireFactory(), agent=charge, debut=JOUR, fin=JOUR - timedelta(days=1)
        )


@pytest.mark.parametrize(("debut", "admis"), [(JOUR, False), (JOUR + timedelta(days=1), True)])
def test_le_jour_de_fin_compte_encore(debut, admis):
    gestionnaire, ancien, nouveau = GestionnaireFactory(), agent(), agent()
    AffectationGestionnaire.objects.create(gestionnaire=gestionnaire, agent=ancien, debut=date(2020, 1, 1), fin=JOUR)
    if admis:
        AffectationGestionnaire.objects.create(gestionnaire=gestionnaire, agent=nouveau, debut=debut)
    else:
        with pytest.raises(IntegrityError, match="affectation_gestionnaire_un_seul_agent"), transaction.atomic():
            AffectationGestionnaire.objects.create(gestionnaire=gestionnaire, agent=nouveau, debut=debut)


@pytest.mark.parametrize(
    ("meme_personne", "fin", "contrainte"),
    [(True, JOUR, "suppleance_deux_personnes"), (False, JOUR - timedelta(days=1), "suppleance_a_l_endroit")],
)
def test_une_suppleance_incoherente(meme_personne, fin, contrainte):
    absent = agent(Role.CHARGE_CONSEIL)
    suppleant = absent if meme_personne else agent(Role.CHARGE_CONSEIL)
    with pytest.raises(IntegrityError, match=contrainte), transaction.atomic():
        Suppleance.objects.create(absent=absent, suppleant=suppleant, debut=JOUR, fin=fin)


def test_le_journal_ne_se_corrige_ni_ne_s_efface():
    ligne = evenement(StructureFactory())
    with pytest.raises(DatabaseError, match="journal_ajout_seul"), transaction.atomic():
        EvenementPartenaire.objects.update(motif="réécrit")
    with pytest.raises(DatabaseError, match="journal_ajout_seul"), transaction.atomic():
        ligne.delete()
    assert EvenementPartenaire.objects.get().motif == ""


def test_on_n_efface_pas_ce_que_d_autres_citent():
    structure = StructureFactory()
    affecter(structure.commune, agent(Role.CHARGE_CONSEIL))
    habiliter(structure, Role.DIRECTION)
    for objet in (structure, structure.gestionnaire, structure.commune):
        with pytest.raises(IntegrityError), transaction.atomic():
            objet.delete()


def test_un_geste_refuse_ne_laisse_ni_fiche_ni_ligne():
    structure = StructureFactory()
    with pytest.raises(Exception, match="14 chiffres"):
        actions.modifier_structure(
            structure, version=1, par=agent(Role.RESPONSABLE), nom="Autre", siret="32742082400045"
        )
    structure.refresh_from_db()
    assert (structure.nom != "Autre", structure.version, structure.evenements.count()) == (True, 1, 0)


def test_une_affectation_future_ne_change_rien_aujourd_hui():
    commune, charge = CommuneFactory(), agent(Role.CHARGE_CONSEIL)
    demain = timezone.localdate() + timedelta(days=1)
    AffectationCommune.objects.create(commune=commune, agent=charge, debut=demain)
    assert not AffectationCommune.objects.en_cours(timezone.localdate()).exists()
    assert AffectationCommune.objects.en_cours(demain).get().agent == charge
