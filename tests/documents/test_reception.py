"""Ce que le portail accepte de garder, et ce qu’il refuse en disant pourquoi."""

from __future__ import annotations

import io
import socketserver
import struct
import threading
import zipfile
from hashlib import sha256

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from documents import actions
from documents.choix import Analyse
from documents.erreurs import FichierRefuse
from documents.models import Fichier
from documents.reception import nom_propre
from tests.fabriques.comptes import UtilisateurFactory

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def pdf(mot_de_passe: str = "") -> bytes:
    flux = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        chiffre = pikepdf.Encryption(owner="x", user=mot_de_passe) if mot_de_passe else False
        document.save(flux, encryption=chiffre)
    return flux.getvalue()


def image(genre: str) -> bytes:
    flux = io.BytesIO()
    Image.new("RGB", (20, 20), "white").save(flux, genre)
    return flux.getvalue()


def archive(**membres: bytes) -> bytes:
    flux = io.BytesIO()
    with zipfile.ZipFile(flux, "w") as zip_:
        for nom, contenu in membres.items():
            zip_.writestr(nom.replace("__", "/").replace("_", "."), contenu)
    return flux.getvalue()


def recevoir(nom: str, contenu: bytes) -> Fichier:
    return actions.recevoir(SimpleUploadedFile(nom, contenu), par=UtilisateurFactory())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("nom", "contenu", "mime"),
    [
        ("rib.pdf", pdf(), "application/pdf"),
        ("photo.jpeg", image("JPEG"), "image/jpeg"),
        ("scan.png", image("PNG"), "image/png"),
        ("mal-nomme.txt", pdf(), "application/pdf"),
        (
            "projet.docx",
            archive(word__document_xml=b"<x/>"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            "projet.odt",
            archive(mimetype=b"application/vnd.oasis.opendocument.text"),
            "application/vnd.oasis.opendocument.text",
        ),
    ],
)
def test_un_fichier_sain_est_garde_sous_son_type_constate(nom, contenu, mime):
    fichier = recevoir(nom, contenu)
    assert (fichier.type_mime, fichier.taille, fichier.empreinte) == (mime, len(contenu), sha256(contenu).hexdigest())
    assert nom.rsplit(".")[0] not in fichier.contenu.name
    assert fichier.contenu.open().read() == contenu
    fichier.contenu.close()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("nom", "contenu", "phrase"),
    [
        ("facture.pdf", b"MZ\x90\x00" + b"\0" * 200, "pas d’un type accepté"),
        ("vide.pdf", b"", "0 octet"),
        ("tronque.pdf", b"%PDF-1.7\n", "abîmé"),
        ("secret.pdf", pdf("motdepasse"), "mot de passe"),
        ("casse.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "illisible"),
        ("macro.docx", archive(word__document_xml=b"", word__vbaProject_bin=b""), "macros"),
        ("archive.zip", archive(lisezmoi_txt=b"x"), "pas d’un type accepté"),
        ("page.html", b"<script>alert(1)</script>", "pas d’un type accepté"),
    ],
)
def test_un_fichier_douteux_est_refuse_avec_une_phrase(nom, contenu, phrase):
    with pytest.raises(FichierRefuse, match=phrase):
        recevoir(nom, contenu)
    assert not Fichier.objects.exists()


@pytest.mark.django_db
def test_soixante_megaoctets_sont_refuses_en_disant_la_limite():
    with pytest.raises(FichierRefuse, match="pèse 60 Mo ; la limite est 20 Mo"):
        recevoir("gros.pdf", b"%PDF-" + b"0" * (60 * 1024 * 1024 - 5))


@pytest.mark.django_db
def test_une_bombe_compressee_est_refusee(monkeypatch):
    monkeypatch.setattr("documents.reception.DECOMPRESSE_MAX", 1000)
    with pytest.raises(FichierRefuse, match="démesuré"):
        recevoir("bombe.docx", archive(word__document_xml=b"0" * 5000))


@pytest.mark.parametrize(
    ("nom", "propre"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\moi\\rib.PDF", "rib.pdf"),
        ("fac\u202etura.exe.pdf", "factura.exe.pdf"),
        ("nul\x00.pdf", "nul.pdf"),
        ("", "document.pdf"),
        ("é" * 400, "é" * 150 + ".pdf"),
    ],
)
def test_le_nom_d_un_fichier_ne_trompe_personne(nom, propre):
    assert nom_propre(nom, "pdf") == propre


class FauxClamd(socketserver.BaseRequestHandler):
    """Le protocole INSTREAM de clamd, et la seule signature d’EICAR."""

    def handle(self):
        assert self.request.recv(10) == b"zINSTREAM\0"
        recu = b""
        while taille := struct.unpack("!L", self._lire(4))[0]:
            recu += self._lire(taille)
        self.request.sendall(b"stream: Eicar FOUND\0" if EICAR in recu else b"stream: OK\0")

    def _lire(self, nombre):
        morceau = b""
        while len(morceau) < nombre:
            morceau += self.request.recv(nombre - len(morceau))
        return morceau


@pytest.fixture
def clamd(settings):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), FauxClamd) as serveur:
        threading.Thread(target=serveur.serve_forever, daemon=True).start()
        settings.CLAMD_ADRESSE = f"127.0.0.1:{serveur.server_address[1]}"
        yield
        serveur.shutdown()


@pytest.mark.django_db
def test_l_antivirus_laisse_passer_le_sain_et_refuse_l_infecte(clamd):
    assert recevoir("rib.pdf", pdf()).analyse == Analyse.SAIN
    with pytest.raises(FichierRefuse, match="malveillant"):
        recevoir("rib.pdf", pdf() + EICAR)
    assert Fichier.objects.count() == 1


@pytest.mark.django_db
def test_un_antivirus_muet_ferme_la_porte(settings):
    settings.CLAMD_ADRESSE = "127.0.0.1:1"
    with pytest.raises(FichierRefuse, match="ne répond pas"):
        recevoir("rib.pdf", pdf())


@pytest.mark.django_db
def test_sans_antivirus_le_fichier_se_dit_non_analyse():
    assert recevoir("rib.pdf", pdf()).analyse == Analyse.NON_ANALYSE
