"""Suspendre, lever, retirer ; consulter un régime : qui, pourquoi, à quelle date."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from agrements.actions import agrements as vie
from agrements.actions import redaction
from agrements.choix import Etat, EtatAgrement
from agrements.models import Agrement, VersionRegime
from comptes.choix import Role
from courriers.models import Envoi
from documents import production
from documents.models import Acte, NatureActe
from socle.dates import en_jour
from tests.fabriques.agrements import Theatre
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture
def theatre():
    return Theatre()


@pytest.fixture
def agrement(theatre):
    theatre.mener(Etat.AGREE)
    agrement = Agrement.objects.get()
    Agrement.objects.filter(pk=agrement.pk).update(etat=EtatAgrement.EN_COURS)
    return Agrement.objects.get()


def adresse(agrement, nom):
    return reverse("agrements:geste_agrement", args=[agrement.pk, nom])


def lire(reponse):
    return unescape(reponse.content.decode())


def test_le_responsable_suspend_leve_et_retire_avec_ses_raisons(theatre, agrement, entrer):
    client = entrer(theatre.responsable)
    for nom, etat, motif in (
        ("suspendre", EtatAgrement.SUSPENDU, "Locaux fermés."),
        ("lever_suspension", EtatAgrement.EN_COURS, "Locaux rouverts."),
        ("retirer", EtatAgrement.RETIRE, "Activité arrêtée."),
    ):
        if nom == "retirer":
            theatre.entendre(agrement)
        fiche = lire(client.get(agrement.get_absolute_url()))
        assert adresse(agrement, nom) in fiche
        page = lire(client.get(adresse(agrement, nom)))
        assert en_jour(timezone.localdate()) in page
        reponse = client.post(adresse(agrement, nom), {"motif": motif}, follow=True)
        assert motif in lire(reponse)
        agrement.refresh_from_db()
        assert agrement.etat == etat
    assert agrement.retire_le == timezone.localdate()
    fiche = lire(client.get(agrement.get_absolute_url()))
    assert f"depuis le {en_jour(timezone.localdate())}" in fiche
    assert "Gestes possibles" not in fiche


def test_une_suspension_part_en_lettre_motivee_et_previent_la_structure(theatre, agrement, entrer):
    redaction.lire_notification(agrement.decision.dossier, par=theatre.direction)
    vie.suspendre(agrement, par=theatre.responsable, motif="Locaux fermés.")
    lettre = Acte.objects.get(nature=NatureActe.AGREMENT)
    production.produire(lettre.pk)
    client = entrer(theatre.direction)
    page = lire(client.get(agrement.get_absolute_url()))
    chemin = reverse("agrements:acte", args=[agrement.decision.dossier_id, lettre.pk])
    assert chemin in page
    reponse = client.get(chemin)
    assert b"".join(reponse.streaming_content).startswith(b"%PDF-")
    for fermer in reponse._resource_closers:  # ``reponse.close()`` fermerait aussi la connexion du test
        fermer()
    assert {"motif": "Locaux fermés.", "recours_mois": 2}.items() <= lettre.contexte.items()
    for personne in (theatre.direction, theatre.president):
        assert personne.notifications.filter(texte__contains="Suspension de votre agrément").count() == 1
    courriels = Envoi.objects.filter(adresse=theatre.president.courriel).values_list("sujet", "texte")
    assert courriels
    assert not [c for c in courriels if "Locaux" in c[1] or "uspension" in c[1]]


def test_l_ouverture_et_l_echeance_ne_font_pas_de_lettre(theatre, agrement):
    vie.faire_vivre(agrement.fin + timedelta(days=1))
    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.ECHU
    assert not Acte.objects.filter(nature=NatureActe.AGREMENT).exists()


def test_sans_motif_rien_ne_change_et_on_le_dit_a_cote_du_champ(theatre, agrement, entrer):
    reponse = entrer(theatre.responsable).post(adresse(agrement, "suspendre"), {"motif": "  "})
    assert reponse.status_code == 422
    assert "Ce champ est obligatoire" in lire(reponse)
    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.EN_COURS


def test_un_geste_arrive_trop_tard_le_dit(theatre, agrement, entrer):
    client = entrer(theatre.responsable)
    theatre.entendre(agrement)
    vie.retirer(agrement, par=theatre.responsable, motif="x")
    for reponse in (
        client.get(adresse(agrement, "suspendre"), follow=True),
        client.post(adresse(agrement, "suspendre"), {"motif": "y"}, follow=True),
    ):
        assert "Ce n’est plus possible : l’agrément est maintenant « Retiré »." in lire(reponse)
    assert client.get(adresse(agrement, "renouveler")).status_code == 404


def test_les_autres_lisent_sans_pouvoir_agir(theatre, agrement, entrer):
    redaction.lire_notification(agrement.decision.dossier, par=theatre.direction)
    vie.suspendre(agrement, par=theatre.responsable, motif="Locaux fermés.")
    for personne in (theatre.charge, theatre.secretariat, theatre.direction):
        client = entrer(personne)
        page = lire(client.get(agrement.get_absolute_url()))
        assert "Locaux fermés." in page
        assert "Gestes possibles" not in page
        assert client.post(adresse(agrement, "retirer"), {"motif": "x"}).status_code == 403
    agrement.refresh_from_db()
    assert agrement.etat == EtatAgrement.SUSPENDU


def test_une_autre_structure_ou_une_lettre_pas_ouverte_ne_montrent_pas_l_agrement(theatre, agrement, entrer):
    etranger = habiliter(StructureFactory(), Role.DIRECTION)
    assert entrer(etranger).get(agrement.get_absolute_url()).status_code == 404
    assert entrer(theatre.direction).get(agrement.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("code", ["avs-2012", "avs-2025"])
def test_un_regime_se_lit_en_entier(theatre, entrer, code):
    regime = VersionRegime.objects.get(code=code)
    page = lire(entrer(theatre.charge).get(regime.get_absolute_url()))
    referentiel = regime.referentiel
    for texte in (
        *(s.titre for s in referentiel.sections),
        *(c.libelle for c in referentiel.champs.values()),
        *(c.libelle for c in referentiel.criteres),
        *(p.libelle for p in referentiel.pieces),
        *referentiel.sources,
        en_jour(regime.effet_du),
        f"{referentiel.delais['complements_jours']} jours",
    ):
        assert texte in page, texte
    assert "etp" not in page
    assert "_mois" not in page
    assert "centre_social" not in page


def test_le_dossier_mene_a_son_regime_et_un_regime_inconnu_n_existe_pas(theatre, entrer):
    dossier = theatre.mener(Etat.DEPOSE)
    client = entrer(theatre.charge)
    assert dossier.regime.get_absolute_url() in lire(client.get(dossier.get_absolute_url()))
    assert client.get(reverse("agrements:regime", args=["avs-2025", 99])).status_code == 404
    assert entrer(theatre.direction).get(dossier.regime.get_absolute_url()).status_code == 403
