"""La vie d’un agrément : né d’une décision, ouvert et échu par l’horloge, suspendu ou retiré par le responsable."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from agrements import annonces
from agrements.actions.franchir import franchir_agrement
from agrements.choix import EtatAgrement, GesteAgrement, SensDecision, TypeDossier
from agrements.droits import peut_sur_agrement
from agrements.evenements import agrement_ne, agrement_retabli, agrement_retire, agrement_suspendu
from agrements.models import Agrement, Decision, EvenementAgrement
from comptes.models import Utilisateur
from partenaires.models import Structure
from socle.droits import exiger


def faire_naitre(decision: Decision, *, par: Utilisateur) -> list[Agrement]:
    """Crée un agrément par objet décidé ; le précédent du même objet devient « renouvelé ».

    Dans la transaction de la décision : un chevauchement annule tout (ValidationError).
    """
    assert decision.debut is not None
    assert decision.fin is not None
    dossier = decision.dossier
    aujourd_hui = timezone.localdate()
    if dossier.type == TypeDossier.RENOUVELLEMENT:
        anciens = Agrement.objects.filter(
            structure=dossier.structure, fin__lt=decision.debut, etat__in=[EtatAgrement.EN_COURS, EtatAgrement.ECHU]
        )
        for ancien in anciens:
            if ancien.fin < aujourd_hui:
                franchir_agrement(ancien, GesteAgrement.RENOUVELER, par=par)
    if dossier.structure.premier_agrement_le is None:
        Structure.objects.filter(pk=dossier.structure_id).update(premier_agrement_le=decision.debut)
    nes = []
    for objet in dossier.objets:
        agrement = Agrement(
            structure=dossier.structure,
            objet=objet,
            decision=decision,
            debut=decision.debut,
            fin=decision.fin,
            etat=EtatAgrement.EN_COURS if decision.debut <= aujourd_hui else EtatAgrement.A_VENIR,
            avec_reserves=decision.sens == SensDecision.AGREE_RESERVES,
        )
        agrement.full_clean()
        agrement.save()
        EvenementAgrement.objects.create(
            agrement=agrement, geste=GesteAgrement.OUVRIR, vers=agrement.etat, par=par, le=timezone.now()
        )
        agrement_ne.send(Agrement, agrement=agrement, par=par)
        nes.append(agrement)
    return nes


def _notifier(agrement: Agrement) -> None:
    """La décision qui vient d’être prise part en lettre, dans la même transaction."""
    complet = "agrement__decision__dossier__structure__gestionnaire"
    evenement = agrement.evenements.select_related(complet, "par").first()
    assert evenement is not None
    annonces.agrement_change(evenement)


@transaction.atomic
def suspendre(agrement: Agrement, *, par: Utilisateur, motif: str) -> Agrement:
    exiger(peut_sur_agrement(GesteAgrement.SUSPENDRE, par, agrement))
    agrement = franchir_agrement(agrement, GesteAgrement.SUSPENDRE, par=par, motif=motif)
    _notifier(agrement)
    agrement_suspendu.send(Agrement, agrement=agrement, par=par, motif=motif)
    return agrement


@transaction.atomic
def lever_suspension(agrement: Agrement, *, par: Utilisateur, motif: str) -> Agrement:
    exiger(peut_sur_agrement(GesteAgrement.LEVER_SUSPENSION, par, agrement))
    agrement = franchir_agrement(agrement, GesteAgrement.LEVER_SUSPENSION, par=par, motif=motif)
    _notifier(agrement)
    agrement_retabli.send(Agrement, agrement=agrement, par=par, motif=motif)
    return agrement


@transaction.atomic
def retirer(agrement: Agrement, *, par: Utilisateur, motif: str) -> Agrement:
    """Retire l’agrément ; si une app abonnée échoue, rien n’est retiré."""
    exiger(peut_sur_agrement(GesteAgrement.RETIRER, par, agrement))
    agrement = franchir_agrement(agrement, GesteAgrement.RETIRER, par=par, motif=motif, retire_le=timezone.localdate())
    _notifier(agrement)
    agrement_retire.send(Agrement, agrement=agrement, par=par, motif=motif)
    return agrement


def faire_vivre(le: date) -> int:
    """Ouvre et échoit ce que le calendrier commande ; rejouable : un second passage le même jour ne fait rien.

    Rend le nombre d’agréments changés.
    """
    changes = 0
    a_ouvrir = Agrement.objects.filter(etat=EtatAgrement.A_VENIR, debut__lte=le).values_list("pk", flat=True)
    a_echoir = Agrement.objects.filter(etat__in=[EtatAgrement.EN_COURS, EtatAgrement.SUSPENDU], fin__lt=le).values_list(
        "pk", flat=True
    )
    for geste, cles in ((GesteAgrement.OUVRIR, list(a_ouvrir)), (GesteAgrement.ECHOIR, list(a_echoir))):
        for cle in cles:
            with transaction.atomic():
                franchir_agrement(Agrement.objects.get(pk=cle), geste, par=None)
            changes += 1
    return changes
