"""Les gestes du secrétariat des instances : ordre du jour, avis de la CAS, décisions du CA."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from agrements import actes
from agrements.actions.agrements import faire_naitre
from agrements.actions.franchir import consigner, franchir
from agrements.choix import GESTE_DE_DECISION, SENS_QUI_AGREENT, Etat, Geste, Instance, SensAvis, SensDecision
from agrements.models import Decision, Dossier, Passage, Seance
from agrements.points import cle_de, sujets_de
from comptes.choix import Role
from comptes.models import Utilisateur
from socle.dates import en_jour
from socle.erreurs import Refus
from socle.texte import accorde, epurer


def _exiger_secretariat(par: Utilisateur) -> None:
    if not par.tient(Role.SECRETARIAT):
        raise PermissionDenied("Ce geste revient au secrétariat des instances.")


def _ouverte(seance_pk: int) -> Seance:
    seance = Seance.objects.verrouiller(seance_pk)
    if seance.close_le is not None:
        raise Refus("Cette séance est close : son ordre du jour et ses décisions ne changent plus.")
    if seance.annulee_le is not None:
        raise Refus("Cette séance est annulée.")
    return seance


def _tenue(seance: Seance) -> None:
    """Un avis, une décision sont ceux d’une séance qui s’est tenue : jamais d’une séance à venir."""
    if seance.tenue_le > timezone.localdate():
        raise Refus(f"Cette séance se tient le {en_jour(seance.tenue_le)} : on y enregistre ce jour-là, ou après.")


def _motiver(avis: str, motivation: str) -> str:
    """Tout autre avis que « favorable » dit pourquoi."""
    motivation = epurer(motivation).strip()
    if avis != SensAvis.FAVORABLE and not motivation:
        raise ValidationError({"motivation": "Dites pourquoi : seul un avis favorable se passe de motivation."})
    return motivation


@transaction.atomic
def ouvrir_seance(*, instance: str, tenue_le: date, par: Utilisateur, **champs: object) -> Seance:
    _exiger_secretariat(par)
    seance = Seance(instance=instance, tenue_le=tenue_le, **champs)
    seance.full_clean()
    seance.save()
    return seance


@transaction.atomic
def modifier_seance(seance: Seance, *, tenue_le: date, par: Utilisateur, **champs: object) -> Seance:
    """Reporte ou précise la séance ; l’échéance des dossiers inscrits suit. Refuse dès qu’un avis y est enregistré."""
    _exiger_secretariat(par)
    seance = _ouverte(seance.pk)
    if tenue_le != seance.tenue_le and _deja_enregistre(seance):
        raise Refus("Un avis ou une décision y est enregistré : la date de cette séance ne change plus.")
    seance.tenue_le = tenue_le
    for nom, valeur in champs.items():
        setattr(seance, nom, valeur)
    seance.full_clean()
    seance.save()
    Dossier.objects.filter(passages__seance=seance, etat__in=(Etat.INSCRIT_CAS, Etat.INSCRIT_CA)).update(
        echeance_le=tenue_le
    )
    for sujet in seance.passages.exclude(sujet="").values_list("sujet", flat=True):
        sujets_de(sujet).reporter([cle_de(sujet)], tenue_le)
    return seance


def _deja_enregistre(seance: Seance) -> bool:
    return (
        seance.passages.filter(saisi_le__isnull=False).exists()
        or Decision.objects.filter(passage__seance=seance).exists()
    )


@transaction.atomic
def annuler_seance(seance: Seance, *, motif: str, par: Utilisateur) -> Seance:
    """La séance n’aura pas lieu : ses dossiers redeviennent à inscrire, chacun avec cette raison à son journal."""
    _exiger_secretariat(par)
    seance = _ouverte(seance.pk)
    if _deja_enregistre(seance):
        raise Refus("Un avis ou une décision y est enregistré : cette séance ne s’annule plus.")
    for passage in seance.passages.select_related("dossier"):
        desinscrire(passage, par=par, motif=f"{seance} : séance annulée. {motif}")
    seance.annulee_le, seance.annulee_par, seance.motif_annulation = timezone.now(), par, epurer(motif).strip()
    seance.full_clean()
    seance.save()
    return seance


@transaction.atomic
def inscrire(seance: Seance, dossier: Dossier, *, par: Utilisateur) -> Passage:
    """Met un dossier à l’ordre du jour, en dernier. L’instance commande le geste (CAS, puis CA)."""
    seance = _ouverte_aux_inscriptions(seance, par)
    geste = Geste.INSCRIRE_CAS if seance.instance == Instance.CAS else Geste.INSCRIRE_CA
    dossier = franchir(
        dossier,
        geste,
        par=par,
        echeance_le=seance.tenue_le,
        details={"seance": seance.pk, "le": seance.tenue_le.isoformat()},
    )
    return Passage.objects.create(seance=seance, dossier=dossier, ordre=_rang_suivant(seance))


@transaction.atomic
def inscrire_sujet(seance: Seance, sujet: str, *, par: Utilisateur) -> Passage:
    """Met à l’ordre du jour ce qu’une autre app y fait passer ; elle dit si son objet attend cette instance."""
    seance = _ouverte_aux_inscriptions(seance, par)
    sujets_de(sujet).inscrire(seance, cle_de(sujet), par=par)
    return Passage.objects.create(seance=seance, sujet=sujet, ordre=_rang_suivant(seance))


def _ouverte_aux_inscriptions(seance: Seance, par: Utilisateur) -> Seance:
    _exiger_secretariat(par)
    seance = _ouverte(seance.pk)
    if seance.limite_inscription_le and timezone.localdate() > seance.limite_inscription_le:
        raise Refus("La date limite d’inscription à cette séance est passée.")
    return seance


def _rang_suivant(seance: Seance) -> int:
    return (seance.passages.aggregate(dernier=Max("ordre"))["dernier"] or 0) + 1


@transaction.atomic
def desinscrire(passage: Passage, *, par: Utilisateur, motif: str) -> None:
    _exiger_secretariat(par)
    seance = _ouverte(passage.seance_id)
    passage = seance.passages.select_for_update(of=("self",)).get(pk=passage.pk)
    if passage.saisi_le or Decision.objects.filter(passage=passage).exists():
        raise Refus("Un avis ou une décision est déjà enregistré pour ce dossier : il reste à l’ordre du jour.")
    if passage.dossier is None:
        sujets_de(passage.sujet).retirer(cle_de(passage.sujet), motif=motif, par=par)
    else:
        geste = Geste.RETIRER_CAS if seance.instance == Instance.CAS else Geste.RETIRER_CA
        franchir(passage.dossier, geste, par=par, motif=motif, echeance_le=None)
    passage.delete()
    _renumeroter(seance)


@transaction.atomic
def deplacer(passage: Passage, *, vers: int, par: Utilisateur) -> None:
    """Place un dossier au rang ``vers`` (à partir de 1) ; les autres se décalent."""
    _exiger_secretariat(par)
    seance = _ouverte(passage.seance_id)
    ordre = list(seance.passages.order_by("ordre"))
    bouge = next(p for p in ordre if p.pk == passage.pk)
    ordre.remove(bouge)
    ordre.insert(max(0, min(vers - 1, len(ordre))), bouge)
    _renumeroter(seance, ordre)


def _renumeroter(seance: Seance, ordre: list[Passage] | None = None) -> None:
    passages = ordre if ordre is not None else list(seance.passages.order_by("ordre"))
    for rang, passage in enumerate(passages, start=1):
        passage.ordre = rang
    Passage.objects.bulk_update(passages, ["ordre"])


def _dossier(passage: Passage) -> Dossier:
    if passage.dossier is None:
        raise Refus("Ce point de l’ordre du jour n’est pas un dossier d’agrément.")
    return passage.dossier


@transaction.atomic
def decider_sujet(passage: Passage, saisie: dict[str, Any], *, par: Utilisateur) -> Passage:
    """Enregistre ce que la séance a décidé d’un sujet d’une autre app : elle l’écrit, la séance garde qui et quand."""
    _exiger_secretariat(par)
    seance = _ouverte(passage.seance_id)
    _tenue(seance)
    passage = seance.passages.select_for_update(of=("self",)).get(pk=passage.pk)
    if passage.saisi_le is not None:
        raise Refus("Une décision est déjà enregistrée pour ce point.")
    passage.saisi_par, passage.saisi_le = par, timezone.now()
    passage.save(update_fields=["saisi_par", "saisi_le"])
    sujets_de(passage.sujet).decider(passage, saisie, par=par)
    return passage


@transaction.atomic
def enregistrer_avis_cas(passage: Passage, *, avis: str, motivation: str, par: Utilisateur) -> Passage:
    _exiger_secretariat(par)
    seance = _ouverte(passage.seance_id)
    if seance.instance != Instance.CAS:
        raise Refus("Un avis s’enregistre en commission d’action sociale.")
    _tenue(seance)
    motivation = _motiver(avis, motivation)
    passage = seance.passages.select_for_update(of=("self",)).get(pk=passage.pk)
    franchir(_dossier(passage), Geste.RENDRE_AVIS_CAS, par=par, echeance_le=None, details={"avis": avis})
    return _ecrire_l_avis(passage, avis, motivation, par)


def _ecrire_l_avis(passage: Passage, avis: str, motivation: str, par: Utilisateur) -> Passage:
    passage.avis, passage.motivation = avis, motivation
    passage.saisi_par, passage.saisi_le = par, timezone.now()
    passage.full_clean()
    passage.save()
    return passage


@transaction.atomic
def corriger_avis_cas(passage: Passage, *, avis: str, motivation: str, par: Utilisateur) -> Passage:
    """Rectifie une erreur de saisie, séance ouverte et CA pas encore saisi ; le journal garde la correction."""
    _exiger_secretariat(par)
    seance = _ouverte(passage.seance_id)
    motivation = _motiver(avis, motivation)
    passage = seance.passages.select_for_update(of=("self",)).get(pk=passage.pk)
    dossier = Dossier.objects.verrouiller(_dossier(passage).pk)
    if not passage.avis or dossier.etat != Etat.AVIS_CAS:
        raise Refus("Cet avis ne se corrige plus : le dossier a avancé depuis.")
    details = {"avis": avis, "avant": passage.avis}
    consigner(dossier, Geste.RENDRE_AVIS_CAS, par=par, motif="Correction de l’avis enregistré.", details=details)
    return _ecrire_l_avis(passage, avis, motivation, par)


@transaction.atomic
def decider(
    passage: Passage,
    *,
    sens: str,
    par: Utilisateur,
    motivation: str = "",
    reserves: str = "",
    debut: date | None = None,
    fin: date | None = None,
) -> Decision:
    """Enregistre la décision du conseil d’administration.

    Ordre : séance verrouillée, dossier franchi, lettre demandée, décision, agréments nés. Tout, ou rien :
    deux secrétaires à la fois n’enregistrent qu’une décision.
    """
    _exiger_secretariat(par)
    seance = _ouverte(passage.seance_id)
    if seance.instance != Instance.CA:
        raise Refus("Une décision s’enregistre en conseil d’administration.")
    _tenue(seance)
    passage = seance.passages.select_for_update(of=("self",)).get(pk=passage.pk)
    motivation = epurer(motivation).strip()
    reserves = epurer(reserves).strip() if sens == SensDecision.AGREE_RESERVES else ""
    agree = sens in SENS_QUI_AGREENT
    if agree and not (debut and fin):
        raise ValidationError({"debut": "Un agrément porte un début et une fin."})
    dossier = franchir(
        _dossier(passage),
        GESTE_DE_DECISION[sens],
        par=par,
        motif=reserves if sens == SensDecision.AGREE_RESERVES else motivation,
        decide_le=seance.tenue_le,
        echeance_le=None,
        details={"seance": seance.pk},
    )
    acte = actes.notification(
        dossier,
        seance=seance,
        sens=sens,
        motivation=motivation,
        reserves=reserves,
        debut=debut if agree else None,
        fin=fin if agree else None,
    )
    decision = Decision(
        passage=passage,
        dossier=dossier,
        sens=sens,
        motivation=motivation,
        reserves=reserves,
        debut=debut if agree else None,
        fin=fin if agree else None,
        enregistree_par=par,
        enregistree_le=timezone.now(),
        acte=acte,
    )
    decision.full_clean()
    decision.save()
    if agree:
        faire_naitre(decision, par=par)
    return decision


@transaction.atomic
def clore_seance(seance: Seance, *, par: Utilisateur) -> Seance:
    """Fige la séance. Refuse tant qu’un dossier inscrit n’a ni avis ni décision."""
    _exiger_secretariat(par)
    seance = _ouverte(seance.pk)
    if restants := seance.passages.a_enregistrer(seance.instance).count():
        raise Refus(
            f"{accorde(restants, 'dossier')} sans avis ni décision : enregistrez, ou retirez de l’ordre du jour."
        )
    seance.close_le = timezone.now()
    seance.close_par = par
    seance.save(update_fields=["close_le", "close_par"])
    return seance
