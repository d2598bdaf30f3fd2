"""Recevoir un fichier, demander un acte."""

from __future__ import annotations

from typing import Any

import structlog
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
from documents.reception import empreinte_de, nom_propre, reconnaitre
from documents.tasks import produire_acte
from socle.erreurs import Refus
from socle.file import mettre_en_file
from socle.texte import epurer

journal = structlog.get_logger(__name__)

MEGA = 1024 * 1024
LOT = 200


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
    analyse = _analyser(televerse, par)
    empreinte = empreinte_de(televerse)
    nom = nom_propre(televerse.name or "", extension)
    televerse.name = nom
    fichier = Fichier(
        nom=nom,
        taille=taille,
        type_mime=type_mime,
        empreinte=empreinte,
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


def _analyser(televerse: UploadedFile, par: Utilisateur) -> Analyse:
    if not settings.CLAMD_ADRESSE:
        return Analyse.NON_ANALYSE
    try:
        trouvee = menace(televerse, settings.CLAMD_ADRESSE)
    except AntivirusInjoignable as erreur:
        journal.error("antivirus_injoignable", erreur=str(erreur))
        raise FichierRefuse(
            "L’antivirus ne répond pas : le fichier n’est pas gardé. Réessayez dans quelques minutes."
        ) from erreur
    if trouvee:
        journal.warning("fichier_infecte", menace=trouvee, par=par.pk)
        raise FichierRefuse("L’antivirus a trouvé un programme malveillant dans ce fichier : il n’est pas gardé.")
    return Analyse.SAIN


def analyser_en_attente() -> None:
    """Analyse les fichiers reçus sans antivirus, les plus anciens d’abord ; s’il se tait, l’heure suivante reprend.

    Un fichier infecté reste en base, avec son nom et sa date, mais ne se télécharge plus.
    """
    if not settings.CLAMD_ADRESSE:
        return
    for fichier in Fichier.objects.filter(analyse=Analyse.NON_ANALYSE).order_by("pk")[:LOT]:
        try:
            with fichier.contenu.open("rb") as contenu:
                trouvee = menace(contenu, settings.CLAMD_ADRESSE)
        except FileNotFoundError:
            journal.error("fichier_perdu", fichier=fichier.pk)
            continue
        except AntivirusInjoignable as erreur:
            journal.error("antivirus_injoignable", erreur=str(erreur))
            return
        constat = Analyse.INFECTE if trouvee else Analyse.SAIN
        Fichier.objects.filter(pk=fichier.pk, analyse=Analyse.NON_ANALYSE).update(analyse=constat)
        if trouvee:
            journal.error("fichier_infecte_apres_coup", fichier=fichier.pk, menace=trouvee)


def _exiger_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Un acte se demande dans la transaction du geste qui le fait naître.")


def _epure(valeur: Any) -> Any:
    """Le contexte sans les signes que PostgreSQL refuse (NUL, moitiés de caractère)."""
    if isinstance(valeur, str):
        return epurer(valeur)
    if isinstance(valeur, dict):
        return {cle: _epure(contenu) for cle, contenu in valeur.items()}
    if isinstance(valeur, list | tuple):
        return [_epure(contenu) for contenu in valeur]
    return valeur


def demander_acte(*, cle: str, objet: str, nature: str, titre: str, gabarit: str, contexte: dict[str, Any]) -> Acte:
    """Écrit la demande d’acte dans la transaction appelante et la met en file quand elle est écrite.

    Rappelée avec la même clé, rend l’acte existant. Lève RuntimeError hors transaction, ValueError si le contexte
    ne porte pas exactement les mentions du gabarit.
    """
    _exiger_transaction()
    modele = GABARITS[gabarit]
    modele.controler(contexte)
    acte, neuf = Acte.objects.get_or_create(
        cle=cle,
        defaults={
            "objet": objet,
            "nature": nature,
            "titre": epurer(titre),
            "gabarit": gabarit,
            "version_gabarit": modele.version,
            "contexte": _epure(contexte),
            "demande_le": timezone.now(),
        },
    )
    if neuf:
        mettre_en_file(produire_acte, acte.pk)
    return acte


def remplacer(acte: Acte, *, par: Acte) -> Acte:
    """Dit qu’un acte en remplace un autre : l’ancien reste authentique, sa page dit quand il a été remplacé.

    Dans la transaction appelante. Lève Refus si l’ancien est déjà remplacé, ou si le nouveau l’est : pas de boucle.
    """
    _exiger_transaction()
    ancien, nouveau = Acte.objects.verrouiller(acte.pk), Acte.objects.verrouiller(par.pk)
    if ancien.remplace_par_id is not None:
        raise Refus("Ce document a déjà été remplacé.")
    if nouveau.pk == ancien.pk or nouveau.remplace_par_id is not None:
        raise Refus("Le document qui remplace doit être nouveau et en vigueur.")
    ancien.remplace_par = nouveau
    ancien.save(update_fields=["remplace_par"])
    return ancien


@transaction.atomic
def relancer(acte: Acte) -> Acte:
    """Redonne ses essais à un acte abandonné, une fois la cause réparée. Sans effet sur un acte produit."""
    acte = Acte.objects.verrouiller(acte.pk)
    if acte.produit_le is None:
        acte.essais, acte.alerte_le = 0, None
        acte.save(update_fields=["essais", "alerte_le"])
        mettre_en_file(produire_acte, acte.pk)
    return acte
