"""De vraies courses : cinquante accords au même instant sur une enveloppe qui en paie dix."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.db import connection, transaction

from aides.actions import enveloppes, redaction, versements
from aides.choix import Etat
from aides.models import Demande, Enveloppe, MouvementEnveloppe
from financements.models import Paiement
from socle.erreurs import Refus
from tests.fabriques.aides import Guichet
from tests.fabriques.courses import reussites_et_refus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


def test_cinquante_accords_au_meme_instant_sur_une_enveloppe_qui_en_paie_dix():
    guichet = Guichet()
    version = guichet.dispositif(avec_depenses=False, avec_plan=False, mode="forfait", forfait=D(1_000), bilan_mois=0)
    guichet.voter(version, 10_999)
    passages = [guichet.inscrire(guichet.mener(version, Etat.INSTRUITE, montant=1_000)) for _ in range(50)]

    def decider(passage):
        def geste():
            return guichet.decider(passage)

        return geste

    faits, refus = reussites_et_refus(*(decider(p) for p in passages))
    enveloppe = Enveloppe.objects.get()
    assert (len(faits), len(refus)) == (10, 40)
    assert {type(r) for r in refus} == {Refus}
    assert all("ne suffit pas : il reste 999,00" in str(r) for r in refus)
    assert (enveloppe.engage, enveloppe.vote) == (D(10_000), D(10_999))
    assert Demande.objects.filter(etat=Etat.ACCORDEE).count() == 10
    assert MouvementEnveloppe.objects.filter(nature="engagement").count() == 10


def test_la_base_refuse_un_engagement_au_dela_du_vote_meme_sans_verrou():
    from django.db import IntegrityError

    guichet = Guichet()
    enveloppe = guichet.voter(guichet.dispositif(), 100)
    with pytest.raises(IntegrityError, match="enveloppe_jamais_depassee"), transaction.atomic():
        Enveloppe.objects.filter(pk=enveloppe.pk).update(engage=D("100.01"))


def test_deux_transferts_croises_ne_se_bloquent_pas():
    guichet = Guichet()
    une, deux = guichet.voter(guichet.dispositif(), 100), guichet.voter(guichet.dispositif("FLA AVS"), 100)
    par = guichet.responsable
    faits, refus = reussites_et_refus(
        *(
            [
                lambda: enveloppes.transferer(une, deux, montant=D(10), motif="x", par=par),
                lambda: enveloppes.transferer(deux, une, montant=D(10), motif="x", par=par),
            ]
            * 4
        )
    )
    assert (len(faits), refus) == (8, [])
    assert sum(Enveloppe.objects.values_list("vote", flat=True)) == 200


def test_deux_techniciens_ne_proposent_le_meme_versement_qu_une_fois():
    guichet = Guichet()
    version = guichet.dispositif(convention_exigee=False, bilan_mois=0)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    faits, _ = reussites_et_refus(
        lambda: versements.proposer(demande, nature="solde_aide", par=guichet.technicien),
        lambda: versements.proposer(demande, nature="solde_aide", par=guichet.responsable),
    )
    assert len(faits) == 1
    assert Paiement.objects.count() == 1


def test_deux_ecritures_du_meme_champ_n_en_gardent_qu_une():
    guichet = Guichet()
    demande = guichet.ouvrir(guichet.dispositif())
    faits, refus = reussites_et_refus(
        lambda: redaction.enregistrer_reponse(demande, champ="public", saisie="A", version=0, par=guichet.direction),
        lambda: redaction.enregistrer_reponse(demande, champ="public", saisie="B", version=0, par=guichet.president),
    )
    assert (len(faits), len(refus)) == (1, 1)
    connection.close()
