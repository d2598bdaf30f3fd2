"""Saisir un barème, le faire publier par un autre, le remplacer : jamais le modifier."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from financements.choix import EtatBareme
from financements.droits import peut_publier, peut_regler
from financements.evenements import bareme_publie
from financements.models import Bareme, Prestation
from socle.droits import exiger
from socle.erreurs import Refus

CHAMPS = (
    "taux", "prix_plafond", "postes", "quote_part", "avec_contributions_volontaires", "prorata", "prorata_etp",
    "etp_minimum", "effet_le", "source", "demonstration",
)  # fmt: skip


def _verifier_la_prestation(prestation: Prestation, exercice: int) -> None:
    if not Prestation.objects.de_l_exercice(exercice).filter(pk=prestation.pk).exists():
        dernier = prestation.dernier_exercice
        periode = (
            f"de {prestation.premier_exercice} à {dernier}" if dernier else f"depuis {prestation.premier_exercice}"
        )
        raise Refus(f"La prestation {prestation} existe {periode} : pas de barème pour {exercice}.")


@transaction.atomic
def saisir(*, prestation: Prestation, exercice: int, par: Utilisateur, motif: str = "", **champs: Any) -> Bareme:
    """Écrit un brouillon. S’il existe déjà un barème publié, le brouillon le remplacera : la raison est exigée.

    Lève Refus, ValidationError (contraintes de la base, dites en français).
    """
    exiger(peut_regler(par))
    _verifier_la_prestation(prestation, exercice)
    publie = Bareme.objects.publies(exercice).filter(prestation=prestation).first()
    if publie is not None and not motif.strip():
        raise Refus(f"Le {publie} est déjà publié : dites pourquoi cette version le remplace.")
    dernier = Bareme.objects.filter(prestation=prestation, exercice=exercice).order_by("-numero").first()
    bareme = Bareme(
        prestation=prestation,
        exercice=exercice,
        numero=dernier.numero + 1 if dernier else 1,
        motif=motif if publie else "",
        remplace=publie,
        saisi_par=par,
        **champs,
    )
    bareme.full_clean()
    bareme.save()
    return bareme


@transaction.atomic
def corriger(bareme: Bareme, *, par: Utilisateur, motif: str = "", **champs: Any) -> Bareme:
    """Corrige un brouillon ; qui le corrige en devient l’auteur, et ne pourra pas le publier."""
    exiger(peut_regler(par))
    bareme = Bareme.objects.verrouiller(bareme.pk)
    if bareme.etat != EtatBareme.BROUILLON:
        raise Refus(f"Ce barème est « {bareme.get_etat_display().lower()} » : saisissez une nouvelle version.")
    for nom in CHAMPS:
        if nom in champs:
            setattr(bareme, nom, champs[nom])
    bareme.motif = motif if bareme.remplace_id else ""
    bareme.saisi_par = par
    bareme.full_clean()
    bareme.save()
    return bareme


@transaction.atomic
def publier(bareme: Bareme, *, par: Utilisateur) -> Bareme:
    """Publie ; l’ancien barème passe « remplacé » dans la même transaction. Annoncé aux abonnés (recalcul)."""
    bareme = Bareme.objects.verrouiller(bareme.pk)
    exiger(peut_publier(par, bareme))
    if bareme.etat != EtatBareme.BROUILLON:
        raise Refus(f"Ce barème est déjà « {bareme.get_etat_display().lower()} ».")
    ancien = Bareme.objects.publies(bareme.exercice).filter(prestation=bareme.prestation_id).first()
    if (ancien.pk if ancien else None) != bareme.remplace_id:
        raise Refus("Un autre barème a été publié entre-temps : reprenez ce brouillon.")
    if ancien is not None:
        Bareme.objects.filter(pk=ancien.pk).update(etat=EtatBareme.REMPLACE)
    bareme.etat = EtatBareme.PUBLIE
    bareme.publie_par = par
    bareme.publie_le = timezone.now()
    bareme.full_clean()
    bareme.save(update_fields=["etat", "publie_par", "publie_le"])
    bareme_publie.send(Bareme, bareme=bareme, par=par)
    return bareme


@transaction.atomic
def abandonner(bareme: Bareme, *, par: Utilisateur) -> Bareme:
    exiger(peut_regler(par))
    bareme = Bareme.objects.verrouiller(bareme.pk)
    if bareme.etat != EtatBareme.BROUILLON:
        raise Refus("Seul un brouillon s’abandonne.")
    bareme.etat = EtatBareme.ABANDONNE
    bareme.save(update_fields=["etat"])
    return bareme
