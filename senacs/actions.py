"""Les gestes de Senacs : régler une campagne, compléter un relevé, déclarer, rouvrir, relancer. Les seuls écrivains."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from agrements.reponses import normaliser
from comptes.models import Utilisateur
from documents.actions import recevoir
from partenaires.models import Structure
from senacs import annonces
from senacs.choix import EtatContribution, GesteSenacs
from senacs.droits import peut_regler, peut_relancer, peut_repondre
from senacs.models import CampagneSenacs, Contribution, EvenementSenacs, ReponseSenacs
from senacs.questionnaire import champs
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.texte import epurer

RELANCES = (30, 7, -1)  # jours avant (après) la date limite


def _consigner(contribution: Contribution, geste: str, *, par: Utilisateur | None, motif: str = "") -> None:
    EvenementSenacs.objects.create(contribution=contribution, geste=geste, par=par, le=timezone.now(), motif=motif)


@transaction.atomic
def regler(*, annee: int, ouverture: date, limite: date, source: str, par: Utilisateur) -> CampagneSenacs:
    """Fixe ou corrige les dates d’une année ; chaque structure ouverte y gagne son suivi."""
    exiger(peut_regler(par))
    campagne = CampagneSenacs.objects.select_for_update(of=("self",)).filter(annee=annee).first()
    campagne = campagne or CampagneSenacs(annee=annee)
    campagne.ouverture, campagne.limite, campagne.source, campagne.reglee_par = ouverture, limite, source, par
    campagne.full_clean()
    campagne.save()
    suivre_les_structures(campagne)
    return campagne


def suivre_les_structures(campagne: CampagneSenacs) -> int:
    """Ouvre le suivi des structures qui ne l’ont pas ; rejouable. Rend combien."""
    neuves = Structure.objects.filter(fermee_le__isnull=True).exclude(contributions_senacs__campagne=campagne)
    creees = Contribution.objects.bulk_create(
        [Contribution(structure=s, campagne=campagne) for s in neuves], ignore_conflicts=True
    )
    return len(creees)


def _ouvrir(contribution: Contribution, par: Utilisateur) -> Contribution:
    contribution = Contribution.objects.verrouiller(contribution.pk)
    exiger(peut_repondre(par, contribution.structure_id))
    if contribution.etat == EtatContribution.CONTRIBUEE:
        raise Refus("La contribution est déjà déclarée : demandez à la Caf de la rouvrir.")
    return contribution


@transaction.atomic
def repondre(contribution: Contribution, *, champ: str, saisie: str, version: int, par: Utilisateur) -> ReponseSenacs:
    """Garde une réponse. Lève ValeurRefusee (phrase), VersionPerimee si un collègue a écrit entre-temps, Refus."""
    contribution = _ouvrir(contribution, par)
    definition = champs().get(champ)
    if definition is None:
        raise Refus("Cette question n’existe pas dans l’enquête.")
    valeur = normaliser(definition, saisie)
    reponse = contribution.reponses.select_for_update(of=("self",)).filter(champ=champ).first()
    if reponse is None:
        reponse = ReponseSenacs(contribution=contribution, champ=champ, version=0)
    elif reponse.valeur == valeur:
        return reponse
    if version != reponse.version:
        raise VersionPerimee("Quelqu’un a modifié cette réponse pendant que vous écriviez.")
    reponse.valeur, reponse.version = valeur, reponse.version + 1
    reponse.modifie_par, reponse.modifie_le = par, timezone.now()
    reponse.save()
    if contribution.etat == EtatContribution.A_FAIRE:
        contribution.etat = EtatContribution.EN_COURS
        contribution.save(update_fields=["etat"])
        _consigner(contribution, GesteSenacs.REPONDRE, par=par)
    return reponse


@transaction.atomic
def contribuer(
    contribution: Contribution, *, le: date, reference: str, televerse: UploadedFile | None, par: Utilisateur
) -> Contribution:
    """Déclare que l’enquête est répondue sur senacs.fr, avec sa preuve. Lève ValidationError, FichierRefuse, Refus."""
    contribution = _ouvrir(contribution, par)
    if le > timezone.localdate():
        raise ValidationError({"le": "Cette date est dans l’avenir."})
    if le < contribution.campagne.ouverture:
        raise ValidationError({"le": "L’enquête n’était pas encore ouverte à cette date."})
    reference = " ".join(epurer(reference).split())
    if not reference and televerse is None:
        raise ValidationError({"reference": "Joignez l’accusé de senacs.fr, ou écrivez sa référence."})
    contribution.etat = EtatContribution.CONTRIBUEE
    contribution.contribuee_le, contribution.contribuee_par = le, par
    contribution.reference = reference
    contribution.preuve = recevoir(televerse, par=par) if televerse is not None else None
    contribution.full_clean()
    contribution.save()
    _consigner(contribution, GesteSenacs.CONTRIBUER, par=par, motif=reference)
    return contribution


@transaction.atomic
def rouvrir(contribution: Contribution, *, motif: str, par: Utilisateur) -> Contribution:
    """La Caf rouvre une contribution déclarée à tort ; la preuve retirée reste nommée au journal."""
    contribution = Contribution.objects.verrouiller(contribution.pk)
    exiger(peut_relancer(par))
    if contribution.etat != EtatContribution.CONTRIBUEE:
        raise Refus("Cette contribution n’est pas déclarée.")
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi."})
    preuve = contribution.reference or (contribution.preuve.nom if contribution.preuve else "")
    contribution.etat = EtatContribution.EN_COURS
    contribution.contribuee_le = contribution.contribuee_par = contribution.preuve = None
    contribution.reference = ""
    contribution.full_clean()
    contribution.save()
    _consigner(contribution, GesteSenacs.ROUVRIR, par=par, motif=f"{motif} (preuve retirée : {preuve})")
    return contribution


@transaction.atomic
def relancer(contributions: Iterable[Contribution], *, par: Utilisateur) -> int:
    """Relance les structures qui n’ont pas contribué, une fois par jour au plus. Rend combien l’ont été."""
    exiger(peut_relancer(par))
    aujourd_hui = timezone.localdate()
    envoyees = 0
    for pk in sorted(c.pk for c in contributions):
        contribution = Contribution.objects.verrouiller(pk)
        if contribution.etat == EtatContribution.CONTRIBUEE or contribution.relancee_le == aujourd_hui:
            continue
        _relancer(contribution, f"relance-{aujourd_hui.isoformat()}", par)
        envoyees += 1
    return envoyees


def _relancer(contribution: Contribution, cle: str, par: Utilisateur | None) -> None:
    annonces.a_repondre(contribution, cle)
    contribution.relancee_le = timezone.localdate()
    contribution.save(update_fields=["relancee_le"])
    _consigner(contribution, GesteSenacs.RELANCER, par=par)


def suivre_le_calendrier(le: date) -> None:
    """Les relances de l’horloge : trente jours, sept jours avant, puis le lendemain ; chacune une fois, même
    rattrapée.
    """
    for campagne in CampagneSenacs.objects.filter(
        ouverture__lte=le, limite__gte=le - timedelta(days=30), limite__lte=le + timedelta(days=max(RELANCES))
    ):
        reste = (campagne.limite - le).days
        seuil = min((jours for jours in RELANCES if reste <= jours), default=None)
        with transaction.atomic():
            suivre_les_structures(campagne)
        if seuil is None:
            continue
        restantes = campagne.contributions.exclude(etat=EtatContribution.CONTRIBUEE)
        for pk in restantes.values_list("pk", flat=True):
            with transaction.atomic():
                contribution = Contribution.objects.verrouiller(pk)
                cle = f"rappel-{seuil}"
                deja = contribution.evenements.filter(geste=GesteSenacs.RELANCER, motif=cle).exists()
                if contribution.etat == EtatContribution.CONTRIBUEE or deja:
                    continue
                annonces.a_repondre(contribution, cle)
                _consigner(contribution, GesteSenacs.RELANCER, par=None, motif=cle)
