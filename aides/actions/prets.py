"""La vie d’un prêt : mandat, échéances prélevées, payées, impayées, remboursement anticipé. Rien ne s’efface."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256

from dateutil.relativedelta import relativedelta
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from aides import actes, annonces, prets
from aides.actions.franchir import consigner, ouvrir
from aides.choix import EtatEcheance, EtatPret, Geste, ModeAnticipe
from aides.models import Demande, EcheancePret, LotPrelevement, Pret, RemboursementAnticipe
from aides.prets import ConditionsRefusees, Echeance, Mode
from comptes.models import Utilisateur
from financements.droits import LIQUIDATEURS
from financements.prelevements import Creancier, Prelevement, ordre_de_prelevement
from financements.sepa import Retour
from socle.dates import en_jour
from socle.erreurs import Refus
from socle.montants import ZERO, en_euros
from socle.texte import entier, epurer

DUES = (EtatEcheance.A_VENIR, EtatEcheance.EMISE, EtatEcheance.IMPAYEE)


def _ouvrir(pret: Pret, par: Utilisateur) -> Pret:
    demande = ouvrir(pret.demande, Geste.GERER_PRET, par=par)
    pret = Pret.objects.select_for_update(of=("self",)).get(pk=pret.pk)
    pret.demande = demande
    return pret


def en_vigueur(pret: Pret) -> list[EcheancePret]:
    """Les échéances du tableau en vigueur et celles, passées, des tableaux d’avant ; dans l’ordre des dates."""
    return [e for e in pret.echeances.order_by("le", "tableau", "rang") if e.etat != EtatEcheance.REMPLACEE]


def capital_restant(pret: Pret) -> Decimal:
    """Le capital encore dû : celui des échéances qui ne sont ni payées ni remplacées. Zéro avant la mise à
    disposition.
    """
    return sum((e.capital for e in en_vigueur(pret) if e.etat in DUES), ZERO)


@transaction.atomic
def enregistrer_mandat(pret: Pret, *, mandat: str, signe_le: date, premiere_echeance: date, par: Utilisateur) -> Pret:
    """Le contrat est signé : garde le mandat, fixe la première échéance, écrit et notifie le tableau
    d’amortissement.
    """
    pret = _ouvrir(pret, par)
    if pret.etat != EtatPret.A_SIGNER:
        raise Refus("Le mandat de ce prêt est déjà enregistré.")
    if not pret.demande.convention.signee:
        raise Refus("Le contrat n’est pas encore signé par les deux parties.")
    aujourd_hui = timezone.localdate()
    if signe_le > aujourd_hui:
        raise ValidationError({"signe_le": "Cette date est dans l’avenir."})
    if premiere_echeance <= aujourd_hui:
        raise ValidationError({"premiere_echeance": "La première échéance est à venir."})
    if premiere_echeance > aujourd_hui + relativedelta(months=24):
        raise ValidationError({"premiere_echeance": "Vingt-quatre mois au plus : au-delà, c’est un différé à régler."})
    pret.mandat = " ".join(epurer(mandat).split())
    pret.mandat_signe_le, pret.premiere_echeance, pret.etat = signe_le, premiere_echeance, EtatPret.SIGNE
    pret.full_clean()
    pret.save()
    _ecrire(pret, prets.tableau(pret.conditions), "Voici les échéances de votre prêt.")
    consigner(pret.demande, Geste.GERER_PRET, par=par, details={"mandat": pret.mandat})
    return pret


def _ecrire(pret: Pret, lignes: Sequence[Echeance], pourquoi: str) -> None:
    ecrites = EcheancePret.objects.bulk_create(
        EcheancePret(
            pret=pret, tableau=pret.tableau, rang=e.rang, le=e.le, capital=e.capital, interets=e.interets,
            total=e.total, reste=e.reste,
        )
        for e in lignes
    )  # fmt: skip
    actes.echeancier(pret, ecrites, pourquoi)
    annonces.a_la_direction(
        pret.demande, f"echeancier-{pret.tableau}", f"Le tableau d’amortissement de « {pret.demande.intitule} » est là."
    )


def mettre_a_disposition(demande: Demande) -> None:
    """Le versement du prêt est payé : le remboursement court. Rejouable."""
    Pret.objects.filter(demande=demande, etat=EtatPret.SIGNE).update(etat=EtatPret.EN_COURS)


def a_prelever(jusqu_au: date) -> list[EcheancePret]:
    """Les échéances à venir des prêts en remboursement, dues à cette date, et les impayées à représenter."""
    return list(
        EcheancePret.objects.filter(
            pret__etat=EtatPret.EN_COURS, le__lte=jusqu_au, total__gt=0,
            etat__in=[EtatEcheance.A_VENIR, EtatEcheance.IMPAYEE],
        )
        .select_related("pret__demande__structure__gestionnaire")
        .order_by("le", "pk")
    )  # fmt: skip


@transaction.atomic
def prelever(cles: list[int], *, execution_le: date, creancier: Creancier, par: Utilisateur) -> LotPrelevement:
    """Fait partir ensemble des échéances : un lot, un ordre SEPA gardé. Tout ou rien.

    Une échéance déjà prise par un autre lot fait tout échouer : rien n’est prélevé deux fois. Lève Refus,
    OrdreInvalide.
    """
    if not par.tient(*LIQUIDATEURS):
        raise PermissionDenied("Les prélèvements reviennent aux techniciens conseil et au responsable.")
    if execution_le < timezone.localdate():
        raise Refus("La date de prélèvement est passée.")
    echeances = list(
        EcheancePret.objects.filter(pk__in=cles)
        .select_for_update(of=("self",), no_key=True)
        .select_related("pret__demande__structure__gestionnaire", "pret__demande__version__dispositif")
        .order_by("pk")
    )
    if not echeances or len(echeances) != len(set(cles)):
        raise Refus("Choisissez au moins une échéance.")
    for e in echeances:
        if e.etat not in (EtatEcheance.A_VENIR, EtatEcheance.IMPAYEE) or e.pret.etat != EtatPret.EN_COURS:
            raise Refus(f"{e.pret.demande.intitule}, échéance {e.rang} : {e.get_etat_display().lower()}. Retirez-la.")
        if e.le > execution_le:
            raise Refus(f"{e.pret.demande.intitule} : l’échéance du {en_jour(e.le)} n’est pas due à cette date.")
    lot = LotPrelevement(
        execution_le=execution_le,
        cree_par=par,
        cree_le=timezone.now(),
        nombre=len(echeances),
        total=sum((e.total for e in echeances), ZERO),
    )
    lot.pk = _prochaine_cle()
    for e in echeances:
        e.lot_id = lot.pk
    ordre = ordre_de_prelevement(
        [_prelevement(e, lot) for e in echeances], creancier, reference=lot.reference, execution=execution_le
    )
    lot.empreinte = sha256(ordre).hexdigest()
    lot.fichier.save(f"{lot.reference}.xml", ContentFile(ordre), save=False)
    lot.save(force_insert=True)
    for e in echeances:
        e.etat, e.lot, e.constatee_le, e.constatee_par, e.motif = EtatEcheance.EMISE, lot, None, None, ""
        e.full_clean(exclude=["pret", "lot"])
        e.save(update_fields=["etat", "lot", "constatee_le", "constatee_par", "motif"])
    return lot


def _prelevement(e: EcheancePret, lot: LotPrelevement) -> Prelevement:
    demande = e.pret.demande
    assert e.pret.mandat_signe_le is not None
    prelevables = e.pret.echeances.filter(total__gt=0)  # pendant un différé à taux zéro, rien ne se prélève
    deja = prelevables.filter(etat__in=[EtatEcheance.PAYEE, EtatEcheance.EMISE]).exists()
    premiere = not deja and not prelevables.filter(etat__in=DUES, tableau=e.tableau, rang__lt=e.rang).exists()
    return Prelevement(
        reference=e.reference,
        debiteur=demande.structure.gestionnaire.nom,
        iban=demande.structure.gestionnaire.iban,
        montant=e.total,
        libelle=f"{demande.numero} échéance {e.rang} {lot.reference}",
        mandat=e.pret.mandat,
        mandat_signe_le=e.pret.mandat_signe_le,
        sequence="FRST" if premiere else "RCUR",
    )


def _prochaine_cle() -> int:
    with connection.cursor() as curseur:
        curseur.execute("SELECT nextval(pg_get_serial_sequence('aides_lotprelevement', 'id'))")
        return int(curseur.fetchone()[0])


@transaction.atomic
def constater(echeance: EcheancePret, *, payee: bool, le: date, motif: str, par: Utilisateur) -> EcheancePret:
    """Note ce que la banque a fait d’une échéance émise : payée, ou impayée et pourquoi.

    La dernière payée solde le prêt.
    """
    pret = _ouvrir(echeance.pret, par)
    echeance = EcheancePret.objects.select_for_update(of=("self",)).get(pk=echeance.pk)
    if echeance.etat != EtatEcheance.EMISE:
        raise Refus(f"Cette échéance est « {echeance.get_etat_display().lower()} ».")
    if le > timezone.localdate():
        raise ValidationError({"le": "Cette date est dans l’avenir."})
    motif = epurer(motif).strip()
    if not payee and not motif:
        raise ValidationError({"motif": "Dites ce que la banque a répondu."})
    echeance.etat = EtatEcheance.PAYEE if payee else EtatEcheance.IMPAYEE
    echeance.constatee_le, echeance.constatee_par, echeance.motif = le, par, "" if payee else motif
    echeance.full_clean(exclude=["pret", "lot"])
    echeance.save(update_fields=["etat", "constatee_le", "constatee_par", "motif"])
    details = {"echeance": echeance.rang, "payee": payee}
    consigner(pret.demande, Geste.GERER_PRET, par=par, motif=echeance.motif, details=details)
    if not payee:
        annonces.a_la_direction(
            pret.demande, f"impaye-{echeance.pk}-{le.isoformat()}",
            f"Une échéance de votre prêt « {pret.demande.intitule} » n’a pas pu être prélevée : contactez la Caf.",
        )  # fmt: skip
    _solder_si_fini(pret)
    return echeance


@transaction.atomic
def lire_retours(retours: tuple[Retour, ...], *, par: Utilisateur) -> tuple[int, int, list[str]]:
    """Constate en série ce que la banque a fait des prélèvements : payées, impayées, références inconnues.
    Rejouable.
    """
    payees = impayees = 0
    inconnues = []
    for retour in retours:
        echeance = _par_reference(retour.reference)
        if echeance is None:
            inconnues.append(retour.reference)
        elif echeance.etat == EtatEcheance.EMISE and echeance.reference == retour.reference:
            le = min(retour.date or timezone.localdate(), timezone.localdate())
            motif = retour.motif or "rejeté par la banque"
            constater(echeance, payee=retour.paye, le=le, motif=motif, par=par)
            payees, impayees = payees + retour.paye, impayees + (not retour.paye)
    return payees, impayees, inconnues


def _par_reference(reference: str) -> EcheancePret | None:
    """L’échéance que cite un retour : « PRET-00012-1-003-45 », ou rien."""
    morceaux = [m for texte in reference.removeprefix("PRET-").split("-") if (m := entier(texte)) is not None]
    if not reference.startswith("PRET-") or len(morceaux) != 4:
        return None
    pret, tableau, rang, _ = morceaux
    trouvees = EcheancePret.objects.filter(pret=pret, tableau=tableau, rang=rang)
    return trouvees.select_related("pret__demande").first()


def _solder_si_fini(pret: Pret) -> None:
    if not any(e.etat in DUES and e.total > 0 for e in en_vigueur(pret)):
        pret.etat = EtatPret.SOLDE
        pret.save(update_fields=["etat"])


def solde_anticipe(pret: Pret, le: date) -> tuple[Decimal, Decimal]:
    """Ce que coûterait un remboursement total ce jour-là : le capital restant dû, et les intérêts courus depuis la
    dernière échéance (ou la mise à disposition)."""
    capital = capital_restant(pret)
    echues = [e for e in en_vigueur(pret) if e.le <= le]
    assert pret.premiere_echeance is not None
    depart = pret.premiere_echeance - relativedelta(months=pret.periodicite)
    depuis = max([depart, *(e.le for e in echues)])
    return capital, prets.interets_courus(capital, pret.taux, min(depuis, le), le)


@transaction.atomic
def rembourser(pret: Pret, *, le: date, capital: Decimal, mode: str, par: Utilisateur) -> RemboursementAnticipe:
    """Enregistre un capital rendu avant l’heure.

    Total, il solde le prêt ; partiel, un nouveau tableau naît et se notifie.

    Lève ValidationError (date, montant), Refus tant qu’une échéance est en route ou impayée.
    """
    pret = _ouvrir(pret, par)
    if pret.etat != EtatPret.EN_COURS:
        raise Refus("Ce prêt n’est pas en remboursement.")
    if le > timezone.localdate():
        raise ValidationError({"le": "Cette date est dans l’avenir."})
    vivantes = en_vigueur(pret)
    if any(e.etat in (EtatEcheance.EMISE, EtatEcheance.IMPAYEE) for e in vivantes):
        raise Refus("Une échéance est en route ou impayée : réglez-la d’abord.")
    restantes = [e for e in vivantes if e.etat == EtatEcheance.A_VENIR]
    if any(e.le <= le and e.total > 0 for e in restantes):
        raise Refus("Une échéance déjà due n’est pas prélevée : prélevez-la d’abord.")
    du, interets = solde_anticipe(pret, le)
    partiel = capital != du
    pures = tuple(Echeance(e.rang, e.le, e.capital, e.interets, e.reste) for e in restantes)
    try:
        suite = prets.apres_anticipe(pret.conditions, pures, capital, Mode(mode or ModeAnticipe.DUREE))
    except ConditionsRefusees as erreur:
        raise ValidationError({"capital" if erreur.champ == "montant" else "__all__": str(erreur)}) from erreur
    for e in restantes:
        e.etat = EtatEcheance.REMPLACEE
        e.save(update_fields=["etat"])
    if partiel:
        pret.tableau += 1
        pret.save(update_fields=["tableau"])
    anticipe = RemboursementAnticipe.objects.create(
        pret=pret,
        le=le,
        capital=capital,
        interets=interets if not partiel else ZERO,
        mode=mode if partiel else "",
        tableau=pret.tableau if partiel else None,
        par=par,
        enregistre_le=timezone.now(),
    )
    consigner(
        pret.demande, Geste.GERER_PRET, par=par,
        details={"anticipe": str(capital), "interets": str(anticipe.interets)},
    )  # fmt: skip
    if partiel:
        _ecrire(pret, suite, f"Vous avez remboursé {en_euros(capital)} le {en_jour(le)} : voici la suite.")
    else:
        pret.etat = EtatPret.SOLDE
        pret.save(update_fields=["etat"])
        annonces.a_la_direction(pret.demande, "pret-solde", f"Votre prêt « {pret.demande.intitule} » est remboursé.")
    return anticipe
