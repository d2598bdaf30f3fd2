"""Une sanction se propose, se discute, se décide : trois gestes, deux personnes au moins à la Caf (domaine E.2)."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from controles.actes import suites as actes
from controles.actions.franchir import consigner
from controles.actions.franchir import ouvrir as ouvrir_pour
from controles.actions.suites import MANQUEMENT_RETENU
from controles.annonces import suites as annonces
from controles.choix import EtatSanction, Geste
from controles.delais import echeance
from controles.droits import peut_decider_de_la_sanction
from controles.models import Constat, Controle, Sanction
from controles.referentiel import Degre
from financements.calculs import pourcent
from financements.models import VersionDroit
from socle.dates import en_jour
from socle.droits import exiger
from socle.erreurs import Refus
from socle.montants import ZERO, arrondir, en_euros
from socle.texte import epurer

TEXTE_MAX = 5000
FERMEES = "Les règles de ce contrôle n’ouvrent pas de sanction."


def manquements(controle: Controle) -> list[Constat]:
    """Les manquements que le rapport définitif retient, sans sanction proposée ou prononcée."""
    vivantes = Sanction.objects.exclude(etat=EtatSanction.ECARTEE)
    return list(controle.constats.filter(MANQUEMENT_RETENU).exclude(sanctions__in=vivantes))


def base_de(controle: Controle, exercice: int) -> tuple[Decimal, str]:
    """La subvention de l’année : les droits en vigueur, et comment on les nomme."""
    courantes = VersionDroit.objects.filter(
        courante=True, droit__structure=controle.structure_id, droit__exercice=exercice
    ).select_related("droit__prestation")
    versions = list(courantes.order_by("droit__prestation__ordre"))
    detail = " + ".join(f"{v.droit.prestation} {en_euros(v.montant)}" for v in versions)
    return sum((v.montant for v in versions), ZERO), f"droits {exercice} en vigueur ({detail})"


def montant_de(base: Decimal, degre: Degre) -> Decimal:
    return arrondir(base * degre.taux)


def _degre(controle: Controle, code: str) -> Degre:
    degre = next((d for d in controle.regles.echelle_lue if d.code == code), None)
    if degre is None:
        raise ValidationError({"degre": "Choisissez un degré de l’échelle."})
    return degre


@transaction.atomic
def proposer(
    controle: Controle, *, constat: Constat, degre: str, exercice: int, motivation: str, par: Utilisateur
) -> Sanction:
    """Ouvre le contradictoire d’une sanction : la structure reçoit le projet et son délai.

    Lève Refus si les règles ferment les sanctions, ou si le constat n’est pas un manquement retenu ; ValidationError
    près du champ fautif.
    """
    controle = ouvrir_pour(controle, Geste.PROPOSER_SANCTION, par=par)
    if not controle.regles.sanctions_actives:
        raise Refus(FERMEES)
    if constat.pk not in {c.pk for c in manquements(controle)}:
        raise ValidationError({"constat": "Choisissez un manquement retenu par le rapport, et pas encore sanctionné."})
    if exercice not in ([constat.exercice] if constat.exercice else controle.exercices):
        raise ValidationError({"exercice": "Choisissez l’exercice sur lequel porte ce manquement."})
    choisi = _degre(controle, degre)
    if not (motivation := epurer(motivation).strip()):
        raise ValidationError({"motivation": "Dites pourquoi ce manquement appelle une sanction."})
    base, base_dite = base_de(controle, exercice)
    if not base:
        raise ValidationError({"exercice": f"Aucun droit n’est calculé en {exercice} : la sanction n’a pas de base."})
    montant = montant_de(base, choisi)
    regles = controle.regles
    avant_le = echeance(timezone.localdate(), regles.reponse_jours, ouvres=regles.reponse_ouvres)
    acte = actes.projet_de_sanction(
        controle, constat, controle.sanctions.count() + 1, degre=choisi.libelle,
        calcul=f"{pourcent(choisi.taux * 100)} de {en_euros(base)}, {base_dite}", montant=en_euros(montant),
        motivation=motivation, avant_le=avant_le,
    )  # fmt: skip
    sanction = Sanction(
        controle=controle, constat=constat, degre=choisi.code, libelle_degre=choisi.libelle, taux=choisi.taux,
        base=base, base_dite=base_dite[:300], montant=montant, motivation=motivation, proposee_par=par,
        proposee_le=timezone.now(),
        acte_projet=acte, observations_avant_le=avant_le,
    )  # fmt: skip
    sanction.full_clean()
    sanction.save()
    consigner(
        controle, Geste.PROPOSER_SANCTION, par=par, motif=motivation,
        details={"constat": constat.numero, "degré": choisi.libelle, "avant le": en_jour(avant_le)},
    )  # fmt: skip
    annonces.sanction_proposee(sanction)
    return sanction


def _verrouiller(sanction: Sanction) -> Sanction:
    sanction = (
        Sanction.objects.select_for_update(of=("self",))
        .select_related("controle__structure__gestionnaire", "controle__regles", "constat", "proposee_par")
        .get(pk=sanction.pk)
    )
    if sanction.etat != EtatSanction.PROPOSEE:
        raise Refus(f"Cette sanction est déjà « {sanction.get_etat_display().lower()} ».")
    return sanction


@transaction.atomic
def observer(sanction: Sanction, *, observations: str, par: Utilisateur) -> Sanction:
    """La structure répond, une fois. Reçues après le délai, ses observations valent tant que rien n’est décidé."""
    controle = ouvrir_pour(sanction.controle, Geste.OBSERVER_SANCTION, par=par)
    sanction = _verrouiller(sanction)
    if sanction.observations_le is not None:
        raise Refus("Vos observations sont déjà envoyées : écrivez au contrôleur pour les compléter.")
    texte = epurer(observations).strip()
    if not texte:
        raise ValidationError({"observations": "Écrivez vos observations."})
    if len(texte) > TEXTE_MAX:
        raise ValidationError({"observations": f"{len(texte)} caractères pour {TEXTE_MAX} au plus : raccourcissez."})
    sanction.observations, sanction.observations_par, sanction.observations_le = texte, par, timezone.now()
    sanction.full_clean()
    sanction.save()
    consigner(controle, Geste.OBSERVER_SANCTION, par=par, details={"constat": sanction.constat.numero})
    annonces.sanction_observee(sanction)
    return sanction


def trop_tot(sanction: Sanction) -> str:
    """Pourquoi la sanction ne se décide pas encore ; vide si elle se décide."""
    if sanction.observations_le is not None or timezone.localdate() > sanction.observations_avant_le:
        return ""
    return (
        f"La structure peut répondre jusqu’au {en_jour(sanction.observations_avant_le)} : attendez ses observations, "
        "ou la fin de ce délai."
    )


@transaction.atomic
def decider(sanction: Sanction, *, prononcer: bool, motif: str, par: Utilisateur) -> Sanction:
    """Prononce ou écarte, avec ses raisons et une lettre. Lève Refus avant la fin du contradictoire.

    Le montant prononcé reste celui de la sanction : ce n’est pas un trop-versé, il ne passe pas par les indus, qui
    corrigent un droit.
    """
    controle = ouvrir_pour(sanction.controle, Geste.DECIDER_SANCTION, par=par)
    sanction = _verrouiller(sanction)
    exiger(peut_decider_de_la_sanction(par, sanction))
    if phrase := trop_tot(sanction):
        raise Refus(phrase)
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Une décision dit ses raisons : la structure les lit."})
    sanction.acte_decision = actes.decision_de_sanction(sanction, prononcee=prononcer, motif=motif, par=par)
    sanction.etat = EtatSanction.PRONONCEE if prononcer else EtatSanction.ECARTEE
    sanction.decidee_par, sanction.decidee_le, sanction.motif_decision = par, timezone.now(), motif
    sanction.full_clean()
    sanction.save()
    consigner(
        controle, Geste.DECIDER_SANCTION, par=par, motif=motif,
        details={"constat": sanction.constat.numero, "issue": sanction.get_etat_display().lower()},
    )  # fmt: skip
    annonces.sanction_decidee(sanction)
    return sanction
