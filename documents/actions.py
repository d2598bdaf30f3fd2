"""Recevoir un fichier, demander un acte."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from documents.antivirus import AntivirusInjoignable, menace
from documents.choix import Analyse
from documents.erreurs import FichierRefuse
from documents.gabarits import GABARITS
from documents.models import Acte, Fichier
from documents.reception import nom_propre, reconnaitre
from documents.tasks import produire_acte
from socle.file import mettre_en_file

MEGA = 1024 * 1024


@transaction.atomic
def recevoir(televerse: UploadedFile, *, par: Utilisateur) -> Fichier:
    """Vérifie taille, contenu et antivirus, puis garde le fichier sous un nom tiré au sort.

    Lève FichierRefuse. Antivirus réglé mais muet : refusé. Aucun antivirus réglé : gardé « non analysé ».
    """
    taille = televerse.size or 0
    if not taille:
        raise FichierRefuse("Ce fichier est vide (0 octet) : vérifiez-le, puis renvoyez-le.")
    if taille > settings.DEPOT_TAILLE_MAX:
        raise FichierRefuse(
            f"Ce fichier pèse {-(-taille // MEGA)} Mo ; la limite est {settings.DEPOT_TAILLE_MAX // MEGA} Mo."
        )
    extension, type_mime = reconnaitre(televerse)  # type: ignore[arg-type]
    analyse = _analyser(televerse)
    empreinte = sha256()
    for bloc in televerse.chunks():
        empreinte.update(bloc)
    televerse.seek(0)
    nom = nom_propre(televerse.name or "", extension)
    televerse.name = nom
    fichier = Fichier(
        nom=nom,
        taille=taille,
        type_mime=type_mime,
        empreinte=empreinte.hexdigest(),
        analyse=analyse,
        depose_par=par,
    )
    fichier.contenu.save(nom, televerse, save=False)
    try:
        fichier.save()
    except Exception:
        fichier.contenu.storage.delete(str(fichier.contenu.name))  # rien ne doit rester d’un dépôt que la base refuse
        raise
    return fichier


def _analyser(televerse: UploadedFile) -> Analyse:
    if not settings.CLAMD_ADRESSE:
        return Analyse.NON_ANALYSE
    try:
        trouvee = menace(televerse, settings.CLAMD_ADRESSE)  # type: ignore[arg-type]
    except AntivirusInjoignable as erreur:
        raise FichierRefuse(
            "L’antivirus ne répond pas : le fichier n’est pas gardé. Réessayez dans quelques minutes."
        ) from erreur
    if trouvee:
        raise FichierRefuse("L’antivirus a trouvé un programme malveillant dans ce fichier : il n’est pas gardé.")
    return Analyse.SAIN


def demander_acte(*, cle: str, objet: str, nature: str, titre: str, gabarit: str, contexte: dict[str, Any]) -> Acte:
    """Écrit la demande d’acte dans la transaction appelante et la met en file quand elle est écrite.

    Rappelée avec la même clé, rend l’acte existant. Lève RuntimeError hors transaction, ValueError si le contexte
    ne porte pas toutes les mentions du gabarit.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Un acte se demande dans la transaction du geste qui le fait naître.")
    modele = GABARITS[gabarit]
    if manquantes := modele.cles - contexte.keys():
        raise ValueError(f"Mentions absentes pour « {gabarit} » : {', '.join(sorted(manquantes))}.")
    acte, neuf = Acte.objects.get_or_create(
        cle=cle,
        defaults={
            "objet": objet,
            "nature": nature,
            "titre": titre,
            "gabarit": gabarit,
            "version_gabarit": modele.version,
            "contexte": contexte,
            "demande_le": timezone.now(),
        },
    )
    if neuf:
        mettre_en_file(produire_acte, acte.pk)
    return acte
