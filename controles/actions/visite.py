"""La visite : ce que l’appareil envoie s’applique une fois, dans l’ordre, sans rien écraser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from comptes.models import Utilisateur
from controles import photos
from controles.actes import preparation as actes
from controles.actions.franchir import consigner, franchir
from controles.annonces import preparation as annonces
from controles.choix import Etat, Geste, IssueOperation
from controles.contenu import LIBRE, THEME_LIBRE
from controles.cycle import SUR_PLACE
from controles.droits import peut
from controles.models import Controle, OperationVisite, PhotoControle, PointControle, SaisieVisite
from controles.saisies import Champ, SaisieRefusee, analyser, lire
from documents.actions import recevoir
from documents.erreurs import FichierRefuse
from documents.reception import empreinte_de
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.etats import trop_tard
from socle.texte import epurer

OPERATIONS_MAX = 100
POINTS_LIBRES_MAX = 60
PHOTOS_MAX = 200


class FileTroublee(Refus):
    """L’envoi ne se comprend pas, ou reprend une clé déjà reçue avec un autre contenu : rien n’en est appliqué."""


@dataclass(frozen=True, slots=True)
class Recu:
    """Ce qu’une file est devenue. ``attendu`` : le rang qui manque ; ce qui le suivait n’est pas appliqué."""

    issues: list[OperationVisite]
    attendu: int | None = None

    @property
    def phrase(self) -> str:
        return f"Il manque la saisie n° {self.attendu} de cet appareil : elle doit arriver avant les suivantes."


@dataclass(frozen=True, slots=True)
class Operation:
    """Une saisie telle qu’envoyée ; ``version`` : celle que l’appareil avait lue."""

    id: UUID
    rang: int
    champ: str
    valeur: str
    version: int
    saisi_le: datetime


def _en_visite(controle: Controle, par: Utilisateur) -> Controle:
    """Verrouille le contrôle et l’ouvre s’il n’est qu’annoncé : la première saisie vaut commencement."""
    controle = Controle.objects.verrouiller(controle.pk)
    exiger(peut(Geste.SAISIR, par, controle))
    if controle.etat == Etat.NOTIFIE or (controle.etat == Etat.PROGRAMME and controle.inopine):
        return commencer(controle, par=par)
    if controle.etat not in SUR_PLACE[Geste.SAISIR]:
        raise trop_tard("le contrôle", controle.get_etat_display())
    return controle


@transaction.atomic
def commencer(controle: Controle, *, par: Utilisateur) -> Controle:
    """Ouvre le contrôle. Lève Refus si rien ne l’a annoncé ni autorisé à être inopiné."""
    controle = Controle.objects.verrouiller(controle.pk)
    if controle.etat == Etat.PROGRAMME and not controle.inopine:
        raise Refus("Ce contrôle n’est ni notifié ni autorisé à être inopiné : il ne peut pas commencer.")
    if controle.etat == Etat.PROGRAMME and not controle.points.exists():
        raise Refus("Préparez d’abord ce contrôle : sa fiche est vide.")
    inopinee = controle.etat == Etat.PROGRAMME
    controle = franchir(controle, Geste.COMMENCER, par=par, commence_le=timezone.now())
    if inopinee:  # la lettre se remet sur place : la structure apprend le contrôle, son objet et ses droits
        actes.remise_sur_place(controle)
        annonces.commence_sans_preavis(controle)
    return controle


@transaction.atomic
def saisir(controle: Controle, *, champ: str, saisie: str, version: int, par: Utilisateur) -> SaisieVisite | None:
    """Garde une saisie du formulaire en ligne. Lève SaisieRefusee, VersionPerimee si un autre appareil a écrit."""
    controle = _en_visite(controle, par)
    lu = analyser(champ)
    valeur = lire(lu, saisie)
    return _poser(controle, lu, champ, valeur, version, par=par, appareil=None, saisi_le=timezone.now())


def _poser(
    controle: Controle, lu: Champ, champ: str, valeur: str, version: int, *, par: Utilisateur,
    appareil: UUID | None, saisi_le: datetime,
) -> SaisieVisite | None:  # fmt: skip
    """Écrit la valeur si personne d’autre n’a écrit depuis la version lue ; ``None`` : rien à changer.

    Deux saisies du même appareil se suivent, sans conflit : c’est la même main.
    """
    _cible(controle, lu, valeur)
    saisie = controle.saisies.select_for_update(of=("self",)).filter(champ=champ).first()
    if (saisie.valeur if saisie else "") == valeur:
        return saisie
    if saisie is not None and saisie.version != version and not (appareil and saisie.appareil == appareil):
        raise VersionPerimee("Un autre appareil a écrit dans ce champ : choisissez le texte à garder.")
    if saisie is None:
        saisie = SaisieVisite(controle=controle, champ=champ, version=0)
    saisie.valeur, saisie.version, saisie.appareil = valeur, saisie.version + 1, appareil
    saisie.saisi_le, saisie.par, saisie.le = saisi_le, par, timezone.now()
    saisie.save()
    return saisie


def _cible(controle: Controle, lu: Champ, valeur: str) -> None:
    """Ce que le champ désigne doit être de ce contrôle ; un constat libre crée son point."""
    if lu.famille == "piece" and not controle.pieces_demandees.filter(pk=int(lu.cle)).exists():
        raise SaisieRefusee("Cette pièce n’est pas demandée par ce contrôle.")
    if lu.famille == "point" and not controle.points.filter(uid=lu.uid).exists():
        raise SaisieRefusee("Ce point n’est pas de ce contrôle.")
    if lu.famille == LIBRE:
        _point_libre(controle, lu.uid, valeur)


def _point_libre(controle: Controle, uid: UUID, libelle: str) -> None:
    point = PointControle.objects.filter(uid=uid).first()
    if point is not None:
        if point.controle_id != controle.pk or not point.libre:
            raise SaisieRefusee("Ce point n’est pas de ce contrôle.")
        if not libelle:
            raise SaisieRefusee("Donnez un titre à ce constat.")
        point.libelle = libelle
        point.save(update_fields=["libelle"])
        return
    if not libelle:
        raise SaisieRefusee("Donnez un titre à ce constat.")
    if controle.points.filter(libre=True).count() >= POINTS_LIBRES_MAX:
        raise SaisieRefusee(f"Une fiche a {POINTS_LIBRES_MAX} constats ajoutés au plus.")
    dernier = controle.points.aggregate(n=Max("ordre"))["n"] or 0
    PointControle.objects.create(
        controle=controle, uid=uid, ordre=dernier + 1, code=f"{LIBRE}.{uid.hex[:12]}", theme=THEME_LIBRE,
        libelle=libelle, libre=True,
    )  # fmt: skip


@transaction.atomic
def recevoir_operations(
    controle: Controle, operations: Sequence[Operation], *, appareil: UUID, envoye_le: datetime, par: Utilisateur
) -> Recu:
    """Applique une file d’appareil, dans l’ordre des rangs ; rejouée, elle rend ce qu’elle avait rendu.

    Un rang manque : ce qui le précède est appliqué, le reste attend. Lève FileTroublee : rien n’est appliqué.
    """
    if len(operations) > OPERATIONS_MAX:
        raise FileTroublee(f"{OPERATIONS_MAX} saisies au plus par envoi.")
    connues = {o.pk: o for o in OperationVisite.objects.filter(pk__in=[o.id for o in operations])}
    if not all(o.id in connues for o in operations):
        controle = _en_visite(controle, par)  # une file rejouée après le rapport dit ce qu’elle avait dit
        connues = {o.pk: o for o in OperationVisite.objects.filter(pk__in=[o.id for o in operations])}
    else:
        exiger(peut(Geste.SAISIR, par, controle))
    dernier = controle.operations.filter(appareil=appareil).aggregate(n=Max("rang"))["n"] or 0
    decalage = round((envoye_le - timezone.now()).total_seconds())
    issues = []
    for operation in sorted(operations, key=lambda o: o.rang):
        deja = connues.get(operation.id)
        if deja is not None:
            _meme(deja, operation, controle, appareil)
            issues.append(deja)
            continue
        if operation.rang <= dernier:
            raise FileTroublee(f"La saisie n° {operation.rang} de cet appareil est déjà reçue, sous une autre clé.")
        if operation.rang != dernier + 1:
            return Recu(issues, attendu=dernier + 1)
        issues.append(_appliquer(controle, operation, appareil=appareil, decalage=decalage, par=par))
        dernier = operation.rang
    return Recu(issues)


def _meme(deja: OperationVisite, operation: Operation, controle: Controle, appareil: UUID) -> None:
    """Une clé reçue deux fois doit porter la même saisie : sinon la file a été changée."""
    recue = (deja.controle_id, deja.appareil, deja.rang, deja.champ, deja.valeur)
    if recue != (controle.pk, appareil, operation.rang, operation.champ[:80], epurer(operation.valeur)):
        raise FileTroublee("Cette saisie a déjà été reçue avec un autre contenu : rien n’est changé.")


def _appliquer(
    controle: Controle, operation: Operation, *, appareil: UUID, decalage: int, par: Utilisateur
) -> OperationVisite:
    issue, phrase = IssueOperation.APPLIQUEE, ""
    try:
        lu = analyser(operation.champ)
        valeur = lire(lu, operation.valeur)
        with transaction.atomic():
            _poser(
                controle, lu, operation.champ, valeur, operation.version, par=par, appareil=appareil,
                saisi_le=operation.saisi_le,
            )  # fmt: skip
    except VersionPerimee as erreur:
        issue, phrase = IssueOperation.CONFLIT, str(erreur)
    except SaisieRefusee as erreur:
        issue, phrase = IssueOperation.REFUSEE, str(erreur)
    return OperationVisite.objects.create(
        id=operation.id, controle=controle, appareil=appareil, rang=operation.rang, champ=operation.champ[:80],
        valeur=epurer(operation.valeur), version_lue=operation.version, issue=issue, phrase=phrase[:300],
        saisi_le=operation.saisi_le, decalage=max(-(2**31), min(2**31 - 1, decalage)), par=par,
        recu_le=timezone.now(),
    )  # fmt: skip


@transaction.atomic
def recevoir_photo(
    controle: Controle, *, id: UUID, televerse: UploadedFile, point: UUID | None, legende: str, prise_le: datetime,
    garder_lieu: bool, par: Utilisateur,
) -> PhotoControle:  # fmt: skip
    """Garde une photo, une seule fois par clé. Lève FichierRefuse ; FileTroublee si la clé sert déjà à une autre."""
    empreinte = empreinte_de(televerse)
    deja = PhotoControle.objects.filter(pk=id).first()
    if deja is not None:
        if (deja.controle_id, deja.empreinte_envoyee) != (controle.pk, empreinte):
            raise FileTroublee("Cette photo a déjà été reçue avec un autre contenu : rien n’est changé.")
        exiger(peut(Geste.SAISIR, par, controle))
        return deja
    lue = photos.lire(televerse)
    controle = _en_visite(controle, par)
    gardees = controle.photos.count()
    if gardees >= PHOTOS_MAX:
        raise FichierRefuse(f"Un contrôle garde {PHOTOS_MAX} photos au plus.")
    cible = controle.points.filter(uid=point).first() if point else None
    if point and cible is None:
        raise SaisieRefusee("Ce point n’est pas de ce contrôle.")
    lue.fichier.name = f"{controle.numero}_photo-{gardees + 1:03d}.jpg"
    lieu: tuple[float | None, float | None] = lue.lieu if garder_lieu and lue.lieu else (None, None)
    photo, _ = PhotoControle.objects.get_or_create(
        pk=id,
        defaults={
            "controle": controle,
            "point": cible,
            "fichier": recevoir(lue.fichier, par=par),
            "empreinte_envoyee": empreinte,
            "legende": " ".join(epurer(legende).split())[:200],
            "largeur": lue.largeur,
            "hauteur": lue.hauteur,
            "latitude": lieu[0],
            "longitude": lieu[1],
            "prise_le": prise_le,
            "par": par,
            "recue_le": timezone.now(),
        },
    )
    return photo


@transaction.atomic
def retirer_photo(photo: PhotoControle, *, par: Utilisateur) -> PhotoControle:
    """La photo sort du rapport à venir ; le fichier et le journal restent."""
    controle = _en_visite(photo.controle, par)
    photo = PhotoControle.objects.select_for_update(of=("self",)).get(pk=photo.pk)
    if photo.retiree_le is None:
        photo.retiree_le = timezone.now()
        photo.save(update_fields=["retiree_le"])
        consigner(controle, Geste.SAISIR, par=par, details={"photo retirée": str(photo)})
    return photo


def details_de_file(issues: Sequence[OperationVisite]) -> list[dict[str, Any]]:
    """Ce que l’appareil apprend de chaque saisie : son issue, et la valeur courante du champ."""
    champs = {(o.controle_id, o.champ) for o in issues}
    courantes = {
        (s.controle_id, s.champ): s
        for s in SaisieVisite.objects.filter(
            controle__in={c for c, _ in champs}, champ__in={champ for _, champ in champs}
        ).select_related("par")
    }
    return [_detail(o, courantes.get((o.controle_id, o.champ))) for o in issues]


def _detail(operation: OperationVisite, saisie: SaisieVisite | None) -> dict[str, Any]:
    return {
        "id": str(operation.pk),
        "issue": operation.issue,
        "phrase": operation.phrase,
        "champ": operation.champ,
        "valeur": saisie.valeur if saisie else "",
        "version": saisie.version if saisie else 0,
        "par": str(saisie.par) if saisie else "",
        "le": saisie.le.isoformat() if saisie else "",
    }
