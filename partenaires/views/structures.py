"""La liste et la fiche 360° des structures, leurs corrections, les secteurs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, publique, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from comptes.middleware import attend_du_json
from partenaires import actions
from partenaires.choix import GestePartenaire
from partenaires.courante import CLE, structures_habilitees
from partenaires.droits import AGENTS_DES_FICHES, PAYEURS, peut, peut_gerer_les_acces
from partenaires.fiche import LIGNES_PAR_SOURCE, LigneDeJournal, alertes, journal, onglets
from partenaires.filtres import StructureFiltre
from partenaires.forms import (
    CoordonneesForm,
    GestionnaireForm,
    StructureForm,
)
from partenaires.interlocuteurs import charge_de, charges_par_commune, suppleants, technicien_de
from partenaires.models import Commune, EvenementPartenaire, Structure
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.listes import fragment, paginer
from socle.texte import entier
from socle.vues import refuser

COMMUNES_MONTREES = 12


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    visibles = Structure.objects.visibles_par(request.user)
    filtre = StructureFiltre(request.GET if request.user.est_agent else {}, queryset=visibles)
    retenues = filtre.qs if filtre.is_valid() else visibles.ouvertes().order_by("nom_tri", "pk")
    page = paginer(request, retenues.select_related("commune__epci", "gestionnaire"), total=retenues)
    charges = charges_par_commune([s.commune_id for s in page], timezone.localdate()) if request.user.est_agent else {}
    contexte = {
        "page": page,
        "filtre": filtre,
        "charges": charges,
        "cree": bool(peut(GestePartenaire.CREER, request.user, None)),
    }
    gabarit = "partenaires/liste.html#resultats" if fragment(request) else "partenaires/liste.html"
    return render(request, gabarit, contexte)


@lecture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    """Tout ce que l’on sait d’une structure, un onglet à la fois, à une adresse qui s’envoie."""
    structure = get_object_or_404(
        Structure.objects.visibles_par(request.user).select_related("commune__epci", "gestionnaire"), pk=pk
    )
    propres = [("identite", "Identité"), ("territoire", "Territoire"), ("personnes", "Personnes")]
    apportes = {o.code: o for o in onglets()}
    choix = [*propres, *((o.code, o.libelle) for o in apportes.values()), ("journal", "Journal")]
    courant = request.GET.get("onglet", "identite")
    if courant not in dict(choix):
        raise Http404
    contexte: dict[str, Any] = {
        "structure": structure,
        "onglets": choix,
        "courant": courant,
        "alertes": alertes(request, structure),
        "peut_modifier": bool(peut(GestePartenaire.MODIFIER, request.user, structure)),
        "peut_gerer": bool(peut_gerer_les_acces(request.user, structure)),
        "peut_fermer": request.user.tient(Role.RESPONSABLE, Role.ADMINISTRATEUR),
        "regle_le_territoire": request.user.tient(*AGENTS_DES_FICHES),
    }
    aujourd_hui = timezone.localdate()
    if courant == "identite":
        contexte["charge"] = charge_de(structure, aujourd_hui)
        contexte["technicien"] = technicien_de(structure.gestionnaire, aujourd_hui)
        presents = [p for p in (contexte["charge"], contexte["technicien"]) if p]
        contexte["suppleants"] = suppleants(presents, aujourd_hui)
        contexte["iban_masque"] = f"•••• {structure.gestionnaire.iban[-4:]}" if structure.gestionnaire.iban else ""
    elif courant == "territoire":
        contexte["communes"] = structure.communes_intervention.select_related("epci")
        contexte["quartiers"] = structure.quartiers_prioritaires.select_related("commune")
    elif courant == "personnes":
        contexte["habilitations"] = structure.habilitations.en_cours(aujourd_hui).select_related("utilisateur")
        contexte["contacts"] = structure.contacts.all()
    elif courant == "journal":
        evenements = EvenementPartenaire.objects.filter(
            Q(structure=structure) | Q(gestionnaire=structure.gestionnaire)
        ).select_related("par")[:LIGNES_PAR_SOURCE]
        siennes = [
            LigneDeJournal(
                e.le,
                e.get_geste_display().capitalize(),
                str(e.par),
                (*actions.changements_lisibles(e), *([e.motif] if e.motif else [])),
            )
            for e in evenements
        ]
        contexte["page"] = paginer(request, journal(request, structure, siennes))
    else:
        onglet = apportes[courant]
        contexte["gabarit"] = onglet.gabarit
        contexte |= onglet.contexte(request, structure)
    return render(request, "partenaires/fiche.html", contexte)


@lecture_ecriture
@ouverte_aux_connectes
def modifier(request: Requete, pk: int) -> HttpResponse:
    """La structure corrige ses coordonnées ; la Caf, toute la fiche. À deux, le second voit les deux textes."""
    structure = get_object_or_404(Structure.objects.visibles_par(request.user), pk=pk)
    exiger(peut(GestePartenaire.MODIFIER, request.user, structure))
    classe = StructureForm if request.user.tient(*AGENTS_DES_FICHES) else CoordonneesForm
    form = classe(
        request.POST if request.method == "POST" else None, instance=structure, initial={"version": structure.version}
    )
    return _modifier(request, structure, form, actions.modifier_structure, structure)


@lecture_ecriture
@reserve_a(*AGENTS_DES_FICHES)
def modifier_gestionnaire(request: Requete, pk: int) -> HttpResponse:
    structure = get_object_or_404(Structure.objects.visibles_par(request.user).select_related("gestionnaire"), pk=pk)
    gestionnaire = structure.gestionnaire
    form = GestionnaireForm(
        request.POST if request.method == "POST" else None,
        instance=gestionnaire,
        initial={"version": gestionnaire.version},
        avec_iban=request.user.tient(*PAYEURS),
    )
    return _modifier(request, gestionnaire, form, actions.modifier_gestionnaire, structure)


def _montrer_le_conflit(form: Any, objet: Any) -> list[tuple[str, str, str]]:
    """Ce que les collègues ont écrit : champ, valeur en clair, auteur. Leur version devient celle de la saisie.

    Un champ que seul un collègue a changé est repris dans la saisie ; un champ changé des deux côtés y reste tel
    qu’écrit ici : enregistrer le gardera, en connaissance de cause.
    """
    en_base = type(objet).objects.get(pk=objet.pk)
    passees = en_base.version - form.cleaned_data["version"]
    form.data = form.data.copy()
    form.data["version"] = str(en_base.version)
    montres = []
    for nom, (avant, auteur) in actions.changes_par_d_autres(en_base, passees).items():
        if nom not in form.fields:
            continue
        if actions.en_clair(objet, nom) == (avant or "vide"):
            form.data[nom] = model_to_dict(en_base, fields=[nom])[nom] or ""
        montres.append((str(form.fields[nom].label or nom), actions.en_clair(en_base, nom), auteur))
    return montres


def _modifier(request: Requete, objet: Any, form: Any, action: Any, structure: Structure) -> HttpResponse:
    autre: list[tuple[str, str, str]] = []
    if form.is_valid():
        champs = {nom: form.cleaned_data[nom] for nom in form._meta.fields if nom in form.fields}
        try:
            action(objet, version=form.cleaned_data["version"], par=request.user, **champs)
        except VersionPerimee as refus:
            form.add_error(None, str(refus))
            autre = _montrer_le_conflit(form, objet)
        except Refus as refus:
            form.add_error(None, str(refus))
        except ValidationError as erreur:
            refuser(form, erreur)
        else:
            messages.success(request, "La fiche est à jour.")
            return redirect(structure)
    contexte = {"structure": structure, "form": form, "autre": autre}
    return render(request, "partenaires/modifier.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*AGENTS_DES_FICHES)
def creer(request: Requete) -> HttpResponse:
    form = StructureForm(request.POST if request.method == "POST" else None, initial={"version": 1})
    if form.is_valid():
        champs = {nom: valeur for nom, valeur in form.cleaned_data.items() if nom != "version"}
        try:
            structure = actions.creer_structure(par=request.user, **champs)
        except Refus as refus:
            form.add_error(None, str(refus))
        except ValidationError as erreur:
            refuser(form, erreur)
        else:
            messages.success(request, "La fiche est créée : invitez maintenant son représentant légal.")
            return redirect(structure)
    return render(request, "partenaires/creer.html", {"form": form}, status=422 if form.is_bound else 200)


@ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)
def choisir(request: Requete) -> HttpResponse:
    """Change la structure au nom de laquelle on agit, sans se reconnecter."""
    choisie = entier(request.POST.get("structure", ""))
    if choisie not in structures_habilitees(request):
        raise Http404
    request.session[CLE] = choisie
    return redirect("accueil:espace")


@lecture
@publique
def communes(request: HttpRequest) -> HttpResponse:
    """Cherche une commune par nom, code postal ou ancien nom ; la commune actuelle répond."""
    q = request.GET.get("q", "")[:60]
    toutes = list(Commune.objects.cherchees_par(q).prefetch_related("deleguees"))
    trouvees = toutes[:COMMUNES_MONTREES]
    if attend_du_json(request):
        return JsonResponse(
            {"communes": [{"code": c.code_insee, "nom": c.nom, "codes_postaux": c.codes_postaux} for c in trouvees]}
        )
    contexte = {"q": q, "communes": trouvees, "total": len(toutes), "reste": len(toutes) - len(trouvees)}
    return render(request, "partenaires/communes.html", contexte)
