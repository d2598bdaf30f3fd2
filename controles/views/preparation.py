"""Les pages d’avant la visite : préparer, reporter, confier, réunir le dossier, demander et remettre des pièces."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from controles.actions import preparation
from controles.choix import Geste
from controles.contenu import declarations_retenues, dossier_de_preparation
from controles.droits import gestes_possibles, peut
from controles.forms.controles import AffecterForm, DemanderPiecesForm, PieceForm, PreparerForm, ReporterForm
from controles.models import PieceDemandee, PieceRemise
from controles.views.commun import controle_visible, jouer
from documents.erreurs import FichierRefuse
from documents.reponses import servir
from financements.models import Campagne
from socle.droits import exiger
from socle.erreurs import Refus
from socle.vues import tenter


def _donnees(request: Requete) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


@lecture_ecriture
@reserve_a(Role.CONTROLEUR)
def preparer(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.PREPARER, request.user, controle))
    exercices = Campagne.objects.values_list("exercice", flat=True).distinct()
    declares = set(declarations_retenues(controle.structure_id, exercices))
    exercices_vus = controle.exercices or sorted(declares)[-controle.regles.exercices_max :]
    initial = {
        "mode": controle.mode,
        "exercices": exercices_vus,
        "objet": controle.objet
        or "Usage des prestations de service : concordance entre ce qui est déclaré, les comptes et l’activité.",
        "visite_le": controle.visite_le,
        "visite_heure": controle.visite_heure,
        "lieu": controle.lieu,
        "pieces": sorted({p.code for p in controle.pieces_demandees.all()})
        or [p.code for p in controle.regles.pieces_lues],
    }
    form = PreparerForm(_donnees(request), initial=initial, controle=controle, declares=declares)
    if request.method == "POST" and form.is_valid():
        champs = form.cleaned_data
        if tenter(form, lambda: preparation.preparer(controle, par=request.user, **champs)):
            messages.success(request, "Le contrôle est préparé et sa fiche tirée. Relisez, puis notifiez.")
            return redirect(controle)
    contexte = {"controle": controle, "form": form, "onglet": "dossier"}
    contexte |= dossier_de_preparation(controle, exercices_vus)
    return render(request, "controles/preparer.html", contexte, status=422 if form.errors else 200)


@lecture
@reserve_a(Role.CONTROLEUR, Role.RESPONSABLE)
def dossier(request: Requete, pk: int) -> HttpResponse:
    """Tout ce que la Caf sait de la structure pour ces exercices, sur une page."""
    controle = controle_visible(request, pk)
    return render(
        request,
        "controles/dossier.html",
        {"controle": controle, "onglet": "dossier", **dossier_de_preparation(controle)},
    )


@lecture_ecriture
@reserve_a(Role.CONTROLEUR)
def reporter(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.REPORTER, request.user, controle))
    initial = {"visite_le": controle.visite_le, "visite_heure": controle.visite_heure}
    form = ReporterForm(_donnees(request), initial=initial)
    return jouer(
        request, form, partial(preparation.reporter, controle, par=request.user), controle=controle,
        titre="Reporter la visite", bouton="Reporter la visite", retour=controle.get_absolute_url(),
        chapeau="Une lettre dit la nouvelle date à la structure.", reussite="La visite est reportée ; la lettre part.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def affecter(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.AFFECTER, request.user, controle))
    form = AffecterForm(_donnees(request))
    return jouer(
        request, form, partial(preparation.affecter, controle, par=request.user), controle=controle,
        titre="Confier à un autre contrôleur", bouton="Confier", retour=controle.get_absolute_url(),
        chapeau=f"Aujourd’hui : {controle.controleur}.", reussite="Le contrôle est confié.",
    )  # fmt: skip


@lecture
@ouverte_aux_connectes
def pieces(request: Requete, pk: int) -> HttpResponse:
    """Les pièces demandées et ce qui est remis ; la structure les dépose ici, la machine les nomme."""
    return _page_des_pieces(request, pk)


def _page_des_pieces(
    request: Requete, pk: int, *, erreurs: dict[int, str] | None = None, form: DemanderPiecesForm | None = None
) -> HttpResponse:
    controle = controle_visible(request, pk)
    gestes = gestes_possibles(request.user, controle)
    erreurs = erreurs or {}
    lignes = [
        {"piece": p, "remises": list(p.remises.all()), "erreur": erreurs.get(p.pk, "")}
        for p in controle.pieces_demandees.prefetch_related("remises__fichier")
    ]
    contexte = {
        "controle": controle,
        "lignes": lignes,
        "gestes": gestes,
        "form": form or (DemanderPiecesForm() if Geste.DEMANDER_PIECES in gestes else None),
        "onglet": "pieces",
    }
    refuse = bool(erreurs) or (form is not None and bool(form.errors))
    return render(request, "controles/pieces.html", contexte, status=422 if refuse else 200)


@ecriture
@reserve_a(Role.CONTROLEUR)
def demander_pieces(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.DEMANDER_PIECES, request.user, controle))
    form = DemanderPiecesForm(request.POST)
    if form.is_valid() and tenter(
        form, lambda: preparation.demander_pieces(controle, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Les pièces sont demandées ; la structure est prévenue.")
        return redirect("controles:pieces", pk)
    return _page_des_pieces(request, pk, form=form)


@ecriture
@ouverte_aux_connectes
def remettre(request: Requete, pk: int, piece_pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.REMETTRE, request.user, controle))
    piece = get_object_or_404(PieceDemandee, pk=piece_pk, controle=controle)
    form = PieceForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page_des_pieces(request, pk, erreurs={piece.pk: "Choisissez un fichier."})
    try:
        remise = preparation.remettre(piece, televerse=form.cleaned_data["fichier"], par=request.user)
    except (FichierRefuse, Refus) as refus:
        return _page_des_pieces(request, pk, erreurs={piece.pk: str(refus)})
    messages.success(request, f"Reçu, et rangé sous « {remise.nom} ».")
    return redirect(f"{reverse('controles:pieces', args=[pk])}#piece-{piece.pk}")


@lecture
@ouverte_aux_connectes
def piece_remise(request: Requete, pk: int, remise_pk: int) -> HttpResponseBase:
    controle = controle_visible(request, pk)
    remise = get_object_or_404(PieceRemise.objects.select_related("fichier"), pk=remise_pk, piece__controle=controle)
    return servir(remise.fichier.contenu, remise.nom, remise.fichier.type_mime, en_ligne=True)
