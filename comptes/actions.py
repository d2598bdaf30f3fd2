"""Les gestes sur un compte."""

from __future__ import annotations

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db import transaction

from comptes.models import Utilisateur
from socle.erreurs import Refus

DUREE_INVITATION = 14 * 24 * 3600  # secondes


class InvitationPerimee(Refus):
    """Le lien a servi, a expiré ou a été abîmé."""


def _signeur() -> TimestampSigner:
    return TimestampSigner(salt="comptes.invitation")


def jeton_d_invitation(utilisateur: Utilisateur) -> str:
    """Un lien à usage unique : il porte l’état du mot de passe, qui change dès qu’il sert."""
    return _signeur().sign_object({"pk": utilisateur.pk, "etat": utilisateur.password[-12:]})


def perimer_les_invitations(utilisateur: Utilisateur) -> None:
    """Les liens déjà partis ne valent plus : à appeler avant d’en envoyer un autre. Sans effet sur un mot de passe."""
    if not utilisateur.has_usable_password():
        utilisateur.set_unusable_password()
        utilisateur.save(update_fields=["password"])


def lire_invitation(jeton: str) -> Utilisateur:
    """Rend la personne invitée. Lève InvitationPerimee avec ce qu’elle peut faire."""
    try:
        contenu = _signeur().unsign_object(jeton, max_age=DUREE_INVITATION)
    except SignatureExpired as erreur:
        raise InvitationPerimee("Ce lien a plus de 14 jours : demandez qu’on vous en renvoie un.") from erreur
    except BadSignature as erreur:
        raise InvitationPerimee("Ce lien est incomplet : recopiez-le en entier depuis le courriel.") from erreur
    utilisateur = Utilisateur.objects.filter(pk=contenu["pk"], is_active=True).first()
    if utilisateur is None:
        raise InvitationPerimee("Ce compte est fermé : demandez à la Caf de le rouvrir.")
    if utilisateur.password[-12:] != contenu["etat"]:
        if utilisateur.has_usable_password():
            raise InvitationPerimee("Ce lien a déjà servi : connectez-vous avec le mot de passe choisi.")
        raise InvitationPerimee("Un lien plus récent vous a été envoyé : ouvrez le dernier courriel reçu.")
    return utilisateur


@transaction.atomic
def accepter_invitation(jeton: str, *, mot_de_passe: str) -> Utilisateur:
    utilisateur = lire_invitation(jeton)
    utilisateur = Utilisateur.objects.select_for_update(of=("self",), no_key=True).get(pk=utilisateur.pk)
    lire_invitation(jeton)
    utilisateur.set_password(mot_de_passe)
    utilisateur.save(update_fields=["password"])
    return utilisateur


@transaction.atomic
def modifier_identite(utilisateur: Utilisateur, *, prenom: str, nom: str, telephone: str) -> Utilisateur:
    utilisateur = Utilisateur.objects.select_for_update(of=("self",), no_key=True).get(pk=utilisateur.pk)
    utilisateur.prenom, utilisateur.nom, utilisateur.telephone = prenom, nom, telephone
    utilisateur.full_clean(exclude=["password"])
    utilisateur.save(update_fields=["prenom", "nom", "telephone"])
    return utilisateur
