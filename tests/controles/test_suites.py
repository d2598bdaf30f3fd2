"""Les suites financières : rien avant la signature, décidées par qui ne contrôle pas, jamais deux fois."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from agrements.choix import EtatAgrement, GesteAgrement
from agrements.models import Agrement, ProcedureAgrement
from comptes.choix import Role
from comptes.models import Fonction
from controles.actions import contradictoire, suites
from controles.choix import Conclusion, Etat, EtatSuite, Geste, NatureConstat
from controles.consequences import etudier
from controles.models import Constat, Controle, SuiteFinanciere
from courriers.models import Envoi
from documents.models import Acte
from financements.actions import droits, paiements
from financements.choix import EtatPaiement, NatureDroit, OrigineVersion
from financements.donneur import donneur
from financements.etude import etudier as etudier_le_droit
from financements.models import Paiement, VersionDroit
from socle.erreurs import Refus
from tests.fabriques.comptes import agent
from tests.fabriques.controles import Bureau
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.financements import EXERCICE, Caisse

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


def bureau_qui_declare(type_: str = "reel", echelle: str = "1", **bareme) -> Bureau:
    """Un bureau dont la structure déclare à cette échelle ; ``bareme`` change celui de l’animation globale."""
    bureau, caisse = Bureau(argent=False), Caisse()
    caisse.bareme("agc", **bareme)
    caisse.bareme("acf")
    caisse.declarer(type_, echelle=echelle)
    bureau.caisse, bureau.structure, bureau.technicien, bureau.exercice = (
        caisse, caisse.structure, caisse.technicien, EXERCICE,
    )  # fmt: skip
    bureau.direction, bureau.president, bureau.charge = caisse.direction, caisse.president, caisse.charge
    return bureau


def lire(reponse) -> str:
    return unescape(reponse.content.decode()).replace("\u202f", " ").replace("\u00a0", " ")


def constater(bureau: Bureau, controle: Controle, code: str, releve: D) -> None:
    """Une visite où une seule donnée diffère."""
    jour = timezone.localdate().isoformat()
    bureau.saisir(controle, "visite.arrivee", f"{jour}T09:00")
    bureau.saisir(controle, "visite.depart", f"{jour}T12:30")
    bureau.constater(controle, code, NatureConstat.ECART, "La pièce dit autre chose.", releve=f"{releve:.2f}")


def signer(bureau: Bureau, controle: Controle) -> Controle:
    controle = Controle.objects.get(pk=controle.pk)
    if controle.etat == Etat.EN_COURS:
        controle = contradictoire.emettre(controle, par=bureau.controleur)
    if controle.etat == Etat.CONTRADICTOIRE:
        controle = contradictoire.renvoyer(controle, par=bureau.direction)
    bureau.conclure(controle)
    return contradictoire.signer(Controle.objects.get(pk=controle.pk), par=bureau.controleur)


def suite_agc(controle: Controle) -> SuiteFinanciere:
    return controle.suites.get(droit__prestation="agc")


def test_l_effet_se_lit_avant_le_rapport_et_ne_change_rien(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    avant = bureau.caisse.courante()

    effets = {e.droit.prestation_id: e for e in etudier(controle)}

    agc = effets["agc"]
    salaires = Constat.objects.get(controle=controle, champ="64.pilotage")
    assert agc.avant == avant.montant
    assert agc.apres < agc.avant
    assert sum(D(ligne["montant"]) for ligne in agc.lignes) == agc.apres
    assert f"admis (constat n°\u00a0{salaires.numero})" in agc.phrases[0]
    assert str(EXERCICE) in agc.phrases[0]
    assert not SuiteFinanciere.objects.exists()
    assert bureau.caisse.courante() == avant


def test_aucune_suite_ne_s_ouvre_avant_la_signature(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    bureau.conclure(controle)
    with pytest.raises(Refus, match="n’est pas signé"):
        suites.ouvrir(controle, par=bureau.controleur)
    assert bureau.caisse.droit().versions.count() == 1
    contradictoire.signer(Controle.objects.get(pk=controle.pk), par=bureau.controleur)
    assert bureau.caisse.droit().versions.count() == 1  # signer ouvre une suite, ne touche pas au droit
    assert suite_agc(controle).etat == EtatSuite.A_DECIDER


def test_un_constat_leve_ou_modifie_change_ce_qui_est_retenu(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    (salaires,) = [c for c in contradictoire.a_conclure(controle) if c.champ]
    avant = etudier(controle)[0]

    contradictoire.conclure(
        salaires, conclusion=Conclusion.MODIFIE, motif="Moitié justifiée.", releve_retenu=salaires.declare - 4_000,
        par=bureau.controleur,
    )  # fmt: skip
    modifie = etudier(controle)[0]
    assert avant.apres < modifie.apres < modifie.avant
    assert modifie.corrections[0].admis == salaires.declare - 4_000

    contradictoire.conclure(
        salaires, conclusion=Conclusion.LEVE, motif="Justifié.", releve_retenu=None, par=bureau.controleur
    )
    assert etudier(controle) == []


def test_une_correction_qui_ne_change_aucun_droit_se_dit_sans_suite(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    point = bureau.point(controle, "pieces")
    type(point).objects.filter(pk=point.pk).update(
        champ="744", exercice=EXERCICE, declare=D(10_000), unite="€", libelle="744 Subventions d’exploitation"
    )
    constater(bureau, controle, "pieces", D(12_000))
    emis = contradictoire.emettre(Controle.objects.get(pk=controle.pk), par=bureau.controleur)

    effets = etudier(emis)

    assert [e.touche for e in effets] == [False, False]
    assert all(e.apres == e.avant and e.phrases for e in effets)
    assert not signer(bureau, emis).suites.exists()


def test_un_exercice_sans_droit_est_dit(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    VersionDroit.objects.filter(droit=bureau.caisse.droit()).update(courante=False)
    VersionDroit.objects.filter(droit=bureau.caisse.droit("acf")).update(courante=False)
    (effet,) = etudier(controle)
    assert effet.droit is None
    assert "aucun droit n’est calculé" in effet.intitule
    assert effet.phrases


def test_appliquer_fait_une_version_apres_controle_sa_lettre_et_une_ligne_au_journal(bureau):
    controle = bureau.mener(Etat.SUITES)
    suite = suite_agc(controle)
    avant = bureau.caisse.courante()

    suite = suites.appliquer(suite, par=bureau.technicien)

    version = bureau.caisse.courante()
    assert (version.montant, version.nature, version.origine) == (
        suite.apres, NatureDroit.APRES_CONTROLE, OrigineVersion.CONTROLE,
    )  # fmt: skip
    assert (version.bareme, version.declaration, version.agrement) == (avant.bareme, avant.declaration, avant.agrement)
    assert controle.numero in version.motif
    assert suite.version_droit == version
    lettre = Acte.objects.get(gabarit="droit_apres_controle")
    assert lettre.contexte["corrections"] == suite.explication["phrases"]
    assert lettre.contexte["numero"] == controle.numero
    assert bureau.direction.notifications.filter(texte__contains="revu après contrôle").count() == 1
    assert not Envoi.objects.filter(texte__contains="contrôle", adresse=bureau.direction.courriel).filter(
        texte__contains="€"
    )
    evenement = controle.evenements.filter(geste=Geste.DECIDER_SUITE).get()
    assert evenement.par == bureau.technicien
    with pytest.raises(Refus, match="déjà « appliquée »"):
        suites.ecarter(suite, motif="x", par=bureau.technicien)


def test_ecarter_demande_une_raison_et_laisse_le_droit(bureau):
    suite = suite_agc(bureau.mener(Etat.SUITES))
    avant = bureau.caisse.courante()
    with pytest.raises(ValidationError, match="Dites pourquoi"):
        suites.ecarter(suite, motif=" ", par=bureau.technicien)
    suite = suites.ecarter(suite, motif="Déjà corrigé au réel.", par=bureau.technicien)
    assert (suite.etat, bureau.caisse.courante()) == (EtatSuite.ECARTEE, avant)


def test_qui_controle_ne_liquide_pas_meme_avec_tous_les_roles(bureau):
    suite = suite_agc(bureau.mener(Etat.SUITES))
    for role in (Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE):
        Fonction.objects.create(utilisateur=bureau.controleur, role=role, debut=date(2020, 1, 1))
    autre = agent(Role.CONTROLEUR, Role.RESPONSABLE)
    etranger = agent(Role.TECHNICIEN_CONSEIL)
    for personne, phrase in (
        (bureau.controleur, "ne liquide pas"),
        (autre, "ne liquide pas"),
        (etranger, "portefeuille"),
        (bureau.charge, "technicien conseil"),
    ):
        for geste in (
            lambda p=personne: suites.appliquer(suite, par=p),
            lambda p=personne: suites.ecarter(suite, motif="x", par=p),
            lambda p=personne: suites.recalculer(suite, par=p),
        ):
            with pytest.raises(PermissionDenied, match=phrase):
                geste()
    assert bureau.caisse.droit().versions.count() == 1


@pytest.mark.parametrize(
    "ordre",
    [
        "UPDATE controles_suitefinanciere SET etat = 'ecartee', motif = 'x', decide_par_id = controleur_id,"
        " decide_le = now()",
        "UPDATE controles_suitefinanciere SET etat = 'appliquee', decide_par_id = %(technicien)s, decide_le = now()",
        "UPDATE controles_suitefinanciere SET etat = 'ecartee', decide_par_id = %(technicien)s, decide_le = now()",
        "UPDATE controles_suitefinanciere SET decide_le = now()",
        "UPDATE controles_suitefinanciere SET etat = 'autre'",
        "DELETE FROM controles_suitefinanciere",
        "INSERT INTO controles_suitefinanciere (controle_id, controleur_id, droit_id, sur_version_id, corrections,"
        " donnees, explication, avant, apres, etat, motif) SELECT controle_id, controleur_id, droit_id, sur_version_id,"
        " corrections, donnees, explication, avant, apres, etat, motif FROM controles_suitefinanciere",
    ],
)
def test_la_base_refuse_une_suite_decidee_par_le_controleur_sans_raison_ou_double(bureau, ordre):
    bureau.mener(Etat.SUITES)
    with pytest.raises(DatabaseError, match="suite_"), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(ordre, {"technicien": bureau.technicien.pk})


def test_un_droit_revise_depuis_la_signature_se_recalcule_avant_d_etre_applique(bureau):
    controle = bureau.mener(Etat.SUITES)
    suite = suite_agc(controle)
    droit = bureau.caisse.droit()
    with pytest.raises(Refus, match="déjà étudiée"):
        suites.recalculer(suite, par=bureau.technicien)
    demande = droits.demander_forcage(droit, montant=D("50000"), motif="Accord local.", par=bureau.technicien)
    droits.decider_du_forcage(demande, approuver=True, motif="Oui.", par=bureau.responsable)

    with pytest.raises(Refus, match="révisé depuis"):
        suites.appliquer(suite, par=bureau.technicien)

    suite = suites.recalculer(suite, par=bureau.technicien)
    assert suite.avant == D("50000.00")
    assert any("est forcé (Accord local)" in phrase for phrase in suite.explication["avertissements"])
    suite = suites.appliquer(suite, par=bureau.responsable)
    assert bureau.caisse.courante().montant == suite.apres


def test_un_droit_sans_reel_garde_sa_nature_et_ne_devient_pas_un_indu(db):
    bureau = bureau_qui_declare("previsionnel")
    suite = suites.appliquer(suite_agc(bureau.mener(Etat.SUITES)), par=bureau.technicien)
    version = bureau.caisse.courante()
    assert (version.nature, version.origine) == (NatureDroit.PREVISIONNEL, OrigineVersion.CONTROLE)
    assert version.montant == suite.apres
    assert "provisoire" in Acte.objects.get(gabarit="droit_apres_controle").contexte["suite"]


def test_un_second_controle_garde_ce_que_le_premier_a_corrige(bureau):
    premier = suites.appliquer(suite_agc(bureau.mener(Etat.SUITES)), par=bureau.technicien)
    second = bureau.mener(Etat.EN_COURS)
    batiment = second.points.filter(champ__endswith=".logistique").first()
    constater(bureau, second, batiment.code, batiment.declare - 1_000)
    second = contradictoire.emettre(Controle.objects.get(pk=second.pk), par=bureau.controleur)
    effet = next(e for e in etudier(second) if e.droit.prestation_id == "agc")
    assert effet.avant == premier.apres
    assert effet.apres < premier.apres


def payer_tout(bureau: Bureau) -> None:
    """Verse tout ce que l’échéancier appelle, comme la banque le dirait."""
    droit = bureau.caisse.droit()
    while propositions := etudier_le_droit(droit).suite.propositions:
        paiement = paiements.proposer(droit, nature=propositions[0].nature, par=bureau.technicien)
        paiements.valider(paiement, par=bureau.caisse.collegue)
        lot = paiements.ordonnancer(
            [paiement.pk], execution_le=timezone.localdate(), donneur=donneur(), par=bureau.technicien
        )
        Paiement.objects.filter(lot=lot).update(etat=EtatPaiement.PAYE, paye_le=timezone.localdate())


def test_c17_un_controle_de_160_000_a_100_000_apres_solde_fait_un_indu_de_25_440(db):
    """Domaine K.2, C17 : taux 42,4 %, plafond non atteint ; 67 840 versés, 42 400 dus, 25 440 à rendre."""
    bureau = bureau_qui_declare(echelle="1.333333333", quote_part=False)
    version = bureau.caisse.courante()
    assert (version.montant, version.assiette) == (D("67840.00"), D("159999.99"))
    payer_tout(bureau)
    controle = bureau.mener(Etat.EN_COURS)
    salaires = controle.points.get(champ="64.pilotage")
    constater(bureau, controle, "64.pilotage", salaires.declare - D("59999.99"))
    controle = signer(bureau, controle)

    suite = suites.appliquer(suite_agc(controle), par=bureau.technicien)

    assert suite.apres == D("42400.00")
    assert "25 440,00 €" in Acte.objects.get(gabarit="droit_apres_controle").contexte["suite"].replace(
        "\u202f", " "
    ).replace("\u00a0", " ")
    indu = paiements.notifier_indu(
        bureau.caisse.droit(), premiere_echeance=date(timezone.localdate().year + 1, 6, 1), par=bureau.technicien
    )
    assert indu.montant == D("25440.00")


def test_ouvrir_un_controle_ne_retient_rien_et_seul_le_responsable_suspend(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    droit = bureau.caisse.droit()
    assert droit.suspendu_le is None
    for personne in (bureau.controleur, bureau.technicien, agent(Role.RESPONSABLE, Role.CONTROLEUR)):
        with pytest.raises(PermissionDenied):
            suites.suspendre_versements(controle, droits_choisis=[droit.pk], motif="x", par=personne)
    with pytest.raises(ValidationError, match="Dites pourquoi"):
        suites.suspendre_versements(controle, droits_choisis=[droit.pk], motif=" ", par=bureau.responsable)
    with pytest.raises(ValidationError, match="Choisissez des droits"):
        suites.suspendre_versements(controle, droits_choisis=[droit.pk, 10**6], motif="x", par=bureau.responsable)

    suites.suspendre_versements(controle, droits_choisis=[droit.pk], motif="Refus de pièces.", par=bureau.responsable)

    droit.refresh_from_db()
    assert droit.motif_suspension == f"Contrôle {controle.numero} : Refus de pièces."
    assert bureau.caisse.droit("acf").suspendu_le is None
    assert etudier_le_droit(droit).obstacles[0].startswith("Versements suspendus")
    assert controle.evenements.filter(geste=Geste.SUSPENDRE_VERSEMENTS, motif="Refus de pièces.").count() == 1
    with pytest.raises(ValidationError, match="ne sont pas suspendus"):
        suites.suspendre_versements(controle, droits_choisis=[droit.pk], motif="x", par=bureau.responsable)

    suites.reprendre_versements(controle, motif="Pièces reçues.", par=bureau.responsable)
    droit.refresh_from_db()
    assert droit.suspendu_le is None
    assert Acte.objects.filter(cle__startswith=f"controle-{controle.pk}-versements-").count() == 2
    with pytest.raises(Refus, match="ne retient aucun versement"):
        suites.reprendre_versements(controle, motif="x", par=bureau.responsable)


def test_reprendre_laisse_retenu_ce_qu_un_autre_retient(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    droits.suspendre_versements(bureau.caisse.droit("acf"), motif="IBAN douteux.", par=bureau.technicien)
    suites.suspendre_versements(
        controle, droits_choisis=[bureau.caisse.droit().pk], motif="Refus.", par=bureau.responsable
    )
    suites.reprendre_versements(controle, motif="Fini.", par=bureau.responsable)
    assert bureau.caisse.droit("acf").suspendu_le is not None


def test_un_manquement_retenu_ouvre_une_procedure_sur_l_agrement(bureau):
    controle = bureau.mener(Etat.SUITES)
    agrement = Agrement.objects.get(structure=bureau.structure)
    Agrement.objects.filter(pk=agrement.pk).update(etat=EtatAgrement.EN_COURS)
    with pytest.raises(PermissionDenied):
        suites.saisir_agrement(controle, agrement=agrement, motif="x", par=bureau.responsable)

    procedure = suites.saisir_agrement(controle, agrement=agrement, motif="Charte absente.", par=bureau.controleur)

    assert (procedure.origine, procedure.sujet) == (f"contrôle {controle.numero}", f"controle-{controle.pk}")
    assert agrement.evenements.filter(geste=GesteAgrement.OUVRIR_PROCEDURE).count() == 1
    assert controle.evenements.filter(geste=Geste.SAISIR_AGREMENT).get().par == bureau.controleur
    with pytest.raises(Refus, match="déjà ouverte"):
        suites.saisir_agrement(controle, agrement=agrement, motif="x", par=bureau.controleur)


def test_sans_manquement_retenu_l_agrement_n_est_pas_en_cause(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    bureau.conclure(controle, Conclusion.LEVE)
    controle = signer(bureau, controle)
    agrement = Agrement.objects.get(structure=bureau.structure)
    with pytest.raises(Refus, match="Aucun manquement"):
        suites.saisir_agrement(controle, agrement=agrement, motif="x", par=bureau.controleur)
    assert not ProcedureAgrement.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deux_liquidateurs_a_la_fois_ne_font_qu_une_version():
    bureau = Bureau()
    suite = suite_agc(bureau.mener(Etat.SUITES))
    avant = bureau.caisse.droit().versions.count()
    faits, refuses = reussites_et_refus(
        lambda: suites.appliquer(suite, par=bureau.technicien), lambda: suites.appliquer(suite, par=bureau.responsable)
    )
    assert (len(faits), len(refuses)) == (1, 1)
    assert "déjà « appliquée »" in str(refuses[0])
    assert bureau.caisse.droit().versions.count() == avant + 1
    assert Acte.objects.filter(gabarit="droit_apres_controle").count() == 1
