"""Avant de retirer un agrément, la Caf entend la structure ; qui ouvre la procédure n’en décide pas."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from agrements.actions import agrements as vie
from agrements.actions import redaction
from agrements.choix import Etat, EtatAgrement, GesteAgrement, IssueProcedure
from agrements.evenements import procedure_ouverte
from agrements.models import Agrement, ProcedureAgrement
from comptes.choix import Role
from courriers.models import Envoi
from documents.models import Acte, NatureActe
from socle.dates import en_jour
from socle.erreurs import Refus
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.courses import reussites_et_refus

MOTIF = "La direction est vacante depuis six mois."


@pytest.fixture
def theatre(db):
    return Theatre()


@pytest.fixture
def agrement(theatre):
    theatre.mener(Etat.AGREE)
    Agrement.objects.update(etat=EtatAgrement.EN_COURS)
    agrement = Agrement.objects.get()
    redaction.lire_notification(agrement.decision.dossier, par=theatre.direction)
    return agrement


def ouvrir(theatre, agrement, par=None) -> ProcedureAgrement:
    return vie.ouvrir_procedure(agrement, motif=MOTIF, par=par or theatre.charge)


def lire(reponse) -> str:
    return unescape(reponse.content.decode())


def test_ouvrir_invite_la_structure_a_repondre_et_ne_change_pas_l_agrement(theatre, agrement):
    recues = []
    procedure_ouverte.connect(ecoute := lambda procedure, par, **k: recues.append((procedure.pk, par)), weak=False)
    try:
        procedure = ouvrir(theatre, agrement)
    finally:
        procedure_ouverte.disconnect(ecoute)

    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.EN_COURS
    assert recues == [(procedure.pk, theatre.charge)]
    lettre = Acte.objects.get(nature=NatureActe.AGREMENT)
    assert lettre.contexte["motif"] == MOTIF
    assert lettre.contexte["observations_avant"] == en_jour(timezone.localdate() + timedelta(days=30))
    assert theatre.direction.notifications.filter(texte__contains="vos observations sont attendues").count() == 1
    assert theatre.responsable.notifications.filter(texte__contains="procédure ouverte").count() == 1
    assert not Envoi.objects.filter(texte__contains="vacante").exists()
    assert agrement.evenements.first().geste == GesteAgrement.OUVRIR_PROCEDURE


def test_une_seule_procedure_ouverte_et_un_motif(theatre, agrement):
    with pytest.raises(ValidationError, match="Dites ce qui est relevé"):
        vie.ouvrir_procedure(agrement, motif="  ", par=theatre.charge)
    ouvrir(theatre, agrement)
    with pytest.raises(Refus, match="déjà ouverte"):
        ouvrir(theatre, agrement, theatre.responsable)


def test_on_ne_retire_pas_sans_avoir_entendu_la_structure(theatre, agrement):
    with pytest.raises(Refus, match="demande une procédure contradictoire"):
        vie.retirer(agrement, par=theatre.responsable, motif="x")
    procedure = ouvrir(theatre, agrement)
    with pytest.raises(Refus, match="peut répondre jusqu’au"):
        vie.retirer(agrement, par=theatre.responsable, motif="x")
    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.EN_COURS

    vie.observer(procedure, observations="Une direction arrive en mars.", par=theatre.direction)
    agrement = vie.retirer(agrement, par=theatre.responsable, motif="Direction toujours vacante.")

    procedure.refresh_from_db()
    assert agrement.etat == EtatAgrement.RETIRE
    assert (procedure.issue, procedure.close_par) == (IssueProcedure.RETRAIT, theatre.responsable)
    assert [e.geste for e in agrement.evenements.all()[:2]] == [GesteAgrement.CLORE_PROCEDURE, GesteAgrement.RETIRER]


def test_le_silence_passe_le_delai_permet_de_decider(theatre, agrement):
    procedure = ouvrir(theatre, agrement)
    with time_machine.travel(timezone.now() + timedelta(days=30)), pytest.raises(Refus, match="peut répondre"):
        vie.retirer(agrement, par=theatre.responsable, motif="Sans réponse.")
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert vie.retirer(agrement, par=theatre.responsable, motif="Sans réponse.").etat == EtatAgrement.RETIRE
    procedure.refresh_from_db()
    assert procedure.observations == ""


def test_qui_ouvre_ne_decide_pas_meme_responsable(theatre, agrement):
    procedure = ouvrir(theatre, agrement, theatre.responsable)
    vie.observer(procedure, observations="Non.", par=theatre.president)
    with pytest.raises(Refus, match="un autre responsable en décide"):
        vie.retirer(agrement, par=theatre.responsable, motif="x")
    with pytest.raises(PermissionDenied, match="un autre responsable en décide"):
        vie.clore_sans_suite(procedure, motif="x", par=theatre.responsable)
    collegue = agent(Role.RESPONSABLE)
    assert vie.clore_sans_suite(procedure, motif="Recrutée.", par=collegue).issue == IssueProcedure.SANS_SUITE
    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.EN_COURS
    assert theatre.direction.notifications.filter(texte__contains="close sans suite").exists()


def test_une_suspension_immediate_conserve_et_laisse_la_procedure_ouverte(theatre, agrement):
    procedure = ouvrir(theatre, agrement)
    vie.suspendre(agrement, par=theatre.responsable, motif="Public en danger.")
    procedure.refresh_from_db()
    assert procedure.ouverte
    vie.lever_suspension(agrement, par=theatre.responsable, motif="Locaux sûrs.")
    vie.observer(procedure, observations="C’est réparé.", par=theatre.direction)
    vie.suspendre(agrement, par=theatre.responsable, motif="Toujours vacante.")
    procedure.refresh_from_db()
    assert procedure.issue == IssueProcedure.SUSPENSION


def test_la_structure_repond_une_fois_et_les_autres_non(theatre, agrement):
    procedure = ouvrir(theatre, agrement)
    with pytest.raises(PermissionDenied):
        vie.observer(procedure, observations="x", par=theatre.saisie)
    with pytest.raises(ValidationError, match="Écrivez vos observations"):
        vie.observer(procedure, observations=" \n", par=theatre.direction)
    with pytest.raises(ValidationError, match="5000 au plus"):
        vie.observer(procedure, observations="x" * 5001, par=theatre.direction)
    vie.observer(procedure, observations="Nous recrutons.", par=theatre.direction)
    with pytest.raises(Refus, match="déjà envoyées"):
        vie.observer(procedure, observations="Encore.", par=theatre.president)


@pytest.mark.parametrize(
    "ordre",
    [
        "UPDATE agrements_procedureagrement SET motif = 'autre'",
        "UPDATE agrements_procedureagrement SET observations_avant_le = '2000-01-01'",
        "UPDATE agrements_procedureagrement SET observations = 'réécrites'",
        "DELETE FROM agrements_procedureagrement",
        "UPDATE agrements_procedureagrement SET issue = 'retrait'",
        "UPDATE agrements_procedureagrement SET issue = 'retrait', close_le = now(), close_par_id = ouverte_par_id,"
        " motif_cloture = 'x'",
        "INSERT INTO agrements_procedureagrement (agrement_id, motif, origine, sujet, ouverte_le, ouverte_par_id,"
        " observations_avant_le, acte_id, observations, issue, motif_cloture) SELECT agrement_id, motif, '', '', now(),"
        " ouverte_par_id, '2030-01-01', (SELECT max(id) FROM documents_acte WHERE nature = 'notification'), '', '', ''"
        " FROM agrements_procedureagrement",
    ],
)
def test_la_base_refuse_de_reecrire_ou_de_doubler_une_procedure(theatre, agrement, ordre):
    procedure = ouvrir(theatre, agrement)
    vie.observer(procedure, observations="Nous recrutons.", par=theatre.direction)
    with pytest.raises(DatabaseError) as refus, transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(ordre)
    assert any(mot in str(refus.value) for mot in ("procedure_", "Cannot")), str(refus.value)


@pytest.mark.django_db(transaction=True)
def test_deux_agents_a_la_fois_n_ouvrent_qu_une_procedure():
    theatre = Theatre()
    theatre.mener(Etat.AGREE)
    agrement = Agrement.objects.get()
    ouvertes, refusees = reussites_et_refus(
        lambda: ouvrir(theatre, agrement), lambda: ouvrir(theatre, agrement, theatre.responsable)
    )
    assert (len(ouvertes), len(refusees)) == (1, 1)
    assert ProcedureAgrement.objects.count() == 1


def test_la_page_de_l_agrement_dit_la_procedure_et_ses_gestes(theatre, agrement, entrer):
    ouvrir_lien = reverse("agrements:ouvrir_procedure", args=[agrement.pk])
    retirer_lien = reverse("agrements:geste_agrement", args=[agrement.pk, "retirer"])
    page = lire(entrer(theatre.responsable).get(agrement.get_absolute_url()))
    assert ouvrir_lien in page
    assert retirer_lien not in page
    assert "demande une procédure contradictoire" in page
    assert ouvrir_lien in lire(entrer(theatre.charge).get(agrement.get_absolute_url()))
    assert ouvrir_lien not in lire(entrer(theatre.secretariat).get(agrement.get_absolute_url()))

    client = entrer(theatre.charge)
    assert client.post(ouvrir_lien, {"motif": " "}).status_code == 422
    assert MOTIF in lire(client.post(ouvrir_lien, {"motif": MOTIF}, follow=True))

    observer_lien = reverse("agrements:observer_procedure", args=[agrement.pk])
    client = entrer(theatre.direction)
    page = lire(client.get(agrement.get_absolute_url()))
    assert MOTIF in page
    assert observer_lien in page
    assert client.post(observer_lien, {"observations": ""}).status_code == 422
    page = lire(client.post(observer_lien, {"observations": "Nous recrutons."}, follow=True))
    assert "Nous recrutons." in page
    assert observer_lien not in page

    clore_lien = reverse("agrements:clore_procedure", args=[agrement.pk])
    assert entrer(theatre.charge).get(clore_lien).status_code == 403
    client = entrer(theatre.responsable)
    page = lire(client.get(agrement.get_absolute_url()))
    assert retirer_lien in page
    assert clore_lien in page
    page = lire(client.post(clore_lien, {"motif": "Direction recrutée."}, follow=True))
    assert "Close : sans suite" in page
    assert ProcedureAgrement.objects.get().issue == IssueProcedure.SANS_SUITE


def test_retirer_trop_tot_par_l_adresse_dit_pourquoi(theatre, agrement, entrer):
    client = entrer(theatre.responsable)
    lien = reverse("agrements:geste_agrement", args=[agrement.pk, "retirer"])
    for reponse in (client.get(lien, follow=True), client.post(lien, {"motif": "x"}, follow=True)):
        assert "demande une procédure contradictoire" in lire(reponse)
    assert Agrement.objects.get().etat == EtatAgrement.EN_COURS


def test_la_page_de_l_agrement_coute_autant_avec_plusieurs_procedures(theatre, agrement, entrer):
    client = entrer(theatre.responsable)

    procedure = ouvrir(theatre, agrement)
    client.get(agrement.get_absolute_url())
    with connection.execute_wrapper(compteur := Compteur()):
        client.get(agrement.get_absolute_url())
    seule = compteur.n
    for _ in range(4):
        vie.clore_sans_suite(procedure, motif="Classée.", par=theatre.responsable)
        procedure = ouvrir(theatre, agrement)
    with connection.execute_wrapper(compteur := Compteur()):
        client.get(agrement.get_absolute_url())
    assert compteur.n == seule


class Compteur:
    n = 0

    def __call__(self, execute, sql, params, many, context):
        self.n += 1
        return execute(sql, params, many, context)
