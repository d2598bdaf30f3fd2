"""Ce qu’une aide accordée appelle à verser, et ce qui l’empêche aujourd’hui. On ne fait ici que lire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from aides.calculs import au_prorata_du_reel
from aides.choix import Etat, EtatBilan, EtatPret, NatureARendre
from aides.contenu import ContenuDemande
from aides.models import Demande, SommeARendre
from financements.calculs import partager
from financements.choix import ENGAGES, EtatPaiement, NaturePaiement
from financements.models import Paiement
from socle.dates import en_jour
from socle.montants import ZERO, en_euros


def objet_de(demande_pk: int) -> str:
    """Le mot que portent les paiements de cette aide (voir ``financements.payables``)."""
    return f"aide-{demande_pk}"


@dataclass(frozen=True, slots=True)
class Proposition:
    """Un versement possible : sa nature, son montant, et comment on y arrive."""

    nature: str
    rang: int
    montant: Decimal
    calcul: str


@dataclass(frozen=True, slots=True)
class EtudeAide:
    """``du`` : ce que l’aide vaut aujourd’hui, au prorata des factures retenues quand elle se verse ainsi."""

    accorde: Decimal
    du: Decimal
    engage: Decimal
    paye: Decimal
    reel: Decimal
    prevu: Decimal
    propositions: tuple[Proposition, ...]
    obstacles: tuple[str, ...]

    @property
    def reste(self) -> Decimal:
        return max(self.du - self.engage, ZERO)

    @property
    def non_verse(self) -> Decimal:
        """Ce qui reste engagé sur l’enveloppe sans être parti."""
        return max(self.accorde - self.engage, ZERO)

    @property
    def trop_verse(self) -> Decimal:
        """Ce qui est payé au-delà de ce que l’aide vaut au coût réel : une avance que les factures n’ont pas suivie."""
        return max(self.paye - self.du, ZERO)


def verse(demande: Demande, *, paye_seulement: bool = False, sauf: Paiement | None = None) -> Decimal:
    etats = [EtatPaiement.PAYE] if paye_seulement else ENGAGES
    paiements = Paiement.objects.filter(objet=objet_de(demande.pk), etat__in=etats)
    if sauf is not None:
        paiements = paiements.exclude(pk=sauf.pk)
    return paiements.aggregate(somme=Sum("montant"))["somme"] or ZERO


def etudier(demande: Demande, *, sauf: Paiement | None = None) -> EtudeAide:
    """``sauf`` : comme si ce paiement n’était pas engagé."""
    version = demande.version
    accorde = demande.montant_accorde or ZERO
    engage, paye = verse(demande, sauf=sauf), verse(demande, paye_seulement=True)
    reel, prevu, du = ZERO, ZERO, accorde
    if version.sur_factures and not version.est_un_pret:
        contenu = ContenuDemande(demande)
        prevu, reel = contenu.retenu, _reel(demande, contenu)
        du = au_prorata_du_reel(accorde, prevu, reel) if prevu else ZERO
    obstacles = _obstacles(demande)
    natures = list(
        Paiement.objects.filter(objet=objet_de(demande.pk), etat__in=ENGAGES)
        .exclude(pk=sauf.pk if sauf else 0)
        .values_list("nature", "rang")
    )
    propositions = _propositions(demande, accorde, du, engage, reel, prevu, natures) if accorde else []
    return EtudeAide(accorde, du, engage, paye, reel, prevu, tuple(propositions), tuple(obstacles))


def _reel(demande: Demande, contenu: ContenuDemande) -> Decimal:
    """Les factures retenues, chaque dépense dans la limite de ce qui en est retenu : l’une ne paie pas pour l’autre."""
    sommes = demande.factures.order_by().values("depense").annotate(somme=Sum("retenu"))
    facture = dict(sommes.values_list("depense", "somme"))
    return sum((min(facture.get(d.pk) or ZERO, contenu.eligible(d)) for d in contenu.depenses), ZERO)


def _propositions(
    demande: Demande, accorde: Decimal, du: Decimal, engage: Decimal, reel: Decimal, prevu: Decimal,
    natures: list[tuple[str, int]],
) -> list[Proposition]:  # fmt: skip
    version = demande.version
    if version.est_un_pret:
        if engage:
            return []
        return [Proposition(NaturePaiement.PRET, 1, accorde, "montant du prêt, versé en une fois")]
    propositions = []
    (avance,) = partager(accorde, (version.avance_part,))
    deja = any(nature == NaturePaiement.AVANCE for nature, _ in natures)
    if avance and not deja and not engage and demande.etat == Etat.ACCORDEE:
        calcul = f"avance : {version.avance_part.normalize():f} % de {en_euros(accorde)}"
        propositions.append(Proposition(NaturePaiement.AVANCE, 1, avance, calcul))
    if version.sur_factures:
        reste = du - engage
        if reste > 0:
            rang = 1 + max((r for n, r in natures if n == NaturePaiement.FACTURES), default=0)
            calcul = (
                f"{en_euros(accorde)} × {en_euros(min(reel, prevu))} de factures retenues ÷ {en_euros(prevu)} prévus "
                f"− {en_euros(engage)} déjà engagés"
            )
            propositions.append(Proposition(NaturePaiement.FACTURES, rang, reste, calcul))
        return propositions
    reste = accorde - engage
    if reste > 0 and not propositions and (not attend_le_bilan(demande) or _bilan_accepte(demande)):
        calcul = f"{en_euros(accorde)} − {en_euros(engage)} déjà engagés"
        propositions.append(Proposition(NaturePaiement.SOLDE_AIDE, 1, reste, calcul))
    return propositions


def attend_le_bilan(demande: Demande) -> bool:
    """Le solde ne part qu’une fois le bilan accepté : c’est lui qui justifie l’avance."""
    return bool(demande.version.bilan_mois) and bool(demande.version.avance_part) and not demande.version.sur_factures


def _bilan_accepte(demande: Demande) -> bool:
    bilan = getattr(demande, "bilan", None)
    return bilan is not None and bilan.etat == EtatBilan.ACCEPTE


def _obstacles(demande: Demande) -> list[str]:
    obstacles = []
    if not demande.structure.gestionnaire.iban:
        obstacles.append("L’IBAN du gestionnaire n’est pas connu.")
    convention = getattr(demande, "convention", None)
    nom = "Le contrat de prêt" if demande.version.est_un_pret else "La convention"
    if convention is not None and not convention.signee:
        obstacles.append(f"{nom} n’est pas signé{'' if demande.version.est_un_pret else 'e'} par les deux parties.")
    if demande.version.est_un_pret:
        pret = getattr(demande, "pret", None)
        if pret is not None and pret.etat == EtatPret.A_SIGNER and not obstacles:
            obstacles.append("Le mandat de prélèvement n’est pas enregistré.")
    if demande.etat == Etat.CADUQUE:
        assert demande.limite_le is not None
        obstacles.append(f"L’aide est caduque : le délai est passé le {en_jour(demande.limite_le)}.")
    if rupture_de(demande) is not None:
        obstacles.append("La destination sociale est rompue : plus rien ne se verse.")
    return obstacles


def rupture_de(demande: Demande) -> SommeARendre | None:
    return demande.sommes_a_rendre.filter(nature=NatureARendre.DESTINATION).first()


def garde(demande: Demande) -> Decimal:
    """Ce que la structure garde de l’aide payée, une fois ôté ce qu’elle a de trop."""
    trop = demande.sommes_a_rendre.filter(nature=NatureARendre.TROP_VERSE).aggregate(somme=Sum("montant"))["somme"]
    return verse(demande, paye_seulement=True) - (trop or ZERO)


def _commun_a_la_cloture(demande: Demande, etude: EtudeAide) -> str:
    if etude.engage != etude.paye:
        return "Un versement est en route : attendez qu’il soit payé."
    if demande.factures.filter(verifiee_le__isnull=True).exists():
        return "Une facture jointe attend d’être vérifiée."
    return ""


def obstacle_au_solde(demande: Demande, etude: EtudeAide) -> str:
    """Pourquoi l’aide ne se solde pas aujourd’hui ; vide si elle le peut."""
    if obstacle := _commun_a_la_cloture(demande, etude):
        return obstacle
    if etude.reste > 0:
        return f"Il reste {en_euros(etude.reste)} à verser."
    pret = getattr(demande, "pret", None)
    if pret is not None and pret.etat != EtatPret.SOLDE:
        return "Le prêt n’est pas encore remboursé."
    bilan = getattr(demande, "bilan", None)
    if bilan is not None and bilan.etat != EtatBilan.ACCEPTE:
        return "Le bilan n’est pas encore accepté."
    return ""


def obstacle_a_la_caducite(demande: Demande, etude: EtudeAide, le: date) -> str:
    """Pourquoi l’aide n’est pas caduque ; vide si elle l’est.

    Une somme due et pas encore partie n’est jamais perdue parce que la Caf n’a pas fini de la traiter.
    """
    if demande.limite_le is None or demande.limite_le >= le:
        return "Le délai de réalisation court encore."
    if not etude.non_verse:
        return "Toute l’aide est versée : rien n’est caduc."
    if obstacle := _commun_a_la_cloture(demande, etude):
        return obstacle
    if not etude.obstacles and any(p.nature != NaturePaiement.AVANCE for p in etude.propositions):
        return "Un versement est dû : proposez-le d’abord."
    bilan = getattr(demande, "bilan", None)
    if bilan is not None and attend_le_bilan(demande) and etude.engage:
        if bilan.etat == EtatBilan.RENDU:
            return "Le bilan rendu attend d’être lu : le solde en dépend."
        if bilan.attendu and bilan.attendu_le >= le:
            return f"Le bilan est attendu jusqu’au {en_jour(bilan.attendu_le)} : le solde en dépend."
    return ""


def obstacle_au_paiement(paiement: Paiement) -> str:
    """Pourquoi ce paiement ne peut pas partir aujourd’hui ; vide s’il le peut."""
    demande = Demande.objects.pour_fiche().get(pk=int(paiement.objet.partition("-")[2]))
    etude = etudier(demande, sauf=paiement)
    if etude.obstacles:
        return etude.obstacles[0]
    permis = etude.du - etude.engage
    if paiement.nature == NaturePaiement.AVANCE:
        permis = etude.accorde - etude.engage
    if paiement.montant > permis:
        reste = en_euros(max(permis, ZERO))
        return f"L’aide ne permet plus que {reste} : annulez ce paiement, puis proposez-le à nouveau."
    return ""
