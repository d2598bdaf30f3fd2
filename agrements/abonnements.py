"""Ce que l’app écoute (une lettre produite vaut notification) et ce qu’elle apporte à la fiche des structures."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone

from agrements.actions.notification import notifier
from agrements.actions.secteurs import suivre_les_secteurs
from agrements.choix import EtatAgrement
from agrements.etapes import journal, journal_d_agrement, libelle_du_dossier
from agrements.models import Dossier, EvenementAgrement, EvenementDossier, PieceJointe
from comptes.http import Requete
from comptes.models import Utilisateur
from documents.evenements import acte_produit
from documents.models import Acte, NatureActe
from partenaires.evenements import secteur_transmis
from partenaires.fiche import (
    DOCUMENTS_MONTRES,
    LIGNES_PAR_SOURCE,
    Alerte,
    Document,
    LigneDeJournal,
    Onglet,
    declarer_alertes,
    declarer_documents,
    declarer_journal,
    declarer_onglet,
    documents,
)
from partenaires.models import Structure
from partenaires.transmission import Reste, declarer_charge, declarer_source
from socle.dates import en_jour
from socle.texte import accorde


@receiver(acte_produit, dispatch_uid="agrements.notifier_la_decision")
def notifier_la_decision(acte: Acte, **kwargs: Any) -> None:
    notifier(acte)


@receiver(secteur_transmis, dispatch_uid="agrements.suivre_les_secteurs")
def suivre_le_secteur(de: Utilisateur, communes: list[str], le: date, par: Utilisateur, **kwargs: Any) -> None:
    """Tout de suite si la transmission prend effet aujourd’hui ; sinon l’horloge le fera ce jour-là."""
    if le <= timezone.localdate():
        suivre_les_secteurs(le, par=par, quittees=dict.fromkeys(communes, de))


@declarer_source
def dossiers_a_transmettre(structure: Structure) -> list[Reste]:
    ouverts = structure.dossiers.ouverts().avec_lecture().order_by("pk")
    return [
        Reste(
            f"Dossier {d.numero} : {libelle_du_dossier(d, agent=not d.decision_a_lire)}",
            d.echeance_le,
            d.get_absolute_url(),
        )
        for d in ouverts
    ]


@declarer_charge
def dossiers_suivis(agent: Utilisateur) -> list[str]:
    ouverts = Dossier.objects.ouverts().filter(charge=agent).count()
    return [accorde(ouverts, "dossier", "ouvert")] if ouverts else []


def _agrements(request: Requete, structure: Structure) -> dict[str, Any]:
    visibles = structure.agrements.visibles_par(request.user)
    return {"agrements": visibles.select_related("decision__dossier").order_by("-debut", "objet")}


def _dossiers(request: Requete, structure: Structure) -> dict[str, Any]:
    visibles = Dossier.objects.visibles_par(request.user).filter(structure=structure)
    return {"dossiers": visibles.pour_liste()[:50]}


def _documents(request: Requete, structure: Structure) -> dict[str, Any]:
    visibles = Dossier.objects.visibles_par(request.user).filter(structure=structure)
    jointes = PieceJointe.objects.filter(dossier__in=visibles).select_related("piece__fichier", "dossier")
    return {"jointes": jointes.order_by("-jointe_le")[:100], "lettres": documents(request, structure)}


@declarer_documents
def lettres_des_dossiers(request: Requete, structure: Structure) -> list[Document]:
    """Accusés, demandes, décisions. Une décision pas encore lue s’ouvre depuis le dossier : sa lecture est datée."""
    dossiers = {
        f"dossier-{d.pk}": d
        for d in Dossier.objects.visibles_par(request.user).filter(structure=structure).avec_lecture()
    }
    lettres = []
    for acte in Acte.objects.filter(objet__in=dossiers, produit_le__isnull=False)[:DOCUMENTS_MONTRES]:
        dossier = dossiers[acte.objet]
        a_lire = dossier.decision_a_lire and not request.user.est_agent and acte.nature == NatureActe.NOTIFICATION
        lien = dossier.get_absolute_url() if a_lire else reverse("agrements:acte", args=[dossier.pk, acte.pk])
        lettres.append(Document(acte.demande_le, acte.titre, acte.get_nature_display(), lien))
    return lettres


@declarer_alertes
def agrements_interrompus(request: Requete, structure: Structure) -> list[Alerte]:
    """Un agrément suspendu, ou retiré avant sa fin, change tout ce qu’on lit ensuite."""
    interrompus = structure.agrements.visibles_par(request.user).filter(
        Q(etat=EtatAgrement.SUSPENDU) | Q(etat=EtatAgrement.RETIRE, fin__gte=timezone.localdate())
    )
    return [
        Alerte(
            f"Agrément retiré le {en_jour(a.retire_le)} : {a.get_objet_display()}"
            if a.retire_le
            else f"Agrément suspendu, versements retenus : {a.get_objet_display()}",
            a.get_absolute_url(),
        )
        for a in interrompus
    ]


@declarer_journal
def vie_des_projets(request: Requete, structure: Structure) -> list[LigneDeJournal]:
    """Les étapes des dossiers et des agréments que la personne a le droit de lire, dans ses mots."""
    agent = request.user.est_agent
    dossiers = {d.pk: d for d in Dossier.objects.visibles_par(request.user).filter(structure=structure).avec_lecture()}
    evenements = EvenementDossier.objects.filter(dossier__in=dossiers).select_related("par").order_by("-le", "-pk")
    if not agent:
        evenements = evenements.filter(interne=False)
    lignes = []
    for evenement in evenements[:LIGNES_PAR_SOURCE]:
        dossier = dossiers[evenement.dossier_id]
        (lue,) = journal([evenement], agent=agent, decision_a_lire=dossier.decision_a_lire)
        details = tuple(detail for detail in (dossier.numero, lue.detail, lue.motif) if detail)
        lignes.append(LigneDeJournal(lue.le, lue.phrase, lue.qui, details, dossier.get_absolute_url()))
    vus = structure.agrements.visibles_par(request.user)
    vecus = EvenementAgrement.objects.filter(agrement__in=vus).select_related("par", "agrement").order_by("-le", "-pk")
    de_vie = list(vecus[:LIGNES_PAR_SOURCE])
    for ligne, e in zip(journal_d_agrement(de_vie), de_vie, strict=True):
        details = tuple(detail for detail in (e.agrement.get_objet_display(), ligne.motif) if detail)
        texte = f"Agrément : {ligne.phrase.lower()}"
        lignes.append(LigneDeJournal(ligne.le, texte, ligne.qui, details, e.agrement.get_absolute_url()))
    return lignes


declarer_onglet(Onglet("agrements", "Agréments", 10, "agrements/_onglet_agrements.html", _agrements))
declarer_onglet(Onglet("dossiers", "Dossiers", 20, "agrements/_onglet_dossiers.html", _dossiers))
declarer_onglet(Onglet("documents", "Documents", 50, "agrements/_onglet_documents.html", _documents))
