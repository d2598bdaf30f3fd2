"""Les pages que les deux publics ouvrent : liste, fiche, gestes simples, courriers, pièces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import resolve
from django.utils import timezone
from django.utils.text import capfirst

from agrements.etapes import Ligne
from aides.actes import AVANT_LA_DECISION
from aides.actions import instruction, redaction, suites, versements
from aides.actions.redaction import DemandeIncomplete
from aides.choix import (
    DECISION_A_LIRE,
    ETATS_DECIDES,
    GESTES_DE_DECISION,
    GESTES_INTERNES,
    Geste,
)
from aides.contenu import contenu_lu
from aides.cycle import CYCLE
from aides.droits import gestes_possibles, peut, peut_ouvrir
from aides.filtres import DemandeFiltre
from aides.forms import MotifForm
from aides.models import Demande, EvenementDemande, VersionDispositif
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes
from comptes.http import Requete
from documents.models import Acte
from documents.reponses import servir
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import fragment, paginer
from socle.texte import auteur

GESTES_SIMPLES: dict[str, tuple[Callable[..., object], str, str]] = {
    Geste.DEMANDER_VISA: (redaction.demander_visa, "Demander le visa", "Le visa est demandé au représentant légal."),
    Geste.REPRENDRE: (redaction.reprendre, "Reprendre la rédaction", "Vous pouvez à nouveau modifier la demande."),
    Geste.VISER: (redaction.viser, "Viser la demande", "Vous avez visé la demande : elle peut être déposée."),
    Geste.REFUSER_VISA: (redaction.refuser_visa, "Ne pas viser", "Vos raisons sont transmises à la direction."),
    Geste.DEPOSER: (redaction.deposer, "Déposer la demande", "Votre demande est déposée. L’accusé de réception "
    "arrive."),
    Geste.RENVOYER: (redaction.renvoyer, "Renvoyer les compléments", "Vos compléments sont renvoyés à la Caf."),
    Geste.RETIRER: (redaction.retirer, "Retirer la demande", "La demande est retirée."),
    Geste.DECLARER_IRRECEVABLE: (
        instruction.declarer_irrecevable, "Déclarer irrecevable", "La demande est déclarée irrecevable.",
    ),
    Geste.REPRENDRE_INSTRUCTION: (
        instruction.reprendre_instruction, "Reprendre l’instruction", "L’instruction est rouverte.",
    ),
    Geste.SOLDER: (versements.solder, "Solder l’aide", "L’aide est soldée."),
    Geste.CONSTATER_CADUCITE: (suites.constater_caducite, "Constater la caducité", "La caducité est constatée."),
}  # fmt: skip
EXPLICATIONS = {
    Geste.DEPOSER: "Le dépôt fige cette version : la Caf lira exactement ce que le représentant légal a visé.",
    Geste.VISER: "En visant, vous engagez le gestionnaire ; la direction pourra alors déposer.",
    Geste.REPRENDRE: "La demande redevient modifiable ; il faudra un nouveau visa.",
    Geste.RETIRER: "La demande s’arrête. Vous pourrez en ouvrir une autre, et reprendre celle-ci.",
    Geste.SOLDER: "La part qui ne sera pas versée revient à l’enveloppe.",
    Geste.CONSTATER_CADUCITE: "La part non versée revient à l’enveloppe ; la structure reçoit un courrier.",
}
GRAVES = (Geste.RETIRER, Geste.DECLARER_IRRECEVABLE, Geste.CONSTATER_CADUCITE)


def demande_visible(request: Requete, pk: int) -> Demande:
    return get_object_or_404(Demande.objects.visibles_par(request.user).pour_fiche(), pk=pk)


# Ce que le fil d’Ariane d’un geste nomme : la page d’où l’on vient.
PAGES = {
    "demande": "La demande", "argent": "L’argent et la suite", "enveloppe": "L’enveloppe",
    "enveloppes": "Les enveloppes", "pret": "Le prêt",
}  # fmt: skip


def page_formulaire(
    request: Requete, form: forms.Form | None, *, titre: str, bouton: str, retour: str, chapeau: str = "",
    grave: bool = False, fichiers: bool = False, manques: list[Any] | None = None, suite: dict[str, Any] | None = None,
) -> HttpResponse:  # fmt: skip
    """La page d’un geste : un titre, une phrase, un formulaire, un bouton, un retour. 422 s’il est refusé."""
    contexte = {
        "form": form, "titre": titre, "bouton": bouton, "retour": retour, "chapeau": chapeau, "grave": grave,
        "fichiers": fichiers, "manques": manques or [], "suite": suite or {},
        "objet": PAGES.get(resolve(retour.partition("#")[0]).url_name or "", ""),
    }  # fmt: skip
    refuse = bool(manques) or (form is not None and form.is_bound)
    return render(request, "aides/formulaire.html", contexte, status=422 if refuse else 200)


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    """Les demandes d’aide ; pour une structure, d’abord ce qu’elle peut demander."""
    visibles = Demande.objects.visibles_par(request.user)
    filtre = DemandeFiltre(request.GET or None, queryset=visibles, request=request)
    retenues = filtre.qs if filtre.is_valid() else visibles
    page = paginer(request, retenues.pour_liste(), total=retenues)
    contexte: dict[str, Any] = {"page": page, "filtre": filtre, "ouvertes": [], "ouvre": False}
    structure = request.structure
    if structure:
        le = timezone.localdate()
        ouvertes = VersionDispositif.objects.ouvertes_a(structure, le).select_related("dispositif")
        contexte |= {"ouvertes": list(ouvertes), "ouvre": bool(peut_ouvrir(request.user, structure))}
    gabarit = "aides/liste.html#resultats" if fragment(request) else "aides/liste.html"
    return render(request, gabarit, contexte)


def lignes_du_journal(evenements: list[EvenementDemande], demande: Demande, *, agent: bool) -> list[Ligne]:
    """La structure ne lit ni le travail de la Caf, ni la décision avant sa lettre ; la Caf, rien d’avant le dépôt."""
    lignes = []
    for e in evenements:
        if not agent and e.geste in GESTES_INTERNES:
            continue
        if agent and e.geste == Geste.JOINDRE and demande.version_deposee and e.le > demande.version_deposee.deposee_le:
            continue  # la Caf ne lit que ce qui lui a été déposé
        if not agent and demande.decision_a_lire and e.geste in GESTES_DE_DECISION:
            lignes.append(Ligne(e.le, auteur(e.par), DECISION_A_LIRE, "", ""))
            continue
        detail = e.details.get("libelle") or e.details.get("nature") or ""
        lignes.append(Ligne(e.le, auteur(e.par), capfirst(e.fait), e.motif, detail))
    return lignes


@lecture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    demande = demande_visible(request, pk)
    agent = request.user.est_agent
    contenu = contenu_lu(demande, agent=agent)
    gestes = gestes_possibles(request.user, demande)
    if demande.decision_a_lire and not agent:  # un geste offert ou non dirait déjà le sens de la décision
        gestes = {str(Geste.LIRE_NOTIFICATION)}
    evenements = list(demande.evenements.select_related("par"))
    decision = demande.decisions.select_related("acte").first() if demande.etat in ETATS_DECIDES else None
    contexte = {
        "demande": demande,
        "contenu": contenu,
        "gestes": gestes,
        "decision": decision,
        "montree": decision is not None and (agent or decision.lue_le is not None),
        "actes": actes_de(demande, agent=agent),
        "derniers": lignes_du_journal(evenements, demande, agent=agent)[:12],
        "onglet": "fiche",
        "avis": demande.avis.select_related("par").first() if agent else None,
        "parties": contenu.parties(),
        "complements": contenu.complements,
    }
    return render(request, "aides/fiche.html", contexte)


def actes_de(demande: Demande, *, agent: bool) -> list[Acte]:
    """Les courriers, du plus récent au plus ancien ; avant d’avoir lu la décision, ceux d’avant elle seulement."""
    actes = Acte.objects.filter(objet=f"aide-{demande.pk}")
    if not agent and demande.decision_a_lire:
        actes = actes.filter(nature__in=AVANT_LA_DECISION)
    return list(actes)


@lecture
@ouverte_aux_connectes
def acte(request: Requete, pk: int, acte_pk: int) -> HttpResponseBase:
    """Sert le PDF figé. La structure ouvre d’abord la décision par « Lire », qui date la lecture."""
    demande = demande_visible(request, pk)
    trouve = next((a for a in actes_de(demande, agent=True) if a.pk == acte_pk), None)
    if trouve is None or trouve.produit_le is None:
        raise Http404
    if demande.decision_a_lire and not request.user.est_agent and trouve.nature not in AVANT_LA_DECISION:
        raise PermissionDenied("Ouvrez la décision par le bouton « Lire la décision » : la lecture est datée.")
    return servir(trouve.pdf, f"{demande.numero}-{trouve.nature}.pdf", "application/pdf", en_ligne=True)


@ecriture
@ouverte_aux_connectes
def lire_notification(request: Requete, pk: int) -> HttpResponse:
    demande = demande_visible(request, pk)
    exiger(peut(Geste.LIRE_NOTIFICATION, request.user, demande))
    try:
        suites.lire_notification(demande, par=request.user)
    except Refus as refus:
        messages.warning(request, str(refus))
        return redirect(demande)
    decision = demande.decisions.select_related("acte").first()
    if decision is None or decision.acte.produit_le is None:
        messages.info(request, "La lettre est en cours de production : réessayez dans un instant.")
        return redirect(demande)
    return redirect("aides:acte", demande.pk, decision.acte_id)


@lecture
@ouverte_aux_connectes
def piece(request: Requete, pk: int, piece_pk: int) -> HttpResponseBase:
    """Un devis, une facture, une pièce ou un exemplaire signé de cette demande."""
    demande = demande_visible(request, pk)
    contenu = contenu_lu(demande, agent=request.user.est_agent)
    sources = (
        [j.piece for j in contenu.jointes]
        + [d.devis for d in contenu.depenses if d.devis]
        + [f.piece for f in demande.factures.select_related("piece__fichier")]
    )
    trouvee = next((p for p in sources if p.pk == piece_pk), None)
    if trouvee is None:
        raise Http404
    return servir(trouvee.fichier.contenu, trouvee.nom_classe, trouvee.fichier.type_mime, en_ligne=True)


@lecture_ecriture
@ouverte_aux_connectes
def geste(request: Requete, pk: int, nom: str) -> HttpResponse:
    """Confirme un geste simple : une page, une phrase, un bouton ; un motif quand la table l’exige."""
    if nom not in GESTES_SIMPLES:
        raise Http404
    demande = demande_visible(request, pk)
    exiger(peut(nom, request.user, demande))
    action, libelle, reussite = GESTES_SIMPLES[nom]
    avec_motif = CYCLE[nom].motif_exige
    if demande.etat not in CYCLE[nom].depuis and request.method == "GET":
        messages.warning(request, "Ce n’est plus possible : la demande a changé d’état.")
        return redirect(demande)
    form = MotifForm(request.POST if request.method == "POST" else None) if avec_motif else None
    manques: list[Any] = []
    if request.method == "POST" and (form is None or form.is_valid()):
        motif = {"motif": form.cleaned_data["motif"]} if form else {}
        try:
            action(demande, par=request.user, **motif)
        except DemandeIncomplete as erreur:
            manques = erreur.manques
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect(demande)
        else:
            messages.success(request, reussite)
            return redirect(demande)
    return page_formulaire(
        request, form, titre=libelle, bouton=libelle, retour=demande.get_absolute_url(),
        chapeau=f"{demande.intitule}, {demande.structure}. {EXPLICATIONS.get(Geste(nom), '')}".strip(),
        grave=nom in GRAVES, manques=manques,
    )  # fmt: skip
