"""La séance, là où une erreur coûterait cher : la bonne date, la bonne lettre, rien de perdu, une faute qui se corrige."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from agrements.actions import instruction, seances
from agrements.budget import en_parties
from agrements.choix import Etat, Instance, SensAvis, SensDecision
from agrements.models import Decision, Dossier, Passage
from socle.erreurs import Refus
from tests.fabriques.agrements import DEBUT, FIN, Theatre

pytestmark = pytest.mark.django_db


@pytest.fixture
def theatre():
    return Theatre()


def passage_de(dossier: Dossier) -> Passage:
    return dossier.passages.order_by("-pk").first()


@pytest.mark.parametrize(
    ("sens", "motivation"), [(SensDecision.AGREE, ""), (SensDecision.REFUSE, "Participation insuffisante.")]
)
def test_des_reserves_preremplies_ne_passent_que_dans_un_agrement_avec_reserves(theatre, entrer, sens, motivation):
    dossier = theatre.mener(Etat.INSCRIT_CA)
    passage = passage_de(dossier)
    adresse = reverse("agrements:enregistrer", args=[passage.seance_id, passage.pk])
    saisie = {"sens": sens, "debut": DEBUT, "fin": FIN, "motivation": motivation, "reserves": "Recruter le référent."}
    confirme = {f"p{passage.pk}-{cle}": v for cle, v in saisie.items()} | {"confirmer": ""}
    reponse = entrer(theatre.secretariat).post(adresse, confirme)
    assert reponse.status_code == 302
    decision = Decision.objects.get()
    assert decision.reserves == ""
    assert decision.acte.contexte["reserves"] == ""


def test_rien_ne_s_enregistre_avant_que_la_seance_se_tienne(theatre, entrer):
    dossier = theatre.mener(Etat.AVIS_CAS)
    demain = timezone.localdate() + timedelta(days=1)
    seance = seances.ouvrir_seance(instance=Instance.CA, tenue_le=demain, par=theatre.secretariat)
    passage = seances.inscrire(seance, dossier, par=theatre.secretariat)
    with pytest.raises(Refus, match="se tient le"):
        seances.decider(passage, sens=SensDecision.AGREE, debut=DEBUT, fin=FIN, par=theatre.secretariat)
    page = entrer(theatre.secretariat).get(seance.get_absolute_url()).content.decode()
    assert "le jour de la séance, ou après" in page
    assert "Relire la décision" not in page
    assert "Retirer de l’ordre du jour" in page


@pytest.mark.parametrize("avis", [SensAvis.DEFAVORABLE, SensAvis.AJOURNEMENT, SensAvis.FAVORABLE_RESERVES])
def test_un_avis_qui_n_est_pas_favorable_dit_pourquoi(theatre, entrer, avis):
    passage = passage_de(theatre.mener(Etat.INSCRIT_CAS))
    with pytest.raises(ValidationError):
        seances.enregistrer_avis_cas(passage, avis=avis, motivation="  ", par=theatre.secretariat)
    adresse = reverse("agrements:enregistrer", args=[passage.seance_id, passage.pk])
    reponse = entrer(theatre.secretariat).post(adresse, {f"p{passage.pk}-avis": avis, f"p{passage.pk}-motivation": ""})
    assert reponse.status_code == 422
    assert "Dites pourquoi" in reponse.content.decode()


def test_un_avis_mal_saisi_se_corrige_tant_que_le_ca_n_est_pas_saisi(theatre, entrer):
    dossier = theatre.mener(Etat.AVIS_CAS)
    passage = passage_de(dossier)
    client, adresse = (
        entrer(theatre.secretariat),
        reverse("agrements:enregistrer", args=[passage.seance_id, passage.pk]),
    )
    assert "Corriger cet avis" in client.get(passage.seance.get_absolute_url()).content.decode()
    saisie = {f"p{passage.pk}-avis": "defavorable", f"p{passage.pk}-motivation": "Erreur de saisie.", "corriger": ""}
    assert client.post(adresse, saisie).status_code == 302
    passage.refresh_from_db()
    assert (passage.avis, passage.motivation) == ("defavorable", "Erreur de saisie.")
    assert dossier.evenements.filter(motif__contains="Correction").count() == 1
    seances.inscrire(theatre.seance(Instance.CA, 7), dossier, par=theatre.secretariat)
    with pytest.raises(Refus, match="a avancé depuis"):
        seances.corriger_avis_cas(passage, avis="favorable", motivation="", par=theatre.secretariat)


def test_des_complements_ne_s_attendent_pas_des_annees(theatre):
    dossier = theatre.mener(Etat.DEPOSE)
    instruction.preparer_remarque(dossier, champ="synthese", texte="Précisez.", par=theatre.charge)
    loin = timezone.localdate() + timedelta(days=instruction.REPONSE_MAX + 1)
    with pytest.raises(ValidationError, match="jours au plus"):
        instruction.demander_complements(dossier, message="", echeance_le=loin, par=theatre.charge)


def test_une_vieille_seance_ne_s_ajoute_pas_au_calendrier(theatre, entrer):
    reponse = entrer(theatre.secretariat).post(
        reverse("agrements:creer_seance"), {"instance": "ca", "tenue_le": "1999-01-01"}
    )
    assert reponse.status_code == 422
    assert "dans le mois" in reponse.content.decode()


def test_les_agrements_se_cherchent_mot_a_mot(theatre, entrer):
    theatre.mener(Etat.AGREE)
    mots = theatre.structure.nom.split()
    client, adresse = entrer(theatre.responsable), reverse("agrements:agrements")
    trouves = client.get(adresse, {"q": f"{mots[-1]} {theatre.structure.commune.nom}"}).context["page"]
    assert {a.structure for a in trouves} == {theatre.structure}
    assert list(client.get(adresse, {"q": "introuvable"}).context["page"]) == []


def test_le_budget_se_lit_en_charges_puis_produits_avec_leurs_totaux():
    lignes = [
        {"compte": "756", "libelle": "Cotisations", "montant": "100"},
        {"compte": "641", "libelle": "Salaires", "montant": "150.50"},
        {"compte": "70", "libelle": "Usagers", "montant": "50.50"},
        {"compte": "66", "libelle": "Rien", "montant": "0"},
    ]
    parties = [(p.libelle, [ligne["compte"] for ligne in p.lignes], p.total) for p in en_parties(lignes)]
    assert parties == [
        ("Charges", ["641"], Decimal("150.50")),
        ("Produits", ["70", "756"], Decimal("150.50")),
    ]


def test_une_seance_ne_s_ajoute_pas_a_des_annees_d_ici(theatre, entrer):
    loin = timezone.localdate() + timedelta(days=800)
    reponse = entrer(theatre.secretariat).post(
        reverse("agrements:creer_seance"), {"instance": "ca", "tenue_le": loin.isoformat()}
    )
    assert reponse.status_code == 422
    assert "plus de deux ans" in reponse.content.decode()


def a_l_ordre_du_jour(theatre, dans: int = 10) -> Passage:
    dossier = theatre.mener(Etat.INSTRUIT)
    jour = timezone.localdate() + timedelta(days=dans)
    seance = seances.ouvrir_seance(instance=Instance.CAS, tenue_le=jour, par=theatre.secretariat)
    return seances.inscrire(seance, dossier, par=theatre.secretariat)


def test_reporter_une_seance_reporte_l_echeance_de_ses_dossiers(theatre, entrer):
    passage = a_l_ordre_du_jour(theatre)
    adresse = reverse("agrements:modifier_seance", args=[passage.seance_id])
    client = entrer(theatre.secretariat)
    assert "Modifier la commission d’action sociale" in client.get(adresse).content.decode()
    jour = timezone.localdate() + timedelta(days=20)
    client.post(adresse, {"tenue_le": jour.isoformat(), "lieu": "Salle des Mauges"})
    dossier = Dossier.objects.get(pk=passage.dossier_id)
    assert (dossier.echeance_le, passage.seance.lieu) == (jour, "")
    passage.seance.refresh_from_db()
    assert (passage.seance.tenue_le, passage.seance.lieu) == (jour, "Salle des Mauges")


def test_deux_seances_d_une_instance_ne_se_reportent_pas_au_meme_jour(theatre, entrer):
    passage = a_l_ordre_du_jour(theatre)
    autre = seances.ouvrir_seance(
        instance=Instance.CAS, tenue_le=timezone.localdate() + timedelta(days=30), par=theatre.secretariat
    )
    reponse = entrer(theatre.secretariat).post(
        reverse("agrements:modifier_seance", args=[passage.seance_id]), {"tenue_le": autre.tenue_le.isoformat()}
    )
    assert reponse.status_code == 422
    assert "siège déjà ce jour-là" in reponse.content.decode()


def test_une_seance_ou_un_avis_est_enregistre_ne_change_plus_de_date_et_ne_s_annule_plus(theatre):
    seance = passage_de(theatre.mener(Etat.AVIS_CAS)).seance
    with pytest.raises(Refus, match="ne change plus"):
        seances.modifier_seance(seance, tenue_le=seance.tenue_le + timedelta(days=1), par=theatre.secretariat)
    with pytest.raises(Refus, match="ne s’annule plus"):
        seances.annuler_seance(seance, motif="x", par=theatre.secretariat)
    assert seances.modifier_seance(seance, tenue_le=seance.tenue_le, lieu="Angers", par=theatre.secretariat)


def test_annuler_une_seance_rend_ses_dossiers_a_inscrire_et_libere_sa_date(theatre, entrer):
    passage = a_l_ordre_du_jour(theatre)
    seance = passage.seance
    client = entrer(theatre.secretariat)
    adresse = reverse("agrements:annuler_seance", args=[seance.pk])
    assert client.post(adresse, {"motif": " "}).status_code == 422
    client.post(adresse, {"motif": "Quorum impossible."})
    dossier = Dossier.objects.get(pk=passage.dossier_id)
    assert (dossier.etat, dossier.echeance_le, dossier.passages.count()) == (Etat.INSTRUIT, None, 0)
    assert "Quorum impossible." in dossier.evenements.order_by("-pk").first().motif
    seance.refresh_from_db()
    assert (seance.motif_annulation, seance.annulee_par) == ("Quorum impossible.", theatre.secretariat)
    page = client.get(seance.get_absolute_url()).content.decode()
    assert "Séance annulée le" in page
    assert "Modifier la séance" not in page
    for geste in ("modifier_seance", "annuler_seance"):
        assert client.get(reverse(f"agrements:{geste}", args=[seance.pk]))["Location"] == seance.get_absolute_url()
    with pytest.raises(Refus, match="annulée"):
        seances.inscrire(seance, dossier, par=theatre.secretariat)
    assert seances.ouvrir_seance(instance=Instance.CAS, tenue_le=seance.tenue_le, par=theatre.secretariat)


def decision_saisie(passage: Passage, **autres: object) -> dict[str, object]:
    saisie = {"sens": "agree_reserves", "debut": DEBUT, "fin": FIN.replace(year=FIN.year - 1), "reserves": "Recruter."}
    return {f"p{passage.pk}-{cle}": valeur for cle, valeur in saisie.items()} | autres


def test_une_decision_se_relit_avant_que_la_lettre_parte(theatre, entrer):
    passage = passage_de(theatre.mener(Etat.INSCRIT_CA))
    client, adresse = (
        entrer(theatre.secretariat),
        reverse("agrements:enregistrer", args=[passage.seance_id, passage.pk]),
    )
    page = client.post(adresse, decision_saisie(passage)).content.decode()
    assert "Relire avant de notifier" in page
    assert "soit 3\u00a0ans" in page
    assert "L’instruction proposait 4\u00a0ans" in page
    assert not Decision.objects.exists()

    retour = client.post(adresse, decision_saisie(passage, modifier="")).content.decode()
    assert "Recruter." in retour
    assert not Decision.objects.exists()

    assert client.post(adresse, decision_saisie(passage, confirmer="")).status_code == 302
    assert Decision.objects.get().reserves == "Recruter."


def test_recharger_une_saisie_refusee_ramene_a_la_seance(theatre, entrer):
    passage = passage_de(theatre.mener(Etat.INSCRIT_CA))
    reponse = entrer(theatre.secretariat).get(reverse("agrements:enregistrer", args=[passage.seance_id, passage.pk]))
    assert reponse["Location"] == f"{passage.seance.get_absolute_url()}#passage-{passage.pk}"


def test_la_seance_montre_les_motivations_de_l_instruction_et_de_la_commission(theatre, entrer):
    passage = passage_de(theatre.mener(Etat.INSCRIT_CA))
    Passage.objects.filter(dossier=passage.dossier, seance__instance="cas").update(motivation="La commission salue.")
    page = entrer(theatre.charge).get(passage.seance.get_absolute_url()).content.decode()
    assert "La commission salue." in page
    assert "Conforme." in page


def test_un_dossier_pret_s_inscrit_depuis_sa_page(theatre, entrer):
    dossier = theatre.mener(Etat.INSTRUIT)
    client = entrer(theatre.secretariat)
    adresse = reverse("agrements:inscrire_un_dossier", args=[dossier.pk])
    assert adresse in client.get(dossier.get_absolute_url()).content.decode()
    assert adresse in client.get("/espace/").content.decode()
    assert "Ajouter une séance" in client.get(adresse).content.decode()
    jour = timezone.localdate() + timedelta(days=9)
    close = seances.ouvrir_seance(
        instance=Instance.CAS,
        tenue_le=jour + timedelta(days=1),
        limite_inscription_le=timezone.localdate() - timedelta(days=1),
        par=theatre.secretariat,
    )
    seance = seances.ouvrir_seance(instance=Instance.CAS, tenue_le=jour, par=theatre.secretariat)
    assert client.post(adresse, {"seance": close.pk}).status_code == 422
    assert client.post(adresse, {"seance": seance.pk}).status_code == 302
    assert passage_de(dossier).seance == seance
    assert client.get(adresse)["Location"] == dossier.get_absolute_url()
