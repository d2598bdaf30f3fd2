"""Les pages de l’instruction : évaluer, citer, rendre un avis, affecter ; la liste des agréments."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from agrements.actions import instruction
from agrements.choix import Geste
from agrements.contenu import Contenu, texte_lisible
from agrements.cycle import CYCLE
from agrements.droits import peut, possible
from agrements.filtres import AgrementFiltre
from agrements.forms import AffecterForm, AvisForm, EvaluationForm
from agrements.models import Agrement, Citation, Dossier
from agrements.rappels import rappels
from agrements.views.commun import a_citer, dossier_visible
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from comptes.models import Utilisateur
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.listes import fragment, paginer
from socle.vues import refus_en_message, refuser

INSTRUCTION = (Role.CHARGE_CONSEIL, Role.RESPONSABLE)
LECTEURS = (
    Role.CHARGE_CONSEIL,
    Role.TECHNICIEN_CONSEIL,
    Role.CONTROLEUR,
    Role.SECRETARIAT,
    Role.RESPONSABLE,
    Role.ADMINISTRATEUR,
)


def _criteres(dossier: Dossier, liees: dict[str, EvaluationForm]) -> list[dict[str, Any]]:
    contenu = Contenu(dossier)
    deposees = contenu.deposees or {}
    evaluations = {
        e.critere: e
        for e in dossier.evaluations.select_related("par", "version_dossier").prefetch_related(
            "citations__version_dossier"
        )
    }
    titres = {s.code: s.titre for s in contenu.sections}
    lignes = []
    for critere in dossier.regime.referentiel.criteres:
        evaluation = evaluations.get(critere.code)
        citations = []
        for citation in evaluation.citations.all() if evaluation else ():
            champ = contenu.champs.get(citation.champ)
            actuel = " ".join(texte_lisible(champ, deposees.get(citation.champ)).split()) if champ else ""
            citations.append({"citation": citation, "champ": champ, "perdue": citation.extrait not in actuel})
        form = liees.get(critere.code) or EvaluationForm(
            initial={
                "verdict": evaluation.verdict if evaluation else "",
                "commentaire": evaluation.commentaire if evaluation else "",
                "version": evaluation.version if evaluation else 0,
            },
            prefix=critere.code,
        )
        perimee = bool(evaluation and evaluation.version_dossier_id != dossier.version_courante_id)
        lignes.append(
            {
                "critere": critere,
                "evaluation": evaluation,
                "form": form,
                "citations": citations,
                "a_revoir": perimee and any(c["perdue"] for c in citations),
                "version_lue": evaluation.version_dossier.numero if perimee and evaluation else None,
                "sections": [(code, titres[code]) for code in critere.sections if code in titres],
            }
        )
    return lignes


@lecture_ecriture
@reserve_a(*LECTEURS)
def grille(request: Requete, pk: int) -> HttpResponse:
    """La grille du régime : un verdict, un commentaire et des passages cités par critère."""
    dossier = dossier_visible(request, pk)
    modifiable = possible(Geste.EVALUER, request.user, dossier)
    liees: dict[str, EvaluationForm] = {}
    if request.method == "POST":
        exiger(peut(Geste.EVALUER, request.user, dossier))
        code = request.POST.get("critere", "")
        form = EvaluationForm(request.POST, prefix=code)
        gardee = form.is_valid() and _evaluer(dossier, form, code, par=request.user)
        if fragment(request):
            return _suivi(request, dossier, form, code)
        if gardee:
            return redirect(f"{request.path}#critere-{code}")
        liees[code] = form
    contenu = Contenu(dossier)
    contexte = {
        "dossier": dossier,
        "criteres": _criteres(dossier, liees),
        "modifiable": modifiable,
        "onglet": "grille",
        "sections": contenu.sections,
        "reponses": contenu.deposees or {},
        "jointes": contenu.jointes,
        "exigences": {e.code: e.libelle for e in contenu.exigences},
        **a_citer(request, dossier),
        "rappels": rappels(dossier.structure, timezone.localdate()),
        "champs_a_citer": [(c.code, f"{s.titre} : {c.libelle}") for s in contenu.sections for c in s.champs],
    }
    return render(request, "agrements/service/grille.html", contexte, status=422 if liees else 200)


def _evaluer(dossier: Dossier, form: EvaluationForm, code: str, *, par: Utilisateur) -> bool:
    """Un collègue a écrit entre-temps : son texte est dit, le nôtre reste, le prochain envoi vaut en connaissance."""
    try:
        instruction.evaluer(dossier, critere=code, par=par, **form.cleaned_data)
    except VersionPerimee:
        sienne = dossier.evaluations.select_related("par").get(critere=code)
        dit = " : ".join(filter(None, [sienne.get_verdict_display() or "à évaluer", sienne.commentaire]))
        form.add_error(
            None,
            f"{sienne.par} a évalué ce critère pendant que vous écriviez (« {dit} »). "
            "Votre saisie est toujours dans le formulaire : enregistrez-la de nouveau pour qu’elle remplace la sienne.",
        )
        form.data = {**form.data.dict(), form.add_prefix("version"): sienne.version}  # type: ignore[attr-defined]
    except Refus as refus:
        form.add_error(None, str(refus))
    except ValidationError as erreur:
        refuser(form, erreur)
    return not form.errors


def _suivi(request: Requete, dossier: Dossier, form: EvaluationForm, code: str) -> HttpResponse:
    """Ce que htmx remplace : le suivi du critère et son numéro de version ; la saisie n’est jamais touchée."""
    evaluation = dossier.evaluations.select_related("par").filter(critere=code).first()
    critere = next((c for c in dossier.regime.referentiel.criteres if c.code == code), None)
    if critere is None:
        raise Http404
    contexte = {"ligne": {"critere": critere, "evaluation": evaluation, "form": form}, "seul": True}
    return render(request, "agrements/service/_suivi.html", contexte, status=422 if form.errors else 200)


@ecriture
@reserve_a(*INSTRUCTION)
def citer(request: Requete, pk: int) -> HttpResponse:
    """Attache un passage à un critère, puis ramène là où l’agent lisait."""
    dossier = dossier_visible(request, pk)
    critere, champ = request.POST.get("critere", ""), request.POST.get("champ", "")
    try:
        instruction.citer(
            dossier,
            critere=critere,
            champ=champ,
            extrait=request.POST.get("extrait", ""),
            par=request.user,
        )
    except Refus as refus:
        messages.warning(request, str(refus))
    else:
        messages.success(request, "Le passage est cité.")
        retour = request.POST.get("retour", "")
        if retour in ("grille", "projet"):
            suite = QueryDict(mutable=True)
            suite["critere"] = critere
            return redirect(
                f"{reverse(f'agrements:{retour}', args=[dossier.pk])}?{suite.urlencode()}#lecture-champ-{champ}"
            )
    return redirect("agrements:grille", dossier.pk)


@ecriture
@reserve_a(*INSTRUCTION)
def retirer_citation(request: Requete, pk: int, citation_pk: int) -> HttpResponse:
    dossier = dossier_visible(request, pk)
    if not Citation.objects.filter(evaluation__dossier=dossier, pk=citation_pk).exists():
        messages.warning(request, "Cette citation est déjà retirée.")
    else:
        with refus_en_message(request):
            instruction.retirer_citation(dossier, citation_pk=citation_pk, par=request.user)
    return redirect("agrements:grille", dossier.pk)


@lecture_ecriture
@reserve_a(*INSTRUCTION)
def avis(request: Requete, pk: int) -> HttpResponse:
    dossier = dossier_visible(request, pk)
    exiger(peut(Geste.RENDRE_AVIS, request.user, dossier))
    if dossier.etat not in CYCLE[Geste.RENDRE_AVIS].depuis:
        messages.warning(request, f"L’avis ne se rend plus : le dossier est « {dossier.get_etat_display()} ».")
        return redirect(dossier)
    form = AvisForm(request.POST if request.method == "POST" else None, initial={"duree_mois": dossier.duree_souhaitee})
    if form.is_valid():
        try:
            instruction.rendre_avis(dossier, par=request.user, **form.cleaned_data)
        except ValidationError as erreur:
            form.add_error(None, erreur)
        except Refus as refus:
            form.add_error(None, str(refus))
        else:
            messages.success(request, "Votre avis est rendu ; le secrétariat des instances est prévenu.")
            return redirect(dossier)
    contexte = {
        "dossier": dossier,
        "form": form,
        "criteres": _criteres(dossier, {}),
        "onglet": "avis",
    }
    return render(request, "agrements/service/avis.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def affecter(request: Requete, pk: int) -> HttpResponse:
    dossier = dossier_visible(request, pk)
    form = AffecterForm(request.POST if request.method == "POST" else None, initial={"charge": dossier.charge})
    if form.is_valid():
        try:
            instruction.affecter(dossier, charge=form.cleaned_data["charge"], par=request.user)
        except Refus as refus:
            form.add_error("charge", str(refus))
        else:
            messages.success(request, f"Le dossier est confié à {form.cleaned_data['charge']}.")
            return redirect(dossier)
    return render(
        request,
        "agrements/service/affecter.html",
        {"dossier": dossier, "form": form},
        status=422 if form.is_bound else 200,
    )


@lecture
@ouverte_aux_connectes
def agrements(request: Requete) -> HttpResponse:
    """Les agréments, du premier à échoir au dernier ; filtrables dans l’adresse."""
    visibles = Agrement.objects.visibles_par(request.user)
    filtre = AgrementFiltre(request.GET or None, queryset=visibles, request=request)
    retenus = filtre.qs if filtre.is_valid() else visibles
    page = paginer(
        request,
        retenus.select_related("structure__commune", "decision__dossier").order_by("fin", "structure__nom_tri", "pk"),
        total=retenus,
    )
    contexte = {"page": page, "filtre": filtre}
    return render(request, "agrements/agrements.html", contexte)
