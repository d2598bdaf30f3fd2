"""La page d’argent d’un centre : ce qu’on attend de lui, ce qui lui est dû et pourquoi, ce qui arrive et quand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.models import Acte
from documents.reponses import servir
from financements import actes
from financements.calculs import DonneeRefusee
from financements.choix import TypeDeclaration
from financements.etude import etudier, suivis
from financements.forms import SimulateurForm
from financements.models import Campagne, Declaration, Indu
from financements.publies import bareme_publie
from financements.reference import RETARD_ADMIS, taux_atteste
from financements.simulation import simuler
from financements.tresorerie import attendus, fil
from financements.views.declarations import PARTENAIRES
from partenaires.models import Structure
from socle.montants import ZERO
from socle.texte import annee


def _exercice(request: Requete) -> int:
    return annee(request.GET.get("exercice", "")) or timezone.localdate().year


def _structure(request: Requete) -> Structure:
    if not request.structure:
        raise PermissionDenied("Vous n’êtes habilité dans aucune structure aujourd’hui.")
    structure: Structure = request.structure
    return structure


@lecture
@reserve_a(*PARTENAIRES)
def accueil(request: Requete) -> HttpResponse:
    """Directrice, présidente : où en est mon argent, en une page ; chaque montant mène à son explication."""
    structure = _structure(request)
    exercice = _exercice(request)
    de_l_annee = structure.droits.filter(exercice=exercice).avec_position()
    droits = list(de_l_annee.select_related("prestation", "structure__gestionnaire"))
    etudes = [(droit, etudier(droit)) for droit in droits]
    a_venir = attendus(structure, exercice, etudes)
    indus = Indu.objects.filter(droit__structure=structure).exclude(etat="annule")
    annees = sorted({*structure.droits.values_list("exercice", flat=True), timezone.localdate().year}, reverse=True)
    mois = fil(structure, exercice, a_venir)
    contexte = {
        "structure": structure,
        "exercice": exercice,
        "aujourd_hui": timezone.localdate(),
        "annees": annees,
        "campagnes": _campagnes(structure),
        "etudes": etudes,
        "alertes": [(d, e) for d, e in etudes if e.suite.trop_verse],
        "risques": [(d, e) for d, e in etudes if e.estimation and e.estimation.a_rendre and not e.suite.trop_verse],
        "prochaine_correction": _prochaine_correction(exercice),
        "total": sum((getattr(d, "montant", None) or ZERO for d in droits), ZERO),
        "paye": sum((getattr(d, "paye", ZERO) for d in droits), ZERO),
        "attendus": a_venir,
        "fil": mois,
        "rien_au_fil": not any(m.paye or m.attendu for m in mois),
        "indus": suivis(indus),
        "conventions": structure.conventions.pour_liste(),
        "actes": Acte.objects.filter(objet=actes.objet_de(structure.pk))[:30],
    }
    return render(request, "financements/accueil.html", contexte)


def _campagnes(structure: Structure) -> list[tuple[Campagne, Declaration | None]]:
    """Ses déclarations de l’année et de la précédente, et les campagnes qu’il est encore temps de commencer."""
    le = timezone.localdate()
    campagnes = Campagne.objects.ouvertes(le).filter(exercice__gte=le.year - 1).order_by("limite")
    declarations = {d.campagne_id: d for d in Declaration.objects.filter(structure=structure, campagne__in=campagnes)}
    return [
        (campagne, declarations.get(campagne.pk))
        for campagne in campagnes
        if campagne.pk in declarations or campagne.limite >= le - RETARD_ADMIS
    ]


def _prochaine_correction(exercice: int) -> Campagne | None:
    """Jusqu’à quand un écart se corrige : la prochaine actualisation, sinon le réel."""
    le = timezone.localdate()
    return (
        Campagne.objects.filter(exercice=exercice, limite__gte=le)
        .exclude(type=TypeDeclaration.PREVISIONNEL)
        .order_by("limite")
        .first()
    )


@ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL)
def attester(request: Requete) -> HttpResponse:
    """Demande une « attestation de versements attendus » pour la banque ; une par jour suffit."""
    structure = _structure(request)
    exercice = timezone.localdate().year
    droits = structure.droits.filter(exercice=exercice).select_related("prestation", "structure__gestionnaire")
    lignes = attendus(structure, exercice, [(d, etudier(d)) for d in droits])
    if not lignes:
        messages.warning(request, f"Aucun versement n’est attendu en {exercice} : l’attestation serait vide.")
        return redirect("financements:accueil")
    cle = f"attestation-{structure.pk}-{timezone.localdate():%Y%m%d}"
    with transaction.atomic():
        actes.attestation(structure, lignes, exercice, cle)
    messages.success(request, "L’attestation est en préparation : elle paraîtra dans vos documents dans un instant.")
    return redirect("financements:accueil")


@lecture
@ouverte_aux_connectes
def acte(request: Requete, structure_pk: int, pk: int) -> HttpResponseBase:
    """Sert le PDF figé, à la structure et aux agents."""
    structure = get_object_or_404(Structure.objects.visibles_par(request.user), pk=structure_pk)
    trouve = get_object_or_404(Acte, pk=pk, objet=actes.objet_de(structure.pk))
    if trouve.produit_le is None:
        raise Http404
    return servir(trouve.pdf, f"{trouve.nature}-{trouve.pk}.pdf", "application/pdf", en_ligne=True)


@lecture
@ouverte_aux_connectes
def simulateur(request: Requete) -> HttpResponse:
    """« Et si ? » : le même calcul que les vrais droits, sur des chiffres qu’on essaie. Rien n’est gardé."""
    form = SimulateurForm(request.GET or None)
    resultat = None
    if form.is_bound and form.is_valid():
        cas: dict[str, Any] = {c: v for c, v in form.cleaned_data.items() if v not in (None, "")}
        if cas.get("debut") and cas.get("fin"):
            cas["prorata"] = "mois"
        try:
            resultat = simuler(cas, bareme=bareme_publie, taux_connu=taux_atteste)
        except DonneeRefusee as refus:
            form.add_error(refus.champ if refus.champ in form.fields else None, str(refus))
    statut = 422 if form.is_bound and form.errors else 200
    return render(request, "financements/simulateur.html", {"form": form, "resultat": resultat}, status=statut)
