"""Une pièce qui expire se rappelle deux fois, à temps, et jamais pour rien."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from agrements.actions import redaction
from agrements.actions.pieces import rappeler_les_peremptions
from agrements.demo.dossiers import document
from agrements.horloge import rappeler_les_pieces_qui_expirent
from agrements.models import Piece
from courriers.models import Notification
from socle.dates import en_jour
from tests.fabriques.agrements import Theatre

pytestmark = pytest.mark.django_db
ECHEANCE = timezone.localdate() + timedelta(days=200)


@pytest.fixture
def theatre():
    return Theatre()


@pytest.fixture
def piece(theatre):
    dossier = theatre.ouvrir()
    jointe = redaction.joindre(dossier, exigence="statuts", televerse=document("statuts"), par=theatre.direction)
    Piece.objects.filter(pk=jointe.piece_id).update(valable_jusqu_au=ECHEANCE)
    return Piece.objects.get(pk=jointe.piece_id)


def dit(jour) -> str:
    return " ".join(en_jour(jour).split())  # une nouvelle tient sur une ligne, espaces ordinaires


def rappels(jours_avant: int) -> list[Notification]:
    rappeler_les_peremptions(ECHEANCE - timedelta(days=jours_avant))
    return list(Notification.objects.filter(cle__startswith="piece-").order_by("pk"))


def test_une_nouvelle_a_trente_jours_une_a_l_echeance_et_pas_une_de_plus(theatre, piece):
    assert rappels(31) == []
    premieres = rappels(30)
    assert {n.destinataire for n in premieres} == {theatre.direction, theatre.president}
    assert all(f"expire le {dit(ECHEANCE)}" in n.texte for n in premieres)
    assert all("Statuts" in n.texte and n.lien.endswith("?onglet=documents") for n in premieres)
    for jours in (30, 29, 1):
        assert rappels(jours) == premieres
    toutes = rappels(0)
    assert len(toutes) == 4
    assert f"arrive à échéance le {dit(ECHEANCE)}" in toutes[-1].texte
    for jours in (0, -1, -30, -31):
        assert rappels(jours) == toutes


def test_une_horloge_arretee_le_jour_dit_rattrape_son_retard(piece):
    assert len(rappels(-3)) == 2


def test_une_nouvelle_echeance_se_rappelle_a_son_tour(piece):
    assert len(rappels(10)) == 2
    Piece.objects.filter(pk=piece.pk).update(valable_jusqu_au=ECHEANCE + timedelta(days=5))
    assert len(rappels(10)) == 4


@pytest.mark.parametrize(
    "changement",
    [{"retiree_le": timezone.now()}, {"valable_jusqu_au": None}, {"structure_fermee": True}, {"renouvelee": True}],
    ids=["retirée", "sans limite", "structure fermée", "renouvelée"],
)
def test_ce_qui_n_a_plus_a_etre_renouvele_ne_se_rappelle_pas(theatre, piece, changement):
    if changement.pop("structure_fermee", False):
        type(theatre.structure).objects.update(fermee_le=timezone.localdate())
    if changement.pop("renouvelee", False):
        dossier = theatre.structure.dossiers.get()
        neuve = redaction.joindre(dossier, exigence="statuts", televerse=document("neufs"), par=theatre.direction)
        Piece.objects.filter(pk=neuve.piece_id).update(valable_jusqu_au=ECHEANCE + timedelta(days=300))
    if changement:
        Piece.objects.filter(pk=piece.pk).update(**changement)
    assert rappels(10) == []


def test_la_tache_de_l_horloge_se_rejoue_sans_rien_doubler(piece, settings):
    Piece.objects.filter(pk=piece.pk).update(valable_jusqu_au=timezone.localdate() + timedelta(days=12))
    for _ in range(3):
        rappeler_les_pieces_qui_expirent()
    assert Notification.objects.filter(cle__startswith="piece-").count() == 2
    taches = {ligne["task"] for ligne in settings.CELERY_BEAT_SCHEDULE.values()}
    assert rappeler_les_pieces_qui_expirent.name in taches


def test_le_coffre_et_les_documents_disent_quand_la_piece_expire(theatre, piece, entrer):
    client = entrer(theatre.direction)
    premier = theatre.structure.dossiers.get()
    documents = f"{theatre.structure.get_absolute_url()}?onglet=documents"
    mention = f"expire le {en_jour(ECHEANCE)}"
    assert mention in unescape(client.get(reverse("agrements:pieces", args=[premier.pk])).content.decode())
    assert mention in unescape(client.get(documents).content.decode())
    redaction.retirer(premier, par=theatre.direction, motif="x")
    second = theatre.ouvrir()
    page = unescape(client.get(reverse("agrements:pieces", args=[second.pk])).content.decode())
    assert "Reprendre de votre coffre" in page
    assert mention in page
    hier = timezone.localdate() - timedelta(days=1)
    Piece.objects.filter(pk=piece.pk).update(valable_jusqu_au=hier)
    assert f"a expiré le {en_jour(hier)}" in unescape(client.get(documents).content.decode())
