"""La fiche de contrôle : en ligne sans JavaScript, et ce que l’appareil lit et envoie."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from controles.actions import visite
from controles.actions.visite import Operation
from controles.choix import ETATS_DE_VISITE, Etat, NatureConstat
from controles.cles import cle_de
from controles.contenu import Fiche, anterieures, libelles_des_champs
from controles.droits import lit_les_constats, peut
from controles.models import Controle, OperationVisite, PhotoControle, Recommandation
from controles.saisies import LARGEUR_SIGNATURE, SaisieRefusee
from documents.erreurs import FichierRefuse
from documents.reponses import servir
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.listes import paginer
from socle.texte import accorde

CORPS_MAX = 2 * 1024 * 1024


def controle_visible(request: Requete, pk: int) -> Controle:
    return get_object_or_404(Controle.objects.visibles_par(request.user).pour_fiche(), pk=pk)


def _visite(fiche: Fiche, ouvertes: list[Recommandation]) -> dict[str, Any]:
    """Tout ce que l’appareil garde d’une visite pour la mener sans réseau."""
    controle = fiche.controle
    uids = {point.pk: str(point.uid) for point in fiche.points}
    return {
        "pk": controle.pk,
        "numero": controle.numero,
        "structure": controle.structure.nom,
        "gestionnaire": controle.structure.gestionnaire.nom,
        "adresse": f"{controle.structure.adresse}, {controle.structure.code_postal} {controle.structure.commune.nom}",
        "visite_le": controle.visite_le.isoformat() if controle.visite_le else "",
        "heure": f"{controle.visite_heure:%H:%M}" if controle.visite_heure else "",
        "lieu": controle.lieu,
        "etat": controle.etat,
        "etat_dit": controle.get_etat_display(),
        "objet": controle.objet,
        "exercices": sorted(controle.exercices),
        "url": reverse("controles:visite", args=[controle.pk]),
        "operations": reverse("controles:operations", args=[controle.pk]),
        "photos": reverse("controles:recevoir_photo", args=[controle.pk]),
        "points": [
            {
                "uid": str(ligne.point.uid),
                "theme": ligne.point.theme,
                "libelle": ligne.point.libelle,
                "regle": ligne.point.regle,
                "exercice": ligne.point.exercice,
                "declare": f"{ligne.point.declare:.2f}" if ligne.point.declare is not None else None,
                "unite": ligne.point.unite,
                "deja": ligne.deja,
                "libre": ligne.point.libre,
            }
            for ligne in fiche.lignes
        ],
        "pieces": [{"id": p.pk, "libelle": str(p), "remise": bool(p.remises.all())} for p in fiche.pieces],
        "recommandations": [
            {"libelle": r.libelle, "echeance": r.echeance_le.isoformat(), "etat": r.get_etat_display()}
            for r in ouvertes
            if r.structure_id == controle.structure_id
        ],
        "saisies": {
            s.champ: {"valeur": s.valeur, "version": s.version, "par": str(s.par), "le": s.le.isoformat()}
            for s in fiche.saisies.values()
        },
        "photos_recues": [
            {"id": str(p.pk), "point": uids.get(p.point_id or 0), "legende": p.legende} for p in fiche.photos
        ],
    }


@lecture
@reserve_a(Role.CONTROLEUR)
def donnees(request: Requete) -> JsonResponse:
    """Les visites de la semaine du contrôleur, leur clé de chiffrement et l’heure du portail."""
    controles = list(Controle.objects.de_la_semaine(request.user, timezone.localdate()).pour_fiche())
    ouvertes = anterieures(*{c.structure_id for c in controles})
    conserver = max((c.regles.conservation_jours for c in controles), default=7)
    return JsonResponse(
        {
            "personne": request.user.pk,
            "nom": request.user.get_full_name(),
            "maintenant": timezone.now().isoformat(),
            "jeton": get_token(request),
            "cle": cle_de(request.user),
            "conserver_jours": conserver,
            "visites": [_visite(fiche, ouvertes) for fiche in Fiche.toutes(controles)],
        }
    )


def _operation(brut: Any) -> Operation:
    """Lève KeyError, TypeError ou ValueError : la file n’a pas la forme attendue."""
    if not all(isinstance(brut[nom], str) for nom in ("champ", "valeur")):
        raise TypeError("texte attendu")
    rang, version = brut["rang"], brut["version"]
    if not all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**31 for n in (rang, version)) or not rang:
        raise ValueError("rang ou version hors bornes")
    return Operation(UUID(brut["id"]), rang, brut["champ"], brut["valeur"], version, _instant(brut["saisi_le"]))


def _instant(texte: str) -> datetime:
    """Une date d’appareil, avec son fuseau. Lève ValueError."""
    instant = datetime.fromisoformat(texte)
    if instant.tzinfo is None or not 2000 <= instant.year <= 2100:
        raise ValueError("instant sans fuseau ou hors de toute mesure")
    return instant


@ecriture
@reserve_a(Role.CONTROLEUR)
def operations(request: Requete, pk: int) -> JsonResponse:
    """Reçoit la file d’un appareil ; rejouée, elle n’ajoute rien."""
    controle = controle_visible(request, pk)
    try:
        corps = json.loads(request.body)
        lues = [_operation(brut) for brut in corps["operations"]]
        appareil, envoye_le = UUID(corps["appareil"]), _instant(corps["envoye_le"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return JsonResponse({"erreur": "Cet envoi est illisible : rien n’en est gardé."}, status=422)
    try:
        recu = visite.recevoir_operations(controle, lues, appareil=appareil, envoye_le=envoye_le, par=request.user)
    except PermissionDenied as refus:
        return JsonResponse({"erreur": str(refus)}, status=403)
    except Refus as refus:
        return JsonResponse({"erreur": str(refus)}, status=422)
    reponse = {"issues": visite.details_de_file(recu.issues), "recu_le": timezone.now().isoformat()}
    if recu.attendu is not None:
        return JsonResponse({**reponse, "erreur": recu.phrase, "attendu": recu.attendu}, status=409)
    return JsonResponse(reponse)


@ecriture
@reserve_a(Role.CONTROLEUR)
def recevoir_photo(request: Requete, pk: int) -> HttpResponse:
    """Reçoit une photo de l’appareil (JSON) ou du formulaire en ligne (retour à la fiche)."""
    controle = controle_visible(request, pk)
    en_ligne = "en_ligne" in request.POST
    try:
        photo = visite.recevoir_photo(controle, par=request.user, **_photo(request))
    except PermissionDenied as refus:
        return JsonResponse({"erreur": str(refus)}, status=403)
    except (FichierRefuse, Refus) as refus:
        return _dire(request, controle, str(refus)) if en_ligne else JsonResponse({"erreur": str(refus)}, status=422)
    except (ValueError, KeyError):
        phrase = "Choisissez une photo." if en_ligne else "Cet envoi est illisible : rien n’en est gardé."
        return _dire(request, controle, phrase) if en_ligne else JsonResponse({"erreur": phrase}, status=422)
    if en_ligne:
        messages.success(request, "La photo est gardée.")
        return redirect("controles:visite", controle.pk)
    return JsonResponse({"id": str(photo.pk), "recue": True})


def _dire(request: Requete, controle: Controle, phrase: str) -> HttpResponse:
    return _page(request, controle, erreurs={"photo": phrase})


def _photo(request: Requete) -> dict[str, Any]:
    """Lève KeyError, ValueError : l’envoi n’a pas la forme attendue."""
    point = request.POST.get("point", "")
    prise_le = request.POST.get("prise_le")
    return {
        "id": UUID(request.POST["id"]),
        "televerse": request.FILES["image"],
        "point": UUID(point) if point else None,
        "legende": request.POST.get("legende", ""),
        "prise_le": _instant(prise_le) if prise_le else timezone.now(),
        "garder_lieu": request.POST.get("garder_lieu") == "oui",
    }


@lecture_ecriture
@reserve_a(Role.CONTROLEUR)
def fiche_en_ligne(request: Requete, pk: int) -> HttpResponse:
    """La fiche en un formulaire : tout se saisit et s’enregistre sans JavaScript, champ par champ."""
    controle = controle_visible(request, pk)
    exiger(peut("saisir", request.user, controle))
    if controle.etat not in ETATS_DE_VISITE and not (controle.inopine and controle.etat == Etat.PROGRAMME):
        messages.warning(
            request, "La fiche ne se modifie plus." if controle.commence_le else "Notifiez d’abord le contrôle."
        )
        return redirect(controle)
    if request.method != "POST":
        return _page(request, controle)
    erreurs: dict[str, str] = {}
    gardees = 0
    for champ in request.POST:
        saisie = request.POST.get(champ, "")
        vide = champ.startswith("libre.") and not saisie.strip()  # le constat à ajouter, laissé vide
        if champ.startswith(("visite.", "piece.", "point.", "libre.")) and not vide:
            version = request.POST.get(f"version:{champ}", "0")
            try:
                gardee = visite.saisir(
                    controle, champ=champ, saisie=saisie, version=int(version) if version.isdecimal() else 0,
                    par=request.user,
                )  # fmt: skip
                gardees += gardee is not None
            except (SaisieRefusee, VersionPerimee) as refus:
                erreurs[champ] = str(refus)
            except Refus as refus:
                messages.warning(request, str(refus))
                return redirect(controle)
    if erreurs:
        return _page(request, controle, erreurs=erreurs)
    messages.success(request, "La fiche est enregistrée.")
    return redirect(request.get_full_path())


def _page(request: Requete, controle: Controle, *, erreurs: dict[str, str] | None = None) -> HttpResponse:
    erreurs = erreurs or {}
    controle = controle_visible(request, controle.pk)
    contexte = {
        "controle": controle,
        "fiche": Fiche(controle),
        "erreurs": erreurs,
        "saisies": {c: v for c, v in request.POST.items() if c in erreurs},
        "natures": NatureConstat.choices,
        "largeur_signature": LARGEUR_SIGNATURE,
        "onglet": "visite",
    }
    return render(request, "controles/visite.html", contexte, status=422 if erreurs else 200)


HORLOGE_FAUSSE = 5 * 60  # secondes : en deçà, deux horloges disent la même heure


@lecture
@reserve_a(Role.CONTROLEUR, Role.RESPONSABLE)
def saisies(request: Requete, pk: int) -> HttpResponse:
    """Tout ce que les appareils ont envoyé : l’heure de l’appareil, et à côté celle du portail."""
    controle = controle_visible(request, pk)
    page = paginer(request, controle.operations.select_related("par").order_by("-recu_le", "-rang"))
    libelles = libelles_des_champs(controle)
    lignes = [
        {"operation": o, "quoi": libelles(o.champ), "fausse": abs(o.decalage) >= HORLOGE_FAUSSE, "avance": ecart_dit(o)}
        for o in page
    ]
    contexte = {"controle": controle, "page": page, "lignes": lignes, "onglet": "saisies"}
    return render(request, "controles/saisies.html", contexte)


def ecart_dit(operation: OperationVisite) -> str:
    """« avance de 1 jour », « retarde de 2 heures » : l’horloge de l’appareil, contre celle du portail."""
    secondes = abs(operation.decalage)
    valeur, mot = next(
        ((secondes // n, mot) for n, mot in ((86_400, "jour"), (3_600, "heure"), (60, "minute")) if secondes >= n),
        (secondes, "seconde"),
    )
    return f"{'avance' if operation.decalage > 0 else 'retarde'} de {accorde(valeur, mot)}"


@lecture
@ouverte_aux_connectes
def photo(request: Requete, pk: int, photo_pk: UUID) -> HttpResponseBase:
    """La photo, à qui lit les constats."""
    controle = controle_visible(request, pk)
    exiger(lit_les_constats(request.user, controle))
    trouvee = get_object_or_404(
        PhotoControle.objects.select_related("fichier"), pk=photo_pk, controle=controle, retiree_le__isnull=True
    )
    return servir(trouvee.fichier.contenu, trouvee.fichier.nom, trouvee.fichier.type_mime, en_ligne=True)


@ecriture
@reserve_a(Role.CONTROLEUR)
def retirer_photo(request: Requete, pk: int, photo_pk: UUID) -> HttpResponse:
    controle = controle_visible(request, pk)
    trouvee = get_object_or_404(controle.photos.select_related("controle"), pk=photo_pk)
    try:
        visite.retirer_photo(trouvee, par=request.user)
    except Refus as refus:
        messages.warning(request, str(refus))
    else:
        messages.success(request, "La photo est retirée du rapport.")
    return redirect("controles:visite", controle.pk)
