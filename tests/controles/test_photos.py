"""Les photos d’une visite : redressées, réduites, sans lieu caché, gardées une fois ; une fausse se refuse."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from PIL import ExifTags, Image

from controles.actions import visite
from controles.actions.visite import FileTroublee
from controles.choix import Etat
from controles.contenu import Fiche
from controles.models import PhotoControle
from documents.erreurs import FichierRefuse
from tests.fabriques.controles import Bureau, image, photo


@pytest.fixture
def bureau(db):
    return Bureau(argent=False)


def recevoir(bureau, controle, televerse, **autres):
    champs = {
        "id": uuid4(), "point": None, "legende": "", "prise_le": timezone.now(), "garder_lieu": False,
        "par": bureau.controleur, **autres,
    }  # fmt: skip
    return visite.recevoir_photo(controle, televerse=televerse, **champs)


def avec_lieu() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (47.0, 28.0, 12.0),
            ExifTags.GPS.GPSLongitudeRef: "W", ExifTags.GPS.GPSLongitude: (0.0, 33.0, 0.0),
        }
    )  # fmt: skip
    return image(taille=(3000, 2000), exif=exif)


def test_une_photo_est_redressee_reduite_et_ne_dit_plus_ou_elle_fut_prise(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    gardee = recevoir(bureau, controle, photo(avec_lieu()))
    assert (gardee.largeur, gardee.hauteur, gardee.latitude) == (1067, 1600, None)
    with gardee.fichier.contenu.open("rb") as contenu, Image.open(contenu) as relue:
        assert (relue.format, dict(relue.getexif())) == ("JPEG", {})


def test_le_lieu_d_une_photo_n_est_garde_que_sur_demande(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    gardee = recevoir(bureau, controle, photo(avec_lieu()), garder_lieu=True)
    assert (gardee.latitude, gardee.longitude) == (47.47, -0.55)


def test_une_photo_envoyee_deux_fois_n_est_gardee_qu_une(bureau):
    controle, cle, contenu = bureau.mener(Etat.EN_COURS), uuid4(), image()
    for _ in range(2):
        recevoir(bureau, controle, photo(contenu), id=cle)
    assert controle.photos.count() == 1
    with pytest.raises(FileTroublee):
        recevoir(bureau, controle, photo(image("#123456")), id=cle)


@pytest.mark.parametrize(
    ("contenu", "phrase"),
    [
        (b"", "vide"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 60, "HEIC"),
        (image()[:400], "illisible|abîmée"),
        (b"%PDF-1.4 rien", "PDF"),
        (b"n'importe quoi", "type accepté"),
    ],
)
def test_une_photo_qui_n_en_est_pas_une_se_refuse_d_une_phrase(bureau, contenu, phrase):
    controle = bureau.mener(Etat.EN_COURS)
    with pytest.raises(FichierRefuse, match=phrase):
        recevoir(bureau, controle, photo(contenu))
    assert not controle.photos.exists()


def test_une_photo_demesuree_se_refuse(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    with pytest.raises(FichierRefuse, match="21 Mo ; la limite est 20 Mo"):
        recevoir(bureau, controle, photo(image() + b"\x00" * (20 * 1024 * 1024)))


def test_une_photo_retiree_sort_du_rapport_et_reste_au_dossier(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    gardee = recevoir(bureau, controle, photo())
    visite.retirer_photo(gardee, par=bureau.controleur)
    assert Fiche(controle).photos == []
    assert PhotoControle.objects.filter(pk=gardee.pk).exists()


def test_une_photo_arrive_par_l_interface_et_se_sert_a_qui_lit_les_constats(bureau, entrer):
    controle, client = bureau.mener(Etat.EN_COURS), entrer(bureau.controleur)
    cle = uuid4()
    reponse = client.post(
        reverse("controles:recevoir_photo", args=[controle.pk]),
        {"id": str(cle), "legende": "Affichage", "image": io.BytesIO(image())},
    )
    assert (reponse.status_code, reponse.json()) == (200, {"id": str(cle), "recue": True})
    adresse = reverse("controles:photo", args=[controle.pk, cle])
    servie = client.get(adresse)
    assert (servie.headers["Content-Type"], b"".join(servie)[:2]) == ("image/jpeg", b"\xff\xd8")
    assert entrer(bureau.charge).get(adresse).status_code == 403
