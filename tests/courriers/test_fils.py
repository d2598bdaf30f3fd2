"""Les conversations : un fil par sujet, une pièce au plus par message, et chacun sait ce qu’il n’a pas lu."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from courriers.actions import ecrire, marquer_lu
from courriers.models import Fil, Lecture, Message
from tests.fabriques.comptes import UtilisateurFactory
from tests.fabriques.documents import pdf, recevoir

pytestmark = pytest.mark.django_db

FIL = "dossier-12"


@pytest.fixture
def direction():
    return UtilisateurFactory(nom="Direction")


@pytest.fixture
def charge():
    return UtilisateurFactory(nom="Charge")


def non_lus(personne) -> int:
    return Message.objects.filter(fil_id=FIL).non_lus_par(personne).count()


def test_un_fil_s_ouvre_au_premier_message_et_garde_son_objet(direction):
    ecrire(fil=FIL, objet="Dossier AVS-2026-00012", texte="Bonjour.", par=direction)
    ecrire(fil=FIL, objet="Autre objet", texte="Encore.", par=direction)
    assert [(fil.cle, str(fil)) for fil in Fil.objects.all()] == [(FIL, "Dossier AVS-2026-00012")]


def test_qui_ecrit_a_lu_et_les_autres_non(direction, charge):
    ecrire(fil=FIL, texte="Une question.", par=direction)
    assert (non_lus(direction), non_lus(charge)) == (0, 1)
    ecrire(fil=FIL, texte="Une réponse.", par=charge)
    assert (non_lus(direction), non_lus(charge)) == (1, 0)


def test_marquer_lu_va_jusqu_au_dernier_message_visible_et_ne_recule_jamais(direction, charge):
    question = ecrire(fil=FIL, texte="Question.", par=charge)
    note = ecrire(fil=FIL, texte="Note entre nous.", par=charge, interne=True)

    marquer_lu(fil=FIL, par=direction, avec_internes=False)
    assert Lecture.objects.get(utilisateur=direction).dernier == question
    marquer_lu(fil=FIL, par=direction, avec_internes=True)
    assert Lecture.objects.get(utilisateur=direction).dernier == note
    marquer_lu(fil=FIL, par=direction, avec_internes=False)
    assert Lecture.objects.get(utilisateur=direction).dernier == note


def test_marquer_lu_un_fil_vide_ne_fait_rien(direction):
    assert marquer_lu(fil="dossier-404", par=direction, avec_internes=True) is None
    assert not Lecture.objects.exists()


def test_une_note_interne_ne_se_montre_qu_a_la_caf(charge):
    ecrire(fil=FIL, texte="Pour tous.", par=charge)
    ecrire(fil=FIL, texte="Entre nous.", par=charge, interne=True)
    assert [m.texte for m in Message.objects.du_fil(FIL, avec_internes=False)] == ["Pour tous."]
    assert [m.texte for m in Message.objects.du_fil(FIL, avec_internes=True)] == ["Pour tous.", "Entre nous."]


def test_un_message_porte_une_piece_qui_ne_sert_qu_une_fois(direction):
    piece = recevoir(pdf(), "plan.pdf")
    message = ecrire(fil=FIL, texte="Voici le plan.", par=direction, piece=piece)
    assert Message.objects.get(pk=message.pk).piece == piece
    with pytest.raises(IntegrityError), transaction.atomic():
        ecrire(fil=FIL, texte="Encore le plan.", par=direction, piece=piece)


def test_un_fil_se_lit_en_autant_de_requetes_pour_un_et_cinquante_messages(direction):
    def requetes() -> int:
        with CaptureQueriesContext(connection) as comptees:
            echanges = Message.objects.du_fil(FIL, avec_internes=True)
            render_to_string("courriers/_fil.html", {"echanges": echanges, "lectures": [], "pieces": "/pieces/"})
        return len(comptees)

    ecrire(fil=FIL, texte="Un.", par=direction, piece=recevoir(pdf()))
    un = requetes()
    for _ in range(49):
        ecrire(fil=FIL, texte="Et un.", par=UtilisateurFactory())
    assert requetes() == un == 1


def test_le_fil_dit_qui_a_ecrit_quoi_et_qui_a_lu(direction, charge):
    piece = recevoir(pdf(), "plan.pdf")
    message = ecrire(fil=FIL, texte="<b>Voici</b>\nle plan.", par=direction, piece=piece)
    marquer_lu(fil=FIL, par=charge, avec_internes=True)
    page = render_to_string(
        "courriers/_fil.html",
        {
            "echanges": Message.objects.du_fil(FIL, avec_internes=True),
            "lectures": Lecture.objects.filter(fil_id=FIL).exclude(utilisateur=direction),
            "pieces": "/dossiers/12/messages/",
        },
    )
    assert "&lt;b&gt;Voici&lt;/b&gt;<br>le plan." in page
    assert f'href="/dossiers/12/messages/{message.pk}/"' in page
    assert "non analysé" in page
    assert f"Lu par {charge}" in page


def test_un_fil_vide_dit_quoi_faire():
    assert "Écrivez à votre interlocuteur ci-dessous" in render_to_string(
        "courriers/_fil.html", {"echanges": [], "lectures": []}
    )
