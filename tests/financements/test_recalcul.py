"""Le recalcul annuel : simulé, approuvé, appliqué une seule fois, quoi qu’il arrive au worker, au courtier, à la base."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from documents.models import Acte
from financements import revision
from financements.actions import droits, paiements, recalculs
from financements.choix import EtatRecalcul, IssueRecalcul, OrigineVersion, TypeDeclaration
from financements.donneur import donneur
from financements.etude import etudier
from financements.models import LigneRecalcul, Recalcul, VersionDroit
from socle.erreurs import Refus
from socle.montants import en_euros
from tests.fabriques.courses import ensemble
from tests.fabriques.financements import EXERCICE, Caisse

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def caisse():
    caisse = Caisse()
    caisse.baremes()
    caisse.declarer()
    return caisse


def remplacer_le_bareme(caisse, plafond="100000"):
    return caisse.bareme(
        "agc", prix_plafond=D(plafond), motif="Circulaire rectificative.", effet_le=timezone.localdate()
    )


def simule(caisse) -> Recalcul:
    """La publication a ouvert un recalcul ; on le mène jusqu’au rapport."""
    recalcul = Recalcul.objects.get(exercice=EXERCICE)
    revision.avancer(recalcul.pk)
    recalcul.refresh_from_db()
    return recalcul


def test_publier_un_bareme_ouvre_une_simulation_qui_ne_change_rien(caisse):
    remplacer_le_bareme(caisse)
    recalcul = simule(caisse)
    assert recalcul.etat == EtatRecalcul.SIMULE
    assert caisse.courante().montant == D("61056.00")
    rapport = revision.rapport(recalcul)
    assert (rapport["changent"], rapport["inchanges"], rapport["bloques"]) == (1, 1, 0)
    assert rapport["ecart"] == D("42400.00") - D("61056.00")


def test_le_responsable_approuve_et_les_droits_changent_avec_leur_lettre(caisse):
    bareme = remplacer_le_bareme(caisse)
    recalcul = simule(caisse)
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    courante = caisse.courante()
    assert (courante.montant, courante.origine, courante.bareme, courante.numero) == (
        D("42400.00"), OrigineVersion.RECALCUL, bareme, 2,
    )  # fmt: skip
    assert sum(D(ligne["montant"]) for ligne in courante.explication) == courante.montant
    lettres = caisse.actes("revision_droit")
    assert len(lettres) == 1
    assert lettres[0].contexte["droits"][0]["avant"] == "61\u202f056,00\u00a0€"
    recalcul.refresh_from_db()
    assert recalcul.etat == EtatRecalcul.APPLIQUE
    assert recalcul.lettres_le is not None


def test_rejouer_ne_refait_rien(caisse):
    remplacer_le_bareme(caisse)
    recalcul = simule(caisse)
    recalculs.approuver(recalcul, par=caisse.responsable)
    for _ in range(3):
        revision.avancer(recalcul.pk)
    assert VersionDroit.objects.filter(recalcul=recalcul).count() == 1
    assert len(caisse.actes("revision_droit")) == 1


def test_interrompu_entre_deux_paquets_il_reprend_ou_il_en_etait(caisse, monkeypatch):
    monkeypatch.setattr(revision, "PAQUET", 1)
    remplacer_le_bareme(caisse)
    LigneRecalcul.objects.all().delete()
    Recalcul.objects.update(etat=EtatRecalcul.EN_SIMULATION, fait=0)
    recalcul = Recalcul.objects.get()
    assert revision.simuler_un_paquet(recalcul.pk)
    assert LigneRecalcul.objects.count() == 1
    assert revision.a_reprendre() == [recalcul.pk]
    revision.avancer(recalcul.pk)
    assert LigneRecalcul.objects.count() == 2
    recalcul.refresh_from_db()
    assert (recalcul.etat, recalcul.fait) == (EtatRecalcul.SIMULE, 2)


def test_un_second_lancement_est_refuse_avec_une_phrase(caisse):
    remplacer_le_bareme(caisse)
    with pytest.raises(Refus, match="déjà ouvert"):
        recalculs.lancer(EXERCICE, motif="Encore", par=caisse.administrateur)


def test_rien_a_revoir_se_dit(caisse):
    with pytest.raises(Refus, match="rien à revoir"):
        recalculs.lancer(2031, motif="x", par=caisse.administrateur)


def test_qui_lance_n_approuve_pas_et_un_technicien_ne_lance_pas(caisse):
    with pytest.raises(PermissionDenied):
        recalculs.lancer(EXERCICE, motif="x", par=caisse.technicien)
    recalcul = recalculs.lancer(EXERCICE, motif="x", par=caisse.responsable)
    revision.avancer(recalcul.pk)
    with pytest.raises(PermissionDenied, match="un autre responsable"):
        recalculs.approuver(recalcul, par=caisse.responsable)


def test_annule_il_ne_laisse_aucun_droit_change(caisse):
    remplacer_le_bareme(caisse)
    recalcul = simule(caisse)
    recalculs.annuler(recalcul, par=caisse.administrateur)
    revision.avancer(recalcul.pk)
    assert caisse.courante().montant == D("61056.00")
    with pytest.raises(Refus, match="annulé"):
        recalculs.approuver(recalcul, par=caisse.responsable)


def test_un_droit_revise_apres_la_simulation_garde_sa_nouvelle_valeur(caisse):
    remplacer_le_bareme(caisse)
    recalcul = simule(caisse)
    caisse.declarer(TypeDeclaration.REEL, echelle="0.5")
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    assert caisse.courante().origine == OrigineVersion.LIQUIDATION
    ligne = recalcul.lignes.get(droit=caisse.droit())
    assert (ligne.issue, "pendant le recalcul" in ligne.raison) == (IssueRecalcul.BLOQUE, True)


def test_un_montant_force_n_est_jamais_ecrase(caisse):
    demande = droits.demander_forcage(caisse.droit(), montant=D(50_000), motif="x", par=caisse.technicien)
    droits.decider_du_forcage(demande, approuver=True, motif="", par=caisse.responsable)
    remplacer_le_bareme(caisse)
    recalcul = simule(caisse)
    assert recalcul.lignes.get(droit=caisse.droit()).raison.startswith("Montant forcé")
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    assert caisse.courante().montant == D(50_000)


def test_un_forcage_demande_pendant_le_recalcul_l_emporte(caisse):
    remplacer_le_bareme(caisse)
    recalcul = simule(caisse)
    droits.demander_forcage(caisse.droit(), montant=D(1), motif="x", par=caisse.technicien)
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    assert caisse.courante().montant == D("61056.00")


def test_sans_bareme_publie_le_droit_est_bloque_et_la_raison_est_dite(caisse):
    recalcul = recalculs.lancer(EXERCICE, motif="x", par=caisse.administrateur)
    LigneRecalcul.objects.all().delete()
    Recalcul.objects.update(etat=EtatRecalcul.EN_SIMULATION)
    ligne = revision._ligne(recalcul.pk, _version(caisse), {})
    assert ligne[4] == IssueRecalcul.BLOQUE
    assert "Aucun barème publié" in ligne[-1]


def _version(caisse):
    version = caisse.courante()
    version.prestation, version.forcage = "agc", 0
    return version


def test_un_bareme_a_effet_futur_attend_sa_date(caisse):
    demain = timezone.localdate() + timedelta(days=1)
    caisse.bareme("agc", prix_plafond=D(90_000), motif="x", effet_le=demain)
    assert not Recalcul.objects.exists()
    assert recalculs.lancer_les_recalculs_dus(timezone.localdate()) == []
    lances = recalculs.lancer_les_recalculs_dus(demain)
    assert [r.exercice for r in lances] == [EXERCICE]
    assert recalculs.lancer_les_recalculs_dus(demain) == []


def test_apres_une_baisse_le_trop_verse_se_voit(caisse):
    paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien)
    paiements.proposer(caisse.droit(), nature="acompte_2", par=caisse.technicien)
    remplacer_le_bareme(caisse, "1000")
    recalcul = simule(caisse)
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    assert etudier(caisse.droit()).suite.trop_verse == D("42739.20") - D("424.00")


def test_le_total_de_tous_les_droits_est_celui_du_calcul_pur(caisse):
    """La somme écrite par la base est celle de l’oracle, au centime."""
    from financements.calculs import Donnees, liquider

    bareme = remplacer_le_bareme(caisse, "123456.78")
    recalcul = simule(caisse)
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    courante = caisse.courante()
    assert courante.montant == liquider(bareme.regle, Donnees.depuis_json(courante.donnees)).droit


@pytest.mark.django_db(transaction=True)
def test_deux_executants_simultanes_n_appliquent_qu_une_fois():
    caisse = Caisse()
    caisse.baremes()
    caisse.declarer()
    remplacer_le_bareme(caisse)
    recalcul = Recalcul.objects.get()
    revision.avancer(recalcul.pk)
    Recalcul.objects.filter(pk=recalcul.pk).update(
        etat=EtatRecalcul.EN_APPLICATION, approuve_par=caisse.responsable, approuve_le=timezone.now()
    )
    assert not [r for r in ensemble(*[partial(revision.avancer, recalcul.pk)] * 4) if isinstance(r, Exception)]
    revision.avancer(recalcul.pk)
    assert VersionDroit.objects.filter(recalcul=recalcul).count() == 1
    assert Acte.objects.filter(nature="revision_droit").count() == 1


def test_un_acompte_propose_avant_la_baisse_ne_part_plus_tel_quel(caisse):
    """Le plafond d’acomptes se reprend sur le droit révisé : ni à la validation, ni au lot."""
    premier = paiements.valider(
        paiements.proposer(caisse.droit(), nature="acompte_1", par=caisse.technicien), par=caisse.collegue
    )
    second = paiements.proposer(caisse.droit(), nature="acompte_2", par=caisse.technicien)
    remplacer_le_bareme(caisse, "60000")
    recalcul = simule(caisse)
    rapport = revision.rapport(recalcul)
    assert (rapport["changent"], rapport["depasses"]) == (1, 1)
    assert rapport["depassement"] == premier.montant + second.montant - D("25440.00")
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    with pytest.raises(Refus, match="Le droit a changé"):
        paiements.valider(second, par=caisse.collegue)
    with pytest.raises(Refus, match="Le droit a changé"):
        paiements.ordonnancer([premier.pk], execution_le=timezone.localdate(), donneur=donneur(), par=caisse.technicien)


def test_la_lettre_de_revision_dit_l_ecart_et_totalise_aussi_les_droits_inchanges(caisse):
    remplacer_le_bareme(caisse, "60000")
    recalcul = simule(caisse)
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    lettre = caisse.actes("revision_droit")[0].contexte
    total = caisse.courante("agc").montant + caisse.courante("acf").montant
    assert lettre["total"] == en_euros(total)
    assert "de moins que le calcul précédent" in lettre["suite"]
    assert "prochain versement" not in lettre["suite"]


def test_sans_changement_de_montant_la_lettre_le_dit(caisse):
    remplacer_le_bareme(caisse, "180000")
    recalcul = simule(caisse)
    assert (revision.rapport(recalcul)["changent"], revision.rapport(recalcul)["memes"]) == (0, 1)
    recalculs.approuver(recalcul, par=caisse.responsable)
    revision.avancer(recalcul.pk)
    (lettre,) = caisse.actes("revision_droit")
    assert "le montant ne change pas" in lettre.contexte["suite"]
    assert caisse.direction.notifications.filter(texte__contains="garde son montant").exists()
