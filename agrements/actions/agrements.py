"""La vie d’un agrément : né d’une décision, ouvert et échu par l’horloge, suspendu ou retiré par le responsable."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from agrements import actes, annonces
from agrements.actions.franchir import franchir_agrement
from agrements.choix import EtatAgrement, GesteAgrement, IssueProcedure, SensDecision, TypeDossier
from agrements.cycle import SUR_PLACE_AGREMENT
from agrements.droits import peut_clore, peut_sur_agrement
from agrements.evenements import (
    agrement_ne,
    agrement_retabli,
    agrement_retire,
    agrement_suspendu,
    procedure_ouverte,
)
from agrements.models import Agrement, Decision, EvenementAgrement, ProcedureAgrement
from comptes.models import Utilisateur
from partenaires.models import Structure
from socle.dates import en_jour
from socle.droits import exiger
from socle.erreurs import Refus
from socle.etats import trop_tard
from socle.texte import epurer

OBSERVATIONS_JOURS = 30  # délai laissé à la structure ; aucun texte ne le fixe, à confirmer par la Caf
OBSERVATIONS_MAX = 5000
COMPLET = ("agrement__decision__dossier__structure__gestionnaire", "agrement__decision__dossier__charge")


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
    """Suspend, tout de suite s’il le faut : la mesure conserve, elle ne juge pas.

    La procédure ouverte se clôt par cette suspension quand son contradictoire est fini et qu’un autre que celui qui
    l’a ouverte décide ; sinon elle continue.
    """
    exiger(peut_sur_agrement(GesteAgrement.SUSPENDRE, par, agrement))
    agrement = franchir_agrement(agrement, GesteAgrement.SUSPENDRE, par=par, motif=motif)
    _notifier(agrement)
    procedure = procedure_de(agrement)
    if procedure is not None and procedure.contradictoire_fini and peut_clore(par, procedure):
        _clore(procedure, IssueProcedure.SUSPENSION, par=par, motif=motif)
    agrement_suspendu.send(Agrement, agrement=agrement, par=par, motif=motif)
    return agrement


@transaction.atomic
def lever_suspension(agrement: Agrement, *, par: Utilisateur, motif: str) -> Agrement:
    exiger(peut_sur_agrement(GesteAgrement.LEVER_SUSPENSION, par, agrement))
    agrement = franchir_agrement(agrement, GesteAgrement.LEVER_SUSPENSION, par=par, motif=motif)
    _notifier(agrement)
    agrement_retabli.send(Agrement, agrement=agrement, par=par, motif=motif)
    return agrement


def procedure_de(agrement: Agrement) -> ProcedureAgrement | None:
    """La procédure ouverte, verrouillée, ou rien. L’agrément d’abord, la procédure ensuite : toujours cet ordre."""
    ouvertes = ProcedureAgrement.objects.select_for_update(of=("self",)).filter(agrement=agrement, issue="")
    return ouvertes.select_related(*COMPLET, "ouverte_par").first()


def obstacle_au_retrait(procedure: ProcedureAgrement | None, par: Utilisateur) -> str:
    """Pourquoi cet agrément ne se retire pas encore par cette personne ; vide s’il se retire."""
    if procedure is None:
        return (
            "Retirer un agrément demande une procédure contradictoire : ouvrez-la, la structure présente ses "
            "observations, puis un autre responsable décide."
        )
    if not procedure.contradictoire_fini:
        return (
            f"La structure peut répondre jusqu’au {en_jour(procedure.observations_avant_le)} : attendez ses "
            "observations, ou la fin de ce délai."
        )
    return peut_clore(par, procedure).motif


@transaction.atomic
def retirer(agrement: Agrement, *, par: Utilisateur, motif: str) -> Agrement:
    """Retire l’agrément, une fois la structure entendue ; si une app abonnée échoue, rien n’est retiré.

    Lève Refus tant que la procédure contradictoire n’est pas finie (CRPA, articles L. 121-1 et L. 122-1).
    """
    exiger(peut_sur_agrement(GesteAgrement.RETIRER, par, agrement))
    agrement = franchir_agrement(agrement, GesteAgrement.RETIRER, par=par, motif=motif, retire_le=timezone.localdate())
    procedure = procedure_de(agrement)
    if obstacle := obstacle_au_retrait(procedure, par):
        raise Refus(obstacle)
    _notifier(agrement)
    assert procedure is not None
    _clore(procedure, IssueProcedure.RETRAIT, par=par, motif=motif)
    agrement_retire.send(Agrement, agrement=agrement, par=par, motif=motif)
    return agrement


def _sur_place(agrement: Agrement, geste: str, par: Utilisateur) -> Agrement:
    """Verrouille l’agrément pour un geste qui n’en change pas l’état ; lève si le droit ou l’état ne le permet pas."""
    Agrement.objects.verrouiller(agrement.pk)
    agrement = Agrement.objects.select_related(*(champ.removeprefix("agrement__") for champ in COMPLET)).get(
        pk=agrement.pk
    )
    exiger(peut_sur_agrement(geste, par, agrement))
    if agrement.etat not in SUR_PLACE_AGREMENT[geste]:
        raise trop_tard("l’agrément", agrement.get_etat_display())
    return agrement


def _au_journal(agrement: Agrement, geste: str, *, par: Utilisateur, motif: str) -> None:
    EvenementAgrement.objects.create(
        agrement=agrement, geste=geste, de=agrement.etat, vers=agrement.etat, par=par, le=timezone.now(), motif=motif
    )


@transaction.atomic
def ouvrir_procedure(
    agrement: Agrement, *, motif: str, par: Utilisateur, origine: str = "", sujet: str = ""
) -> ProcedureAgrement:
    """Invite la structure à présenter ses observations avant une suspension ou un retrait ; rien n’est décidé.

    ``origine`` et ``sujet`` : ce qui l’ouvre, quand une app du dessus le demande. Lève Refus si une est déjà ouverte.
    """
    agrement = _sur_place(agrement, GesteAgrement.OUVRIR_PROCEDURE, par)
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites ce qui est relevé : la structure y répond."})
    if procedure_de(agrement) is not None:
        raise Refus("Une procédure est déjà ouverte sur cet agrément.")
    avant_le = timezone.localdate() + timedelta(days=OBSERVATIONS_JOURS)
    rang = agrement.procedures.count() + 1
    procedure = ProcedureAgrement(
        agrement=agrement,
        motif=motif,
        origine=origine,
        sujet=sujet,
        ouverte_le=timezone.now(),
        ouverte_par=par,
        observations_avant_le=avant_le,
        acte=actes.procedure_ouverte(agrement, motif=motif, origine=origine, avant_le=avant_le, rang=rang),
    )
    procedure.full_clean()
    procedure.save()
    _au_journal(agrement, GesteAgrement.OUVRIR_PROCEDURE, par=par, motif=motif)
    annonces.procedure_ouverte(procedure)
    procedure_ouverte.send(ProcedureAgrement, procedure=procedure, par=par)
    return procedure


def _ouverte(procedure: ProcedureAgrement, geste: str, par: Utilisateur) -> ProcedureAgrement:
    agrement = _sur_place(procedure.agrement, geste, par)
    ouverte = procedure_de(agrement)
    if ouverte is None or ouverte.pk != procedure.pk:
        raise Refus("Cette procédure est close.")
    return ouverte


@transaction.atomic
def observer(procedure: ProcedureAgrement, *, observations: str, par: Utilisateur) -> ProcedureAgrement:
    """La structure répond, une fois ; après le délai, sa réponse vaut encore tant que rien n’est décidé."""
    procedure = _ouverte(procedure, GesteAgrement.OBSERVER, par)
    if procedure.observations_le is not None:
        raise Refus("Vos observations sont déjà envoyées : écrivez à votre interlocuteur pour les compléter.")
    texte = epurer(observations).strip()
    if not texte:
        raise ValidationError({"observations": "Écrivez vos observations."})
    if len(texte) > OBSERVATIONS_MAX:
        raise ValidationError(
            {"observations": f"{len(texte)} caractères pour {OBSERVATIONS_MAX} au plus : raccourcissez."}
        )
    procedure.observations, procedure.observations_par, procedure.observations_le = texte, par, timezone.now()
    procedure.full_clean()
    procedure.save()
    _au_journal(procedure.agrement, GesteAgrement.OBSERVER, par=par, motif="")
    annonces.procedure_observee(procedure)
    return procedure


@transaction.atomic
def clore_sans_suite(procedure: ProcedureAgrement, *, motif: str, par: Utilisateur) -> ProcedureAgrement:
    """Ni suspension ni retrait : la procédure s’arrête, et l’on dit pourquoi."""
    procedure = _ouverte(procedure, GesteAgrement.CLORE_PROCEDURE, par)
    exiger(peut_clore(par, procedure))
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi la procédure s’arrête."})
    _clore(procedure, IssueProcedure.SANS_SUITE, par=par, motif=motif)
    annonces.procedure_sans_suite(procedure)
    return procedure


def _clore(procedure: ProcedureAgrement, issue: str, *, par: Utilisateur, motif: str) -> None:
    procedure.issue, procedure.close_le, procedure.close_par = issue, timezone.now(), par
    procedure.motif_cloture = motif
    procedure.full_clean()
    procedure.save()
    _au_journal(
        procedure.agrement, GesteAgrement.CLORE_PROCEDURE, par=par,
        motif=f"{procedure.get_issue_display().capitalize()}. {motif}",
    )  # fmt: skip


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
