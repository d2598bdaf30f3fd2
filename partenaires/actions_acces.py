"""Ouvrir et fermer l’accès d’une personne à une structure ; passer la direction."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from comptes.actions import jeton_d_invitation, perimer_les_invitations
from comptes.choix import Role
from comptes.models import Utilisateur
from courriers.actions import poster, prevenir
from courriers.models import Envoi
from partenaires.choix import GestePartenaire
from partenaires.droits import peut_inviter, peut_passer_la_direction
from partenaires.models import EvenementPartenaire, Habilitation, Structure
from socle.droits import exiger
from socle.erreurs import Refus

ENTRE_DEUX_INVITATIONS = timedelta(minutes=10)


def _consigner(structure: Structure, geste: str, par: Utilisateur, motif: str = "", **details: str) -> None:
    EvenementPartenaire.objects.create(structure=structure, geste=geste, par=par, motif=motif, details=details)


@transaction.atomic
def inviter(
    structure: Structure,
    *,
    courriel: str,
    prenom: str,
    nom: str,
    role: str,
    debut: date,
    par: Utilisateur,
    fin: date | None = None,
) -> Habilitation:
    """Ouvre un accès ; la personne sans compte reçoit un lien pour choisir son mot de passe."""
    exiger(peut_inviter(par, structure, role))
    habilitation = _ouvrir(structure, courriel, prenom, nom, role, debut, fin, par)
    _consigner(structure, GestePartenaire.HABILITER, par, personne=str(habilitation.utilisateur), role=Role(role).label)
    return habilitation


def _ouvrir(
    structure: Structure,
    courriel: str,
    prenom: str,
    nom: str,
    role: str,
    debut: date,
    fin: date | None,
    par: Utilisateur,
) -> Habilitation:
    personne = Utilisateur.objects.filter(courriel__iexact=courriel.strip()).first()
    if personne is None:
        personne = Utilisateur.objects.creer(courriel, prenom=prenom, nom=nom)
    elif not personne.is_active:
        raise Refus("Le compte de cette adresse est fermé : demandez à la Caf de le rouvrir avant d’inviter.")
    elif personne.est_agent:
        raise Refus("Cette adresse est celle d’un agent de la Caf : il ne peut pas représenter une structure.")
    habilitation = Habilitation(
        utilisateur=personne, structure=structure, role=role, debut=debut, fin=fin, ouverte_par=par
    )
    habilitation.full_clean()
    habilitation.save()
    _ecrire_l_invitation(habilitation)
    return habilitation


def _ecrire_l_invitation(habilitation: Habilitation, *, rang: int = 1) -> None:
    personne = habilitation.utilisateur
    lien = reverse("account_login")
    if not personne.has_usable_password():
        lien = reverse("comptes:accepter_invitation", args=[jeton_d_invitation(personne)])
    poster(
        cle=f"invitation-{habilitation.pk}-{rang}",
        destinataire=personne,
        sujet="Votre accès au portail AVS",
        gabarit="partenaires/courriels/invitation",
        contexte={
            "prenom": personne.prenom,
            "structure": habilitation.structure.nom,
            "role": habilitation.get_role_display(),
            "chemin": lien,
            "nouveau": not personne.has_usable_password(),
        },
    )


@transaction.atomic
def renvoyer_l_invitation(habilitation: Habilitation, *, par: Utilisateur) -> None:
    exiger(peut_inviter(par, habilitation.structure, habilitation.role))
    if habilitation.utilisateur.has_usable_password():
        raise Refus("Cette personne a déjà choisi son mot de passe : elle peut se connecter.")
    recente = Envoi.objects.filter(
        cle__startswith=f"invitation-{habilitation.pk}-", cree_le__gte=timezone.now() - ENTRE_DEUX_INVITATIONS
    )
    if recente.exists():
        raise Refus("Une invitation vient de partir : attendez dix minutes avant d’en renvoyer une autre.")
    perimer_les_invitations(habilitation.utilisateur)
    _ecrire_l_invitation(habilitation, rang=int(timezone.now().timestamp()))


@transaction.atomic
def fermer_acces(habilitation: Habilitation, *, fin: date, par: Utilisateur, motif: str = "") -> Habilitation:
    """Ferme un accès à une date ; passée ou du jour même, l’effet est immédiat (le jour de fin ne compte plus).

    Refuse de fermer le dernier représentant légal : plus personne ne pourrait viser ni ouvrir d’accès.
    """
    structure = Structure.objects.verrouiller(habilitation.structure_id)
    exiger(peut_inviter(par, structure, habilitation.role))
    habilitation = Habilitation.objects.select_for_update(of=("self",), no_key=True).get(pk=habilitation.pk)
    if fin < timezone.localdate():
        raise Refus("Un accès se ferme aujourd’hui ou plus tard : le passé ne se réécrit pas.")
    if habilitation.fin is not None and habilitation.fin < fin:
        raise Refus("Cet accès se ferme déjà avant cette date : ouvrez-en un autre pour le prolonger.")
    autres = (
        structure.habilitations.en_cours(fin)
        .filter(role=Role.REPRESENTANT_LEGAL, fin__isnull=True, utilisateur__is_active=True)
        .exclude(pk=habilitation.pk)
    )
    if habilitation.role == Role.REPRESENTANT_LEGAL and not autres.exists():
        raise Refus("C’est le dernier représentant légal : ouvrez d’abord l’accès de son successeur.")
    if fin <= habilitation.debut:
        habilitation.delete()
    else:
        habilitation.fin = fin - timedelta(days=1)
        habilitation.full_clean()
        habilitation.save(update_fields=["fin"])
    _consigner(
        structure, GestePartenaire.FERMER_ACCES, par, motif, personne=str(habilitation.utilisateur), le=fin.isoformat()
    )
    return habilitation


@transaction.atomic
def passer_la_direction(
    structure: Structure,
    *,
    courriel: str,
    prenom: str,
    nom: str,
    le: date,
    par: Utilisateur,
    fermeture: date | None = None,
) -> Habilitation:
    """Passation : l’accès du successeur s’ouvre ``le`` jour dit, celui des directions en place se ferme la veille.

    ``fermeture`` : le dernier jour des directions en place, s’il est plus tardif (passage de relais à deux).
    """
    structure = Structure.objects.verrouiller(structure.pk)
    exiger(peut_passer_la_direction(par, structure))
    if le < timezone.localdate():
        raise Refus("La passation prend effet aujourd’hui ou plus tard.")
    partants = list(
        structure.habilitations.select_for_update(of=("self",))
        .en_cours(le)
        .filter(role=Role.DIRECTION)
        .select_related("utilisateur")
    )
    if any(p.utilisateur.courriel.lower() == courriel.strip().lower() for p in partants):
        raise Refus("Cette personne dirige déjà la structure : la passation se fait vers quelqu’un d’autre.")
    dernier_jour = fermeture or le - timedelta(days=1)
    if dernier_jour < le - timedelta(days=1):
        raise Refus("L’ancienne direction ne part pas avant la veille de la passation : il n’y aurait personne.")
    for partant in partants:
        if partant.debut > dernier_jour:
            partant.delete()
        else:
            partant.fin = dernier_jour
            partant.save(update_fields=["fin"])
    nouvelle = _ouvrir(structure, courriel, prenom, nom, Role.DIRECTION, le, None, par)
    _consigner(
        structure,
        GestePartenaire.PASSER_DIRECTION,
        par,
        de=", ".join(str(p.utilisateur) for p in partants),
        vers=str(nouvelle.utilisateur),
        le=le.isoformat(),
    )
    for partant in partants:
        prevenir(
            cle=f"passation-{nouvelle.pk}-{partant.utilisateur_id}",
            destinataire=partant.utilisateur,
            texte=f"Votre accès à {structure} se ferme le {le:%d/%m/%Y} : {nouvelle.utilisateur} prend la direction.",
        )
    prevenir(
        cle=f"passation-{nouvelle.pk}",
        destinataire=nouvelle.utilisateur,
        texte=f"Vous prenez la direction de {structure} le {le:%d/%m/%Y} : brouillons et échéances vous attendent.",
        lien="/espace/",
    )
    return nouvelle
