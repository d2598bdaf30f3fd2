"""Les gestes sur un dossier, sur une vraie base."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from agrements.actions import agrements as vie
from agrements.actions import instruction, redaction, seances
from agrements.actions.redaction import ChampFerme, DossierIncomplet
from agrements.choix import SENS_QUI_AGREENT, Etat, EtatAgrement, Geste, SensAvis, SensDecision, TypeDossier
from agrements.contenu import Contenu
from agrements.cycle import CYCLE, SUR_PLACE
from agrements.droits import REGLES, peut
from agrements.models import Agrement, Decision, Dossier, EvenementDossier, VersionDossier, VersionRegime
from comptes.choix import Role
from courriers.models import Envoi, Notification
from documents.models import Acte
from partenaires.models import Suppleance
from socle.erreurs import Refus, VersionPerimee
from socle.etats import TransitionInterdite
from tests.fabriques.agrements import DEBUT, FIN, Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.courses import ensemble
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture
def theatre():
    return Theatre()


def test_le_regime_depend_de_la_date_de_debut_et_reste_celui_du_dossier(theatre):
    avant = redaction.creer(
        theatre.structure, type_dossier=TypeDossier.PREMIER, objets=["animation_globale"],
        debut_souhaite=date(2026, 7, 1), duree_souhaitee=24, par=theatre.direction,
    )  # fmt: skip
    redaction.retirer(avant, par=theatre.direction, motif="Erreur.")
    apres = theatre.ouvrir()

    assert (avant.regime.code, apres.regime.code) == ("avs-2012", "avs-2025")


def test_un_objet_d_un_autre_regime_est_refuse(theatre):
    with pytest.raises(ValidationError):
        redaction.creer(
            theatre.structure, type_dossier=TypeDossier.PREMIER, objets=["animation_globale"],
            debut_souhaite=DEBUT, duree_souhaitee=48, par=theatre.direction,
        )  # fmt: skip


def test_un_seul_dossier_ouvert_par_structure(theatre):
    theatre.ouvrir()
    with pytest.raises(Refus, match="déjà ouvert"):
        theatre.ouvrir()


def test_les_chiffres_du_territoire_sont_figes_dates_et_sources_a_l_ouverture(theatre):
    chiffres = theatre.ouvrir().reponses.get(champ="chiffres_territoire").valeur
    assert chiffres["population"] == 159_022
    assert chiffres["releve_le"]
    assert len(chiffres["sources"]) == 3


def test_deux_personnes_sur_un_champ_la_seconde_ne_recouvre_rien(theatre):
    dossier = theatre.ouvrir()
    redaction.enregistrer_reponse(
        dossier, champ="presentation", saisie="De la direction", version=0, par=theatre.direction
    )

    with pytest.raises(VersionPerimee):
        redaction.enregistrer_reponse(
            dossier, champ="presentation", saisie="De la saisie", version=0, par=theatre.saisie
        )

    assert dossier.reponses.get(champ="presentation").valeur == "<p>De la direction</p>"


def test_renvoyer_le_meme_texte_avec_une_vieille_version_n_est_pas_un_conflit(theatre):
    dossier = theatre.ouvrir()
    for _ in range(2):
        reponse = redaction.enregistrer_reponse(
            dossier, champ="presentation", saisie="Pareil", version=0, par=theatre.direction
        )
    assert reponse.version == 1


def test_personne_d_une_autre_structure_n_ecrit(theatre):
    dossier = theatre.ouvrir()
    etranger = habiliter(StructureFactory(), Role.DIRECTION)
    with pytest.raises(PermissionDenied, match="équipe de la structure"):
        redaction.enregistrer_reponse(dossier, champ="presentation", saisie="x", version=0, par=etranger)
    assert not dossier.reponses.filter(champ="presentation").exists()


def test_un_projet_incomplet_ne_part_pas_au_visa_et_dit_tout_ce_qui_manque(theatre):
    dossier = theatre.ouvrir()
    with pytest.raises(DossierIncomplet) as refus:
        redaction.demander_visa(dossier, par=theatre.direction)

    assert {"presentation", "budget_lignes", "statuts"} <= {m.champ for m in refus.value.manques}
    dossier.refresh_from_db()
    assert dossier.etat == Etat.EN_PREPARATION


def test_la_saisie_ne_demande_pas_le_visa_et_la_direction_ne_vise_pas(theatre):
    dossier = theatre.mener(Etat.A_VISER)
    assert not peut(Geste.DEMANDER_VISA, theatre.saisie, dossier)
    with pytest.raises(PermissionDenied, match="représentant légal"):
        redaction.viser(dossier, par=theatre.direction)


def test_un_refus_de_visa_rend_la_plume_avec_ses_raisons(theatre):
    dossier = redaction.refuser_visa(theatre.mener(Etat.A_VISER), par=theatre.president, motif="Budget à revoir.")
    assert dossier.etat == Etat.EN_PREPARATION
    assert dossier.visas.get().motif == "Budget à revoir."


def test_le_depot_fige_la_version_visee_designe_le_charge_et_demande_l_accuse(theatre):
    dossier = theatre.mener(Etat.DEPOSE)

    version = dossier.versions.get()
    assert dossier.version_courante == version
    assert version.empreinte == dossier.visas.get().empreinte
    assert dossier.charge == theatre.charge
    assert Acte.objects.get().contexte["numero"] == dossier.numero
    assert Notification.objects.filter(destinataire=theatre.charge).exists()


def test_on_ne_depose_pas_autre_chose_que_ce_qui_est_vise(theatre):
    dossier = theatre.mener(Etat.VISE)
    dossier.reponses.filter(champ="synthese").update(valeur="<p>changé en douce</p>")

    with pytest.raises(Refus, match="changé depuis le visa"):
        redaction.deposer(dossier, par=theatre.direction)

    dossier.refresh_from_db()
    assert (dossier.etat, dossier.versions.count(), Acte.objects.count()) == (Etat.VISE, 0, 0)


def test_une_demande_de_complements_n_ouvre_que_les_champs_remarques(theatre):
    dossier = theatre.mener(Etat.INCOMPLET)
    version = dossier.reponses.get(champ="synthese").version

    redaction.enregistrer_reponse(dossier, champ="synthese", saisie="Précisé", version=version, par=theatre.direction)
    with pytest.raises(ChampFerme, match="commentés"):
        redaction.enregistrer_reponse(dossier, champ="presentation", saisie="x", version=1, par=theatre.direction)

    assert (
        dossier.version_courante.contenu["reponses"]["synthese"] != "<p>Précisé</p>"
    )  # tampon : la Caf lit l’ancienne


def test_le_renvoi_fait_une_nouvelle_version_et_resume_les_changements(theatre):
    dossier = theatre.mener(Etat.INCOMPLET)
    version = dossier.reponses.get(champ="synthese").version
    redaction.enregistrer_reponse(dossier, champ="synthese", saisie="Précisé", version=version, par=theatre.direction)

    dossier = redaction.renvoyer(dossier, par=theatre.direction)

    assert (dossier.etat, dossier.version_courante.numero) == (Etat.DEPOSE, 2)
    assert [r["champ"] for r in dossier.demandes.get().resume] == ["synthese"]


def test_une_demande_sans_remarque_n_est_pas_envoyee(theatre):
    dossier = theatre.mener(Etat.DEPOSE)
    with pytest.raises(Refus, match="au moins une remarque"):
        instruction.demander_complements(dossier, message="", echeance_le=theatre.jour, par=theatre.charge)
    dossier.refresh_from_db()
    assert dossier.etat == Etat.DEPOSE


def test_une_citation_doit_etre_mot_pour_mot_dans_la_version_deposee(theatre):
    dossier = theatre.mener(Etat.EN_INSTRUCTION)
    texte = Contenu(dossier).deposees["horaires"]
    citation = instruction.citer(
        dossier, critere="accessibilite", champ="horaires", extrait=texte[:30], par=theatre.charge
    )
    assert citation.version_dossier == dossier.version_courante
    with pytest.raises(Refus, match="mot pour mot"):
        instruction.citer(dossier, critere="accessibilite", champ="horaires", extrait="inventé", par=theatre.charge)


def test_un_avis_attend_que_chaque_critere_soit_evalue(theatre):
    dossier = theatre.mener(Etat.EN_INSTRUCTION)
    with pytest.raises(Refus, match="Évaluez d’abord"):
        instruction.rendre_avis(
            dossier, sens=SensAvis.FAVORABLE, motivation="x", reserves="", duree_mois=48, par=theatre.charge
        )


def test_un_autre_charge_n_instruit_que_s_il_supplee(theatre):
    dossier = theatre.mener(Etat.DEPOSE)
    collegue = agent(Role.CHARGE_CONSEIL)
    with pytest.raises(PermissionDenied, match=str(theatre.charge)):
        instruction.declarer_complet(dossier, par=collegue)
    Suppleance.objects.create(absent=theatre.charge, suppleant=collegue, debut=date(2020, 1, 1), fin=date(2100, 1, 1))
    assert instruction.declarer_complet(dossier, par=collegue).etat == Etat.EN_INSTRUCTION


@pytest.mark.parametrize("sens", SensDecision)
def test_chaque_decision_fige_sa_lettre_et_fait_naitre_ce_qu_elle_doit(theatre, sens):
    dossier = theatre.mener(Etat(sens.value))

    decision = dossier.decisions.get()
    agree = sens in SENS_QUI_AGREENT
    assert decision.acte.contexte["sens"] == sens.label
    assert Agrement.objects.count() == (1 if agree else 0)
    if agree:
        agrement = Agrement.objects.get()
        assert (agrement.objet, agrement.debut, agrement.fin) == ("projet_social", DEBUT, FIN)
        assert agrement.avec_reserves == (sens == SensDecision.AGREE_RESERVES)


def test_un_agrement_qui_en_chevauche_un_autre_annule_toute_la_decision(theatre):
    theatre.mener(Etat.AGREE)
    passage = _second_passage(theatre)

    with pytest.raises(ValidationError, match="même objet"):
        seances.decider(passage, sens=SensDecision.AGREE, debut=DEBUT, fin=FIN, par=theatre.secretariat)

    assert (Decision.objects.count(), Agrement.objects.count()) == (1, 1)
    assert Dossier.objects.get(pk=passage.dossier_id).etat == Etat.INSCRIT_CA


def _second_passage(theatre):
    theatre.jour += timedelta(days=20)
    dossier = theatre.mener(Etat.INSCRIT_CA)
    return dossier.passages.get(seance__instance="ca")


def test_une_seance_close_ne_change_plus(theatre):
    dossier = theatre.mener(Etat.AGREE)
    passage = dossier.passages.get(seance__instance="ca")
    seances.clore_seance(passage.seance, par=theatre.secretariat)
    with pytest.raises(Refus, match="close"):
        seances.deplacer(passage, vers=1, par=theatre.secretariat)


def test_une_seance_ne_se_clot_pas_avec_un_dossier_sans_decision(theatre):
    dossier = theatre.mener(Etat.INSCRIT_CA)
    with pytest.raises(Refus, match="sans avis ni décision"):
        seances.clore_seance(dossier.passages.get(seance__instance="ca").seance, par=theatre.secretariat)


def test_un_charge_de_conseil_ne_decide_pas(theatre):
    dossier = theatre.mener(Etat.INSCRIT_CA)
    passage = dossier.passages.get(seance__instance="ca")
    with pytest.raises(PermissionDenied, match="secrétariat"):
        seances.decider(passage, sens=SensDecision.AGREE, debut=DEBUT, fin=FIN, par=theatre.charge)
    assert not Decision.objects.exists()


def test_la_lecture_de_la_notification_est_datee_une_fois(theatre):
    dossier = theatre.mener(Etat.REFUSE)
    redaction.lire_notification(dossier, par=theatre.direction)
    premiere = dossier.decisions.get().lue_le
    redaction.lire_notification(dossier, par=theatre.president)
    assert dossier.decisions.get().lue_le == premiere
    assert dossier.evenements.filter(geste=Geste.LIRE_NOTIFICATION).count() == 1


def test_un_courriel_ne_porte_ni_decision_ni_motif(theatre):
    theatre.mener(Etat.REFUSE)
    for envoi in Envoi.objects.all():
        assert "refus" not in (envoi.sujet + envoi.texte).lower()
        assert "Participation insuffisante" not in envoi.texte


def test_une_decision_annulee_n_envoie_et_ne_notifie_rien(theatre):
    dossier = theatre.mener(Etat.INSCRIT_CA)
    passage = dossier.passages.get(seance__instance="ca")
    actes, envois = Acte.objects.count(), Envoi.objects.count()

    with pytest.raises(RuntimeError), transaction.atomic():
        seances.decider(passage, sens=SensDecision.AGREE, debut=DEBUT, fin=FIN, par=theatre.secretariat)
        raise RuntimeError

    assert (Acte.objects.count(), Envoi.objects.count(), Agrement.objects.count()) == (actes, envois, 0)


GESTES_JOUES = {
    Geste.DEMANDER_VISA: (redaction.demander_visa, "direction", {}),
    Geste.REPRENDRE: (redaction.reprendre, "direction", {}),
    Geste.VISER: (redaction.viser, "president", {}),
    Geste.REFUSER_VISA: (redaction.refuser_visa, "president", {"motif": "x"}),
    Geste.DEPOSER: (redaction.deposer, "direction", {}),
    Geste.RETIRER: (redaction.retirer, "direction", {"motif": "x"}),
    Geste.RENVOYER: (redaction.renvoyer, "direction", {}),
    Geste.DECLARER_COMPLET: (instruction.declarer_complet, "responsable", {}),
    Geste.DECLARER_IRRECEVABLE: (instruction.declarer_irrecevable, "responsable", {"motif": "x"}),
    Geste.REPRENDRE_INSTRUCTION: (instruction.reprendre_instruction, "responsable", {"motif": "x"}),
}


@pytest.mark.parametrize("etat", Etat)
def test_tout_geste_impossible_depuis_un_etat_est_refuse_sans_rien_ecrire(theatre, etat):
    dossier = theatre.mener(etat)
    lignes = EvenementDossier.objects.count()
    for geste, (action, qui, champs) in GESTES_JOUES.items():
        if etat in CYCLE[geste].depuis:
            continue
        with pytest.raises(TransitionInterdite, match="Ce n’est plus possible"), transaction.atomic():
            action(dossier, par=getattr(theatre, qui), **champs)
    assert EvenementDossier.objects.count() == lignes
    assert Dossier.objects.get(pk=dossier.pk).etat == etat


def test_personne_de_la_structure_ne_tient_un_geste_de_la_caf_et_inversement(theatre):
    dossier = theatre.mener(Etat.DEPOSE)
    partenaire = {Geste.REDIGER, Geste.JOINDRE, Geste.DEMANDER_VISA, Geste.REPRENDRE, Geste.VISER, Geste.REFUSER_VISA,
                  Geste.DEPOSER, Geste.RETIRER, Geste.RENVOYER, Geste.LIRE_NOTIFICATION}  # fmt: skip
    for geste in REGLES:
        for personne in (theatre.direction, theatre.president, theatre.saisie):
            assert geste in partenaire or not peut(geste, personne, dossier)
        for personne in (theatre.charge, theatre.secretariat, theatre.responsable):
            assert geste not in partenaire or not peut(geste, personne, dossier)
    assert set(SUR_PLACE) | set(CYCLE) == set(REGLES) | {Geste.NOTIFIER}


@pytest.mark.parametrize(
    ("champs", "contrainte"),
    [
        ({"etat": "perdu"}, "dossier_etat_connu"),
        ({"etat": Etat.EN_PREPARATION}, "dossier_depose_avec_version"),
        ({"depose_le": None}, "dossier_depos"),
        ({"version_courante": None}, "dossier_depos"),
        ({"etat": Etat.AGREE}, "dossier_decide_avec_date"),
        ({"objets": []}, "dossier_porte_un_objet"),
        ({"objets": ["inconnu"]}, "dossier_objets_connus"),
        ({"duree_souhaitee": 60}, "dossier_duree"),
    ],
)
def test_la_base_refuse_un_dossier_incoherent(theatre, champs, contrainte):
    dossier = theatre.mener(Etat.DEPOSE)
    with pytest.raises(IntegrityError, match=contrainte), transaction.atomic():
        Dossier.objects.filter(pk=dossier.pk).update(**champs)


@pytest.mark.parametrize("modele", [EvenementDossier, VersionDossier])
def test_le_journal_et_les_versions_ne_se_reecrivent_pas(theatre, modele):
    theatre.mener(Etat.DEPOSE)
    with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
        modele.objects.update(dossier=modele.objects.first().dossier)
    with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
        modele.objects.all()._raw_delete("default")


def test_une_decision_ne_se_modifie_pas_mais_sa_lecture_se_date(theatre):
    theatre.mener(Etat.REFUSE)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Decision.objects.update(motivation="autre")


def test_un_regime_publie_ne_change_plus_et_deux_regimes_ne_se_chevauchent_pas(theatre):
    with pytest.raises(ProgrammingError), transaction.atomic():
        VersionRegime.objects.filter(code="avs-2025").update(definition={})
    with pytest.raises(IntegrityError, match="une_seule_en_vigueur"), transaction.atomic():
        VersionRegime.objects.filter(code="avs-2025").update(effet_du=date(2026, 1, 1))


def test_l_horloge_ouvre_et_echoit_et_rejouee_ne_fait_rien(theatre):
    theatre.mener(Etat.AGREE)
    agrement = Agrement.objects.get()
    assert agrement.etat == EtatAgrement.A_VENIR
    assert (vie.faire_vivre(DEBUT), vie.faire_vivre(DEBUT)) == (1, 0)
    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.EN_COURS
    assert vie.faire_vivre(FIN + timedelta(days=1)) == 1
    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.ECHU


def test_un_agrement_suspendu_n_est_plus_en_vigueur(theatre):
    theatre.mener(Etat.AGREE)
    vie.faire_vivre(DEBUT)
    agrement = vie.suspendre(Agrement.objects.get(), par=theatre.responsable, motif="Direction vacante.")
    assert not Agrement.objects.en_vigueur(DEBUT).exists()
    vie.lever_suspension(agrement, par=theatre.responsable, motif="Recrutée.")
    assert Agrement.objects.en_vigueur(DEBUT).exists()


def test_un_abonne_qui_echoue_empeche_le_retrait(theatre):
    from agrements.evenements import agrement_retire

    theatre.mener(Etat.AGREE)

    def echouer(**kwargs):
        raise RuntimeError("l’abonné échoue")

    theatre.entendre(Agrement.objects.get())
    agrement_retire.connect(echouer)
    try:
        with pytest.raises(RuntimeError):
            vie.retirer(Agrement.objects.get(), par=theatre.responsable, motif="x")
    finally:
        agrement_retire.disconnect(echouer)
    assert Agrement.objects.get().etat == EtatAgrement.A_VENIR


@pytest.mark.django_db(transaction=True)
def test_deux_secretaires_a_la_fois_ne_decident_qu_une_fois():
    theatre = Theatre()
    dossier = theatre.mener(Etat.INSCRIT_CA)
    passage = dossier.passages.get(seance__instance="ca")
    collegue = agent(Role.SECRETARIAT)

    resultats = ensemble(
        lambda: seances.decider(passage, sens=SensDecision.AGREE, debut=DEBUT, fin=FIN, par=theatre.secretariat),
        lambda: seances.decider(passage, sens=SensDecision.REFUSE, motivation="Non.", par=collegue),
    )

    assert sorted(type(r).__name__ for r in resultats) == ["Decision", "TransitionInterdite"]
    assert Decision.objects.count() == 1
    assert Acte.objects.filter(cle__startswith="decision-").count() == 1


@pytest.mark.django_db(transaction=True)
def test_deux_ecritures_simultanees_sur_un_champ_n_en_perdent_aucune():
    theatre = Theatre()
    dossier = theatre.ouvrir()

    resultats = ensemble(
        lambda: redaction.enregistrer_reponse(
            dossier, champ="presentation", saisie="A", version=0, par=theatre.direction
        ),
        lambda: redaction.enregistrer_reponse(dossier, champ="presentation", saisie="B", version=0, par=theatre.saisie),
    )

    assert sorted(type(r).__name__ for r in resultats) == ["Reponse", "VersionPerimee"]


@pytest.mark.django_db(transaction=True)
def test_deux_depots_simultanes_ne_font_qu_une_version():
    theatre = Theatre()
    dossier = theatre.mener(Etat.VISE)

    resultats = ensemble(
        lambda: redaction.deposer(dossier, par=theatre.direction),
        lambda: redaction.deposer(dossier, par=theatre.president),
    )

    assert sorted(type(r).__name__ for r in resultats) == ["Dossier", "TransitionInterdite"]
    assert dossier.versions.count() == 1
