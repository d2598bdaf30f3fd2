"""Prévenir, écrire, envoyer. Rien ne part avant que la transaction du geste soit écrite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string
from django.utils import timezone

from comptes.models import Utilisateur
from courriers.models import Envoi, Fil, Lecture, Message, Notification
from courriers.tasks import envoyer
from documents.models import Fichier
from socle.erreurs import Refus
from socle.file import mettre_en_file
from socle.texte import epurer

LONGUEUR_MESSAGE = 5000
LONGUEUR_NOUVELLE = 300
LONGUEUR_SUJET = 200


def _exiger_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Un courrier s’écrit dans la transaction du geste : sans elle, il partirait seul.")


def court(texte: str, borne: int) -> str:
    """Une ligne, sans signe que la base refuse ; coupée proprement si elle déborde."""
    ligne = " ".join(epurer(texte).split())
    return ligne if len(ligne) <= borne else f"{ligne[: borne - 1]}…"


def poster(*, cle: str, destinataire: Utilisateur | str, sujet: str, gabarit: str, contexte: dict[str, Any]) -> Envoi:
    """Écrit un courriel dans la boîte d’envoi ; rappelée avec la même clé, rend celui qui existe.

    ``gabarit`` : chemin sans extension d’un gabarit de texte (« agrements/courriels/du_nouveau ») ; la version mise en
    forme vient du ``.html`` voisin s’il existe, sinon du texte lui-même. Lève RuntimeError hors transaction.
    """
    _exiger_transaction()
    existant = Envoi.objects.filter(cle=cle).first()
    if existant is not None:
        return existant
    commun = {
        **contexte,
        "racine": settings.PORTAIL_ADRESSE.rstrip("/"),
        "portail": settings.PORTAIL_NOM,
        "caf": settings.PORTAIL_CAF,
    }
    sujet = court(sujet, LONGUEUR_SUJET)
    texte = epurer(render_to_string(f"{gabarit}.txt", commun)).strip() + "\n"
    envoi, neuf = Envoi.objects.get_or_create(
        cle=cle,
        defaults={
            "adresse": destinataire if isinstance(destinataire, str) else destinataire.courriel,
            "sujet": sujet,
            "texte": texte,
            "html": _mis_en_forme(gabarit, {**commun, "sujet": sujet, "texte": texte}),
            "prochain_essai_le": timezone.now(),
        },
    )
    if neuf:
        mettre_en_file(envoyer, envoi.pk)
    return envoi


def _mis_en_forme(gabarit: str, contexte: dict[str, Any]) -> str:
    try:
        modele = get_template(f"{gabarit}.html")
    except TemplateDoesNotExist:
        modele = get_template("courriels/base.html")
    return epurer(modele.render(contexte)).strip()


def prevenir(*, cle: str, destinataire: Utilisateur, texte: str, lien: str = "") -> Notification:
    """Laisse une nouvelle dans le portail ; une seule par clé.

    Lève RuntimeError hors transaction, ValueError si le lien mène hors du portail.
    """
    _exiger_transaction()
    if lien and (not lien.startswith("/") or lien.startswith(("//", "/\\"))):
        raise ValueError(f"Le lien d’une nouvelle reste dans le portail : {lien!r}.")
    notification, _ = Notification.objects.get_or_create(
        cle=cle, defaults={"destinataire": destinataire, "texte": court(texte, LONGUEUR_NOUVELLE), "lien": lien}
    )
    return notification


def annoncer(
    *,
    cle: str,
    destinataires: Iterable[Utilisateur],
    texte: str,
    lien: str,
    sujet: str,
    gabarit: str,
    contexte: dict[str, Any],
    sauf: Utilisateur | None = None,
) -> None:
    """Une nouvelle dans le portail et un courriel sans détail, une seule fois par clé et par personne.

    Le gabarit reçoit ``contexte``, le prénom et le chemin où lire la suite. ``sauf`` : qui vient de faire le geste.
    Lève ce que lèvent ``poster`` et ``prevenir``.
    """
    for personne in destinataires:
        if sauf is not None and personne.pk == sauf.pk:
            continue
        propre = f"{cle}-{personne.pk}"
        prevenir(cle=propre, destinataire=personne, texte=texte, lien=lien)
        poster(
            cle=propre,
            destinataire=personne,
            sujet=sujet,
            gabarit=gabarit,
            contexte={**contexte, "prenom": personne.prenom, "chemin": lien},
        )


@transaction.atomic
def marquer_lue(notification: Notification) -> Notification:
    Notification.objects.filter(pk=notification.pk, lue_le__isnull=True).update(lue_le=timezone.now())
    return notification


@transaction.atomic
def tout_marquer_lu(utilisateur: Utilisateur) -> int:
    return utilisateur.notifications.filter(lue_le__isnull=True).update(lue_le=timezone.now())


@transaction.atomic
def ecrire(
    *, fil: str, texte: str, par: Utilisateur, objet: str = "", interne: bool = False, piece: Fichier | None = None
) -> Message:
    """Ajoute un message au fil, ouvert au premier message. Qui écrit a lu ce qui précède.

    Les droits sont à l’app qui tient le fil. Lève Refus si le texte est vide ou trop long.
    """
    texte = epurer(texte).strip()
    if not texte:
        raise Refus("Écrivez votre message avant de l’envoyer.")
    if len(texte) > LONGUEUR_MESSAGE:
        raise Refus(f"{len(texte)} caractères pour {LONGUEUR_MESSAGE} au plus : raccourcissez votre message.")
    Fil.objects.get_or_create(cle=fil, defaults={"objet": court(objet, 200)})
    message = Message.objects.create(fil_id=fil, auteur=par, texte=texte, interne=interne, piece=piece)
    _avancer(fil, par, message)
    return message


@transaction.atomic
def marquer_lu(*, fil: str, par: Utilisateur, avec_internes: bool) -> Lecture | None:
    """Note que la personne a lu le fil jusqu’à son dernier message (notes internes comprises, pour la Caf).

    Sans effet si le fil est vide ; ne recule jamais.
    """
    messages = Message.objects.filter(fil_id=fil)
    if not avec_internes:
        messages = messages.filter(interne=False)
    dernier = messages.order_by("pk").last()
    return _avancer(fil, par, dernier) if dernier else None


def _avancer(fil: str, par: Utilisateur, dernier: Message) -> Lecture:
    lecture, neuve = Lecture.objects.select_for_update(of=("self",)).get_or_create(
        fil_id=fil, utilisateur=par, defaults={"dernier": dernier, "le": timezone.now()}
    )
    if not neuve and lecture.dernier_id < dernier.pk:
        lecture.dernier, lecture.le = dernier, timezone.now()
        lecture.save(update_fields=["dernier", "le"])
    return lecture
