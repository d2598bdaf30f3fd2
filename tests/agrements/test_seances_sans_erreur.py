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
    reponse = entrer(theatre.secretariat).post(adresse, {f"p{passage.pk}-{cle}": v for cle, v in saisie.items()})
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
    assert "Enregistrer la décision" not in page
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
