"""Les messages d’un fil : gardés tels qu’écrits, jamais retouchés."""

from __future__ import annotations

import pytest
from django.db import InternalError, ProgrammingError, transaction

from courriers.actions import LONGUEUR_MESSAGE, ecrire
from courriers.models import Message
from socle.erreurs import Refus
from tests.fabriques.comptes import UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def auteur():
    return UtilisateurFactory()


@pytest.mark.parametrize("texte", ["", "   ", "\n\t\r\n", "\x00\x07"])
def test_un_message_vide_est_refuse_avec_sa_phrase(auteur, texte):
    with pytest.raises(Refus, match="Écrivez votre message"):
        ecrire(fil="dossier-1", texte=texte, par=auteur)
    assert not Message.objects.exists()


def test_un_message_trop_long_dit_de_combien(auteur):
    assert ecrire(fil="dossier-1", texte="é" * LONGUEUR_MESSAGE, par=auteur).pk
    with pytest.raises(Refus, match=f"{LONGUEUR_MESSAGE + 1} caractères pour {LONGUEUR_MESSAGE}"):
        ecrire(fil="dossier-1", texte="é" * (LONGUEUR_MESSAGE + 1), par=auteur)


@pytest.mark.parametrize(
    ("saisi", "garde"),
    [
        ("  Bonjour,\r\nmerci.  ", "Bonjour,\nmerci."),
        ("avant\x00après", "avantaprès"),
        ("👩‍👧 مرحبا عالم", "👩‍👧 مرحبا عالم"),
        ("<b>gras</b> & 'Cie'", "<b>gras</b> & 'Cie'"),
        ("moitié \ud83d de signe", "moitié  de signe"),
    ],
)
def test_un_message_garde_ce_que_la_personne_a_ecrit(auteur, saisi, garde):
    assert Message.objects.get(pk=ecrire(fil="dossier-1", texte=saisi, par=auteur).pk).texte == garde


def test_un_message_ecrit_ne_se_retouche_ni_ne_s_efface(auteur):
    message = ecrire(fil="dossier-1", texte="Ce qui est écrit.", par=auteur)
    with pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(texte="Autre chose.")
    with pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
        message.delete()
    assert Message.objects.get().texte == "Ce qui est écrit."


def test_un_fil_se_lit_dans_l_ordre_et_sans_les_autres_fils(auteur):
    for rang in range(3):
        ecrire(fil="dossier-1", texte=f"Message {rang}", par=auteur, interne=rang == 1)
    ecrire(fil="dossier-12", texte="Ailleurs", par=auteur)
    fil = Message.objects.filter(fil="dossier-1")
    assert [(m.texte, m.interne) for m in fil] == [("Message 0", False), ("Message 1", True), ("Message 2", False)]
