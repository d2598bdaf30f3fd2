"""La liste et la fiche d’un contrôle, ses courriers, et les gestes qui tiennent en une page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from agrements.etapes import Etape, Ligne
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes
from comptes.http import Requete
from controles.actions import contradictoire, preparation, suites, visite
from controles.actions.contradictoire import RapportIncomplet
from controles.choix import (
    ETATS_DEFINITIFS,
    ETATS_RAPPORT_PROVISOIRE,
    GESTES_FAITS,
    GESTES_INTERNES,
    Etat,
    Geste,
    Mode,
)
from controles.contenu import Fiche, anterieures
from controles.cycle import CYCLE, SUR_PLACE
from controles.droits import a_ouvert, gestes_possibles, lit_les_constats, peut
from controles.filtres import ControleFiltre
from controles.forms.controles import MotifForm
from controles.models import Controle, EvenementControle
from documents.models import Acte, NatureActe
from documents.reponses import servir
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import fragment, paginer
from socle.texte import auteur
from socle.vues import tenter

# geste → (action, libellé, réussite, explication, grave)
GESTES_SIMPLES: dict[str, tuple[Callable[..., object], str, str, str, bool]] = {
    Geste.NOTIFIER: (
        preparation.notifier, "Notifier le contrôle", "La lettre part au représentant légal.",
        "La lettre de notification part au représentant légal, avec l’objet, la période et les pièces à tenir prêtes. "
        "L’objet et les pièces ne changent plus ensuite.", False,
    ),
    Geste.COMMENCER: (
        visite.commencer, "Commencer le contrôle", "Le contrôle est commencé.",
        "La fiche s’ouvre à la saisie. La première saisie sur place le fait aussi, sans passer ici.", False,
    ),
    Geste.AUTORISER_INOPINE: (
        preparation.autoriser_inopine, "Autoriser une visite inopinée", "La visite inopinée est autorisée.",
        "Exceptionnelle : soupçon de fraude ou infraction sérieuse. La structure n’en est pas avertie ; la raison "
        "reste au dossier.", True,
    ),
    Geste.ANNULER: (
        preparation.annuler, "Annuler le contrôle", "Le contrôle est annulé.",
        "Le contrôle s’arrête là. S’il était annoncé, la structure en reçoit la lettre.", True,
    ),
    Geste.EMETTRE: (
        contradictoire.emettre, "Émettre le rapport provisoire", "Le rapport provisoire part à la structure.",
        "Les constats sont figés et notifiés ; la structure y répond point par point. La fiche ne se modifie "
        "plus.", False,
    ),
    Geste.RENVOYER: (
        contradictoire.renvoyer, "Envoyer nos réponses", "Vos réponses sont envoyées à la Caf.",
        "Vos réponses et vos pièces partent d’un seul envoi. Vous ne pourrez plus les modifier.", False,
    ),
    Geste.SIGNER: (
        contradictoire.signer, "Signer le rapport définitif", "Le rapport est signé ; ses suites sont ouvertes.",
        "Le rapport définitif et la lettre de clôture partent à la structure. Les droits à revoir passent au "
        "technicien conseil.", False,
    ),
    Geste.CLORE: (
        contradictoire.clore, "Clore le contrôle", "Le contrôle est clos.",
        "Plus rien n’est à décider ; les recommandations, elles, continuent d’être suivies.", False,
    ),
}  # fmt: skip


def controle_visible(request: Requete, pk: int) -> Controle:
    return get_object_or_404(Controle.objects.visibles_par(request.user).pour_fiche(), pk=pk)


def page_formulaire(
    request: Requete, form: forms.Form | None, *, titre: str, bouton: str, retour: str, chapeau: str = "",
    grave: bool = False, fichiers: bool = False, manques: list[str] | None = None, controle: Controle | None = None,
) -> HttpResponse:  # fmt: skip
    """La page d’un geste : un titre, une phrase, un formulaire, un bouton, un retour. 422 s’il est refusé."""
    contexte = {
        "form": form, "titre": titre, "bouton": bouton, "retour": retour, "chapeau": chapeau, "grave": grave,
        "fichiers": fichiers, "manques": manques or [], "controle": controle,
    }  # fmt: skip
    return render(request, "controles/formulaire.html", contexte, status=422 if request.method == "POST" else 200)


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    """Les contrôles que la personne peut connaître ; le plus urgent d’abord pour qui les mène."""
    visibles = Controle.objects.visibles_par(request.user)
    filtre = ControleFiltre(request.GET or None, queryset=visibles, request=request)
    retenus = filtre.qs if filtre.is_valid() else visibles
    page = paginer(request, retenus.pour_liste(), total=retenus)
    contexte = {"page": page, "filtre": filtre}
    gabarit = "controles/liste.html#resultats" if fragment(request) else "controles/liste.html"
    return render(request, gabarit, contexte)


_ORDRE = (
    ("Annonce", {Etat.PROGRAMME}, {Etat.NOTIFIE}),
    ("Visite", {Etat.NOTIFIE, Etat.EN_COURS}, {Etat.CONTRADICTOIRE}),
    ("Réponse de la structure", {Etat.CONTRADICTOIRE}, {Etat.A_CONCLURE}),
    ("Conclusion", {Etat.A_CONCLURE}, {Etat.SUITES}),
    ("Suites", {Etat.SUITES}, {Etat.CLOS}),
)
_PLUME = {
    Etat.PROGRAMME: "Le contrôleur prépare",
    Etat.NOTIFIE: "La structure réunit les pièces",
    Etat.EN_COURS: "Le contrôleur vérifie",
    Etat.CONTRADICTOIRE: "La structure répond",
    Etat.A_CONCLURE: "Le contrôleur conclut",
    Etat.SUITES: "La Caf décide des suites",
}


def frise(controle: Controle, evenements: list[EvenementControle]) -> list[Etape]:
    """Les étapes, celle en cours disant qui tient la plume."""
    arrivees: dict[str, Any] = {e.vers: e.le for e in reversed(evenements) if e.vers and e.vers != e.de}
    ici = next((rang for rang, (_, etats, _) in enumerate(_ORDRE) if controle.etat in etats), len(_ORDRE))
    if controle.etat == Etat.ANNULE:
        ici = -1
    etapes = []
    for rang, (libelle, _, sorties) in enumerate(_ORDRE):
        if libelle == "Visite" and controle.mode == Mode.SUR_PIECES:
            libelle = "Examen des pièces"
        le = next((arrivees[s] for s in sorties if s in arrivees), None)
        statut = "en-cours" if rang == ici else "fait" if rang < ici or (ici < 0 and le) else "a-venir"
        detail = _PLUME.get(Etat(controle.etat), "") if rang == ici else ""
        etapes.append(Etape(libelle, statut, detail, le if statut == "fait" else None))
    return etapes


def lignes_du_journal(evenements: list[EvenementControle], *, agent: bool) -> list[Ligne]:
    """La structure ne lit pas la préparation de la Caf."""
    lignes = []
    for e in evenements:
        if agent or e.geste not in GESTES_INTERNES:
            detail = str(e.details.get("piece") or e.details.get("rapport") or "")
            lignes.append(Ligne(e.le, auteur(e.par), GESTES_FAITS[e.geste].capitalize(), e.motif, detail))
    return lignes


def actes_de(controle: Controle, *, agent: bool) -> list[Acte]:
    """Les courriers, le plus récent d’abord. La structure ouvre d’abord le rapport, qui date sa lecture."""
    actes = Acte.objects.filter(objet=f"controle-{controle.pk}")
    if not agent and not a_ouvert(controle):
        actes = actes.exclude(nature=NatureActe.RAPPORT_CONTROLE)
    if not agent and controle.definitif_le and not controle.definitif_lu_le:
        actes = actes.exclude(nature=NatureActe.RAPPORT_CONTROLE, cle__endswith="-definitif")
        actes = actes.exclude(cle__endswith="-cloture")
    return list(actes)


@lecture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    agent = request.user.est_agent
    evenements = list(controle.evenements.select_related("par"))
    lit = bool(lit_les_constats(request.user, controle))
    montre = lit and (agent or a_ouvert(controle))
    contexte = {
        "controle": controle,
        "gestes": gestes_possibles(request.user, controle),
        "frise": frise(controle, evenements),
        "derniers": lignes_du_journal(evenements, agent=agent)[:12],
        "actes": actes_de(controle, agent=agent),
        "constats": controle.constats.select_related("reponse") if montre and controle.provisoire_le else [],
        "fiche": Fiche(controle) if lit and controle.etat == Etat.EN_COURS and agent else None,
        "a_ouvrir": not agent and controle.provisoire_le is not None and not a_ouvert(controle),
        "pieces": controle.pieces_demandees.prefetch_related("remises") if controle.notifie_le else [],
        "manques": preparation.ce_qui_manque(controle, timezone.localdate()) if controle.etat == Etat.PROGRAMME else [],
        "recommandations": anterieures(controle.structure_id) if agent else [],
        "retenus": suites.retenus(controle),
        "en_reponse": controle.etat in ETATS_RAPPORT_PROVISOIRE,
        "definitif": controle.etat in ETATS_DEFINITIFS,
        "onglet": "fiche",
    }
    return render(request, "controles/fiche.html", contexte)


@lecture
@ouverte_aux_connectes
def acte(request: Requete, pk: int, acte_pk: int) -> HttpResponseBase:
    """Sert le PDF figé ; un rapport attend que la structure l’ait ouvert, et que la Caf l’ait notifié."""
    controle = controle_visible(request, pk)
    trouve = next((a for a in actes_de(controle, agent=request.user.est_agent) if a.pk == acte_pk), None)
    if trouve is None or trouve.produit_le is None:
        raise Http404
    return servir(trouve.pdf, f"{controle.numero}-{trouve.nature}.pdf", "application/pdf", en_ligne=True)


@ecriture
@ouverte_aux_connectes
def lire_rapport(request: Requete, pk: int) -> HttpResponse:
    """La structure ouvre le rapport : la lecture est datée, les constats se montrent."""
    controle = controle_visible(request, pk)
    exiger(peut(Geste.LIRE, request.user, controle))
    try:
        controle = contradictoire.lire_le_rapport(controle, par=request.user)
    except Refus as refus:
        messages.warning(request, str(refus))
        return redirect(controle)
    return redirect("controles:repondre" if controle.etat == Etat.CONTRADICTOIRE else "controles:rapport", pk)


@lecture_ecriture
@ouverte_aux_connectes
def geste(request: Requete, pk: int, nom: str) -> HttpResponse:
    """Confirme un geste simple : une page, une phrase, un bouton ; un motif quand il en faut un."""
    if nom not in GESTES_SIMPLES:
        raise Http404
    controle = controle_visible(request, pk)
    exiger(peut(nom, request.user, controle))
    action, libelle, reussite, explication, grave = GESTES_SIMPLES[nom]
    depuis = CYCLE[nom].depuis if nom in CYCLE else SUR_PLACE[nom]
    if controle.etat not in depuis and request.method == "GET":
        messages.warning(request, "Ce n’est plus possible : le contrôle a changé d’état.")
        return redirect(controle)
    avec_motif = nom in (Geste.ANNULER, Geste.AUTORISER_INOPINE)
    form = MotifForm(request.POST if request.method == "POST" else None) if avec_motif else None
    manques: list[str] = []
    if request.method == "POST" and (form is None or form.is_valid()):
        motif = {"motif": form.cleaned_data["motif"]} if form else {}
        try:
            action(controle, par=request.user, **motif)
        except RapportIncomplet as erreur:
            manques = erreur.manques
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect(controle)
        else:
            messages.success(request, reussite)
            return redirect(controle)
    if nom == Geste.EMETTRE and request.method == "GET":
        manques = [f"{m.libelle} : {m.phrase}" for m in Fiche(controle).manques]
    return page_formulaire(
        request, form, titre=libelle, bouton=libelle, retour=controle.get_absolute_url(), chapeau=explication,
        grave=grave, manques=manques, controle=controle,
    )  # fmt: skip


def jouer(request: Requete, form: forms.Form, action: Callable[..., object], **page: Any) -> HttpResponse:
    """Un formulaire, une action, une page : refus près du champ en 422, réussite en retour à la fiche."""
    controle, reussite = page["controle"], page.pop("reussite")
    if request.method == "POST" and form.is_valid() and tenter(form, lambda: action(**form.cleaned_data)):
        messages.success(request, reussite)
        return redirect(page["retour"])
    return page_formulaire(request, form, **{**page, "controle": controle})
