"""La Caf ne lit que ce qui lui a été déposé ; le journal dit les choses par leur nom, pas par celui d’un fichier."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.urls import reverse
from django.utils import timezone

from agrements.demo.dossiers import document
from aides.actions import instruction, redaction
from aides.choix import Etat
from aides.models import Demande
from tests.fabriques.aides import Guichet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def guichet():
    return Guichet()


@pytest.fixture
def rouverte(guichet) -> Demande:
    """Déposée, puis rouverte par la Caf : la structure a déjà réécrit son projet, sa dépense, son plan et son devis."""
    version = guichet.dispositif(pieces=[{"libelle": "Statuts", "code": "statuts"}])
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    instruction.demander_complements(
        demande, parties=["projet", "depenses", "plan", "pieces"], message="Un devis plus récent.",
        echeance_le=timezone.localdate() + timedelta(days=20), par=guichet.charge,
    )  # fmt: skip
    demande = Demande.objects.get(pk=demande.pk)
    depense = demande.depenses.get()
    redaction.enregistrer_reponse(demande, champ="public", saisie="Mille ogres", version=1, par=guichet.direction)
    redaction.ecrire_depense(
        demande, depense_pk=depense.pk, par=guichet.direction, libelle="Piscine", fournisseur="",
        montant_ht=D(90_000), montant_ttc=D(99_000),
    )  # fmt: skip
    redaction.joindre_devis(demande, depense_pk=depense.pk, televerse=document("piscine"), par=guichet.direction)
    redaction.demander_montant(demande, montant=D(9_999), par=guichet.direction)
    redaction.ecrire_financement(
        demande, par=guichet.direction, nature="emprunt", financeur="La banque", montant=D(1), etat="acquis"
    )
    redaction.detacher(demande, jointe_pk=demande.pieces_jointes.get().pk, par=guichet.direction)
    return Demande.objects.get(pk=demande.pk)


@pytest.mark.parametrize("page", ["aides:demande", "aides:instruire"])
@pytest.mark.parametrize("etat", [Etat.INCOMPLETE, Etat.RETIREE])
def test_la_caf_ne_lit_pas_ce_que_la_structure_reecrit(guichet, rouverte, entrer, page, etat):
    if etat == Etat.RETIREE:
        redaction.retirer(rouverte, par=guichet.direction, motif="Projet abandonné.")
    texte = entrer(guichet.charge).get(reverse(page, args=[rouverte.pk])).content.decode()
    for secret in ("Mille ogres", "Piscine", "99\u202f000,00", "9\u202f999,00", "La banque"):
        assert secret not in texte
    assert "Travaux" in texte
    assert "8\u202f000,00" in texte
    if page == "aides:demande":
        assert "Cent familles" in texte
        assert "L’association" in texte
        assert "statuts" in texte


def test_la_structure_lit_ce_qu_elle_ecrit_et_la_caf_une_fois_renvoye(guichet, rouverte, entrer):
    fiche = rouverte.get_absolute_url()
    assert "Mille ogres" in entrer(guichet.direction).get(fiche).content.decode()
    redaction.joindre(rouverte, exigence="statuts", televerse=document("statuts"), par=guichet.direction)
    rouverte.financements.filter(nature="emprunt").delete()
    rouverte.financements.update(montant=D(99_000) - D(9_999))
    redaction.renvoyer(Demande.objects.get(pk=rouverte.pk), par=guichet.direction)
    assert "Mille ogres" in entrer(guichet.charge).get(fiche).content.decode()


def test_la_caf_ouvre_le_devis_depose_et_pas_celui_qui_le_remplace(guichet, rouverte, entrer):
    client = entrer(guichet.charge)
    neuf = rouverte.depenses.get().devis
    depose = guichet.structure.pieces.exclude(pk=neuf.pk).filter(nature="devis").get()
    reponse = client.get(reverse("aides:piece", args=[rouverte.pk, depose.pk]))
    assert (reponse.status_code, b"".join(reponse.streaming_content)[:4]) == (200, b"%PDF")
    for fermer in reponse._resource_closers:
        fermer()
    assert client.get(reverse("aides:piece", args=[rouverte.pk, neuf.pk])).status_code == 404


def test_le_journal_nomme_une_piece_par_ce_qu_elle_est_et_dit_son_retrait(guichet, rouverte, entrer):
    texte = entrer(guichet.direction).get(rouverte.get_absolute_url()).content.decode()
    assert "devis, Piscine" in texte
    assert "Pièce retirée" in texte
    assert f"{rouverte.numero}_devis" not in texte
