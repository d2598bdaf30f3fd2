"""Qui suit quoi : transmettre un secteur, un portefeuille ; confier son travail pendant une absence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from courriers.actions import poster, prevenir
from partenaires.actions import consigner
from partenaires.choix import GestePartenaire
from partenaires.droits import peut
from partenaires.evenements import secteur_transmis
from partenaires.models import AffectationCommune, AffectationGestionnaire, Structure, Suppleance
from socle.dates import en_jour
from socle.droits import exiger
from socle.erreurs import Refus
from socle.texte import epurer


def _verifier(de: Utilisateur, vers: Utilisateur, le: date, role: Role, par: Utilisateur) -> None:
    exiger(peut(GestePartenaire.AFFECTER, par, None))
    if le < timezone.localdate():
        raise Refus("Une transmission prend effet aujourd’hui ou plus tard.")
    if de.pk == vers.pk:
        raise Refus("Choisissez deux personnes différentes.")
    if not vers.is_active:
        raise Refus(f"Le compte de {vers} est fermé.")
    if not vers.fonctions.en_cours(le).filter(role=role).exists():
        raise Refus(f"{vers} n’est pas {role.label} à cette date.")


@transaction.atomic
def transmettre_secteur(
    *, de: Utilisateur, vers: Utilisateur, le: date, communes: Iterable[str] | None, par: Utilisateur
) -> int:
    """Passe en un geste les communes d’un agent à un autre, à partir d’un jour. ``communes`` vide : toutes.

    Les dossiers ouverts suivent ce jour-là (l’app des agréments s’y abonne). Rend le nombre de communes. Lève Refus.
    """
    _verifier(de, vers, le, Role.CHARGE_CONSEIL, par)
    affectations = AffectationCommune.objects.select_for_update(of=("self",)).filter(agent=de, fin__isnull=True)
    if communes is not None:
        affectations = affectations.filter(commune__in=list(communes))
    transmises = _transmettre(affectations, AffectationCommune, "commune_id", vers, le)
    structures = Structure.objects.filter(commune__in=transmises).order_by("pk")
    _dire(structures, de, vers, le, par, f"{len(transmises)} commune(s) de {de}")
    secteur_transmis.send(AffectationCommune, de=de, communes=transmises, le=le, par=par)
    return len(transmises)


@transaction.atomic
def transmettre_portefeuille(*, de: Utilisateur, vers: Utilisateur, le: date, par: Utilisateur) -> int:
    """Passe en un geste tous les gestionnaires d’un technicien à un autre, à partir d’un jour."""
    _verifier(de, vers, le, Role.TECHNICIEN_CONSEIL, par)
    affectations = AffectationGestionnaire.objects.select_for_update(of=("self",)).filter(agent=de, fin__isnull=True)
    transmis = _transmettre(affectations, AffectationGestionnaire, "gestionnaire_id", vers, le)
    structures = Structure.objects.filter(gestionnaire__in=transmis).order_by("pk")
    _dire(structures, de, vers, le, par, f"{len(transmis)} gestionnaire(s) de {de}")
    return len(transmis)


def _transmettre(affectations: Any, modele: Any, cle: str, vers: Utilisateur, le: date) -> list[Any]:
    """Clôt les affectations ouvertes la veille et les rouvre au nouveau nom. Rend les objets transmis."""
    anciennes = list(affectations)
    if not anciennes:
        raise Refus("Il n’y a rien à transmettre : cette personne ne suit rien, ou l’a déjà transmis.")
    objets = [getattr(a, cle) for a in anciennes]
    du_jour = [a.pk for a in anciennes if a.debut == le]  # reçues le jour même : elles se retransmettent
    prevues = modele.objects.filter(**{f"{cle}__in": objets}, debut__gte=le).exclude(pk__in=du_jour)
    if prevue := prevues.order_by("debut").first():
        raise Refus(f"Une transmission est déjà prévue le {en_jour(prevue.debut)} : choisissez une date plus tardive.")
    for ancienne in anciennes:
        if ancienne.debut >= le:
            ancienne.delete()
        else:
            ancienne.fin = le - timedelta(days=1)
            ancienne.save(update_fields=["fin"])
    modele.objects.bulk_create(modele(**{cle: objet}, agent=vers, debut=le, fin=None) for objet in objets)
    return objets


def _dire(
    structures: Iterable[Structure], de: Utilisateur, vers: Utilisateur, le: date, par: Utilisateur, quoi: str
) -> None:
    """Une ligne au journal de chaque structure ; celui qui reçoit est prévenu."""
    for structure in structures:
        consigner(GestePartenaire.AFFECTER, par=par, structure=structure, de=str(de), vers=str(vers), le=en_jour(le))
    cle = f"transmission-{de.pk}-{vers.pk}-{le.isoformat()}-{timezone.now().timestamp()}"
    texte = f"{par} vous confie {quoi}, à partir du {en_jour(le)}."
    prevenir(cle=cle, destinataire=vers, texte=texte, lien="/structures/")
    poster(
        cle=cle,
        destinataire=vers,
        sujet="Un secteur ou un portefeuille vous est confié",
        gabarit="partenaires/courriels/transmission",
        contexte={"prenom": vers.prenom, "annonce": texte},
    )


@transaction.atomic
def declarer_absence(
    *, absent: Utilisateur, suppleant: Utilisateur, debut: date, fin: date, motif: str, par: Utilisateur
) -> Suppleance:
    """Confie à un collègue de même rôle ce que l’absent suit, le temps de l’absence.

    Lève Refus : deux suppléances à la fois, suppléant lui-même absent, rôles différents.
    """
    if not (absent.est_agent and suppleant.est_agent):
        raise PermissionDenied("Une suppléance se déclare entre agents de la Caf.")
    if par.pk != absent.pk:
        exiger(peut(GestePartenaire.AFFECTER, par, None))
    if not absent.roles & suppleant.roles:
        raise Refus(f"{suppleant} ne tient pas le même rôle que {absent}.")
    suppleance = Suppleance(absent=absent, suppleant=suppleant, debut=debut, fin=fin, motif=epurer(motif).strip())
    suppleance.full_clean()
    list(Utilisateur.objects.select_for_update(of=("self",)).filter(pk__in=[absent.pk, suppleant.pk]).order_by("pk"))
    memes_jours = Suppleance.objects.filter(debut__lte=fin, fin__gte=debut)
    if deja := memes_jours.filter(absent=absent).select_related("suppleant").first():
        jours = f"du {en_jour(deja.debut)} au {en_jour(deja.fin)}"
        raise Refus(f"{absent} est déjà suppléé par {deja.suppleant} {jours}.")
    if memes_jours.filter(absent=suppleant).exists():
        raise Refus(f"{suppleant} est absent ces jours-là : choisissez quelqu’un d’autre.")
    if memes_jours.filter(suppleant=absent).exists():
        raise Refus(f"{absent} supplée un collègue ces jours-là : confiez d’abord cette suppléance à un autre.")
    suppleance.save()
    suivies = Structure.objects.suivies_par(absent, debut).order_by("pk")
    for structure in suivies:
        consigner(
            GestePartenaire.AFFECTER, par=par, structure=structure, suppleant=str(suppleant), debut=en_jour(debut),
            fin=en_jour(fin),
        )  # fmt: skip
    prevenir(
        cle=f"suppleance-{suppleance.pk}",
        destinataire=suppleant,
        texte=f"Vous suppléez {absent} du {en_jour(debut)} au {en_jour(fin)}.",
        lien="/espace/",
    )
    return suppleance
