"""Senacs : le relevé prérempli de la structure, et le tableau de suivi de la Caf."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone

from agrements.views.saisie import donnees_du_champ, phrase_de_conflit
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.erreurs import FichierRefuse
from documents.reponses import servir
from financements.exports import ecrire_classeur
from senacs import actions
from senacs.choix import EtatContribution
from senacs.droits import REGLENT, SUIVENT, peut_regler, peut_relancer, peut_repondre
from senacs.filtres import ContributionFiltre
from senacs.forms import CampagneSenacsForm, ContribuerForm, MotifForm
from senacs.models import CampagneSenacs, Contribution
from senacs.pairs import COMPARES, reperes
from senacs.preremplissage import LigneReleve, avancement, releve
from senacs.questionnaire import Rubrique, champs
from socle import pdf
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.listes import fragment, paginer
from socle.texte import accorde, entier
from socle.vues import refus_en_message, tenter

EQUIPE = (Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)
AGENTS = (*SUIVENT, Role.CONTROLEUR, Role.SECRETARIAT)

type Pages = list[tuple[Rubrique, list[LigneReleve]]]


@lecture
@reserve_a(*EQUIPE)
def accueil(request: Requete) -> HttpResponse:
    """Mène au relevé de l’enquête la plus récente ; sans campagne, le dit."""
    structure = request.structure
    if not structure:
        raise PermissionDenied("Vous n’êtes habilité dans aucune structure aujourd’hui.")
    derniere = structure.contributions_senacs.order_by("-campagne__annee").first()
    if derniere is None:
        return render(request, "senacs/aucune.html", {})
    return redirect(derniere)


def _visible(request: Requete, pk: int) -> Contribution:
    visibles = Contribution.objects.visibles_par(request.user).pour_liste()
    return get_object_or_404(visibles.prefetch_related("structure__quartiers_prioritaires"), pk=pk)


@lecture_ecriture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    """Toute l’enquête dans son ordre : ce que la Caf sait et d’où, ce qui manque, à compléter ici."""
    contribution = _visible(request, pk)
    erreurs: dict[str, str] = {}
    saisies: dict[str, str] = {}
    if request.method == "POST":
        exiger(peut_repondre(request.user, contribution.structure_id))
        erreurs, saisies = _garder(request, contribution)
        if not erreurs:
            messages.success(request, "Vos réponses sont gardées.")
            return redirect(contribution)
        contribution = _visible(request, pk)
    pages = releve(contribution)
    connues, vides = avancement(pages)
    ouverte = contribution.etat != EtatContribution.CONTRIBUEE and bool(
        peut_repondre(request.user, contribution.structure_id)
    )
    contexte = {
        "contribution": contribution,
        "rubriques": [(r, [_affichage(ligne, ouverte, erreurs, saisies) for ligne in lignes]) for r, lignes in pages],
        "connues": connues,
        "vides": vides,
        "ouverte": ouverte,
        "en_retard": contribution.campagne.limite < timezone.localdate(),
        "erreurs": [(champs()[code], phrase) for code, phrase in erreurs.items()],
        "comparaison": _comparaison(contribution, pages),
        "precedentes": contribution.structure.contributions_senacs.exclude(pk=pk).select_related("campagne")[:6],
        "evenements": contribution.evenements.select_related("par")[:8],
        "relance": bool(peut_relancer(request.user)) if request.user.est_agent else False,
    }
    return render(request, "senacs/releve.html", contexte, status=422 if erreurs else 200)


def _affichage(ligne: LigneReleve, ouverte: bool, erreurs: dict[str, str], saisies: dict[str, str]) -> dict[str, Any]:
    donnees = donnees_du_champ(ligne.champ, ligne.propre, ouvert=ouverte, url="")
    code = ligne.champ.code
    if ligne.propre is None and not ligne.vide:
        donnees["brut"] = ligne.valeur
    if ligne.champ.nature == "decimal":
        donnees["brut"] = ligne.a_recopier
    if code in erreurs:
        donnees |= {"erreur": erreurs[code], "brut": saisies[code]}
    return {**donnees, "connue": ligne.valeur, "source": ligne.source, "vide": ligne.vide, "propre": ligne.propre}


def _garder(request: Requete, contribution: Contribution) -> tuple[dict[str, str], dict[str, str]]:
    """Garde ce qui a changé, réponse par réponse ; une faute sur l’une n’empêche pas les autres."""
    erreurs, saisies = {}, {}
    avant = {ligne.champ.code: ligne for _, lignes in releve(contribution) for ligne in lignes}
    for code, champ in champs().items():
        if code not in request.POST:
            continue
        saisie = saisies[code] = request.POST[code]
        ligne = avant[code]
        if saisie.strip() in (str(ligne.valeur).strip(), ligne.a_recopier):
            continue  # rien de changé : ce que la Caf sait reste à sa source
        version = entier(request.POST.get(f"version-{code}", "0")) or 0
        try:
            actions.repondre(contribution, champ=code, saisie=saisie, version=version, par=request.user)
        except VersionPerimee:
            erreurs[code] = phrase_de_conflit(champ, contribution.reponses.get(champ=code))
        except Refus as refus:
            erreurs[code] = str(refus)
    return erreurs, saisies


def _comparaison(contribution: Contribution, pages: Pages) -> list[dict[str, Any]]:
    siennes = {
        ligne.champ.code: Decimal(str(ligne.valeur))
        for _, lignes in pages
        for ligne in lignes
        if ligne.champ.code in COMPARES and not ligne.vide
    }
    trouves = reperes(contribution, siennes)
    return [{"champ": champs()[code], "valeur": siennes[code], "repere": repere} for code, repere in trouves.items()]


@lecture_ecriture
@ouverte_aux_connectes
def contribuer(request: Requete, pk: int) -> HttpResponse:
    """Déclare que l’enquête est répondue, avec sa preuve ; la Caf peut l’enregistrer pour la structure."""
    contribution = _visible(request, pk)
    exiger(peut_repondre(request.user, contribution.structure_id))
    if contribution.etat == EtatContribution.CONTRIBUEE:
        messages.info(request, "La contribution est déjà déclarée.")
        return redirect(contribution)
    form = ContribuerForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if form.is_valid():
        saisie = form.cleaned_data
        try:
            ok = tenter(
                form,
                lambda: actions.contribuer(
                    contribution, le=saisie["le"], reference=saisie["reference"], televerse=saisie["preuve"] or None,
                    par=request.user,
                ),
            )  # fmt: skip
        except FichierRefuse as refus:
            form.add_error("preuve", str(refus))
            ok = False
        if ok:
            messages.success(request, f"La contribution à Senacs {contribution.campagne.annee} est enregistrée.")
            return redirect(contribution)
    contexte = {
        "contribution": contribution,
        "form": form,
        "titre": "Dire que l’enquête est répondue",
        "fichiers": True,
    }
    return render(request, "senacs/geste.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*SUIVENT)
def rouvrir(request: Requete, pk: int) -> HttpResponse:
    contribution = _visible(request, pk)
    form = MotifForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: actions.rouvrir(contribution, par=request.user, **form.cleaned_data)):
        messages.success(request, "La contribution est rouverte.")
        return redirect(contribution)
    contexte = {"contribution": contribution, "form": form, "titre": "Rouvrir la contribution", "fichiers": False}
    return render(request, "senacs/geste.html", contexte, status=422 if form.is_bound else 200)


@lecture
@ouverte_aux_connectes
def preuve(request: Requete, pk: int) -> HttpResponseBase:
    contribution = _visible(request, pk)
    if contribution.preuve is None:
        raise Http404
    fichier = contribution.preuve
    return servir(
        fichier.contenu, f"senacs-{contribution.campagne.annee}-{fichier.nom}", fichier.type_mime, en_ligne=True
    )


def _lignes(pages: Pages, forme: str) -> list[tuple[str, str, Any, str]]:
    """Chaque réponse comme sa forme l’attend : typée pour un tableur, à recopier en csv, en toutes lettres ailleurs."""
    reponse = {"xlsx": attrgetter("typee"), "csv": attrgetter("a_recopier")}.get(forme, attrgetter("dite"))
    return [
        (rubrique.titre, ligne.champ.libelle, reponse(ligne), ligne.source or "à compléter")
        for rubrique, lignes in pages
        for ligne in lignes
    ]


ENTETES = ("Rubrique", "Question", "Réponse", "Source")


@lecture
@ouverte_aux_connectes
def exporter(request: Requete, pk: int, forme: str) -> HttpResponseBase:
    """Le relevé dans l’ordre de l’enquête : pour le recopier sur senacs.fr, ou le garder."""
    contribution = _visible(request, pk)
    lignes = _lignes(releve(contribution), forme)
    nom = f"senacs-{contribution.campagne.annee}-{contribution.structure_id}.{forme}"
    if forme == "xlsx":
        with ecrire_classeur(str(contribution.campagne), ENTETES, lignes) as classeur:
            reponse = HttpResponse(
                classeur.read(), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            )
    elif forme == "csv":
        flux = io.StringIO()
        ecrire = csv.writer(flux, delimiter=";")
        ecrire.writerow(ENTETES)
        ecrire.writerows([_sans_formule(cellule) for cellule in ligne] for ligne in lignes)
        reponse = HttpResponse("\ufeff" + flux.getvalue(), content_type="text/csv; charset=utf-8")
    elif forme == "pdf":
        contexte = {
            "contribution": contribution, "lignes": lignes, "caf": settings.PORTAIL_CAF,
            "demonstration": settings.PORTAIL_DEMONSTRATION, "le": timezone.localdate(),
        }  # fmt: skip
        reponse = HttpResponse(
            pdf.rendre(render_to_string("senacs/pdf/releve.html", contexte), feuille="releve.css"),
            content_type="application/pdf",
        )
    else:
        raise Http404
    reponse.headers["Content-Disposition"] = f'attachment; filename="{nom}"'
    return reponse


def _sans_formule(texte: str) -> str:
    """Un tableur prendrait pour une formule ce qui commence ainsi : une apostrophe l’en empêche (OWASP)."""
    return f"'{texte}" if texte[:1] in ("=", "+", "-", "@", "\t", "\r") else texte


@lecture
@reserve_a(*AGENTS)
def suivi(request: Requete) -> HttpResponse:
    """Le tableau de la Caf : qui a contribué, qui relancer."""
    derniere = CampagneSenacs.objects.first()
    demande = request.GET or ({"annee": derniere.annee} if derniere else None)
    toutes = Contribution.objects.visibles_par(request.user)
    filtre = ContributionFiltre(demande, queryset=toutes, request=request)
    retenues = filtre.qs if filtre.is_valid() else toutes
    comptes = dict(retenues.order_by().values_list("etat").annotate(nombre=Count("pk")))
    contexte = {
        "page": paginer(request, retenues.pour_liste(), total=retenues),
        "filtre": filtre,
        "comptes": [(e, comptes.get(e.value, 0)) for e in EtatContribution],
        "relance": bool(peut_relancer(request.user)),
        "regle": bool(peut_regler(request.user)),
        "campagne": derniere,
        "close": derniere is not None and derniere.limite < timezone.localdate(),
    }
    gabarit = "senacs/suivi.html#resultats" if fragment(request) else "senacs/suivi.html"
    return render(request, gabarit, contexte)


@ecriture
@reserve_a(*SUIVENT)
def relancer(request: Requete) -> HttpResponse:
    choisies = [pk for cle in request.POST.getlist("contribution")[:200] if (pk := entier(cle)) is not None]
    with refus_en_message(request):
        envoyees = actions.relancer(Contribution.objects.filter(pk__in=choisies), par=request.user)
        if not choisies:
            messages.warning(request, "Cochez au moins une structure.")
        elif envoyees:
            messages.success(request, f"{accorde(envoyees, 'structure', 'relancée')}.")
        else:
            messages.info(request, "Aucune relance : ces structures ont contribué, ou ont été relancées aujourd’hui.")
    return redirect("senacs:suivi")


@lecture_ecriture
@reserve_a(*REGLENT)
def regler(request: Requete) -> HttpResponse:
    derniere = CampagneSenacs.objects.first()
    initial = {"annee": timezone.localdate().year}
    if derniere and derniere.annee == initial["annee"]:
        initial |= {c: getattr(derniere, c) for c in ("ouverture", "limite", "source")}
    form = CampagneSenacsForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid() and tenter(form, lambda: actions.regler(par=request.user, **form.cleaned_data)):
        messages.success(request, "Les dates sont enregistrées ; chaque structure a son suivi.")
        return redirect("senacs:suivi")
    contexte = {"contribution": None, "form": form, "titre": "Dates de Senacs", "fichiers": False}
    return render(request, "senacs/geste.html", contexte, status=422 if form.is_bound else 200)
