"""Le suivi de Senacs : prérempli, déclaré avec sa preuve, relancé, exporté, jamais à la place d’un autre."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agrements.demo.dossiers import document
from comptes.choix import Role
from courriers.models import Envoi
from senacs import actions
from senacs.choix import EtatContribution
from senacs.models import CampagneSenacs, Contribution
from senacs.preremplissage import avancement, releve
from senacs.questionnaire import champs, rubriques
from socle.erreurs import Refus, VersionPerimee
from tests.fabriques.comptes import agent
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.financements import Caisse
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db
AUJOURD_HUI = timezone.localdate()
ANNEE = AUJOURD_HUI.year


@pytest.fixture
def responsable():
    return agent(Role.RESPONSABLE)


@pytest.fixture
def contribution(responsable):
    structure = StructureFactory()
    habiliter(structure, Role.DIRECTION)
    actions.regler(
        annee=ANNEE, ouverture=AUJOURD_HUI - timedelta(days=40), limite=AUJOURD_HUI + timedelta(days=25),
        source="courrier de la Cnaf", par=responsable,
    )  # fmt: skip
    return Contribution.objects.get(structure=structure)


def direction_de(contribution):
    return contribution.structure.habilitations.get(role=Role.DIRECTION).utilisateur


def test_l_enquete_se_lit_dans_son_ordre_et_chaque_champ_a_un_code_a_lui():
    assert [r.titre for r in rubriques()][:3] == ["Identité", "Historique", "Projet"]
    assert sum(len(r.champs) for r in rubriques()) == len(champs())


def test_ce_que_la_caf_sait_est_deja_la_avec_sa_source_le_reste_est_un_trou(responsable):
    caisse = Caisse()
    caisse.baremes()
    caisse.declarer("reel")
    actions.regler(
        annee=2028, ouverture=AUJOURD_HUI, limite=AUJOURD_HUI, source="courrier", par=responsable
    )  # l’enquête 2028 porte sur 2027
    contribution = Contribution.objects.get(structure=caisse.structure)
    pages = releve(contribution)
    lignes = {ligne.champ.code: ligne for _, siennes in pages for ligne in siennes}
    assert lignes["nom"].valeur == caisse.structure.nom
    assert lignes["charges"].source.startswith("déclaration réel 2027")
    assert "projet social agréé" in lignes["axes"].source
    assert lignes["benevoles"].vide
    connues, vides = avancement(pages)
    assert connues + vides == len(champs())


def test_sa_reponse_passe_devant_ce_que_la_caf_savait(contribution):
    actions.repondre(contribution, champ="population", saisie="12 000", version=0, par=direction_de(contribution))
    ligne = next(li for _, siennes in releve(contribution) for li in siennes if li.champ.code == "population")
    assert (ligne.valeur, ligne.source.startswith("complété par")) == (12_000, True)
    contribution.refresh_from_db()
    assert contribution.etat == EtatContribution.EN_COURS


def test_une_reponse_fausse_se_dit_et_une_reponse_depassee_ne_s_ecrase_pas(contribution):
    par = direction_de(contribution)
    with pytest.raises(Refus, match="n’est pas un nombre"):
        actions.repondre(contribution, champ="benevoles", saisie="beaucoup", version=0, par=par)
    actions.repondre(contribution, champ="benevoles", saisie="30", version=0, par=par)
    with pytest.raises(VersionPerimee):
        actions.repondre(contribution, champ="benevoles", saisie="31", version=0, par=par)
    with pytest.raises(Refus, match="n’existe pas"):
        actions.repondre(contribution, champ="lune", saisie="1", version=0, par=par)


def test_une_contribution_porte_sa_preuve_et_la_base_l_exige(contribution):
    par = direction_de(contribution)
    saisie = {"le": AUJOURD_HUI, "reference": "", "televerse": None, "par": par}
    with pytest.raises(ValidationError, match="accusé"):
        actions.contribuer(contribution, **saisie)
    with pytest.raises(ValidationError, match="avenir"):
        actions.contribuer(contribution, **{**saisie, "le": AUJOURD_HUI + timedelta(days=1), "reference": "X"})
    with pytest.raises(ValidationError, match="pas encore ouverte"):
        actions.contribuer(contribution, **{**saisie, "le": AUJOURD_HUI - timedelta(days=60), "reference": "X"})
    with pytest.raises(IntegrityError, match="senacs_contribuee_prouvee"), transaction.atomic():
        Contribution.objects.filter(pk=contribution.pk).update(
            etat="contribuee", contribuee_le=AUJOURD_HUI, contribuee_par=par
        )
    faite = actions.contribuer(contribution, **{**saisie, "televerse": document("accuse")})
    assert (faite.etat, faite.preuve.nom) == (EtatContribution.CONTRIBUEE, "accuse.pdf")
    with pytest.raises(Refus, match="déjà déclarée"):
        actions.repondre(faite, champ="benevoles", saisie="1", version=0, par=par)


def test_rouvrir_se_motive_et_garde_la_trace_de_la_preuve(contribution, responsable):
    actions.contribuer(contribution, le=AUJOURD_HUI, reference="S-42", televerse=None, par=direction_de(contribution))
    with pytest.raises(PermissionDenied):
        actions.rouvrir(contribution, motif="x", par=direction_de(contribution))
    rouverte = actions.rouvrir(contribution, motif="Mauvaise année.", par=responsable)
    assert (rouverte.etat, rouverte.reference) == (EtatContribution.EN_COURS, "")
    assert "S-42" in rouverte.evenements.first().motif


def test_personne_ne_repond_pour_une_autre_structure(contribution, entrer):
    autre = habiliter(StructureFactory(), Role.DIRECTION)
    with pytest.raises(PermissionDenied):
        actions.repondre(contribution, champ="benevoles", saisie="1", version=0, par=autre)
    assert entrer(autre).get(contribution.get_absolute_url()).status_code == 404
    controleur = entrer(agent(Role.CONTROLEUR))
    assert controleur.post(contribution.get_absolute_url(), {"benevoles": "3"}).status_code == 403


def test_une_relance_par_jour_et_jamais_a_qui_a_contribue(contribution, responsable):
    assert actions.relancer([contribution], par=responsable) == 1
    assert actions.relancer([contribution], par=responsable) == 0
    assert Envoi.objects.filter(adresse=direction_de(contribution).courriel).count() == 1
    actions.contribuer(contribution, le=AUJOURD_HUI, reference="S-1", televerse=None, par=direction_de(contribution))
    Contribution.objects.update(relancee_le=None)
    assert actions.relancer([contribution], par=responsable) == 0


def test_l_horloge_relance_a_chaque_seuil_une_fois_meme_en_retard(contribution):
    for jours in (0, 0, 1, 19, 19, 26, 27, 40):
        actions.suivre_le_calendrier(AUJOURD_HUI + timedelta(days=jours))
    motifs = list(contribution.evenements.filter(geste="relancer").order_by("pk").values_list("motif", flat=True))
    assert motifs == ["rappel-30", "rappel-7", "rappel--1"]


def test_les_trois_exports_portent_l_enquete_et_aucune_formule(contribution, entrer):
    par = direction_de(contribution)
    actions.repondre(contribution, champ="autre_federation", saisie="=1+1", version=0, par=par)
    actions.repondre(contribution, champ="charges", saisie="1 234,50", version=0, par=par)
    client = entrer(par)

    def exporter(forme):
        reponse = client.get(reverse("senacs:exporter", args=[contribution.pk, forme]))
        assert reponse.status_code == 200
        return reponse.content

    feuille = openpyxl.load_workbook(io.BytesIO(exporter("xlsx"))).active
    assert feuille.max_row == len(champs()) + 1
    assert 1234.5 in [ligne[2].value for ligne in feuille.iter_rows()]
    texte = exporter("csv").decode("utf-8-sig")
    assert "'=1+1" in texte
    assert ";1234,50;" in texte
    assert exporter("pdf").startswith(b"%PDF")
    assert client.get(reverse("senacs:exporter", args=[contribution.pk, "doc"])).status_code == 404


def test_le_releve_garde_tout_ce_qui_est_juste_et_dit_ce_qui_ne_l_est_pas(contribution, entrer):
    client = entrer(direction_de(contribution))
    reponse = client.post(
        contribution.get_absolute_url(), {"benevoles": "trente", "participants": "450", "version-participants": "0"}
    )
    texte = reponse.content.decode()
    assert reponse.status_code == 422
    assert "« trente » n’est pas un nombre" in texte
    assert 'value="trente"' in texte
    assert contribution.reponses.get().valeur == 450


def test_le_tableau_de_suivi_coute_le_meme_nombre_de_requetes_a_1_et_40_lignes(
    contribution, entrer, django_assert_num_queries
):
    from django.db import connection

    client = entrer(agent(Role.RESPONSABLE))
    page = reverse("senacs:suivi")
    client.get(page)
    with CaptureQueriesContext(connection) as a_une:
        client.get(page)
    for _ in range(39):
        StructureFactory()
    actions.suivre_les_structures(CampagneSenacs.objects.get())
    with CaptureQueriesContext(connection) as a_quarante:
        assert client.get(page).status_code == 200
    assert len(a_quarante) == len(a_une)


@pytest.mark.django_db(transaction=True)
def test_deux_declarations_au_meme_instant_n_en_font_qu_une(responsable):
    structure = StructureFactory()
    une, deux = habiliter(structure, Role.DIRECTION), habiliter(structure, Role.REPRESENTANT_LEGAL)
    actions.regler(annee=ANNEE, ouverture=AUJOURD_HUI, limite=AUJOURD_HUI, source="courrier", par=responsable)
    contribution = Contribution.objects.get(structure=structure)

    def declarer(par, reference):
        return lambda: actions.contribuer(contribution, le=AUJOURD_HUI, reference=reference, televerse=None, par=par)

    faits, refus = reussites_et_refus(declarer(une, "A"), declarer(deux, "B"))
    assert (len(faits), len(refus)) == (1, 1)
