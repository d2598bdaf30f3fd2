"""Les gestes sur les fiches et les secteurs : droits, journal, simultanéité, suppléance."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.utils import timezone

from comptes.choix import ROLES_CAF, Role
from partenaires import actions, actions_secteurs
from partenaires.choix import GestePartenaire
from partenaires.demo.structures import semer_affectations, semer_structures
from partenaires.droits import AGENTS_DES_FICHES, peut
from partenaires.interlocuteurs import charges_par_commune, suppleants, technicien_de
from partenaires.models import (
    AffectationCommune,
    AffectationGestionnaire,
    Commune,
    Gestionnaire,
    Structure,
)
from socle.erreurs import Refus, VersionPerimee
from tests.fabriques.comptes import agent
from tests.fabriques.courses import ensemble
from tests.fabriques.partenaires import CommuneFactory, GestionnaireFactory, StructureFactory, affecter, habiliter

PILOTES = (Role.RESPONSABLE, Role.ADMINISTRATEUR)


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(ROLES_CAF))
class TestDroitsDeLaCaf:
    def test_qui_modifie_une_fiche(self, role):
        structure, personne = StructureFactory(), agent(Role(role))
        attendu = Role(role) in AGENTS_DES_FICHES
        for objet in (structure, structure.gestionnaire):
            assert bool(peut(GestePartenaire.MODIFIER, personne, objet)) is attendu
        assert bool(peut(GestePartenaire.CREER, personne, None)) is attendu

    def test_qui_change_les_interlocuteurs(self, role):
        assert bool(peut(GestePartenaire.AFFECTER, agent(Role(role)), None)) is (Role(role) in PILOTES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "permis"), [(Role.DIRECTION, True), (Role.REPRESENTANT_LEGAL, True), (Role.SAISIE, False)]
)
def test_un_partenaire_ne_touche_qu_a_sa_structure_et_jamais_au_gestionnaire(role, permis):
    sienne, autre = StructureFactory.create_batch(2)
    personne = habiliter(sienne, role)
    assert bool(peut(GestePartenaire.MODIFIER, personne, sienne)) is permis
    assert not peut(GestePartenaire.MODIFIER, personne, autre)
    assert not peut(GestePartenaire.MODIFIER, personne, sienne.gestionnaire)
    assert not peut(GestePartenaire.CREER, personne, None)
    with pytest.raises(PermissionDenied):
        actions.modifier_structure(autre, version=1, par=personne, adresse="ailleurs")
    with pytest.raises(PermissionDenied):
        actions.modifier_gestionnaire(sienne.gestionnaire, version=1, par=personne, ville="ailleurs")


@pytest.mark.django_db
def test_une_habilitation_finie_ne_permet_plus_rien():
    structure = StructureFactory()
    personne = habiliter(structure, Role.DIRECTION)
    structure.habilitations.update(fin=timezone.localdate() - timedelta(days=1))
    assert not peut(GestePartenaire.MODIFIER, personne, structure)
    assert not Structure.objects.visibles_par(personne).exists()


@pytest.mark.django_db
def test_creer_une_structure_l_ouvre_sur_sa_commune_et_l_ecrit_au_journal():
    gestionnaire, commune, chef = GestionnaireFactory(), CommuneFactory(), agent(Role.CHARGE_CONSEIL)
    structure = actions.creer_structure(par=chef, nom="Neuf", type="evs", gestionnaire=gestionnaire, commune=commune)
    assert list(structure.communes_intervention.all()) == [commune]
    assert structure.evenements.get().geste == GestePartenaire.CREER


@pytest.mark.django_db
def test_un_contact_s_ajoute_puis_se_retire_et_le_journal_garde_les_deux():
    structure = StructureFactory()
    direction = habiliter(structure, Role.DIRECTION)
    contact = actions.ajouter_contact(structure, par=direction, nom="Zoé Neuve", fonction="accueil")
    with pytest.raises(PermissionDenied):
        actions.retirer_contact(contact, par=habiliter(structure, Role.SAISIE))
    actions.retirer_contact(contact, par=direction)
    assert not structure.contacts.exists()
    assert [sorted(e.details) for e in structure.evenements.order_by("pk")] == [["contact"], ["contact_retire"]]


@pytest.mark.django_db
def test_un_contact_au_courriel_faux_est_refuse_sans_trace():
    structure = StructureFactory()
    with pytest.raises(ValidationError):
        actions.ajouter_contact(
            structure, par=agent(Role.RESPONSABLE), nom="Zoé", fonction="accueil", courriel="pas une adresse"
        )
    assert not structure.evenements.exists()


@pytest.mark.django_db(transaction=True)
def test_deux_editeurs_au_meme_instant_un_seul_ecrit():
    structure = StructureFactory()
    editeurs = [agent(Role.CHARGE_CONSEIL), agent(Role.RESPONSABLE)]

    resultats = ensemble(
        *(
            partial(actions.modifier_structure, structure, version=1, par=personne, nom=f"Nom {rang}")
            for rang, personne in enumerate(editeurs)
        )
    )

    assert sum(isinstance(r, VersionPerimee) for r in resultats) == 1
    assert sum(not isinstance(r, Exception) for r in resultats) == 1
    structure.refresh_from_db()
    assert (structure.version, structure.evenements.count()) == (2, 1)


@pytest.mark.django_db
class TestTransmissions:
    def test_seules_les_communes_choisies_changent_de_main(self):
        gardee, passee = CommuneFactory(code_insee="49001"), CommuneFactory(code_insee="49002")
        de, vers = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        for commune in (gardee, passee):
            affecter(commune, de)
        aujourd_hui = timezone.localdate()
        actions_secteurs.transmettre_secteur(
            de=de, vers=vers, le=aujourd_hui, communes=["49002"], par=agent(Role.ADMINISTRATEUR)
        )
        assert charges_par_commune(["49001", "49002"], aujourd_hui) == {"49001": de, "49002": vers}

    def test_l_histoire_des_secteurs_reste(self):
        commune, de, vers = CommuneFactory(), agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        affecter(commune, de)
        le = timezone.localdate()
        actions_secteurs.transmettre_secteur(de=de, vers=vers, le=le, communes=None, par=agent(Role.RESPONSABLE))
        assert list(AffectationCommune.objects.order_by("debut").values_list("agent", "debut", "fin")) == [
            (de.pk, date(2020, 1, 1), le - timedelta(days=1)),
            (vers.pk, le, None),
        ]

    def test_revenir_le_jour_meme_ne_laisse_pas_de_periode_vide(self):
        commune, de, vers = CommuneFactory(), agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        affecter(commune, de)
        le, chef = timezone.localdate(), agent(Role.RESPONSABLE)
        actions_secteurs.transmettre_secteur(de=de, vers=vers, le=le, communes=None, par=chef)
        actions_secteurs.transmettre_secteur(de=vers, vers=de, le=le, communes=None, par=chef)
        assert charges_par_commune([commune.pk], le) == {commune.pk: de}
        assert not AffectationCommune.objects.filter(agent=vers).exists()

    def test_un_portefeuille_se_transmet_entier(self):
        de, vers = agent(Role.TECHNICIEN_CONSEIL), agent(Role.TECHNICIEN_CONSEIL)
        gestionnaires = GestionnaireFactory.create_batch(3)
        for g in gestionnaires:
            AffectationGestionnaire.objects.create(gestionnaire=g, agent=de, debut=date(2020, 1, 1))
        le = timezone.localdate() + timedelta(days=7)
        assert actions_secteurs.transmettre_portefeuille(de=de, vers=vers, le=le, par=agent(Role.RESPONSABLE)) == 3
        for g in gestionnaires:
            assert technicien_de(g, le - timedelta(days=1)) == de
            assert technicien_de(g, le) == vers

    @pytest.mark.parametrize("role", [Role.CHARGE_CONSEIL, Role.TECHNICIEN_CONSEIL, Role.CONTROLEUR, Role.SECRETARIAT])
    def test_les_autres_agents_ne_transmettent_rien(self, role):
        de, vers = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        with pytest.raises(PermissionDenied, match="responsable"):
            actions_secteurs.transmettre_secteur(
                de=de, vers=vers, le=timezone.localdate(), communes=None, par=agent(role)
            )
        with pytest.raises(PermissionDenied, match="responsable"):
            actions_secteurs.transmettre_portefeuille(de=de, vers=vers, le=timezone.localdate(), par=agent(role))

    @pytest.mark.parametrize("decalage", [-1, -400])
    def test_on_ne_transmet_pas_dans_le_passe(self, decalage):
        de, vers = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        le = timezone.localdate() + timedelta(days=decalage)
        with pytest.raises(Refus, match="aujourd’hui ou plus tard"):
            actions_secteurs.transmettre_secteur(de=de, vers=vers, le=le, communes=None, par=agent(Role.RESPONSABLE))


@pytest.mark.django_db
class TestAbsences:
    def test_le_suppleant_vaut_du_premier_au_dernier_jour_compris(self):
        absent, suppleant = agent(Role.CHARGE_CONSEIL), agent(Role.CHARGE_CONSEIL)
        debut = timezone.localdate() + timedelta(days=2)
        fin = debut + timedelta(days=3)
        actions_secteurs.declarer_absence(
            absent=absent, suppleant=suppleant, debut=debut, fin=fin, motif="", par=absent
        )
        un_jour = timedelta(days=1)
        presents = [bool(suppleants([absent], j)) for j in (debut - un_jour, debut, fin, fin + un_jour)]
        assert presents == [False, True, True, False]
        assert suppleant.notifications.count() == 1

    def test_on_ne_declare_pas_l_absence_d_un_collegue(self):
        absent, suppleant, tiers = (agent(Role.CHARGE_CONSEIL) for _ in range(3))
        jour = timezone.localdate()
        with pytest.raises(PermissionDenied):
            actions_secteurs.declarer_absence(
                absent=absent, suppleant=suppleant, debut=jour, fin=jour, motif="", par=tiers
            )

    def test_on_ne_se_fait_pas_suppleer_par_un_autre_metier(self):
        jour, absent = timezone.localdate(), agent(Role.CHARGE_CONSEIL)
        with pytest.raises(Refus, match="même rôle"):
            actions_secteurs.declarer_absence(
                absent=absent, suppleant=agent(Role.TECHNICIEN_CONSEIL), debut=jour, fin=jour, motif="", par=absent
            )

    def test_les_suppleants_d_une_liste_coutent_une_requete(self, django_assert_num_queries):
        absents = [agent(Role.CHARGE_CONSEIL) for _ in range(5)]
        with django_assert_num_queries(1):
            suppleants(absents, timezone.localdate())


@pytest.mark.django_db
def test_la_demonstration_se_seme_entiere_et_se_reseme_sans_doublon():
    call_command("charger_referentiels")
    charges = [agent(Role.CHARGE_CONSEIL) for _ in range(10)]
    techniciens = [agent(Role.TECHNICIEN_CONSEIL) for _ in range(9)]
    for _ in range(2):
        structures = semer_structures()
        semer_affectations(charges, techniciens)

    assert (len(structures), Structure.objects.count()) == (42, 42)
    jour = timezone.localdate()
    suivies = charges_par_commune(Commune.objects.values_list("pk", flat=True), jour)
    assert (len(suivies), len(set(suivies.values()))) == (176, 10)
    portefeuilles = AffectationGestionnaire.objects.en_cours(jour)
    assert portefeuilles.count() == Gestionnaire.objects.count()
    assert set(portefeuilles.values_list("agent", flat=True)) == {t.pk for t in techniciens}
    for structure in Structure.objects.prefetch_related("communes_intervention"):
        assert structure.commune in structure.communes_intervention.all()
    for gestionnaire in Gestionnaire.objects.all():
        gestionnaire.full_clean()
    for structure in Structure.objects.all():
        structure.full_clean()
