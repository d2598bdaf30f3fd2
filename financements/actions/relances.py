"""Les relances d’une campagne : à blanc d’abord, plafonnées, une seule fois par échéance et par personne."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from comptes.models import Utilisateur
from courriers.models import Envoi
from financements.annonces import annoncer
from financements.choix import ETATS_PRIVES_DECLARATION
from financements.droits import peut_regler
from financements.models import Campagne, Declaration, Prestation
from partenaires.interlocuteurs import dirigeants
from partenaires.models import Structure
from socle.dates import en_jour
from socle.droits import exiger

PLAFOND = 200  # courriels par passage : une erreur de réglage ne doit pas écrire à tout le département


@dataclass(frozen=True, slots=True)
class Relance:
    campagne: Campagne
    structure: Structure
    destinataire: Utilisateur
    decalage: int

    @property
    def cle(self) -> str:
        return f"relance-{self.campagne.pk}-{self.decalage}-{self.structure.pk}"


def attendues(campagne: Campagne) -> list[Structure]:
    """Les structures agréées pour l’exercice qui n’ont pas encore déposé."""
    objets = {o for p in Prestation.objects.de_l_exercice(campagne.exercice) for o in p.objets}
    deposees = Declaration.objects.filter(campagne=campagne).exclude(etat__in=ETATS_PRIVES_DECLARATION)
    return list(
        Structure.objects.ouvertes()
        .filter(
            agrements__objet__in=objets,
            agrements__debut__year__lte=campagne.exercice,
            agrements__fin__year__gte=campagne.exercice,
        )
        .exclude(pk__in=deposees.values("structure"))
        .distinct()
        .order_by("nom_tri", "pk")
    )


def prevues(campagne: Campagne, decalage: int) -> list[Relance]:
    """À qui la relance irait, sans celles déjà parties : ce que montre le passage à blanc."""
    relances = [
        Relance(campagne, structure, personne, decalage)
        for structure in attendues(campagne)
        for personne in dirigeants(structure.pk)
    ]
    parties = set(
        Envoi.objects.filter(cle__startswith=f"relance-{campagne.pk}-{decalage}-").values_list("cle", flat=True)
    )
    return [r for r in relances if f"{r.cle}-{r.destinataire.pk}" not in parties]


def _phrase(relance: Relance) -> str:
    limite = en_jour(relance.campagne.limite)
    if relance.decalage > 0:
        return f"La déclaration « {relance.campagne} » de {relance.structure} était attendue pour le {limite}."
    return f"La déclaration « {relance.campagne} » de {relance.structure} est attendue pour le {limite}."


def _envoyer(relances: list[Relance]) -> int:
    for relance in relances[:PLAFOND]:
        with transaction.atomic():
            annoncer(
                relance.cle,
                [relance.destinataire],
                _phrase(relance),
                reverse("financements:accueil"),
                objet=f"{relance.campagne} à déposer avant le {en_jour(relance.campagne.limite)}",
            )
    return min(len(relances), PLAFOND)


def envoyer(le: date) -> int:
    """Les relances dont c’est le jour. Rejouable : la clé empêche le doublon. Rend le nombre de courriels écrits."""
    envoyees = 0
    for campagne in Campagne.objects.ouvertes(le):
        decalage = (le - campagne.limite).days
        if decalage in campagne.relances:
            envoyees += _envoyer(prevues(campagne, decalage))
    return envoyees


def relancer_maintenant(campagne: Campagne, *, par: Utilisateur) -> int:
    """Une relance voulue par un agent, après son passage à blanc ; une par jour au plus."""
    exiger(peut_regler(par))
    decalage = (timezone.localdate() - campagne.limite).days
    return _envoyer(prevues(campagne, decalage))
