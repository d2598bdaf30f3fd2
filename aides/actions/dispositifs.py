"""Décrire un dispositif, le faire publier par un autre, le remplacer : jamais le modifier une fois publié."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from aides.choix import EtatDispositif
from aides.definition import DispositifIncoherent
from aides.droits import peut_publier, peut_regler
from aides.models import Dispositif, VersionDispositif
from aides.prets import ConditionsDePret, ConditionsRefusees, verifier
from comptes.models import Utilisateur
from socle.droits import exiger
from socle.erreurs import Refus


def _coherente(version: VersionDispositif) -> None:
    """Lève ValidationError, chaque phrase près de son champ : une règle qui ne peut pas s’appliquer ne se garde pas."""
    try:
        version.verifier()
    except DispositifIncoherent as erreur:
        raise ValidationError({erreur.champ: str(erreur)}) from erreur
    if version.est_un_pret and version.plafond is not None:
        try:
            verifier(
                ConditionsDePret(
                    montant=version.plafond,
                    taux=version.pret_taux,
                    nombre=version.pret_echeances or 0,
                    periodicite_mois=version.pret_periodicite,
                    premiere_echeance=version.ouvre_le,
                    differe=version.pret_differe,
                )
            )
        except ConditionsRefusees as erreur:
            raise ValidationError({"pret_echeances": str(erreur)}) from erreur


def _chevauchees(version: VersionDispositif) -> list[VersionDispositif]:
    return list(
        VersionDispositif.objects.publiees()
        .filter(
            dispositif=version.dispositif_id,
            exercice_du__lte=version.exercice_au,
            exercice_au__gte=version.exercice_du,
        )
        .exclude(pk=version.pk)
        .select_related("dispositif")
    )


def _garder(version: VersionDispositif) -> VersionDispositif:
    version.full_clean()
    _coherente(version)
    autres = _chevauchees(version)
    if autres and not version.motif.strip():
        raise ValidationError({
            "exercice_du": f"« {autres[0]} » couvre déjà l’un de ces exercices : changez-les, ou dites plus bas "
            f"pourquoi "
            "cette version la remplace."
        })  # fmt: skip
    version.save()
    return version


@transaction.atomic
def saisir(dispositif: Dispositif, *, par: Utilisateur, **champs: Any) -> VersionDispositif:
    """Écrit un brouillon de version. Lève Refus ou ValidationError : dates qui se chevauchent, calcul impossible."""
    exiger(peut_regler(par))
    derniere = dispositif.versions.order_by("-numero").first()
    version = VersionDispositif(
        dispositif=dispositif, numero=derniere.numero + 1 if derniere else 1, saisi_par=par, **champs
    )
    return _garder(version)


@transaction.atomic
def creer(*, nom: str, code: str, par: Utilisateur, **champs: Any) -> VersionDispositif:
    """Un dispositif neuf et son premier brouillon."""
    exiger(peut_regler(par))
    rang = Dispositif.objects.count() + 1
    if Dispositif.objects.filter(Q(nom__iexact=nom) | Q(code=code)).exists():
        raise ValidationError({"nom": "Un dispositif porte déjà ce nom : préparez plutôt sa version suivante."})
    dispositif = Dispositif(nom=nom, code=code or f"dispositif-{rang}", ordre=rang)
    dispositif.full_clean()
    dispositif.save()
    return saisir(dispositif, par=par, **champs)


@transaction.atomic
def corriger(version: VersionDispositif, *, par: Utilisateur, **champs: Any) -> VersionDispositif:
    """Corrige un brouillon ; qui le corrige en devient l’auteur, et ne pourra pas le publier."""
    exiger(peut_regler(par))
    version = VersionDispositif.objects.verrouiller(version.pk)
    if version.etat != EtatDispositif.BROUILLON:
        raise Refus(f"Cette version est « {version.get_etat_display().lower()} » : saisissez-en une nouvelle.")
    for nom, valeur in champs.items():
        setattr(version, nom, valeur)
    version.saisi_par = par
    return _garder(version)


@transaction.atomic
def publier(version: VersionDispositif, *, par: Utilisateur) -> VersionDispositif:
    """Publie ; les versions dont elle reprend les exercices passent « remplacées ». Les demandes ouvertes gardent
    la leur.
    """
    version = VersionDispositif.objects.verrouiller(version.pk)
    exiger(peut_publier(par, version))
    if version.etat != EtatDispositif.BROUILLON:
        raise Refus(f"Cette version est déjà « {version.get_etat_display().lower()} ».")
    autres = _chevauchees(version)
    if autres and not version.motif.strip():
        raise Refus(f"« {autres[0]} » a été publiée entre-temps : reprenez ce brouillon.")
    VersionDispositif.objects.filter(pk__in=[v.pk for v in autres]).update(etat=EtatDispositif.REMPLACE)
    version.etat = EtatDispositif.PUBLIE
    version.publie_par, version.publie_le = par, timezone.now()
    version.full_clean()
    _coherente(version)
    version.save(update_fields=["etat", "publie_par", "publie_le"])
    return version


@transaction.atomic
def abandonner(version: VersionDispositif, *, par: Utilisateur) -> VersionDispositif:
    exiger(peut_regler(par))
    version = VersionDispositif.objects.verrouiller(version.pk)
    if version.etat != EtatDispositif.BROUILLON:
        raise Refus("Seul un brouillon s’abandonne.")
    version.etat = EtatDispositif.ABANDONNE
    version.save(update_fields=["etat"])
    return version
