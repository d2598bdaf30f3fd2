"""Les déclarations : la structure remplit, vise, dépose ; le technicien contrôle ligne par ligne, corrige, valide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from financements.actions import declarations as actions
from financements.actions.declarations import DeclarationIncomplete
from financements.calculs import FONCTIONS
from financements.choix import EtatDeclaration, GesteDeclaration
from financements.contenu import Contenu
from financements.cycle import CYCLE_DECLARATION, SAISIE_OUVERTE
from financements.droits import LIQUIDATEURS, gestes_possibles, peut
from financements.filtres import DeclarationFiltre
from financements.forms import MotifForm
from financements.formulaire import (
    LIBELLES_FONCTIONS,
    Compte,
    SaisieRefusee,
    Variation,
    nombre,
    phrase_d_equilibre,
    plan,
    total_de,
    totaliser,
    variations,
)
from financements.formulaire import (
    Contenu as Valeurs,
)
from financements.models import Campagne, Declaration, Saisie
from socle.dates import en_heure
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.listes import fragment, paginer
from socle.montants import en_euros, nombre_fr
from socle.texte import entier

PARTENAIRES = (Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)


def declaration_visible(request: Requete, pk: int) -> Declaration:
    visibles = Declaration.objects.visibles_par(request.user)
    return get_object_or_404(
        visibles.select_related("campagne", "structure__gestionnaire", "structure__commune", "version_courante"), pk=pk
    )


@lecture
@ouverte_aux_connectes
def liste(request: Requete) -> HttpResponse:
    visibles = Declaration.objects.visibles_par(request.user)
    filtre = DeclarationFiltre(request.GET or None, queryset=visibles, request=request)
    retenues = filtre.qs if filtre.is_valid() else visibles
    page = paginer(request, retenues.pour_liste(), total=retenues)
    gabarit = "financements/declarations.html#resultats" if fragment(request) else "financements/declarations.html"
    return render(request, gabarit, {"page": page, "filtre": filtre})


@ecriture
@reserve_a(*PARTENAIRES)
def ouvrir(request: Requete, campagne_pk: int) -> HttpResponse:
    """Ouvre la déclaration de la structure courante, ou reprend celle qui existe."""
    if not request.structure:
        raise PermissionDenied("Vous n’êtes habilité dans aucune structure aujourd’hui.")
    campagne = get_object_or_404(Campagne, pk=campagne_pk)
    try:
        declaration = actions.ouvrir(campagne, request.structure, par=request.user)
    except Refus as refus:
        messages.warning(request, str(refus))
        return redirect("financements:accueil")
    return redirect(declaration)


@dataclass(frozen=True, slots=True)
class Case:
    champ: str
    libelle: str
    valeur: str
    version: int
    ouverte: bool
    erreur: str = ""
    lisible: str = ""


@dataclass(frozen=True, slots=True)
class Rangee:
    """Une ligne de la grille : ses cases, son total, la valeur d’avant, ce que la Caf en dit."""

    compte: Compte
    cases: list[Case]
    total: Decimal
    avant: Decimal | None
    variation: Variation | None
    remarque: Any
    explication: Case | None
    detail: list[Detail]


@dataclass(frozen=True, slots=True)
class Detail:
    """Une case lue : son montant et celui d’avant ; c’est là qu’un glissement d’une fonction à l’autre se voit."""

    montant: Decimal
    avant: Decimal | None

    @property
    def change(self) -> bool:
        return self.avant is not None and self.avant != self.montant


def en_saisie(valeur: object) -> str:
    """« 1234,50 » : ce qui se retape tel quel."""
    if isinstance(valeur, Decimal):
        texte = f"{valeur:f}"
        return (texte.rstrip("0").rstrip(".") if "." in texte else texte).replace(".", ",")
    return str(valeur or "")


def _en_lecture(champ: str, valeur: object) -> str:
    """« 114 080,00 € » pour un compte, « 1 250 » ou « 7,5 » pour une donnée d’activité."""
    if not isinstance(valeur, Decimal):
        return str(valeur or "")
    return en_euros(valeur) if not champ.startswith("activite.") else nombre_fr(valeur)


class Grille:
    """Tout ce que la page de saisie et la page de contrôle montrent."""

    def __init__(self, contenu: Contenu, valeurs: Valeurs, erreurs: dict[str, tuple[str, str]] | None = None) -> None:
        self.contenu, self.valeurs = contenu, valeurs
        self.erreurs = erreurs or {}
        avant = contenu.avant
        self._variations = (
            {v.compte.compte: v for v in variations(valeurs, avant, contenu.seuil)} if avant is not None else {}
        )

    def case(self, champ: str, libelle: str) -> Case:
        saisie: Saisie | None = self.contenu.saisies.get(champ)
        tapee, erreur = self.erreurs.get(champ, ("", ""))
        valeur = tapee if erreur else en_saisie(self.valeurs.get(champ))
        version, ouverte = saisie.version if saisie else 0, self.contenu.ouvert(champ)
        return Case(champ, libelle, valeur, version, ouverte, erreur, _en_lecture(champ, self.valeurs.get(champ)))

    def _rangee(self, compte: Compte) -> Rangee:
        noms = {f"{compte.compte}.{f}": LIBELLES_FONCTIONS[f] for f in FONCTIONS} | {
            f"{compte.compte}.referent": "dont référent familles",
            compte.compte: "Montant",
        }
        variation = self._variations.get(compte.compte)
        champ = f"explication.{compte.compte}"
        montrer = variation is not None and variation.a_expliquer
        return Rangee(
            compte,
            [self.case(c, f"{compte.compte} {compte.libelle}, {noms[c].lower()}") for c in compte.champs],
            total_de(self.valeurs, compte),
            variation.avant if variation else None,
            variation,
            self.contenu.remarques.get(compte.compte),
            self.case(champ, f"{compte.compte} {compte.libelle} : expliquez la variation") if montrer else None,
            [Detail(nombre(self.valeurs, c), self._avant(c)) for c in compte.champs],
        )

    def _avant(self, champ: str) -> Decimal | None:
        return nombre(self.contenu.avant, champ) if self.contenu.avant is not None else None

    def contexte(self) -> dict[str, Any]:
        totaux = totaliser(self.valeurs)
        return {
            "charges": [self._rangee(c) for c in plan().charges],
            "produits": [self._rangee(c) for c in plan().produits],
            "activite": [
                (a, self.case(a.champ, f"{a.libelle} ({a.unite})"), self._avant(a.champ)) for a in plan().activite
            ],
            "remarque_activite": self.contenu.remarques.get("activite"),
            "totaux": totaux,
            "par_fonction": [(LIBELLES_FONCTIONS[f], totaux.par_fonction[f]) for f in FONCTIONS],
            "phrase": phrase_d_equilibre(totaux, constate=self.contenu.constate),
            "constate": self.contenu.constate,
            "precedente": self.contenu.precedente,
            "seuil": self.contenu.seuil,
        }


@lecture_ecriture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    """La déclaration : une grille à remplir pour la structure, à lire pour les autres. Sans JavaScript, un bouton."""
    declaration = declaration_visible(request, pk)
    contenu = Contenu(declaration)
    modifiable = declaration.etat in SAISIE_OUVERTE and bool(peut(GesteDeclaration.SAISIR, request.user, declaration))
    erreurs: dict[str, tuple[str, str]] = {}
    if request.method == "POST":
        exiger(peut(GesteDeclaration.SAISIR, request.user, declaration))
        erreurs = _garder(request, declaration, contenu)
        if not erreurs:
            messages.success(request, "Votre déclaration est enregistrée.")
            return redirect("financements:verifier" if "suite" in request.POST else "financements:declaration", pk)
        contenu = Contenu(declaration)
    agent = request.user.est_agent
    grille = Grille(contenu, contenu.vues_par(agent=agent), erreurs)
    contexte = {
        "declaration": declaration,
        "modifiable": modifiable,
        "gestes": gestes_possibles(request.user, declaration),
        "erreurs": [(champ, phrase) for champ, (_, phrase) in erreurs.items()],
        "evenements": declaration.evenements.select_related("par")[:8],
        "libelle_etat": declaration.get_etat_display() if agent else declaration.libelle_partenaire,
        **grille.contexte(),
    }
    return render(request, "financements/declaration.html", contexte, status=422 if erreurs else 200)


def _garder(request: Requete, declaration: Declaration, contenu: Contenu) -> dict[str, tuple[str, str]]:
    """Sans JavaScript : garde chaque case, une par une ; une erreur sur l’une n’empêche pas les autres."""
    erreurs = {}
    for champ in plan().champs:
        if champ not in request.POST or not contenu.ouvert(champ):
            continue
        saisie, version = request.POST[champ], request.POST.get(f"version-{champ}", "0")
        try:
            actions.enregistrer(
                declaration,
                champ=champ,
                saisie=saisie,
                version=entier(version) or 0,
                par=request.user,
            )
        except VersionPerimee:
            actuelle = Contenu(declaration).saisies[champ]
            erreurs[champ] = (
                saisie,
                f"{actuelle.modifie_par} a écrit « {en_saisie(actuelle.nombre) or actuelle.texte} » pendant que vous "
                "saisissiez. Votre saisie est gardée ci-contre : choisissez.",
            )
        except (Refus, SaisieRefusee) as refus:
            erreurs[champ] = (saisie, str(refus))
    return erreurs


@ecriture
@reserve_a(*PARTENAIRES)
def enregistrer(request: Requete, pk: int, champ: str) -> JsonResponse:
    """Garde une case pendant la frappe. 200 gardée, 409 un collègue a écrit, 422 refusée avec la phrase."""
    declaration = declaration_visible(request, pk)
    version = entier(request.POST.get("version", ""))
    if version is None:
        return JsonResponse({"erreur": "Rechargez la page : cette case a perdu son numéro de version."}, status=422)
    try:
        saisie = actions.enregistrer(
            declaration, champ=champ, saisie=request.POST.get("valeur", ""), version=version, par=request.user
        )
    except VersionPerimee:
        actuelle = Contenu(declaration).saisies[champ]
        texte = actuelle.texte or en_saisie(actuelle.nombre)
        return JsonResponse(
            {
                "version": actuelle.version,
                "valeur": texte,
                "affichage": texte,
                "par": str(actuelle.modifie_par),
                "le": en_heure(timezone.localtime(actuelle.modifie_le).time()),
            },
            status=409,
        )
    except (Refus, SaisieRefusee) as refus:
        return JsonResponse({"erreur": str(refus)}, status=422)
    return JsonResponse(
        {
            "version": saisie.version,
            "enregistre_a": en_heure(timezone.localtime(saisie.modifie_le).time()),
            "avertissements": [],
        }
    )


@lecture
@reserve_a(*PARTENAIRES)
def verifier(request: Requete, pk: int) -> HttpResponse:
    """« Vérifiez votre déclaration » : les totaux et tout ce qui manque, au lieu d’un bouton gris."""
    declaration = declaration_visible(request, pk)
    contenu = Contenu(declaration)
    contexte = {
        "declaration": declaration,
        "manques": contenu.manques,
        "gestes": gestes_possibles(request.user, declaration),
        **Grille(contenu, contenu.valeurs).contexte(),
    }
    return render(request, "financements/verifier.html", contexte)


@lecture_ecriture
@reserve_a(Role.REPRESENTANT_LEGAL)
def visa(request: Requete, pk: int) -> HttpResponse:
    """Une page de synthèse, oui ou non ; le non dit pourquoi."""
    declaration = declaration_visible(request, pk)
    exiger(peut(GesteDeclaration.VISER, request.user, declaration))
    refuser = request.method == "POST" and "refuser" in request.POST
    form = MotifForm(request.POST if refuser else None)
    try:
        if refuser and form.is_valid():
            actions.refuser_visa(declaration, motif=form.cleaned_data["motif"], par=request.user)
            messages.success(request, "Vous n’avez pas visé : la direction lit vos raisons.")
            return redirect(declaration)
        if request.method == "POST" and not refuser:
            actions.viser(declaration, par=request.user)
            messages.success(request, "La déclaration est visée : elle peut être déposée.")
            return redirect(declaration)
    except Refus as refus:
        messages.warning(request, str(refus))
        return redirect(declaration)
    contenu = Contenu(declaration)
    contexte = {"declaration": declaration, "form": form, **Grille(contenu, contenu.valeurs).contexte()}
    return render(request, "financements/visa.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def controle(request: Requete, pk: int) -> HttpResponse:
    """Ligne par ligne : montant, variation, explication, remarque à envoyer. Un POST garde toutes les remarques."""
    declaration = declaration_visible(request, pk)
    exiger(peut(GesteDeclaration.DEMANDER_CORRECTION, request.user, declaration))
    if request.method == "POST":
        try:
            for ligne in (*plan().comptes, "activite"):
                if (texte := request.POST.get(f"remarque-{ligne}")) is not None:
                    actions.preparer_remarque(declaration, ligne=ligne, texte=texte, par=request.user)
            if "envoyer" in request.POST:
                actions.demander_correction(declaration, par=request.user)
                messages.success(request, "La demande de correction est envoyée : seules ces lignes sont rouvertes.")
                return redirect(declaration)
        except Refus as refus:
            messages.warning(request, str(refus))
        else:
            messages.success(request, "Vos remarques sont gardées ; la structure ne les voit pas encore.")
        return redirect("financements:controle", pk)
    contenu = Contenu(declaration)
    preparees = {r.ligne: r.texte for r in declaration.remarques.filter(levee_le__isnull=True, envoyee_le__isnull=True)}
    contexte = {
        "declaration": declaration,
        "preparees": preparees,
        "gestes": gestes_possibles(request.user, declaration),
        **Grille(contenu, contenu.deposees or {}).contexte(),
    }
    return render(request, "financements/controle.html", contexte)


GESTES: dict[str, tuple[Callable[..., Any], str, str]] = {
    GesteDeclaration.DEMANDER_VISA: (actions.demander_visa, "Demander le visa", "Le visa est demandé."),
    GesteDeclaration.REPRENDRE: (actions.reprendre, "Reprendre la saisie", "La déclaration est à nouveau modifiable."),
    GesteDeclaration.DEPOSER: (
        actions.deposer,
        "Déposer la déclaration",
        "Votre déclaration est déposée. L’accusé de réception arrive.",
    ),
    GesteDeclaration.RENVOYER: (actions.renvoyer, "Renvoyer les corrections", "Vos corrections sont renvoyées."),
    GesteDeclaration.VALIDER: (
        actions.valider,
        "Valider et calculer le droit",
        "La déclaration est validée, le droit est calculé, la lettre part.",
    ),
}


@lecture_ecriture
@ouverte_aux_connectes
def geste(request: Requete, pk: int, nom: str) -> HttpResponse:
    """Confirme un geste simple : une page, une phrase, un bouton."""
    if nom not in GESTES:
        raise Http404
    declaration = declaration_visible(request, pk)
    exiger(peut(nom, request.user, declaration))
    action, libelle, reussite = GESTES[nom]
    manques = []
    if request.method == "POST":
        try:
            action(declaration, par=request.user)
        except DeclarationIncomplete as incomplete:
            manques = incomplete.manques
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect(declaration)
        else:
            messages.success(request, reussite)
            return redirect(declaration)
    elif declaration.etat not in CYCLE_DECLARATION[nom].depuis:
        etat = EtatDeclaration(declaration.etat).label
        messages.warning(request, f"Ce n’est plus possible : la déclaration est « {etat} ».")
        return redirect(declaration)
    contexte = {"declaration": declaration, "libelle": libelle, "geste": nom, "manques": manques}
    return render(request, "financements/geste.html", contexte, status=422 if manques else 200)
