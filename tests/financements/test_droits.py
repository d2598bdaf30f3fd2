"""Le droit : ses versions qui ne se réécrivent pas, le montant forcé à deux, la suspension."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, transaction

from agrements.actions import agrements
from agrements.choix import EtatAgrement
from financements.actions import droits, paiements
from financements.choix import (
    OrigineVersion,
    TypeDeclaration,
)
from financements.models import (
    Derogation,
    VersionDroit,
)
from socle.erreurs import Refus

pytestmark = pytest.mark.django_db
D = Decimal


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
    caisse.baremes()
    caisse.declarer()
    type(caisse.agrement).objects.filter(pk=caisse.agrement.pk).update(etat=EtatAgrement.EN_COURS)
    agrements.suspendre(caisse.agrement, par=caisse.responsable, motif="Direction vacante.")
    assert "Direction vacante" in caisse.droit().motif_suspension
    with pytest.raises(Refus, match="suspendus"):
        paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien)


def test_lever_la_suspension_rend_les_versements_qu_elle_retenait_et_eux_seuls(caisse):
    caisse.baremes()
    caisse.declarer()
    type(caisse.agrement).objects.filter(pk=caisse.agrement.pk).update(etat=EtatAgrement.EN_COURS)
    droits.suspendre_versements(caisse.droit("acf"), motif="Comptes à éclaircir.", par=caisse.technicien)
    agrement = agrements.suspendre(caisse.agrement, par=caisse.responsable, motif="Direction vacante.")
    agrements.lever_suspension(agrement, par=caisse.responsable, motif="Recrutée.")
    assert caisse.droit().suspendu_le is None
    assert caisse.droit("acf").motif_suspension == "Comptes à éclaircir."


def test_un_droit_ne_pendant_la_suspension_attend_aussi(caisse):
    caisse.baremes()
    type(caisse.agrement).objects.filter(pk=caisse.agrement.pk).update(etat=EtatAgrement.EN_COURS)
    agrements.suspendre(caisse.agrement, par=caisse.responsable, motif="Direction vacante.")
    caisse.declarer()
    with pytest.raises(Refus, match="agrément est suspendu"):
        paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien)


def test_retirer_un_agrement_retient_les_versements(caisse):
    caisse.baremes()
    caisse.declarer()
    caisse.entendre(caisse.agrement)
    agrements.retirer(caisse.agrement, par=caisse.responsable, motif="Activité arrêtée.")
    with pytest.raises(Refus, match="Agrément retiré : Activité arrêtée"):
        paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien)
