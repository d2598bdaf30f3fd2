"""Les pages de l’instruction : les conditions et leur preuve, les dépenses retenues, l’avis, les compléments."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from agrements.actions.seances import inscrire_sujet
from agrements.forms import InscrireForm
from aides.actions import instruction
from aides.choix import Etat, Geste
from aides.contenu import ContenuDemande, contenu_lu
from aides.droits import gestes_possibles, peut
from aides.forms import AvisAideForm, ComplementsForm, DemarrageForm
from aides.models import BilanAide, Demande, Enveloppe
from aides.sujets import sujet_de
from aides.views.commun import demande_visible, page_formulaire
from comptes.acces import ecriture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from financements.calculs import DonneeRefusee
from financements.simulation import lignes_en_json
from socle.droits import exiger
from socle.erreurs import Refus
from socle.montants import MontantIllisible, lire_montant
from socle.vues import tenter

INSTRUCTION = (Role.CHARGE_CONSEIL, Role.RESPONSABLE)
LECTEURS = (
    Role.CHARGE_CONSEIL, Role.TECHNICIEN_CONSEIL, Role.CONTROLEUR, Role.SECRETARIAT, Role.RESPONSABLE,
    Role.ADMINISTRATEUR,
)  # fmt: skip


def _passees(demande: Demande) -> list[tuple[Demande, BilanAide | None]]:
    """Les aides que la structure a déjà reçues, et ce que leur bilan en dit : l’avis en tient compte."""
    siennes = Demande.objects.accordees().filter(structure=demande.structure_id).exclude(pk=demande.pk)
    dernieres = siennes.select_related("version__dispositif", "bilan").order_by("-decide_le", "-pk")[:5]
    return [(aide, getattr(aide, "bilan", None)) for aide in dernieres]


def _page(
    request: Requete, demande: Demande, *, form: AvisAideForm | None = None, fautes: dict[str, str] | None = None,
    saisies: dict[str, str] | None = None,
) -> HttpResponse:  # fmt: skip
    contenu = contenu_lu(demande, agent=True)
    calcul, empeche = None, ""
    try:
        calcul = contenu.calculer()
    except DonneeRefusee as erreur:
        empeche = str(erreur)
    enveloppe = Enveloppe.objects.pour(
        demande.version.dispositif_id, demande.exercice, demande.structure.commune.epci_id
    )
    gestes = gestes_possibles(request.user, demande)
    fautes, saisies = fautes or {}, saisies or {}
    depenses = [
        {
            "depense": d,
            "entier": d.montant_ht if contenu.taxe == "HT" else d.montant_ttc,
            "retenu": saisies.get(f"retenu-{d.pk}", d.retenu),
            "motif": saisies.get(f"motif-{d.pk}", d.motif_retenu),
            "erreur": fautes.get(f"depense-{d.pk}", ""),
        }
        for d in contenu.depenses
    ]
    contexte: dict[str, Any] = {
        "demande": demande, "contenu": contenu, "calcul": calcul, "empeche": empeche, "enveloppe": enveloppe,
        "explication": lignes_en_json(calcul.lignes) if calcul else [], "gestes": gestes, "depenses": depenses,
        "onglet": "instruction", "fautes": fautes, "avis": demande.avis.select_related("par").first(),
        "passees": _passees(demande),
        "form": form or (AvisAideForm(version=demande.version) if "proposer" in gestes else None),
    }  # fmt: skip
    refuse = bool(fautes) or (form is not None and form.is_bound)
    return render(request, "aides/instruction/instruire.html", contexte, status=422 if refuse else 200)


@lecture_ecriture
@reserve_a(*LECTEURS)
def instruire(request: Requete, pk: int) -> HttpResponse:
    """Tout ce qui fait la décision sur une page ; l’avis au bas."""
    demande = demande_visible(request, pk)
    if request.method == "POST":
        exiger(peut(Geste.PROPOSER, request.user, demande))
        form = AvisAideForm(request.POST, version=demande.version)
        if form.is_valid() and tenter(
            form, lambda: instruction.proposer(demande, par=request.user, **form.cleaned_data)
        ):
            messages.success(request, "Votre avis est rendu ; le secrétariat des instances est prévenu.")
            return redirect(demande)
        return _page(request, demande, form=form)
    return _page(request, demande)


@ecriture
@reserve_a(*INSTRUCTION)
def retenir(request: Requete, pk: int) -> HttpResponse:
    """Enregistre ce qui est retenu de chaque dépense ; une faute se dit près de sa ligne."""
    demande = demande_visible(request, pk)
    saisies = {cle: v for cle, v in request.POST.items() if isinstance(v, str)}
    retenus, fautes = {}, {}
    for depense in demande.depenses.all():
        brut = saisies.get(f"retenu-{depense.pk}", "").strip()
        try:
            montant = lire_montant(brut) if brut else None
        except MontantIllisible as erreur:
            fautes[f"depense-{depense.pk}"] = str(erreur)
            continue
        retenus[depense.pk] = (montant, saisies.get(f"motif-{depense.pk}", ""))
    if not fautes:
        try:
            instruction.retenir_depenses(demande, retenus=retenus, par=request.user)
        except ValidationError as erreur:
            fautes = {cle: " ".join(phrases) for cle, phrases in erreur.message_dict.items()}
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect("aides:instruire", demande.pk)
        else:
            messages.success(request, "Les dépenses retenues sont enregistrées ; le calcul suit.")
            return redirect("aides:instruire", demande.pk)
    return _page(request, demande, fautes=fautes, saisies=saisies)


@lecture_ecriture
@reserve_a(*INSTRUCTION)
def complements(request: Requete, pk: int) -> HttpResponse:
    demande = demande_visible(request, pk)
    exiger(peut(Geste.DEMANDER_COMPLEMENTS, request.user, demande))
    if demande.etat != Etat.DEPOSEE:
        messages.warning(request, "Des compléments se demandent sur une demande déposée.")
        return redirect(demande)
    parties = [(p.code, p.titre) for p in ContenuDemande(demande).parties()]
    form = ComplementsForm(request.POST if request.method == "POST" else None, parties=parties)
    if form.is_valid() and tenter(
        form, lambda: instruction.demander_complements(demande, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La demande de compléments part ; seules ces parties se rouvrent.")
        return redirect(demande)
    return page_formulaire(
        request, form, titre="Demander des compléments", bouton="Envoyer la demande",
        retour=demande.get_absolute_url(), chapeau=f"{demande.intitule}, {demande.structure}.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def demarrage(request: Requete, pk: int) -> HttpResponse:
    demande = demande_visible(request, pk)
    exiger(peut(Geste.AUTORISER_DEMARRAGE, request.user, demande))
    form = DemarrageForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: instruction.autoriser_demarrage(demande, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le démarrage anticipé est autorisé ; le courrier part.")
        return redirect(demande)
    return page_formulaire(
        request, form, titre="Autoriser un démarrage anticipé", bouton="Autoriser",
        retour=demande.get_absolute_url(), chapeau=f"{demande.intitule} : l’autorisation ne vaut pas accord de l’aide.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.SECRETARIAT)
def inscrire(request: Requete, pk: int) -> HttpResponse:
    """Depuis la demande : la mettre à l’ordre du jour d’une séance ouverte de son instance."""
    demande = get_object_or_404(Demande.objects.visibles_par(request.user).pour_fiche(), pk=pk)
    exiger(peut(Geste.INSCRIRE, request.user, demande))
    form = InscrireForm(request.POST if request.method == "POST" else None, instance=demande.version.instance)
    if form.is_valid():
        seance = form.cleaned_data["seance"]
        if tenter(form, lambda: inscrire_sujet(seance, sujet_de(demande.pk), par=request.user), champ="seance"):
            messages.success(request, f"{demande.intitule} : à l’ordre du jour, {seance}.")
            return redirect(demande)
    return page_formulaire(
        request, form, titre="Inscrire à une séance", bouton="Inscrire à l’ordre du jour",
        retour=demande.get_absolute_url(),
        chapeau=f"{demande.intitule}, {demande.structure} : {demande.version.get_instance_display()}.",
    )  # fmt: skip
