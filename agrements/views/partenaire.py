"""Les pages de la structure : ouvrir un dossier, rédiger section par section, joindre, vérifier, viser."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from agrements import arbre, presence
from agrements.actions import redaction
from agrements.budget import totaliser
from agrements.choix import ETATS_OUVERTS, Etat, Geste, TypeDossier, cible_de_piece
from agrements.completude import avancement
from agrements.contenu import Contenu
from agrements.droits import gestes_possibles, peut
from agrements.forms import NouveauDossierForm, PieceForm, VisaForm
from agrements.models import Dossier, Piece
from agrements.referentiel import Champ
from agrements.reponses import avertissements
from agrements.views.commun import dossier_visible
from agrements.views.saisie import donnees_du_champ, gardee, perdue, perimee, phrase_de_conflit, refusee
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.erreurs import FichierRefuse
from documents.reponses import servir
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.texte import entier
from socle.vues import refus_en_message

PARTENAIRES = (Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)


@lecture_ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL)
def creer(request: Requete) -> HttpResponse:
    """Ouvre un dossier pour la structure courante ; s’il y en a déjà un, propose de le reprendre."""
    structure = request.structure
    if not structure:
        raise PermissionDenied("Vous n’êtes habilité dans aucune structure aujourd’hui.")
    ouvert = structure.dossiers.filter(etat__in=ETATS_OUVERTS).exclude(type=TypeDossier.AVENANT).first()
    en_cours = structure.agrements.visibles_par(request.user).order_by("-fin").first()
    initial: dict[str, Any] = {"type_dossier": "renouvellement" if en_cours else "premier"}
    if en_cours:
        initial["debut_souhaite"] = en_cours.fin + timedelta(days=1)
    form = NouveauDossierForm(request.POST if request.method == "POST" else None, structure=structure, initial=initial)
    if form.is_valid():
        try:
            dossier = redaction.creer(structure, par=request.user, **form.cleaned_data)
        except ValidationError as erreur:
            form.add_error(None, erreur)
        except Refus as refus:
            form.add_error(None, str(refus))
        else:
            messages.success(request, "Votre dossier est ouvert. Ce que la Caf sait déjà y est repris.")
            return redirect(dossier)
    contexte = {"form": form, "structure": structure, "ouvert": ouvert, "en_cours": en_cours}
    return render(request, "agrements/partenaire/creer.html", contexte, status=422 if form.is_bound else 200)


def _donnees(champ: Champ, contenu: Contenu) -> dict[str, Any]:
    return donnees_du_champ(
        champ,
        contenu.lignes.get(champ.code),
        ouvert=redaction.champ_ouvert(contenu, champ.code),
        url=reverse("agrements:champ", args=[contenu.dossier.pk, champ.code]),
        remarque=contenu.remarques.get(champ.code),
    )


@lecture_ecriture
@reserve_a(*PARTENAIRES)
def section(request: Requete, pk: int, code: str) -> HttpResponse:
    """Une section du projet. Avec JavaScript chaque champ se garde seul ; sans, le bouton garde toute la section."""
    dossier = dossier_visible(request, pk)
    exiger(peut(Geste.REDIGER, request.user, dossier))
    contenu = Contenu(dossier)
    courante = contenu.section(code)
    if courante is None:
        raise Http404
    erreurs: dict[str, str] = {}
    saisies: dict[str, str] = {}
    if request.method == "POST":
        erreurs, saisies = _garder_la_section(request, dossier, contenu, courante.champs)
        if not erreurs:
            messages.success(request, f"« {courante.titre} » est enregistré.")
            suivante = _voisine(contenu, code, 1)
            if "suite" in request.POST and suivante:
                return redirect("agrements:section", dossier.pk, suivante.code)
            return redirect("agrements:section", dossier.pk, code)
        contenu = Contenu(dossier)
    champs = [_donnees(champ, contenu) for champ in courante.champs]
    for donnees in champs:
        nom = donnees["champ"].code
        donnees["erreur"] = erreurs.get(nom, "")
        if nom in saisies and nom in erreurs:
            donnees["brut"] = saisies[nom]
    contexte = {
        "dossier": dossier,
        "section": courante,
        "sections": contenu.sections,
        "champs": champs,
        "erreurs": erreurs,
        "precedente": _voisine(contenu, code, -1),
        "suivante": _voisine(contenu, code, 1),
        "natures": json.dumps(arbre.ENFANTS),
        "libelles": json.dumps(arbre.LIBELLES, ensure_ascii=False),
        "modifiable": dossier.etat in (Etat.EN_PREPARATION, Etat.INCOMPLET),
        "alertes": contenu.alertes_equipe() if code == "moyens_humains" else [],
        "presence": presence.phrase(presence.autres(dossier, code, que=request.user)),
    }
    return render(request, "agrements/partenaire/section.html", contexte, status=422 if erreurs else 200)


@ecriture
@reserve_a(*PARTENAIRES)
def signaler_presence(request: Requete, pk: int, code: str) -> JsonResponse:
    """Le battement d’un écran de saisie : note qui est là, rend qui d’autre y est. ``depart`` efface la trace."""
    dossier = dossier_visible(request, pk)
    exiger(peut(Geste.REDIGER, request.user, dossier))
    if Contenu(dossier).section(code) is None:
        raise Http404
    if "depart" in request.POST:
        presence.partir(dossier, code, par=request.user)
        return JsonResponse({"phrase": ""})
    presence.battre(dossier, code, par=request.user)
    return JsonResponse({"phrase": presence.phrase(presence.autres(dossier, code, que=request.user))})


def _voisine(contenu: Contenu, code: str, pas: int) -> Any:
    codes = [s.code for s in contenu.sections]
    rang = codes.index(code) + pas
    return contenu.sections[rang] if 0 <= rang < len(codes) else None


def _garder_la_section(
    request: Requete, dossier: Dossier, contenu: Contenu, champs: tuple[Champ, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Sans JavaScript : garde chaque champ, un par un ; une erreur sur l’un n’empêche pas les autres."""
    erreurs, saisies = {}, {}
    for champ in champs:
        if champ.nature == "chiffres" or champ.code not in request.POST:
            continue
        saisie = request.POST[champ.code]
        saisies[champ.code] = saisie
        version = request.POST.get(f"version-{champ.code}", "0")
        if not redaction.champ_ouvert(contenu, champ.code):
            continue
        try:
            redaction.enregistrer_reponse(
                dossier,
                champ=champ.code,
                saisie=saisie,
                version=entier(version) or 0,
                par=request.user,
            )
        except VersionPerimee:
            erreurs[champ.code] = phrase_de_conflit(champ, Contenu(dossier).lignes[champ.code])
        except Refus as refus:
            erreurs[champ.code] = str(refus)
    return erreurs, saisies


@ecriture
@reserve_a(*PARTENAIRES)
def enregistrer_champ(request: Requete, pk: int, champ: str) -> JsonResponse:
    """Garde un champ pendant la frappe. 200 gardé, 409 un collègue a écrit, 422 refusé avec la phrase."""
    dossier = dossier_visible(request, pk)
    version = entier(request.POST.get("version", ""))
    if version is None:
        return perdue()
    try:
        reponse = redaction.enregistrer_reponse(
            dossier, champ=champ, saisie=request.POST.get("valeur", ""), version=version, par=request.user
        )
    except VersionPerimee:
        contenu = Contenu(dossier)
        return perimee(contenu.champs[champ], contenu.lignes[champ])
    except Refus as refus:
        return refusee(refus)
    contenu = Contenu(dossier)
    suivi = avancement(contenu.dossier.regime.referentiel.section_du_champ[champ], contenu.reponses)
    alertes = contenu.alertes_equipe() if champ == "postes" else avertissements(contenu.champs[champ], reponse.valeur)
    return gardee(reponse, suivi, alertes)


@lecture_ecriture
@reserve_a(*PARTENAIRES)
def pieces(request: Requete, pk: int) -> HttpResponse:
    """Les pièces demandées, une par une : un fichier neuf, ou une pièce du coffre encore valable."""
    dossier = dossier_visible(request, pk)
    exiger(peut(Geste.JOINDRE, request.user, dossier))
    form = PieceForm(request.POST, request.FILES) if request.method == "POST" else None
    erreur = exigence = ""
    if form is not None:
        exigence = request.POST.get("exigence", "")
        if form.is_valid():
            try:
                if form.cleaned_data["fichier"]:
                    redaction.joindre(
                        dossier, exigence=exigence, televerse=form.cleaned_data["fichier"], par=request.user
                    )
                else:
                    redaction.joindre_du_coffre(
                        dossier, exigence=exigence, piece_pk=form.cleaned_data["coffre"], par=request.user
                    )
            except (FichierRefuse, Refus) as refus:
                erreur = str(refus)
            else:
                messages.success(request, "La pièce est jointe.")
                return redirect("agrements:pieces", dossier.pk)
        else:
            erreur = " ".join(str(phrase) for phrases in form.errors.values() for phrase in phrases)
    contenu = Contenu(dossier)
    coffre = list(Piece.objects.du_coffre(dossier.structure_id, timezone.localdate()))
    jointes = {j.piece_id for j in contenu.jointes}
    lignes = [
        {
            "exigence": e,
            "jointes": [j for j in contenu.jointes if j.exigence == e.code],
            "coffre": [p for p in coffre if p.nature == e.code and p.pk not in jointes],
            "remarque": contenu.remarques.get(cible_de_piece(e.code)),
            "ouverte": redaction.champ_ouvert(contenu, cible_de_piece(e.code)),
            "erreur": erreur if e.code == exigence else "",
        }
        for e in contenu.exigences
    ]
    contexte = {"dossier": dossier, "lignes": lignes, "erreur": erreur, "sections": contenu.sections}
    return render(request, "agrements/partenaire/pieces.html", contexte, status=422 if erreur else 200)


@ecriture
@reserve_a(*PARTENAIRES)
def detacher(request: Requete, pk: int, jointe_pk: int) -> HttpResponse:
    dossier = dossier_visible(request, pk)
    get_object_or_404(dossier.pieces_jointes, pk=jointe_pk)
    with refus_en_message(request):
        redaction.detacher(dossier, jointe_pk=jointe_pk, par=request.user)
        messages.success(request, "La pièce est retirée du dossier ; elle reste dans votre coffre.")
    return redirect("agrements:pieces", dossier.pk)


@lecture
@ouverte_aux_connectes
def telecharger_piece(request: Requete, pk: int, jointe_pk: int) -> HttpResponseBase:
    dossier = dossier_visible(request, pk)
    jointe = get_object_or_404(dossier.pieces_jointes.select_related("piece__fichier"), pk=jointe_pk)
    fichier = jointe.piece.fichier
    return servir(fichier.contenu, jointe.piece.nom_classe, fichier.type_mime, en_ligne=True)


@lecture
@reserve_a(*PARTENAIRES)
def verifier(request: Requete, pk: int) -> HttpResponse:
    """« Vérifiez vos réponses » : tout le projet, un lien par réponse, et la liste de ce qui manque."""
    dossier = dossier_visible(request, pk)
    contenu = Contenu(dossier)
    contexte = {
        "dossier": dossier,
        "sections": contenu.sections,
        "reponses": contenu.reponses,
        "jointes": contenu.jointes,
        "exigences": {e.code: e.libelle for e in contenu.exigences},
        "manques": contenu.manques(),
        "gestes": gestes_possibles(request.user, dossier),
    }
    return render(request, "agrements/partenaire/verifier.html", contexte)


@lecture_ecriture
@reserve_a(Role.REPRESENTANT_LEGAL)
def visa(request: Requete, pk: int) -> HttpResponse:
    """Le représentant légal lit une page, vise ou dit pourquoi il ne vise pas."""
    dossier = dossier_visible(request, pk)
    exiger(peut(Geste.VISER, request.user, dossier))
    if dossier.etat != Etat.A_VISER:
        messages.info(request, "Ce dossier n’attend pas de visa.")
        return redirect(dossier)
    form = VisaForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            if form.cleaned_data["decision"] == "viser":
                redaction.viser(dossier, par=request.user)
                messages.success(request, "Vous avez visé le projet : il peut être déposé.")
            else:
                redaction.refuser_visa(dossier, par=request.user, motif=form.cleaned_data["motif"])
                messages.success(request, "Vos raisons sont transmises à la direction.")
        except Refus as refus:
            messages.warning(request, str(refus))
        return redirect(dossier)
    contenu = Contenu(dossier)
    axes = [n for n, _ in arbre.parcourir(contenu.reponses.get("arbre") or []) if n["nature"] == "axe"]
    contexte = {
        "dossier": dossier,
        "form": form,
        "reponses": contenu.reponses,
        "axes": axes,
        "contenu": contenu,
        "totaux": totaliser(contenu.reponses.get("budget_lignes") or []),
    }
    return render(request, "agrements/partenaire/visa.html", contexte, status=422 if form.is_bound else 200)
