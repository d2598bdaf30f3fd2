"""Les pages que les deux publics ouvrent : liste, fiche, projet, journal, messages, gestes simples, téléchargements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from agrements.actions import instruction, redaction
from agrements.actions.redaction import DossierIncomplet
from agrements.choix import ETATS_DECIDES, Geste
from agrements.contenu import Contenu, differences
from agrements.cycle import CYCLE
from agrements.droits import gestes_possibles, peut, possible
from agrements.etapes import frise, journal, libelle_du_dossier
from agrements.filtres import DossierFiltre, filtre_propre, ordonner
from agrements.forms import MessageForm, MotifForm
from agrements.models import Citation, Dossier
from agrements.rappels import rappels
from agrements.surlignage import Passage
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes
from comptes.http import Requete
from courriers.actions import ecrire
from courriers.models import Message
from documents.models import Acte
from documents.reponses import servir
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import fragment, paginer
from socle.texte import cle_de_tri, entier

# Les gestes qui ne demandent qu’une confirmation ou un motif.
GESTES_SIMPLES: dict[str, tuple[Callable[..., object], str, str]] = {
    Geste.DEMANDER_VISA: (redaction.demander_visa, "Demander le visa", "Le visa est demandé au représentant légal."),
    Geste.REPRENDRE: (redaction.reprendre, "Reprendre la rédaction", "Vous pouvez à nouveau modifier le projet."),
    Geste.DEPOSER: (redaction.deposer, "Déposer le dossier", "Votre dossier est déposé. L’accusé de réception arrive."),
    Geste.RENVOYER: (redaction.renvoyer, "Renvoyer les compléments", "Vos compléments sont renvoyés à la Caf."),
    Geste.RETIRER: (redaction.retirer, "Retirer la demande", "La demande est retirée."),
    Geste.DECLARER_COMPLET: (
        instruction.declarer_complet,
        "Déclarer complet",
        "Le dossier est complet : à vous d’instruire.",
    ),
    Geste.DECLARER_IRRECEVABLE: (
        instruction.declarer_irrecevable,
        "Déclarer irrecevable",
        "Le dossier est déclaré irrecevable.",
    ),
    Geste.REPRENDRE_INSTRUCTION: (
        instruction.reprendre_instruction,
        "Reprendre l’instruction",
        "L’instruction est rouverte.",
    ),
}


# Ceux qui se décident sur une page à eux : celle où l’on relit d’abord.
PAGES_DU_GESTE: dict[str, str] = {
    Geste.DEMANDER_VISA: "agrements:verifier",
    Geste.RENVOYER: "agrements:verifier",
    Geste.DECLARER_COMPLET: "agrements:completude",
}


def dossier_visible(request: Requete, pk: int) -> Dossier:
    return get_object_or_404(Dossier.objects.visibles_par(request.user).pour_fiche(), pk=pk)


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    visibles = Dossier.objects.visibles_par(request.user)
    filtre = DossierFiltre(request.GET or None, queryset=visibles, request=request)
    retenus = filtre.qs if filtre.is_valid() else visibles
    page = paginer(request, ordonner(filtre, retenus.pour_liste()), total=retenus)
    gabarit = "agrements/liste.html#resultats" if fragment(request) else "agrements/liste.html"
    courant = filtre_propre(request.GET)
    vues = request.user.vues_enregistrees.all() if request.user.est_agent else []
    contexte = {
        "page": page,
        "filtre": filtre,
        "filtre_courant": courant,
        "vues": sorted(vues, key=lambda vue: cle_de_tri(vue.nom)),
        "vue_courante": any(vue.filtre == courant for vue in vues),
    }
    return render(request, gabarit, contexte)


@lecture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    dossier = dossier_visible(request, pk)
    contenu = Contenu(dossier)
    evenements = list(dossier.evenements.select_related("par"))
    decision = dossier.decisions.select_related("acte").first() if dossier.etat in ETATS_DECIDES else None
    contexte = {
        "dossier": dossier,
        "gestes": gestes_possibles(request.user, dossier),
        "frise": frise(dossier, evenements, agent=request.user.est_agent),
        "derniers": journal(evenements, agent=request.user.est_agent, decision_a_lire=dossier.decision_a_lire)[:5],
        "decision": decision,
        "actes": actes_de(dossier),
    }
    if request.user.est_agent:
        contexte["avis"] = dossier.avis.select_related("par").first()
        contexte["demandes"] = list(dossier.demandes.prefetch_related("remarques"))
        contexte["onglet"] = "fiche"
        contexte["rappels"] = rappels(dossier.structure, timezone.localdate())
        return render(request, "agrements/service/fiche.html", contexte)
    if dossier.decision_a_lire:  # un geste offert ou non dirait déjà le sens de la décision
        contexte["gestes"] = {Geste.LIRE_NOTIFICATION}
    contexte |= {
        "avancements": contenu.avancements(),
        "manques": contenu.manques(),
        "remarques": contenu.remarques,
        "demande": contenu.demande_ouverte if contenu.remarques else None,
        "sections_a_reprendre": {
            contenu.dossier.regime.referentiel.section_du_champ[c].code
            for c in contenu.remarques
            if c in contenu.champs
        },
        "pieces_jointes": len(contenu.jointes),
        "pieces_attendues": len([e for e in contenu.exigences if e.obligatoire]),
    }
    return render(request, "agrements/partenaire/fiche.html", contexte)


def actes_de(dossier: Dossier) -> list[Acte]:
    """Les actes de ce dossier, du plus récent au plus ancien ; une requête."""
    return list(Acte.objects.filter(objet=f"dossier-{dossier.pk}"))


@lecture
@ouverte_aux_connectes
def acte(request: Requete, pk: int, acte_pk: int) -> HttpResponseBase:
    """Sert le PDF figé. Un partenaire ouvre d’abord la décision par « Lire », qui date la lecture."""
    dossier = dossier_visible(request, pk)
    trouve = next((a for a in actes_de(dossier) if a.pk == acte_pk), None)
    if trouve is None or trouve.produit_le is None:
        raise Http404
    decision = dossier.decisions.filter(acte=trouve).first()
    if decision is not None and decision.lue_le is None and not request.user.est_agent:
        raise PermissionDenied("Ouvrez la notification par le bouton « Lire la notification » : la lecture est datée.")
    return servir(trouve.pdf, f"{dossier.numero}-{trouve.nature}.pdf", "application/pdf", en_ligne=True)


@ecriture
@ouverte_aux_connectes
def lire_notification(request: Requete, pk: int) -> HttpResponse:
    dossier = dossier_visible(request, pk)
    exiger(peut(Geste.LIRE_NOTIFICATION, request.user, dossier))
    try:
        redaction.lire_notification(dossier, par=request.user)
    except Refus as refus:
        messages.warning(request, str(refus))
        return redirect(dossier)
    decision = dossier.decisions.first()
    if decision is None or decision.acte.produit_le is None:
        messages.info(request, "La lettre est en cours de production : réessayez dans un instant.")
        return redirect(dossier)
    return redirect("agrements:acte", dossier.pk, decision.acte_id)


@lecture
@ouverte_aux_connectes
def projet(request: Requete, pk: int) -> HttpResponse:
    """Le projet tel qu’il a été déposé (ou le brouillon, pour la structure qui n’a rien déposé)."""
    dossier = dossier_visible(request, pk)
    contenu = Contenu(dossier)
    reponses = contenu.deposees if contenu.deposees is not None else contenu.reponses
    contexte = {
        "dossier": dossier,
        "sections": contenu.sections,
        "reponses": reponses,
        "onglet": "projet",
        "jointes": contenu.jointes,
        "exigences": {e.code: e.libelle for e in contenu.exigences},
        **a_citer(request, dossier),
    }
    return render(request, "agrements/projet.html", contexte)


def a_citer(request: Requete, dossier: Dossier) -> dict[str, Any]:
    """Ce qu’il faut pour surligner et citer le projet ; la structure ne voit rien des citations. Une requête."""
    if not request.user.est_agent:
        return {}
    criteres = {c.code: c for c in dossier.regime.referentiel.criteres}
    passages: dict[str, list[Passage]] = {}
    for citation in Citation.objects.filter(evaluation__dossier=dossier).select_related("evaluation"):
        critere = criteres[citation.evaluation.critere]
        passages.setdefault(citation.champ, []).append(Passage(citation.extrait, critere.numero, critere.libelle))
    return {
        "surligner": True,
        "citable": possible(Geste.EVALUER, request.user, dossier),
        "passages": passages,
        "critere_choisi": request.GET.get("critere", ""),
    }


@lecture
@ouverte_aux_connectes
def versions(request: Requete, pk: int) -> HttpResponse:
    """Compare deux versions déposées ; par défaut, les deux dernières."""
    dossier = dossier_visible(request, pk)
    toutes = {v.numero: v for v in dossier.versions.select_related("deposee_par")}
    numeros = sorted(toutes)

    def choisie(nom: str, defaut: int) -> int:
        numero = entier(request.GET.get(nom, ""))
        return numero if numero in toutes else defaut

    ecarts = []
    avant = apres = 0
    if len(numeros) > 1:
        avant, apres = choisie("avant", numeros[-2]), choisie("apres", numeros[-1])
        ecarts = differences(
            Contenu(dossier).sections, toutes[avant].contenu["reponses"], toutes[apres].contenu["reponses"]
        )
    contexte = {
        "dossier": dossier, "versions": toutes.values(), "avant": avant, "apres": apres, "ecarts": ecarts,
        "onglet": "versions",
    }  # fmt: skip
    return render(request, "agrements/versions.html", contexte)


@lecture
@ouverte_aux_connectes
def journal_du_dossier(request: Requete, pk: int) -> HttpResponse:
    dossier = dossier_visible(request, pk)
    evenements = dossier.evenements.select_related("par")
    if not request.user.est_agent:
        evenements = evenements.filter(interne=False)
    page = paginer(request, evenements)
    lignes = journal(list(page), agent=request.user.est_agent, decision_a_lire=dossier.decision_a_lire)
    return render(
        request, "agrements/journal.html", {"dossier": dossier, "page": page, "lignes": lignes, "onglet": "journal"}
    )


@lecture_ecriture
@ouverte_aux_connectes
def fil(request: Requete, pk: int) -> HttpResponse:
    """La conversation entre la structure et la Caf ; une note interne ne se montre qu’à la Caf."""
    dossier = dossier_visible(request, pk)
    if dossier.depose_le is None:
        raise Http404
    form = MessageForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        interne = form.cleaned_data["interne"] and request.user.est_agent
        try:
            ecrire(fil=f"dossier-{dossier.pk}", texte=form.cleaned_data["texte"], par=request.user, interne=interne)
        except Refus as refus:
            form.add_error("texte", str(refus))
        else:
            messages.success(request, "Message envoyé.")
            return redirect("agrements:fil", dossier.pk)
    echanges = Message.objects.du_fil(f"dossier-{dossier.pk}", avec_internes=request.user.est_agent)
    contexte = {"dossier": dossier, "form": form, "echanges": echanges, "onglet": "fil"}
    return render(request, "agrements/fil.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@ouverte_aux_connectes
def geste(request: Requete, pk: int, nom: str) -> HttpResponse:
    """Confirme un geste simple : une page, une phrase, un bouton ; un motif quand la table l’exige."""
    if nom not in GESTES_SIMPLES:
        raise Http404
    dossier = dossier_visible(request, pk)
    exiger(peut(nom, request.user, dossier))
    action, libelle, reussite = GESTES_SIMPLES[nom]
    avec_motif = CYCLE[nom].motif_exige
    form = MotifForm(request.POST if request.method == "POST" else None) if avec_motif else None
    pret = request.method == "POST" and (form is None or form.is_valid())
    manques = []
    if pret:
        motif = {"motif": form.cleaned_data["motif"]} if form else {}
        try:
            action(dossier, par=request.user, **motif)
        except DossierIncomplet as erreur:
            manques = erreur.manques
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect(dossier)
        else:
            messages.success(request, reussite)
            return redirect(dossier)
    contexte = {"dossier": dossier, "form": form, "libelle": libelle, "geste": nom, "manques": manques}
    statut = 422 if manques or (form is not None and form.is_bound) else 200
    if request.method == "GET" and nom in PAGES_DU_GESTE:
        return redirect(reverse(PAGES_DU_GESTE[nom], args=[dossier.pk]))
    if dossier.etat not in CYCLE[nom].depuis and request.method == "GET":
        libelle = libelle_du_dossier(dossier, agent=request.user.est_agent)
        messages.warning(request, f"Ce n’est plus possible : le dossier est « {libelle} ».")
        return redirect(dossier)
    return render(request, "agrements/geste.html", contexte, status=statut)
