"""La liste et la fiche 360° des structures, leurs corrections, les secteurs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, publique, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from comptes.middleware import attend_du_json
from comptes.models import Utilisateur
from partenaires import actions
from partenaires.choix import GestePartenaire, TypeStructure
from partenaires.courante import CLE, structures_habilitees
from partenaires.droits import AGENTS_DES_FICHES, peut, peut_gerer_les_acces
from partenaires.fiche import onglets
from partenaires.forms import (
    AbsenceForm,
    CoordonneesForm,
    GestionnaireForm,
    StructureForm,
    TransmettrePortefeuilleForm,
    TransmettreSecteurForm,
)
from partenaires.interlocuteurs import charge_de, charges_par_commune, suppleants, technicien_de
from partenaires.models import Commune, Epci, EvenementPartenaire, Structure, Suppleance
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.listes import paginer
from socle.texte import cle_de_tri


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    visibles = Structure.objects.visibles_par(request.user).ouvertes()
    criteres = {nom: request.GET.get(nom, "") for nom in ("q", "type", "epci", "zone")}
    retenues = visibles
    if cle := cle_de_tri(criteres["q"]):
        retenues = retenues.filter(nom_tri__contains=cle) | retenues.filter(commune__nom_tri__contains=cle)
    if criteres["type"] in TypeStructure.values:
        retenues = retenues.filter(type=criteres["type"])
    if criteres["epci"].isdecimal():
        retenues = retenues.filter(commune__epci=criteres["epci"])
    if criteres["zone"] == "qpv":
        retenues = retenues.filter(quartiers_prioritaires__isnull=False).distinct()
    elif criteres["zone"] == "frr":
        retenues = retenues.filter(commune__en_frr=True)
    page = paginer(request, retenues.select_related("commune__epci", "gestionnaire").order_by("nom_tri", "pk"))
    charges = charges_par_commune([s.commune_id for s in page], timezone.localdate()) if request.user.est_agent else {}
    contexte = {
        "page": page,
        "criteres": criteres,
        "types": TypeStructure.choices,
        "epcis": Epci.objects.all(),
        "charges": charges,
    }
    gabarit = "partenaires/liste.html#resultats" if request.htmx else "partenaires/liste.html"
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
        "peut_modifier": bool(peut(GestePartenaire.MODIFIER, request.user, structure)),
        "peut_gerer": bool(peut_gerer_les_acces(request.user, structure)),
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
        evenements = EvenementPartenaire.objects.filter(structure=structure).select_related("par")
        contexte["page"] = paginer(request, evenements)
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
    return _modifier(request, structure, classe, actions.modifier_structure, structure)


@lecture_ecriture
@reserve_a(*AGENTS_DES_FICHES)
def modifier_gestionnaire(request: Requete, pk: int) -> HttpResponse:
    structure = get_object_or_404(Structure.objects.visibles_par(request.user).select_related("gestionnaire"), pk=pk)
    return _modifier(request, structure.gestionnaire, GestionnaireForm, actions.modifier_gestionnaire, structure)


def _modifier(request: Requete, objet: Any, classe: Any, action: Any, structure: Structure) -> HttpResponse:
    en_base = {nom: str(getattr(objet, nom)) for nom in classe._meta.fields}
    version = objet.version
    form = classe(request.POST if request.method == "POST" else None, instance=objet, initial={"version": version})
    autre: dict[str, str] = {}
    if form.is_valid():
        champs = {nom: form.cleaned_data[nom] for nom in classe._meta.fields}
        try:
            action(objet, version=form.cleaned_data["version"] or version, par=request.user, **champs)
        except VersionPerimee as refus:
            form.add_error(None, str(refus))
            autre = {form.fields[n].label or n: v for n, v in en_base.items() if v != str(champs[n])}
        except ValidationError as erreur:
            form.add_error(None, erreur)
        else:
            messages.success(request, "La fiche est à jour.")
            return redirect(structure)
    contexte = {"structure": structure, "form": form, "autre": autre, "version": version}
    return render(request, "partenaires/modifier.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*AGENTS_DES_FICHES)
def creer(request: Requete) -> HttpResponse:
    form = StructureForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        champs = {nom: valeur for nom, valeur in form.cleaned_data.items() if nom != "version"}
        try:
            structure = actions.creer_structure(par=request.user, **champs)
        except ValidationError as erreur:
            form.add_error(None, erreur)
        else:
            messages.success(request, "La fiche est créée : invitez maintenant son représentant légal.")
            return redirect(structure)
    return render(request, "partenaires/creer.html", {"form": form}, status=422 if form.is_bound else 200)


@ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)
def choisir(request: Requete) -> HttpResponse:
    """Change la structure au nom de laquelle on agit, sans se reconnecter."""
    choisie = request.POST.get("structure", "")
    if not choisie.isdecimal() or int(choisie) not in structures_habilitees(request):
        raise Http404
    request.session[CLE] = int(choisie)
    return redirect("accueil:espace")


@lecture
@publique
def communes(request: HttpRequest) -> HttpResponse:
    """Cherche une commune par nom, code postal ou ancien nom ; la commune actuelle répond."""
    q = request.GET.get("q", "")[:60]
    trouvees = list(Commune.objects.cherchees_par(q).prefetch_related("deleguees")[:12])
    if attend_du_json(request):
        return JsonResponse(
            {"communes": [{"code": c.code_insee, "nom": c.nom, "codes_postaux": c.codes_postaux} for c in trouvees]}
        )
    return render(request, "partenaires/communes.html", {"q": q, "communes": trouvees})


@lecture_ecriture
@reserve_a(Role.RESPONSABLE, Role.ADMINISTRATEUR)
def secteurs(request: Requete) -> HttpResponse:
    """Qui suit quoi ; transmettre un secteur ou un portefeuille en un geste, déclarer une absence."""
    aujourd_hui = timezone.localdate()
    classes = {"secteur": TransmettreSecteurForm, "portefeuille": TransmettrePortefeuilleForm, "absence": AbsenceForm}
    geste = request.POST.get("geste", "")
    formulaires: dict[str, Any] = {
        nom: classe(request.POST if nom == geste else None, prefix=nom) for nom, classe in classes.items()
    }
    form = formulaires.get(geste) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            donnees = form.cleaned_data
            if geste == "secteur":
                nombre = actions.transmettre_secteur(par=request.user, communes=None, **donnees)
                messages.success(
                    request, f"{nombre} commune{'s' if nombre > 1 else ''} transmise{'s' if nombre > 1 else ''}."
                )
            elif geste == "portefeuille":
                nombre = actions.transmettre_portefeuille(par=request.user, **donnees)
                messages.success(request, f"{nombre} gestionnaire{'s' if nombre > 1 else ''} transmis.")
            else:
                actions.declarer_absence(par=request.user, **donnees)
                messages.success(request, "L’absence est déclarée ; le suppléant voit les dossiers.")
            return redirect("partenaires:secteurs")
        except (Refus, ValidationError) as erreur:
            form.add_error(None, erreur if isinstance(erreur, ValidationError) else str(erreur))
    agents = Utilisateur.objects.filter(fonctions__role=Role.CHARGE_CONSEIL).distinct()
    noms = dict(Commune.objects.values_list("pk", "nom"))
    suivies: dict[int, list[str]] = {}
    for commune_id, agent in charges_par_commune(noms, aujourd_hui).items():
        suivies.setdefault(agent.pk, []).append(noms[commune_id])
    charges = [{"agent": a, "communes": sorted(suivies.get(a.pk, []))} for a in agents]
    techniciens = (
        Utilisateur.objects.filter(fonctions__role=Role.TECHNICIEN_CONSEIL)
        .annotate(nombre=Count("portefeuille", distinct=True))
        .distinct()
    )
    absences = Suppleance.objects.filter(fin__gte=aujourd_hui).select_related("absent", "suppleant")
    contexte = {
        "charges": charges, "techniciens": techniciens, "absences": absences, "formulaires": formulaires,
    }  # fmt: skip
    return render(request, "partenaires/secteurs.html", contexte, status=422 if form is not None else 200)
