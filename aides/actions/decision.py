"""La séance décide d’une aide : l’enveloppe est engagée, la lettre part, les suites naissent. Tout, ou rien."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from django.utils import timezone

from agrements.models import Passage, Seance
from aides import actes
from aides.actions.enveloppes import engager
from aides.actions.franchir import franchir
from aides.actions.instruction import ajustement
from aides.choix import GESTE_DE_DECISION, EtatBilan, Geste, SensDecision
from aides.models import AvisAide, BilanAide, ConventionAide, DecisionAide, Demande, Pret
from comptes.models import Utilisateur
from socle.erreurs import Refus
from socle.montants import en_euros
from socle.texte import epurer


def inscrire(demande: Demande, seance: Seance, *, par: Utilisateur) -> Demande:
    """Met la demande à l’ordre du jour de l’instance que son dispositif nomme. Lève Refus pour une autre."""
    if demande.version.instance != seance.instance:
        raise Refus(f"Ce dispositif se décide en {demande.version.get_instance_display()}.")
    return franchir(demande, Geste.INSCRIRE, par=par, echeance_le=seance.tenue_le, details={"seance": seance.pk})


def desinscrire(demande: Demande, *, motif: str, par: Utilisateur) -> Demande:
    return franchir(demande, Geste.DESINSCRIRE, par=par, motif=motif, echeance_le=None)


def decider(
    passage: Passage, demande: Demande, *, sens: str, montant: Decimal | None, motivation: str, conditions: str,
    par: Utilisateur,
) -> DecisionAide:  # fmt: skip
    """Enregistre la décision, dans la transaction de la séance.

    Ordre : demande franchie, enveloppe engagée sous verrou, lettre, décision, puis convention, prêt et bilan attendus.
    Lève Refus si l’enveloppe ne suffit pas, ValidationError près du champ en faute.
    """
    seance = passage.seance
    motivation, conditions = epurer(motivation).strip(), epurer(conditions).strip()
    accorde = sens == SensDecision.ACCORDE
    avis = demande.avis.first()
    assert avis is not None
    limite = None
    if accorde:
        montant = _montant(demande, avis, montant, motivation)
        limite = seance.tenue_le + relativedelta(months=demande.version.delai_mois)
    else:
        montant = None
    demande = franchir(
        demande,
        GESTE_DE_DECISION[sens],
        par=par,
        motif=motivation,
        montant_accorde=montant,
        decide_le=seance.tenue_le,
        limite_le=limite,
        echeance_le=limite,
        details={"seance": seance.pk},
    )
    explication = list(avis.explication)
    if montant is not None:
        engager(demande, montant, par=par)
        if montant != avis.montant:
            explication.append(ajustement("Fixé par l’instance", montant - avis.montant, motivation, demande))
    decision = DecisionAide(
        passage=passage,
        demande=demande,
        sens=sens,
        montant=montant,
        motivation=motivation,
        conditions=conditions if accorde else "",
        avis=avis,
        explication=explication if accorde else [],
        acte=actes.decision(
            demande, seance=seance, sens=sens, montant=montant, motivation=motivation, conditions=conditions,
            explication=explication, limite=limite,
            manquantes=[(c["libelle"], c["preuve"]) for c in avis.constats if not c["remplie"]],
        ),
        enregistree_par=par,
        enregistree_le=timezone.now(),
    )  # fmt: skip
    decision.full_clean()
    decision.save()
    if accorde:
        _ouvrir_les_suites(demande)
    return decision


def _montant(demande: Demande, avis: AvisAide, montant: Decimal | None, motivation: str) -> Decimal:
    """L’instance fixe le montant ; tout écart avec la proposition se motive, et rien ne dépasse la demande."""
    if montant is None or montant <= 0:
        raise ValidationError({"montant": "Écrivez le montant accordé."})
    borne = min(m for m in (demande.montant_demande, avis.calcule) if m is not None)
    if montant > borne:
        raise ValidationError({"montant": f"Au plus {en_euros(borne)} : le calcul, dans la limite de la demande."})
    if montant != demande.montant_propose and not motivation:
        raise ValidationError({
            "motivation": f"L’instruction proposait {en_euros(demande.montant_propose or avis.montant)} : dites "
            f"pourquoi "
            "ce montant."
        })  # fmt: skip
    return montant


def _ouvrir_les_suites(demande: Demande) -> None:
    version = demande.version
    assert demande.montant_accorde is not None
    assert demande.limite_le is not None
    if version.est_un_pret:
        assert version.pret_echeances is not None
        Pret.objects.create(
            demande=demande,
            montant=demande.montant_accorde,
            taux=version.pret_taux,
            nombre=version.pret_echeances,
            periodicite=version.pret_periodicite,
            differe=version.pret_differe,
        )
    if version.convention_exigee:
        ConventionAide.objects.create(demande=demande, acte=actes.convention(demande))
    if version.bilan_mois:
        fin = fin_du_projet(demande) or demande.limite_le
        attendu = min(fin, demande.limite_le) + relativedelta(months=version.bilan_mois)
        prevus = demande.reponses.filter(champ="indicateurs").values_list("valeur", flat=True).first() or []
        BilanAide.objects.create(
            demande=demande,
            attendu_le=attendu,
            etat=EtatBilan.A_RENDRE,
            indicateurs=[{**ligne, "realise": ""} for ligne in prevus],
        )


def fin_du_projet(demande: Demande) -> date | None:
    valeur = demande.reponses.filter(champ="fin").values_list("valeur", flat=True).first()
    return date.fromisoformat(valeur) if valeur else None
