"""Un scan se reconnaît à son QR, même de travers, pâle ou photographié ; un autre QR ne trompe pas."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2
import pytest
import segno
from PIL import Image, ImageFilter

from documents.erreurs import FichierRefuse
from documents.reconnaissance import code_de, codes_lus
from documents.rendu import qr_svg
from socle import pdf

CODE = "ABCDEFGH2345"
ADRESSE = f"https://portail.exemple.invalid/verifier/{CODE}/"


@pytest.fixture(scope="module")
def feuille() -> Image.Image:
    """Une page avec le QR à sa vraie taille, comme un acte l’imprime, à 150 points par pouce."""
    page = (
        '<!doctype html><html lang="fr"><title>x</title><style>@page{size:A4;margin:2cm}svg{width:2cm;height:2cm}</style>'
        f"<p>{'Texte de la convention. ' * 80}</p>{qr_svg(ADRESSE)}"
    )
    return pypdfium2.PdfDocument(pdf.rendre(page))[0].render(scale=150 / 72).to_pil().convert("RGB")


def en_fichier(image: Image.Image, genre: str, **options) -> io.BytesIO:
    flux = io.BytesIO()
    image.save(flux, genre, **options)
    flux.seek(0)
    return flux


def scanner(*images: Image.Image) -> io.BytesIO:
    return en_fichier(images[0], "PDF", save_all=True, append_images=images[1:], resolution=150)


@pytest.mark.parametrize(
    "abimer",
    [
        lambda f: f,
        lambda f: f.rotate(4, fillcolor="white", expand=True),
        lambda f: f.rotate(180),
        lambda f: f.point(lambda v: 140 + v * 100 // 255),
        lambda f: f.filter(ImageFilter.GaussianBlur(0.8)),
    ],
    ids=["net", "de travers", "à l’envers", "pâle", "flou"],
)
def test_un_scan_ordinaire_se_reconnait(feuille, abimer):
    scan = abimer(feuille)
    assert codes_lus(scanner(scan)) == {CODE}
    assert codes_lus(en_fichier(scan, "JPEG", quality=60)) == {CODE}


def test_le_qr_se_trouve_aussi_sur_la_derniere_page_d_un_long_scan(feuille):
    blanche = Image.new("RGB", feuille.size, "white")
    assert codes_lus(scanner(*[blanche] * 14, feuille)) == {CODE}


def test_le_fichier_reste_a_lire_depuis_son_debut(feuille):
    flux = scanner(feuille)
    codes_lus(flux)
    assert flux.read(5) == b"%PDF-"


def test_sans_qr_rien_n_est_invente(feuille):
    assert codes_lus(scanner(Image.new("RGB", feuille.size, "white"))) == frozenset()


@pytest.mark.parametrize("texte", ["https://exemple.invalid/gagnez/", "bonjour", "https://[", "/dossiers/1/"])
def test_le_qr_d_autre_chose_ne_compte_pas(texte):
    flux = io.BytesIO()
    segno.make(texte).save(flux, kind="png", scale=8)
    assert codes_lus(flux) == frozenset()
    assert code_de(texte) == ""


def test_une_page_demesuree_se_lit_reduite_sans_remplir_la_memoire():
    flux = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(14_400, 14_400))
        document.save(flux)
    assert codes_lus(flux) == frozenset()


def test_un_fichier_qui_n_est_pas_un_scan_est_refuse():
    with pytest.raises(FichierRefuse):
        codes_lus(io.BytesIO(b"MZ" + b"\0" * 100))
