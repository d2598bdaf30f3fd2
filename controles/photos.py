"""Une photo prise sur place : ouverte pour de bon, redressée, réduite, et sans rien de caché dedans."""

from __future__ import annotations

import io
from dataclasses import dataclass

from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from PIL import ExifTags, Image, ImageOps

from documents.erreurs import FichierRefuse
from documents.reception import reconnaitre

COTE_MAX = 1600
QUALITE = 80
POIDS_MAX = 20 * 1024 * 1024
_HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1", b"ftypheim", b"ftypavif")


@dataclass(frozen=True, slots=True)
class PhotoLue:
    """Le JPEG réduit ; ``lieu`` : (latitude, longitude) en degrés, lu dans l’original s’il y est."""

    fichier: SimpleUploadedFile
    largeur: int
    hauteur: int
    lieu: tuple[float, float] | None


def lire(televerse: UploadedFile) -> PhotoLue:
    """Rend la photo réduite à 1 600 points de côté. Lève FichierRefuse, phrase à montrer."""
    if not televerse.size:
        raise FichierRefuse("Cette photo est vide (0 octet) : reprenez-la.")
    if televerse.size > POIDS_MAX:
        raise FichierRefuse(f"Cette photo pèse {-(-televerse.size // (1024 * 1024))} Mo ; la limite est 20 Mo.")
    if televerse.read(12)[4:12] in _HEIC:
        raise FichierRefuse(
            "Cette photo est au format HEIC : réglez l’appareil sur « le plus compatible » (JPEG), puis reprenez-la."
        )
    extension, _ = reconnaitre(televerse)  # type: ignore[arg-type]
    if extension not in ("jpg", "png"):
        raise FichierRefuse("Ce fichier n’est pas une photo : envoyez une image JPEG ou PNG.")
    try:
        with Image.open(televerse, formats=["JPEG", "PNG"]) as originale:
            lieu = _lieu(originale)
            originale.draft("RGB", (COTE_MAX, COTE_MAX))
            redressee = ImageOps.exif_transpose(originale).convert("RGB")
    except (OSError, SyntaxError, ValueError) as erreur:
        raise FichierRefuse("Cette photo est abîmée : reprenez-la.") from erreur
    redressee.thumbnail((COTE_MAX, COTE_MAX))
    flux = io.BytesIO()
    redressee.save(flux, "JPEG", quality=QUALITE, optimize=True)  # ni EXIF, ni lieu, ni profil : on n’en copie aucun
    return PhotoLue(SimpleUploadedFile("photo.jpg", flux.getvalue(), "image/jpeg"), *redressee.size, lieu)


def _lieu(image: Image.Image) -> tuple[float, float] | None:
    """Le lieu que l’appareil a écrit dans la photo, s’il a un sens."""
    gps = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    try:
        latitude = _degres(gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef], "S")
        longitude = _degres(gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef], "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _degres(valeurs: tuple[float, float, float], sens: str, negatif: str) -> float:
    degres, minutes, secondes = (float(v) for v in valeurs)
    total = degres + minutes / 60 + secondes / 3600
    return round(-total if sens == negatif else total, 6)
