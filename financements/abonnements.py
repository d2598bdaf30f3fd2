"""Ce que l’app écoute, et ce qu’elle apporte à la fiche des structures."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone

from agrements.evenements import agrement_retabli, agrement_retire, agrement_suspendu
from agrements.models import Agrement
from comptes.http import Requete
from comptes.models import Utilisateur
from documents.models import Acte
from financements.actes import objet_de
from financements.actions.droits import reprendre_avec_l_agrement, suspendre_pour_agrement
from financements.actions.recalculs import lancer
from financements.choix import RECALCULS_OUVERTS, GestePaiement
from financements.evenements import bareme_publie
from financements.models import (
    Bareme,
    Declaration,
    Droit,
    EvenementDeclaration,
    EvenementPaiement,
    Indu,
    Recalcul,
    VersionDroit,
)
from financements.revision import a_revoir
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
from partenaires.transmission import Reste, declarer_source
from socle.montants import en_euros
from socle.texte import auteur


@receiver(bareme_publie, dispatch_uid="financements.recalculer_apres_publication")
def recalculer_apres_publication(bareme: Bareme, par: Utilisateur, **kwargs: Any) -> None:
    """La simulation s’ouvre d’elle-même si le barème a pris effet ; sinon l’horloge l’ouvrira à la date."""
    if bareme.effet_le > timezone.localdate() or not a_revoir(bareme.exercice).exists():
        return
    if Recalcul.objects.filter(exercice=bareme.exercice, etat__in=RECALCULS_OUVERTS).exists():
        return
    lancer(bareme.exercice, motif=f"Publication du barème {bareme}", par=None)


@receiver(agrement_suspendu, dispatch_uid="financements.retenir_les_versements")
def retenir_les_versements(agrement: Agrement, par: Utilisateur, motif: str, **kwargs: Any) -> None:
    suspendre_pour_agrement(agrement, motif=motif)


@receiver(agrement_retire, dispatch_uid="financements.retenir_au_retrait")
def retenir_au_retrait(agrement: Agrement, par: Utilisateur, motif: str, **kwargs: Any) -> None:
    """Le droit se recalcule sur la période courue ; d’ici là, rien ne part."""
    suspendre_pour_agrement(agrement, motif=motif, retire=True)


@receiver(agrement_retabli, dispatch_uid="financements.laisser_reprendre_les_versements")
def laisser_reprendre_les_versements(agrement: Agrement, **kwargs: Any) -> None:
    reprendre_avec_l_agrement(agrement)


@declarer_source
def declarations_a_transmettre(structure: Structure) -> list[Reste]:
    en_cours = (
        Declaration.objects.filter(structure=structure)
        .exclude(etat="validee")
        .select_related("campagne")
        .order_by("campagne__limite")
    )
    return [
        Reste(f"Déclaration {d.campagne} : {d.libelle_partenaire}", d.campagne.limite, d.get_absolute_url())
        for d in en_cours
    ]


def _argent(request: Requete, structure: Structure) -> dict[str, Any]:
    droits = Droit.objects.visibles_par(request.user).filter(structure=structure)
    declarations = Declaration.objects.visibles_par(request.user).filter(structure=structure)
    return {
        "droits": droits.avec_position().select_related("prestation")[:40],
        "declarations": declarations.select_related("campagne")[:20],
        "conventions": structure.conventions.select_related("acte")[:10],
    }


@declarer_journal
def vie_de_l_argent(request: Requete, structure: Structure) -> list[LigneDeJournal]:
    """Les déclarations et les droits : qui, quand, combien."""
    visibles = Declaration.objects.visibles_par(request.user).filter(structure=structure)
    gestes = EvenementDeclaration.objects.filter(declaration__in=visibles).select_related(
        "declaration__campagne", "par"
    )
    lignes = [
        LigneDeJournal(
            e.le,
            f"Déclaration : {e.dit}",
            auteur(e.par),
            (str(e.declaration.campagne), *_motif(e)),
            e.declaration.get_absolute_url(),
        )
        for e in gestes.order_by("-le", "-pk")[:LIGNES_PAR_SOURCE]
    ]
    versions = VersionDroit.objects.filter(droit__structure=structure).select_related("droit__prestation", "par")
    for v in versions.order_by("-le", "-pk")[:LIGNES_PAR_SOURCE]:
        texte = f"Droit {v.droit.prestation} {v.droit.exercice} : {en_euros(v.montant)}"
        details = (v.get_nature_display(), v.get_origine_display())
        lignes.append(LigneDeJournal(v.le, texte, auteur(v.par), details, v.droit.get_absolute_url()))
    return lignes + _versements(request, structure)


def _motif(fait: EvenementDeclaration | EvenementPaiement | Indu) -> tuple[str, ...]:
    return (fait.motif,) if fait.motif else ()


def _versements(request: Requete, structure: Structure) -> list[LigneDeJournal]:
    """Les paiements et les indus ; la structure lit ce qui lui est versé, pas le circuit de la Caf."""
    gestes = EvenementPaiement.objects.filter(paiement__structure=structure)
    if not request.user.est_agent:
        gestes = gestes.filter(geste=GestePaiement.CONSTATER)
    gestes = gestes.select_related("paiement__droit__prestation", "par").order_by("-le", "-pk")[:LIGNES_PAR_SOURCE]
    indus = Indu.objects.filter(droit__structure=structure).select_related("droit__prestation", "notifie_par")
    lignes = []
    for e in gestes:
        nature = e.paiement.get_nature_display().capitalize()
        texte = f"{nature} {e.paiement.sujet} {e.dit} : {en_euros(e.paiement.montant)}"
        lignes.append(LigneDeJournal(e.le, texte, auteur(e.par), _motif(e), e.paiement.get_absolute_url()))
    for indu in indus.order_by("-notifie_le")[:LIGNES_PAR_SOURCE]:
        texte = f"Indu {indu.droit.prestation} {indu.droit.exercice} notifié : {en_euros(indu.montant)}"
        lien = indu.droit.get_absolute_url()
        lignes.append(LigneDeJournal(indu.notifie_le, texte, auteur(indu.notifie_par), _motif(indu), lien))
    return lignes


@declarer_documents
def lettres_de_l_argent(request: Requete, structure: Structure) -> list[Document]:
    lettres = Acte.objects.filter(objet=objet_de(structure.pk), produit_le__isnull=False)[:DOCUMENTS_MONTRES]
    return [
        Document(a.demande_le, a.titre, a.get_nature_display(), reverse("financements:acte", args=[structure.pk, a.pk]))
        for a in lettres
    ]


declarer_onglet(Onglet("argent", "Financements", 30, "financements/_onglet_argent.html", _argent))
