"""Le rapport et le contradictoire : la structure répond point par point, le contrôleur conclut chaque point."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.http import Requete
from controles.actions import contradictoire
from controles.choix import CONSTATS_A_DISCUTER, Etat, Geste, Position
from controles.consequences import etudier
from controles.contenu import photos_par_point
from controles.droits import a_ouvert, gestes_possibles, lit_les_constats, peut
from controles.forms.controles import ConclureForm, PieceForm, ProlongerForm
from controles.models import Constat, Controle, PieceReponse
from controles.views.commun import controle_visible, jouer
from documents.erreurs import FichierRefuse
from documents.reponses import servir
from socle.dates import en_heure
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.vues import tenter

CHAMPS = ("position", "texte")


def _constats(controle: Controle) -> list[Constat]:
    return list(
        controle.constats.select_related("reponse__modifie_par", "point", "conclu_par").prefetch_related("pieces")
    )


def _exiger_ouverture(request: Requete, controle: Controle) -> None:
    """Un rapport se lit après l’avoir ouvert : la date de lecture fait foi."""
    exiger(lit_les_constats(request.user, controle))
    if controle.provisoire_le is None:
        raise Http404
    if not request.user.est_agent and not a_ouvert(controle):
        raise PermissionDenied("Ouvrez le rapport par le bouton « Lire le rapport » : la lecture est datée.")


@lecture
@ouverte_aux_connectes
def rapport(request: Requete, pk: int) -> HttpResponse:
    """Les constats, les réponses et les conclusions, à l’écran ; les photos à leur place."""
    controle = controle_visible(request, pk)
    _exiger_ouverture(request, controle)
    constats = _constats(controle)
    photos = photos_par_point(controle)
    contexte = {
        "controle": controle,
        "lignes": [{"constat": c, "photos": photos.get(c.point_id, [])} for c in constats],
        "autres_photos": photos.get(0, []),
        "effets": etudier(controle),
        "repondu": controle.reponse_le is not None or not request.user.est_agent,
        "gestes": gestes_possibles(request.user, controle),
        "onglet": "rapport",
    }
    return render(request, "controles/rapport.html", contexte)


@lecture
@reserve_a(*ROLES_PARTENAIRE)
def repondre(request: Requete, pk: int) -> HttpResponse:
    """La structure répond, un constat après l’autre ; tout se garde au fil de la frappe."""
    controle = controle_visible(request, pk)
    _exiger_ouverture(request, controle)
    if controle.etat != Etat.CONTRADICTOIRE:
        return redirect("controles:rapport", pk)
    return _page_de_reponse(request, controle)


def _page_de_reponse(
    request: Requete,
    controle: Controle,
    *,
    erreurs: dict[int, str] | None = None,
    saisies: dict[int, str] | None = None,
) -> HttpResponse:
    erreurs, saisies = erreurs or {}, saisies or {}
    photos = photos_par_point(controle)
    lignes: list[dict[str, Any]] = []
    for constat in _constats(controle):
        reponse = getattr(constat, "reponse", None)
        lignes.append(
            {
                "constat": constat,
                "discute": constat.nature in CONSTATS_A_DISCUTER,
                "reponse": reponse,
                "texte": saisies.get(constat.pk, reponse.texte if reponse else ""),
                "version": reponse.version if reponse else 0,
                "erreur": erreurs.get(constat.pk, ""),
                "photos": photos.get(constat.point_id, []),
            }
        )
    discutes = [ligne for ligne in lignes if ligne["discute"]]
    assert controle.reponse_avant_le is not None
    contexte = {
        "controle": controle,
        "lignes": lignes,
        "total": len(discutes),
        "repondus": sum(1 for li in discutes if li["reponse"] and (li["reponse"].position or li["reponse"].texte)),
        "positions": Position.choices,
        "effets": etudier(controle),
        "reste": (controle.reponse_avant_le - timezone.localdate()).days,
        "gestes": gestes_possibles(request.user, controle),
        "onglet": "rapport",
    }
    return render(request, "controles/repondre.html", contexte, status=422 if erreurs else 200)


def _constat_de(request: Requete, pk: int, numero: int) -> tuple[Controle, Constat]:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.REPONDRE, request.user, controle))
    _exiger_ouverture(request, controle)
    return controle, get_object_or_404(Constat.objects.select_related("controle"), controle=controle, numero=numero)


@ecriture
@reserve_a(*ROLES_PARTENAIRE)
def enregistrer_reponse(request: Requete, pk: int, numero: int, champ: str) -> JsonResponse:
    """Un champ d’une réponse, gardé au fil de la frappe ; 409 et les deux textes si un collègue a écrit."""
    if champ not in CHAMPS:
        raise Http404
    _, constat = _constat_de(request, pk, numero)
    version = request.POST.get("version", "0")
    try:
        reponse = contradictoire.repondre(
            constat, champ=champ, saisie=request.POST.get("valeur", ""),
            version=int(version) if version.isdecimal() else 0, par=request.user,
        )  # fmt: skip
    except VersionPerimee:
        return _conflit(constat, champ)
    except ValidationError as erreur:
        return JsonResponse({"erreur": " ".join(erreur.messages)}, status=422)
    except Refus as refus:
        return JsonResponse({"erreur": str(refus)}, status=403)
    return JsonResponse(
        {"version": reponse.version, "enregistre_a": en_heure(timezone.localtime().time()), "avertissements": []}
    )


def _conflit(constat: Constat, champ: str) -> JsonResponse:
    autre = constat.__class__.objects.select_related("reponse__modifie_par").get(pk=constat.pk).reponse
    return JsonResponse(
        {
            "version": autre.version,
            "valeur": getattr(autre, champ),
            "affichage": getattr(autre, champ),
            "par": str(autre.modifie_par),
            "le": en_heure(timezone.localtime(autre.modifie_le).time()),
        },
        status=409,
    )


@ecriture
@reserve_a(*ROLES_PARTENAIRE)
def garder_reponse(request: Requete, pk: int, numero: int) -> HttpResponse:
    """La même chose sans JavaScript : position, texte et pièce d’un constat, d’un bouton."""
    controle, constat = _constat_de(request, pk, numero)
    texte, version = request.POST.get("texte", ""), request.POST.get("version", "0")
    try:
        contradictoire.repondre(
            constat, champ="texte", saisie=texte, version=int(version) if version.isdecimal() else 0, par=request.user
        )
        contradictoire.repondre(
            constat, champ="position", saisie=request.POST.get("position", ""), version=0, par=request.user
        )
        if "fichier" in request.FILES:
            form = PieceForm(request.POST, request.FILES)
            form.is_valid()
            contradictoire.joindre(constat, televerse=form.cleaned_data["fichier"], par=request.user)
    except (FichierRefuse, Refus, ValidationError) as refus:
        phrase = " ".join(refus.messages) if isinstance(refus, ValidationError) else str(refus)
        return _page_de_reponse(request, controle, erreurs={constat.pk: phrase}, saisies={constat.pk: texte})
    messages.success(request, f"Votre réponse au constat {constat.numero} est gardée. Elle n’est pas encore envoyée.")
    return redirect(f"{reverse('controles:repondre', args=[pk])}#constat-{numero}")


@ecriture
@reserve_a(*ROLES_PARTENAIRE)
def retirer_piece(request: Requete, pk: int, piece_pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.REPONDRE, request.user, controle))
    piece = get_object_or_404(
        PieceReponse.objects.select_related("constat__controle"), pk=piece_pk, constat__controle=controle
    )
    numero = piece.constat.numero
    try:
        contradictoire.retirer_piece(piece, par=request.user)
    except Refus as refus:
        messages.warning(request, str(refus))
    return redirect(f"{reverse('controles:repondre', args=[pk])}#constat-{numero}")


@lecture
@ouverte_aux_connectes
def piece_de_reponse(request: Requete, pk: int, piece_pk: int) -> HttpResponseBase:
    """La Caf ne lit une pièce qu’une fois les réponses envoyées."""
    controle = controle_visible(request, pk)
    _exiger_ouverture(request, controle)
    if request.user.est_agent and controle.reponse_le is None:
        raise Http404
    piece = get_object_or_404(PieceReponse.objects.select_related("fichier"), pk=piece_pk, constat__controle=controle)
    return servir(piece.fichier.contenu, piece.nom, piece.fichier.type_mime, en_ligne=True)


@lecture_ecriture
@reserve_a(Role.CONTROLEUR)
def prolonger(request: Requete, pk: int) -> HttpResponse:
    controle = controle_visible(request, pk)
    exiger(peut(Geste.PROLONGER, request.user, controle))
    if controle.reponse_avant_le is None:
        raise Http404
    form = ProlongerForm(request.POST if request.method == "POST" else None, echeance=controle.reponse_avant_le)
    return jouer(
        request, form, partial(contradictoire.prolonger, controle, par=request.user), controle=controle,
        titre="Prolonger le délai de réponse", bouton="Prolonger le délai", retour=controle.get_absolute_url(),
        chapeau="Une lettre le dit à la structure, avec la raison.", reussite="Le délai est prolongé ; la lettre part.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.CONTROLEUR)
def conclure(request: Requete, pk: int) -> HttpResponse:
    """Le contrôleur conclut chaque point, la réponse sous les yeux ; un point s’enregistre à la fois."""
    controle = controle_visible(request, pk)
    exiger(peut(Geste.CONCLURE, request.user, controle))
    if controle.etat != Etat.A_CONCLURE:
        messages.warning(request, "Ce contrôle n’est pas à conclure.")
        return redirect(controle)
    constats = [c for c in _constats(controle) if c.nature in CONSTATS_A_DISCUTER]
    vise = request.POST.get("numero", "")
    lignes, refuse = [], False
    for constat in constats:
        visee = request.method == "POST" and vise == str(constat.numero)
        initial = {
            "conclusion": constat.conclusion,
            "motif": constat.motif_conclusion,
            "releve_retenu": f"{constat.releve_retenu:.2f}".replace(".", ",")
            if constat.releve_retenu is not None
            else "",
        }
        form = ConclureForm(request.POST if visee else None, initial=initial, constat=constat)
        if visee and form.is_valid():
            champs = {"releve_retenu": None, **form.cleaned_data}
            if tenter(form, partial(contradictoire.conclure, constat, par=request.user, **champs)):
                messages.success(request, f"Le point {constat.numero} est conclu.")
                return redirect(_suivant(controle, constat))
        refuse = refuse or bool(form.errors)
        lignes.append({"constat": constat, "form": form, "reponse": getattr(constat, "reponse", None)})
    contexte = {
        "controle": controle,
        "lignes": lignes,
        "conclus": sum(1 for c in constats if c.conclusion),
        "effets": etudier(controle),
        "onglet": "conclure",
    }
    return render(request, "controles/conclure.html", contexte, status=422 if refuse else 200)


def _suivant(controle: Controle, constat: Constat) -> str:
    """Le prochain point à conclure, ou le haut de la page quand tout l’est."""
    restants = contradictoire.a_conclure(controle)
    apres = next((c for c in restants if c.numero > constat.numero), restants[0] if restants else None)
    adresse = reverse("controles:conclure", args=[controle.pk])
    return f"{adresse}#constat-{apres.numero}" if apres else adresse
