"""Proposer, valider, ordonnancer, constater : l’argent qui part. Un indu : l’argent qui revient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from comptes.models import Utilisateur
from financements import annonces
from financements.choix import (
    EtatIndu,
    EtatPaiement,
    GestePaiement,
    ModeRecouvrement,
)
from financements.cycle import CYCLE_PAIEMENT
from financements.droits import peut_payer, suit
from financements.echeancier import Proposition
from financements.etude import DEFINITIFS, INDUS_OUVERTS, Etude, etudier, reste_d_indu, retenu
from financements.models import (
    Droit,
    EvenementPaiement,
    Indu,
    Lot,
    Paiement,
    Recouvrement,
)
from financements.payables import payable_de
from financements.sepa import Donneur, Retour, Virement, ordre_de_virement
from socle.droits import exiger
from socle.erreurs import Refus
from socle.etats import TransitionInterdite, arrivee, trop_tard
from socle.montants import ZERO, en_euros
from socle.texte import entier


def consigner(paiement: Paiement, geste: str, *, par: Utilisateur | None, motif: str = "") -> None:
    EvenementPaiement.objects.create(
        paiement=paiement, geste=geste, vers=paiement.etat, par=par, le=timezone.now(), motif=motif
    )


def _choisie(etude: Etude, nature: str) -> Proposition:
    for proposition in etude.suite.propositions:
        if proposition.nature == nature:
            return proposition
    raise Refus("Ce versement n’est plus à proposer : la situation du droit a changé.")


@transaction.atomic
def proposer(droit: Droit, *, nature: str, par: Utilisateur, compenser: bool = False) -> Paiement:
    """Propose le versement que l’échéancier appelle, au montant qu’il calcule ; personne ne le saisit.

    ``compenser`` retient sur ce versement ce qui reste d’un indu. Lève Refus avec l’obstacle.
    """
    droit = Droit.objects.verrouiller(droit.pk)
    exiger(peut_payer(GestePaiement.PROPOSER, par, None, droit))
    etude = etudier(droit)
    if etude.obstacles:
        raise Refus(etude.obstacles[0])
    assert etude.version is not None
    assert etude.regles is not None
    proposition = _choisie(etude, nature)
    compense = min(etude.reste_a_rendre, proposition.montant) if compenser and etude.indu_ouvert else ZERO
    paiement = Paiement(
        structure=droit.structure,
        droit=droit,
        version_droit=etude.version,
        nature=proposition.nature,
        rang=proposition.rang,
        montant=proposition.montant,
        compense=compense,
        prevu_le=max(proposition.prevu_le, timezone.localdate()),
        double_regard=proposition.montant > etude.regles.seuil_double_regard,
        propose_par=par,
        propose_le=timezone.now(),
    )
    paiement.full_clean(exclude=["structure", "droit", "version_droit"])
    paiement.save()
    consigner(paiement, GestePaiement.PROPOSER, par=par, motif=proposition.calcul)
    if compense and etude.indu_ouvert is not None:
        _recouvrer(etude.indu_ouvert, compense, ModeRecouvrement.COMPENSATION, par=par, paiement=paiement)
    return paiement


def _franchir(paiement: Paiement, geste: str, *, par: Utilisateur, motif: str = "", **champs: object) -> Paiement:
    avant = paiement.etat
    try:
        champs["etat"] = arrivee(CYCLE_PAIEMENT, geste, avant, motif)
    except TransitionInterdite as erreur:
        raise trop_tard("ce paiement", paiement.get_etat_display()) from erreur
    if motif:
        champs["motif"] = motif
    for nom, valeur in champs.items():
        setattr(paiement, nom, valeur)
    paiement.full_clean(exclude=["structure", "droit", "version_droit", "lot"])
    paiement.save(update_fields=champs)
    consigner(paiement, geste, par=par, motif=motif)
    return paiement


def _verrouiller(paiement: Paiement) -> Paiement:
    """Le droit (ou l’objet) d’abord, le paiement ensuite : partout le même ordre, sans interblocage."""
    if paiement.droit_id is None:
        payable_de(paiement).verrouiller(paiement)
        return Paiement.objects.verrouiller(paiement.pk)
    droit = Droit.objects.verrouiller(paiement.droit_id)
    paiement = Paiement.objects.verrouiller(paiement.pk)
    paiement.droit = droit
    return paiement


@transaction.atomic
def valider(paiement: Paiement, *, par: Utilisateur) -> Paiement:
    """Le second regard. Lève Refus si un obstacle est apparu, ou si le droit a baissé sous ce qui est engagé."""
    paiement = _verrouiller(paiement)
    exiger(peut_payer(GestePaiement.VALIDER, par, paiement, paiement.droit))
    if phrase := retenu(paiement):
        raise Refus(phrase)
    return _franchir(paiement, GestePaiement.VALIDER, par=par, valide_par=par, valide_le=timezone.now())


@transaction.atomic
def annuler(paiement: Paiement, *, motif: str, par: Utilisateur) -> Paiement:
    """Annule un paiement pas encore parti ; une compensation qu’il portait est défaite."""
    paiement = _verrouiller(paiement)
    exiger(peut_payer(GestePaiement.ANNULER, par, paiement, paiement.droit))
    paiement = _franchir(paiement, GestePaiement.ANNULER, par=par, motif=motif.strip())
    _defaire(paiement)
    return paiement


def _defaire(paiement: Paiement) -> None:
    """Rend ce qu’un paiement annulé ou rejeté avait pris : la part compensée d’un indu, ou ce que l’objet en garde."""
    if paiement.droit_id is None:
        payable_de(paiement).annule(paiement)
    for recouvrement in paiement.recouvrements.filter(annule_le__isnull=True).select_related("indu"):
        Recouvrement.objects.filter(pk=recouvrement.pk).update(annule_le=timezone.now())
        Indu.objects.filter(pk=recouvrement.indu_id, etat=EtatIndu.SOLDE).update(etat=EtatIndu.NOTIFIE)


@transaction.atomic
def ordonnancer(cles: list[int], *, execution_le: date, donneur: Donneur, par: Utilisateur) -> Lot:
    """Fait partir ensemble des paiements validés : un lot, un ordre SEPA gardé. Tout ou rien.

    Un paiement déjà pris par un autre lot fait tout échouer : rien n’est payé deux fois.
    """
    paiements = list(
        Paiement.objects.filter(pk__in=cles)
        .select_for_update(of=("self",), no_key=True)
        .select_related("structure__gestionnaire", "droit__structure__gestionnaire", "droit__prestation")
        .order_by("pk")
    )
    if not paiements or len(paiements) != len(set(cles)):
        raise Refus("Choisissez au moins un paiement validé.")
    exiger(peut_payer(GestePaiement.ORDONNANCER, par, None, paiements[0].droit))
    if execution_le < timezone.localdate():
        raise Refus("La date d’exécution est passée.")
    for paiement in paiements:
        if paiement.etat != EtatPaiement.VALIDE:
            raise Refus(f"« {paiement} » est « {paiement.get_etat_display().lower()} » : retirez-le du lot.")
        if phrase := retenu(paiement, sauf_obstacles=True):
            raise Refus(f"« {paiement} » : {phrase}")
    a_virer = [p for p in paiements if p.montant > p.compense]
    if not a_virer:
        raise Refus("Tous ces paiements sont entièrement compensés : rien n’est à virer.")
    lot = Lot(
        execution_le=execution_le,
        cree_par=par,
        cree_le=timezone.now(),
        nombre=len(a_virer),
        total=sum((p.montant - p.compense for p in a_virer), ZERO),
    )
    lot.pk = _prochaine_cle()
    virements = [
        Virement(
            reference=p.reference,
            beneficiaire=p.structure.gestionnaire.nom,
            iban=p.structure.gestionnaire.iban,
            montant=p.montant - p.compense,
            libelle=f"{p.sujet} {p.get_nature_display()} {p.reference}",
        )
        for p in a_virer
    ]
    ordre = ordre_de_virement(virements, donneur, reference=lot.reference, execution=execution_le)
    lot.empreinte = sha256(ordre).hexdigest()
    lot.fichier.save(f"{lot.reference}.xml", ContentFile(ordre), save=False)
    lot.save(force_insert=True)
    for paiement in paiements:
        paiement = _franchir(paiement, GestePaiement.ORDONNANCER, par=par, lot=lot)
        if paiement.montant == paiement.compense:  # rien à virer : la compensation vaut paiement
            _franchir(paiement, GestePaiement.CONSTATER, par=par, paye_le=timezone.localdate())
    return lot


def _prochaine_cle() -> int:
    """La clé du lot avant son insertion : elle figure dans l’ordre de virement, qui est figé avec lui."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT nextval(pg_get_serial_sequence('financements_lot', 'id'))")
        return int(curseur.fetchone()[0])


@dataclass(frozen=True, slots=True)
class BilanDeRetour:
    payes: int
    rejetes: int
    deja: int
    inconnus: tuple[str, ...]


@transaction.atomic
def lire_retours(retours: tuple[Retour, ...], *, par: Utilisateur) -> BilanDeRetour:
    """Marque payés ou rejetés les paiements ordonnancés ; rejouable : un fichier relu ne change plus rien."""
    payes = rejetes = deja = 0
    inconnus = []
    for retour in retours:
        cle = entier(retour.reference.rsplit("-", 1)[-1])
        paiement = None
        if cle is not None:
            paiement = (
                Paiement.objects.select_for_update(of=("self",))
                .select_related("droit", "structure")
                .filter(pk=cle)
                .first()
            )
        if paiement is None or paiement.reference != retour.reference or paiement.lot_id is None:
            inconnus.append(retour.reference)
            continue
        exiger(peut_payer(GestePaiement.CONSTATER, par, paiement, paiement.droit))
        if paiement.etat != EtatPaiement.ORDONNANCE:
            deja += 1
            continue
        if retour.paye:
            paiement = _franchir(
                paiement, GestePaiement.CONSTATER, par=par, paye_le=retour.date or timezone.localdate()
            )
            if paiement.droit_id is None:
                payable_de(paiement).paye(paiement)
            payes += 1
        else:
            _franchir(paiement, GestePaiement.REJETER, par=par, motif=retour.motif or "rejeté par la banque")
            _defaire(paiement)
            rejetes += 1
    return BilanDeRetour(payes, rejetes, deja, tuple(inconnus))


@transaction.atomic
def notifier_indu(
    droit: Droit, *, premiere_echeance: date, par: Utilisateur, echeances: int = 1, motif: str = ""
) -> Indu:
    """Constate un trop-versé et le notifie. Le montant vient du calcul, personne ne le saisit.

    Lève Refus s’il n’y a rien de trop, ou si un indu est déjà ouvert sur ce droit ; ValidationError si l’échéance est
    déjà passée.
    """
    if premiere_echeance <= timezone.localdate():
        raise ValidationError(
            {"premiere_echeance": "La première échéance est dans l’avenir : la lettre doit arriver avant elle."}
        )
    droit = Droit.objects.verrouiller(droit.pk)
    exiger(suit(par, droit.structure))
    etude = etudier(droit)
    if etude.version is None or not etude.suite.trop_verse:
        raise Refus("Il n’y a pas de trop-versé sur ce droit.")
    if etude.version.nature not in DEFINITIFS:
        raise Refus("Un indu se notifie après le droit réel : jusque-là, il se prévient.")
    if droit.indus.filter(etat__in=INDUS_OUVERTS).exists():
        raise Refus("Un indu est déjà ouvert sur ce droit.")
    indu = Indu(
        droit=droit,
        version_droit=etude.version,
        montant=etude.suite.trop_verse,
        etat=EtatIndu.ECHELONNE if echeances > 1 else EtatIndu.NOTIFIE,
        echeances=echeances,
        premiere_echeance=premiere_echeance,
        notifie_par=par,
        notifie_le=timezone.now(),
        motif=motif,
    )
    indu.full_clean(exclude=["droit", "version_droit"])
    indu.save()
    annonces.indu_notifie(indu)
    return indu


def _recouvrer(
    indu: Indu,
    montant: Decimal,
    mode: str,
    *,
    par: Utilisateur,
    paiement: Paiement | None = None,
    le: date | None = None,
) -> Recouvrement:
    recouvrement = Recouvrement.objects.create(
        indu=indu, montant=montant, mode=mode, paiement=paiement, le=le or timezone.localdate(), par=par
    )
    if reste_d_indu(indu) <= 0:
        Indu.objects.filter(pk=indu.pk).update(etat=EtatIndu.SOLDE)
    return recouvrement


@transaction.atomic
def enregistrer_remboursement(indu: Indu, *, montant: Decimal, le: date, par: Utilisateur) -> Recouvrement:
    """Note un remboursement reçu. Lève Refus au-delà de ce qui reste dû."""
    droit = Droit.objects.verrouiller(indu.droit_id)
    exiger(suit(par, droit.structure))
    indu = Indu.objects.select_for_update(of=("self",)).get(pk=indu.pk)
    if indu.etat not in INDUS_OUVERTS:
        raise Refus(f"Cet indu est « {indu.get_etat_display().lower()} ».")
    reste = reste_d_indu(indu)
    if montant <= 0 or montant > reste:
        raise Refus(f"Il reste {en_euros(reste)} à rendre : vérifiez le montant.")
    if le > timezone.localdate():
        raise Refus("La date du remboursement est dans l’avenir.")
    return _recouvrer(indu, montant, ModeRecouvrement.REMBOURSEMENT, par=par, le=le)
