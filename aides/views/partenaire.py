"""Les pages de la structure : ouvrir, remplir, chiffrer, joindre, vérifier."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from agrements import arbre
from agrements.completude import avancement
from agrements.models import Piece
from agrements.referentiel import Champ
from agrements.reponses import avertissements
from agrements.views.saisie import donnees_du_champ, gardee, perdue, perimee, phrase_de_conflit, refusee
from aides.actions import redaction
from aides.choix import Etat, Geste
from aides.contenu import ContenuDemande
from aides.droits import gestes_possibles, peut
from aides.forms import (
    DepenseForm,
    FichierForm,
    FinancementForm,
    MontantDemandeForm,
)
from aides.models import Demande
from aides.views.commun import demande_visible
from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.erreurs import FichierRefuse
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.texte import entier
from socle.vues import refus_en_message, tenter

PARTENAIRES = (Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)


def _donnees(champ: Champ, contenu: ContenuDemande, partie: str) -> dict[str, Any]:
    return donnees_du_champ(
        champ,
        contenu.lignes.get(champ.code),
        ouvert=contenu.ouverte(partie),
        url=reverse("aides:champ", args=[contenu.demande.pk, champ.code]),
    )


@lecture_ecriture
@reserve_a(*PARTENAIRES)
def section(request: Requete, pk: int, code: str) -> HttpResponse:
    """Une section de la demande. Avec JavaScript chaque champ se garde seul ; sans, le bouton garde toute la
    section.
    """
    demande = demande_visible(request, pk)
    exiger(peut(Geste.REDIGER, request.user, demande))
    contenu = ContenuDemande(demande)
    courante = next((s for s in contenu.sections if s.code == code), None)
    if courante is None:
        raise Http404
    erreurs: dict[str, str] = {}
    saisies: dict[str, str] = {}
    suivante = _suivante(contenu, code)
    if request.method == "POST":
        erreurs, saisies = _garder(request, demande, courante.champs)
        if not erreurs:
            messages.success(request, f"« {courante.titre} » est enregistré.")
            if "suite" in request.POST:
                return redirect(suivante)
            return redirect("aides:section", demande.pk, code)
        contenu = ContenuDemande(demande)
    champs = [_donnees(champ, contenu, code) for champ in courante.champs]
    for donnees in champs:
        nom = donnees["champ"].code
        if nom in erreurs:
            donnees["erreur"], donnees["brut"] = erreurs[nom], saisies[nom]
    contexte = {
        "demande": demande, "section": courante, "champs": champs, "erreurs": erreurs, "parties": contenu.parties(),
        "suivante": suivante, "natures": json.dumps(arbre.ENFANTS), "alertes": [],
        "libelles": json.dumps(arbre.LIBELLES, ensure_ascii=False), "modifiable": contenu.ouverte(code),
    }  # fmt: skip
    return render(request, "aides/partenaire/section.html", contexte, status=422 if erreurs else 200)


def lien_de(demande: Demande, partie: str) -> str:
    if partie in ("depenses", "plan", "pieces"):
        return reverse(f"aides:{partie}", args=[demande.pk])
    return reverse("aides:section", args=[demande.pk, partie])


def _suivante(contenu: ContenuDemande, partie: str) -> str:
    codes = [p.code for p in contenu.parties()]
    rang = codes.index(partie) + 1
    if rang < len(codes):
        return lien_de(contenu.demande, codes[rang])
    return reverse("aides:verifier", args=[contenu.demande.pk])


def _garder(request: Requete, demande: Demande, champs: tuple[Champ, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Sans JavaScript : garde chaque champ, un par un ; une erreur sur l’un n’empêche pas les autres."""
    erreurs, saisies = {}, {}
    for champ in champs:
        if champ.code not in request.POST:
            continue
        saisies[champ.code] = request.POST[champ.code]
        version = entier(request.POST.get(f"version-{champ.code}", "0")) or 0
        try:
            redaction.enregistrer_reponse(
                demande, champ=champ.code, saisie=saisies[champ.code], version=version, par=request.user
            )
        except VersionPerimee:
            erreurs[champ.code] = phrase_de_conflit(champ, ContenuDemande(demande).lignes[champ.code])
        except Refus as refus:
            erreurs[champ.code] = str(refus)
    return erreurs, saisies


@ecriture
@reserve_a(*PARTENAIRES)
def champ(request: Requete, pk: int, champ: str) -> JsonResponse:
    """Garde un champ pendant la frappe. 200 gardé, 409 un collègue a écrit, 422 refusé avec la phrase."""
    demande = demande_visible(request, pk)
    version = entier(request.POST.get("version", ""))
    if version is None:
        return perdue()
    try:
        reponse = redaction.enregistrer_reponse(
            demande, champ=champ, saisie=request.POST.get("valeur", ""), version=version, par=request.user
        )
    except VersionPerimee:
        contenu = ContenuDemande(demande)
        return perimee(contenu.champs[champ], contenu.lignes[champ])
    except Refus as refus:
        return refusee(refus)
    contenu = ContenuDemande(demande)
    courante = next(s for s in contenu.sections if champ in {c.code for c in s.champs})
    suivi = avancement(courante, contenu.reponses)
    return gardee(reponse, suivi, avertissements(contenu.champs[champ], reponse.valeur))


def _contexte(demande: Demande, contenu: ContenuDemande, partie: str) -> dict[str, Any]:
    return {
        "demande": demande,
        "contenu": contenu,
        "parties": contenu.parties(),
        "partie": partie,
        "modifiable": contenu.ouverte(partie),
        "suivante": _suivante(contenu, partie),
    }


@lecture_ecriture
@reserve_a(*PARTENAIRES)
def depenses(request: Requete, pk: int) -> HttpResponse:
    """Les dépenses, une par une, chacune avec son devis ; le total et l’aide possible se mettent à jour."""
    demande = demande_visible(request, pk)
    exiger(peut(Geste.REDIGER, request.user, demande))
    if not demande.version.avec_depenses:
        raise Http404
    lie: tuple[str, Any] | None = None
    if request.method == "POST":
        cle = request.POST.get("depense", "nouvelle")
        depense_pk = entier(cle)
        if depense_pk is not None:
            get_object_or_404(demande.depenses, pk=depense_pk)
        if "fichier" in request.FILES or "joindre" in request.POST:
            lie = _joindre_devis(request, demande, depense_pk)
        else:
            form = DepenseForm(request.POST, prefix=f"d{cle}")
            if form.is_valid() and tenter(
                form,
                lambda: redaction.ecrire_depense(demande, par=request.user, depense_pk=depense_pk, **form.cleaned_data),
            ):
                messages.success(request, "La dépense est enregistrée.")
                return redirect(f"{request.path}#ajouter" if depense_pk is None else request.path)
            lie = (cle, form)
        if lie is None:
            messages.success(request, "Le devis est joint.")
            return redirect(request.path)
    contenu = ContenuDemande(demande)
    lignes = []
    for d in contenu.depenses:
        form = DepenseForm(
            initial={c: getattr(d, c) for c in ("libelle", "fournisseur", "montant_ht", "montant_ttc")},
            prefix=f"d{d.pk}",
        )
        erreur = ""
        if lie and lie[0] == str(d.pk):
            form = lie[1] if not isinstance(lie[1], str) else form
            erreur = lie[1] if isinstance(lie[1], str) else ""
        lignes.append({"depense": d, "form": form, "erreur": erreur})
    contexte = {
        **_contexte(demande, contenu, "depenses"),
        "lignes": lignes,
        "nouvelle": lie[1] if lie and lie[0] == "nouvelle" else DepenseForm(prefix="dnouvelle"),
        "refus": lie is not None,
    }
    return render(request, "aides/partenaire/depenses.html", contexte, status=422 if lie else 200)


def _joindre_devis(request: Requete, demande: Demande, depense_pk: int | None) -> tuple[str, str] | None:
    form = FichierForm(request.POST, request.FILES)
    if depense_pk is None or not demande.depenses.filter(pk=depense_pk).exists():
        raise Http404
    if not form.is_valid():
        return str(depense_pk), "Choisissez un fichier à joindre."
    try:
        redaction.joindre_devis(
            demande, depense_pk=depense_pk, televerse=form.cleaned_data["fichier"], par=request.user
        )
    except (FichierRefuse, Refus) as refus:
        return str(depense_pk), str(refus)
    return None


@ecriture
@reserve_a(*PARTENAIRES)
def retirer_depense(request: Requete, pk: int, depense_pk: int) -> HttpResponse:
    demande = demande_visible(request, pk)
    with refus_en_message(request):
        redaction.retirer_depense(demande, depense_pk=depense_pk, par=request.user)
        messages.success(request, "La dépense est retirée.")
    return redirect("aides:depenses", demande.pk)


@lecture_ecriture
@reserve_a(*PARTENAIRES)
def plan(request: Requete, pk: int) -> HttpResponse:
    """Qui paie quoi : les financements, le montant demandé, l’équilibre, et ce que la règle donnerait."""
    demande = demande_visible(request, pk)
    exiger(peut(Geste.REDIGER, request.user, demande))
    lie: tuple[str, Any] | None = None
    if request.method == "POST":
        cle = request.POST.get("ligne", "nouvelle")
        if cle == "montant":
            form: Any = MontantDemandeForm(request.POST)
            if form.is_valid() and tenter(
                form,
                lambda: redaction.demander_montant(demande, montant=form.cleaned_data["montant"], par=request.user),
            ):
                messages.success(request, "Le montant demandé est enregistré.")
                return redirect(request.path)
        else:
            ligne_pk = entier(cle)
            if ligne_pk is not None:
                get_object_or_404(demande.financements, pk=ligne_pk)
            form = FinancementForm(request.POST, prefix=f"f{cle}")
            if form.is_valid() and tenter(
                form,
                lambda: redaction.ecrire_financement(
                    demande, par=request.user, financement_pk=ligne_pk, **form.cleaned_data
                ),
            ):
                messages.success(request, "Le plan est enregistré.")
                return redirect(request.path)
        lie = (cle, form)
    contenu = ContenuDemande(demande)
    lignes = []
    for f in contenu.financements:
        initial = {c: getattr(f, c) for c in ("nature", "financeur", "montant", "etat")}
        form = lie[1] if lie and lie[0] == str(f.pk) else FinancementForm(initial=initial, prefix=f"f{f.pk}")
        lignes.append({"financement": f, "form": form})
    montant = (
        lie[1] if lie and lie[0] == "montant" else MontantDemandeForm(initial={"montant": demande.montant_demande})
    )
    contexte = {
        **_contexte(demande, contenu, "plan"),
        "lignes": lignes,
        "nouvelle": lie[1] if lie and lie[0] == "nouvelle" else FinancementForm(prefix="fnouvelle"),
        "montant": montant,
    }
    return render(request, "aides/partenaire/plan.html", contexte, status=422 if lie else 200)


@ecriture
@reserve_a(*PARTENAIRES)
def retirer_financement(request: Requete, pk: int, financement_pk: int) -> HttpResponse:
    demande = demande_visible(request, pk)
    with refus_en_message(request):
        redaction.retirer_financement(demande, financement_pk=financement_pk, par=request.user)
        messages.success(request, "La ligne est retirée.")
    return redirect("aides:plan", demande.pk)


@lecture_ecriture
@reserve_a(*PARTENAIRES)
def pieces(request: Requete, pk: int) -> HttpResponse:
    """Les pièces demandées : un fichier neuf, ou une pièce du coffre encore valable."""
    demande = demande_visible(request, pk)
    exiger(peut(Geste.JOINDRE, request.user, demande))
    erreur = exigence = ""
    if request.method == "POST":
        exigence = request.POST.get("exigence", "")
        erreur = _joindre(request, demande, exigence)
        if not erreur:
            messages.success(request, "La pièce est jointe.")
            return redirect("aides:pieces", demande.pk)
    contenu = ContenuDemande(demande)
    coffre = list(Piece.objects.du_coffre(demande.structure_id, timezone.localdate()))
    jointes = {j.piece_id for j in contenu.jointes}
    lignes = [
        {
            "exigence": e,
            "jointes": [j for j in contenu.jointes if j.exigence == e.code],
            "coffre": [p for p in coffre if p.nature == e.code and p.pk not in jointes],
            "erreur": erreur if e.code == exigence else "",
        }
        for e in contenu.exigences
    ]
    contexte = {**_contexte(demande, contenu, "pieces"), "lignes": lignes, "erreur": erreur}
    return render(request, "aides/partenaire/pieces.html", contexte, status=422 if erreur else 200)


def _joindre(request: Requete, demande: Demande, exigence: str) -> str:
    """Rend la phrase du refus, ou rien."""
    coffre = entier(request.POST.get("coffre", ""))
    try:
        if coffre is not None:
            redaction.joindre_du_coffre(demande, exigence=exigence, piece_pk=coffre, par=request.user)
            return ""
        form = FichierForm(request.POST, request.FILES)
        if not form.is_valid():
            return "Choisissez un fichier à joindre."
        redaction.joindre(demande, exigence=exigence, televerse=form.cleaned_data["fichier"], par=request.user)
    except (FichierRefuse, Refus) as refus:
        return str(refus)
    return ""


@ecriture
@reserve_a(*PARTENAIRES)
def detacher(request: Requete, pk: int, jointe_pk: int) -> HttpResponse:
    demande = demande_visible(request, pk)
    get_object_or_404(demande.pieces_jointes, pk=jointe_pk)
    with refus_en_message(request):
        redaction.detacher(demande, jointe_pk=jointe_pk, par=request.user)
        messages.success(request, "La pièce est retirée de la demande ; elle reste dans votre coffre.")
    return redirect("aides:pieces", demande.pk)


@lecture
@reserve_a(*PARTENAIRES)
def verifier(request: Requete, pk: int) -> HttpResponse:
    """Toute la demande sur une page, ce qui manque, l’éligibilité, et le geste suivant."""
    demande = demande_visible(request, pk)
    contenu = ContenuDemande(demande)
    contexte = {
        "demande": demande,
        "contenu": contenu,
        "modifiable": demande.etat in (Etat.EN_PREPARATION, Etat.INCOMPLETE),
        "gestes": gestes_possibles(request.user, demande),
        "manques": [(m, lien_de(demande, m.partie)) for m in contenu.manques],
    }
    return render(request, "aides/partenaire/verifier.html", contexte)
