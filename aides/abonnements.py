"""Ce que l’app écoute, et ce qu’elle apporte aux séances, aux paiements et à la fiche des structures."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone

from agrements.points import declarer_sujets
from aides.actes import AVANT_LA_DECISION
from aides.actions.prets import mettre_a_disposition
from aides.actions.secteurs import suivre_les_secteurs
from aides.actions.suites import notifier
from aides.choix import (
    DECISION_A_LIRE,
    ETATS_OUVERTS,
    GESTES_DE_DECISION,
    GESTES_INTERNES,
    LIBELLES_PARTENAIRE,
    Geste,
)
from aides.droits import peut
from aides.models import Demande, EvenementDemande
from aides.sujets import PREFIXE, SujetsAides
from aides.versements import obstacle_au_paiement
from comptes.http import Requete
from comptes.models import Utilisateur
from documents.evenements import acte_produit
from documents.models import Acte, NatureActe
from financements.choix import NaturePaiement
from financements.models import Paiement
from financements.payables import Payable, declarer_payable
from partenaires.evenements import secteur_transmis
from partenaires.fiche import (
    DOCUMENTS_MONTRES,
    LIGNES_PAR_SOURCE,
    Document,
    LigneDeJournal,
    Onglet,
    declarer_documents,
    declarer_journal,
    declarer_onglet,
)
from partenaires.models import Structure
from partenaires.transmission import Reste, declarer_charge, declarer_source
from socle.droits import Verdict
from socle.texte import accorde, auteur


@receiver(acte_produit, dispatch_uid="aides.notifier_la_decision")
def notifier_la_decision(acte: Acte, **kwargs: Any) -> None:
    notifier(acte)


@receiver(secteur_transmis, dispatch_uid="aides.suivre_les_secteurs")
def suivre_le_secteur(de: Utilisateur, communes: list[str], le: date, par: Utilisateur, **kwargs: Any) -> None:
    """Tout de suite si la transmission prend effet aujourd’hui ; sinon l’horloge le fera ce jour-là."""
    if le <= timezone.localdate():
        suivre_les_secteurs(le, par=par, quittees=dict.fromkeys(communes, de))


def _cle(paiement: Paiement) -> int:
    return int(paiement.objet.partition("-")[2])


def _verrouiller(paiement: Paiement) -> None:
    Demande.objects.verrouiller(_cle(paiement))


def _suit(utilisateur: Utilisateur, paiement: Paiement) -> Verdict:
    return peut(
        Geste.VERSER, utilisateur, Demande.objects.select_related("structure__gestionnaire").get(pk=_cle(paiement))
    )


def _lien(paiement: Paiement) -> str:
    return reverse("aides:argent", args=[_cle(paiement)])


def _paye(paiement: Paiement) -> None:
    if paiement.nature == NaturePaiement.PRET:
        mettre_a_disposition(Demande.objects.get(pk=_cle(paiement)))


declarer_sujets(PREFIXE, SujetsAides())
declarer_payable(
    PREFIXE,
    Payable(verrouiller=_verrouiller, obstacle=obstacle_au_paiement, suit=_suit, lien=_lien, paye=_paye),
)


@declarer_source
def demandes_a_transmettre(structure: Structure) -> list[Reste]:
    ouvertes = structure.demandes_d_aide.filter(etat__in=ETATS_OUVERTS).avec_lecture().order_by("pk")
    return [
        Reste(
            f"Aide « {d.intitule} » : {DECISION_A_LIRE if d.decision_a_lire else LIBELLES_PARTENAIRE[d.etat]}",
            d.echeance_le,
            d.get_absolute_url(),
        )
        for d in ouvertes
    ]


@declarer_charge
def demandes_suivies(agent: Utilisateur) -> list[str]:
    ouvertes = Demande.objects.filter(charge=agent, etat__in=ETATS_OUVERTS).exclude(depose_le=None).count()
    return [accorde(ouvertes, "demande") + " d’aide"] if ouvertes else []


@declarer_journal
def vie_des_aides(request: Requete, structure: Structure) -> list[LigneDeJournal]:
    """La structure ne lit ni le travail de la Caf avant la décision, ni la décision avant sa lettre."""
    visibles = Demande.objects.visibles_par(request.user).filter(structure=structure)
    evenements = EvenementDemande.objects.filter(demande__in=visibles).select_related("demande", "par")
    if not request.user.est_agent:
        cachees = Q(geste__in=GESTES_DE_DECISION, demande__in=Demande.objects.filter(structure=structure).a_lire())
        evenements = evenements.exclude(geste__in=GESTES_INTERNES).exclude(cachees)
    return [
        LigneDeJournal(
            e.le,
            f"Aide « {e.demande.intitule} » : {e.fait}",
            auteur(e.par),
            (e.motif,) if e.motif else (),
            e.demande.get_absolute_url(),
        )
        for e in evenements.order_by("-le", "-pk")[:LIGNES_PAR_SOURCE]
    ]


@declarer_documents
def lettres_des_aides(request: Requete, structure: Structure) -> list[Document]:
    demandes = list(Demande.objects.visibles_par(request.user).filter(structure=structure).avec_lecture())
    par_objet = {f"aide-{d.pk}": d for d in demandes}
    actes = Acte.objects.filter(objet__in=par_objet, produit_le__isnull=False)[:DOCUMENTS_MONTRES]
    documents = []
    for acte in actes:
        demande = par_objet[acte.objet]
        assert acte.produit_le is not None
        if not request.user.est_agent and demande.decision_a_lire and acte.nature not in AVANT_LA_DECISION:
            if acte.nature == NatureActe.NOTIFICATION:
                titre = f"{DECISION_A_LIRE}, {demande.numero}"
                documents.append(Document(acte.produit_le, titre, "décision", demande.get_absolute_url()))
            continue
        lien = reverse("aides:acte", args=[demande.pk, acte.pk])
        documents.append(Document(acte.produit_le, acte.titre, acte.get_nature_display(), lien))
    return documents


def _aides(request: Requete, structure: Structure) -> dict[str, Any]:
    demandes = Demande.objects.visibles_par(request.user).filter(structure=structure)
    return {"demandes": demandes.pour_liste()[:30]}


declarer_onglet(Onglet("aides", "Aides", 45, "aides/_onglet.html", _aides))
