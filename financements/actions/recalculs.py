"""Ouvrir un recalcul, l’annuler, l’approuver. Le moteur est dans ``revision``."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from comptes.models import Utilisateur
from financements.choix import RECALCULS_OUVERTS, EtatBareme, EtatRecalcul, OrigineVersion
from financements.droits import peut_approuver_recalcul, peut_lancer_recalcul
from financements.models import Bareme, Recalcul, VersionDroit
from financements.revision import a_revoir
from financements.tasks import avancer_recalcul
from socle.droits import exiger
from socle.erreurs import Refus
from socle.file import mettre_en_file


@transaction.atomic
def lancer(exercice: int, *, motif: str, par: Utilisateur | None) -> Recalcul:
    """Ouvre un recalcul ; ``par`` vide : l’horloge. Lève Refus si un autre est ouvert, ou s’il n’y a rien à revoir."""
    if par is not None:
        exiger(peut_lancer_recalcul(par))
    total = a_revoir(exercice).count()
    if not total:
        raise Refus(f"Aucun droit n’est calculé pour {exercice} : il n’y a rien à revoir.")
    ouvert = Recalcul.objects.filter(exercice=exercice, etat__in=RECALCULS_OUVERTS).select_related("lance_par").first()
    if ouvert is not None:
        auteur = f" par {ouvert.lance_par}" if ouvert.lance_par else ""
        raise Refus(f"Un recalcul de {exercice} est déjà ouvert{auteur} : terminez-le ou annulez-le d’abord.")
    maintenant = timezone.now()
    recalcul = Recalcul(
        exercice=exercice, motif=motif, total=total, lance_par=par, lance_le=maintenant, commence_le=maintenant
    )
    try:
        recalcul.full_clean()
    except ValidationError as erreur:
        raise Refus(" ".join(erreur.messages)) from erreur
    recalcul.save()
    mettre_en_file(avancer_recalcul, recalcul.pk)
    return recalcul


@transaction.atomic
def annuler(recalcul: Recalcul, *, par: Utilisateur) -> Recalcul:
    """Arrête un recalcul qui n’est pas encore appliqué ; rien de ce qu’il a simulé ne touche un droit."""
    exiger(peut_lancer_recalcul(par))
    recalcul = Recalcul.objects.select_for_update(of=("self",)).get(pk=recalcul.pk)
    if recalcul.etat not in (EtatRecalcul.EN_SIMULATION, EtatRecalcul.SIMULE):
        raise Refus(f"Ce recalcul est « {recalcul.get_etat_display().lower()} » : il ne s’annule plus.")
    recalcul.etat, recalcul.annule_par = EtatRecalcul.ANNULE, par
    recalcul.save(update_fields=["etat", "annule_par"])
    return recalcul


@transaction.atomic
def approuver(recalcul: Recalcul, *, par: Utilisateur) -> Recalcul:
    """Le responsable approuve le rapport ; l’application part après l’écriture."""
    recalcul = Recalcul.objects.select_for_update(of=("self",)).get(pk=recalcul.pk)
    exiger(peut_approuver_recalcul(par, recalcul.lance_par_id))
    if recalcul.etat != EtatRecalcul.SIMULE:
        raise Refus(f"Ce recalcul est « {recalcul.get_etat_display().lower()} ».")
    recalcul.etat = EtatRecalcul.EN_APPLICATION
    recalcul.approuve_par, recalcul.approuve_le, recalcul.commence_le = par, timezone.now(), timezone.now()
    recalcul.full_clean()
    recalcul.save()
    mettre_en_file(avancer_recalcul, recalcul.pk)
    return recalcul


def lancer_les_recalculs_dus(le: date) -> list[Recalcul]:
    """Un barème publié prend effet : l’horloge ouvre la simulation. Rejouable : un barème n’en ouvre qu’une."""
    lances = []
    dus = Bareme.objects.filter(etat=EtatBareme.PUBLIE, effet_le__lte=le)
    exercices = (
        VersionDroit.objects.filter(courante=True, bareme__etat=EtatBareme.REMPLACE)
        .exclude(origine=OrigineVersion.DEROGATION)
        .filter(droit__exercice__in=dus.values("exercice"))
        .values_list("droit__exercice", flat=True)
        .distinct()
    )
    for exercice in exercices:
        recents = dus.filter(exercice=exercice).order_by("-publie_le").first()
        deja = Recalcul.objects.filter(exercice=exercice).filter(
            Q(etat__in=RECALCULS_OUVERTS) | Q(lance_le__gte=recents.publie_le if recents else timezone.now())
        )
        if recents is None or deja.exists():
            continue
        lances.append(lancer(exercice, motif=f"Effet du {recents}", par=None))
    return lances
