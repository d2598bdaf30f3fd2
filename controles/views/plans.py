"""Le plan de l’année : un classement expliqué, des structures qu’on retient, un tirage, un responsable qui valide."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from comptes.models import Utilisateur
from controles import classement, tirage
from controles.actions import plans as actions
from controles.actions import tirages
from controles.choix import EtatPlan, Origine
from controles.droits import peut_preparer_le_plan, peut_valider_le_plan, tranche
from controles.forms.plans import (
    AjouterForm,
    FiltrePlanForm,
    LigneForm,
    ModifierPlanForm,
    OuvrirPlanForm,
    PremieresForm,
    ProgrammerForm,
    ReprendreForm,
)
from controles.models import LignePlan, PlanControle
from partenaires.interlocuteurs import agents
from partenaires.models import Structure
from partenaires.querysets import structure_nommee
from socle.droits import exiger
from socle.erreurs import Refus
from socle.listes import fragment, paginer
from socle.texte import accorde
from socle.vues import refus_en_message, tenter

LECTEURS = (Role.CONTROLEUR, Role.RESPONSABLE)
CONTROLEUR, RESPONSABLE = (Role.CONTROLEUR,), (Role.RESPONSABLE,)


def controleurs_du_jour() -> list[Utilisateur]:
    return sorted(agents(Role.CONTROLEUR), key=lambda a: (a.nom, a.prenom, a.pk))


def plan_de(annee: int) -> PlanControle:
    return get_object_or_404(PlanControle.objects.select_related("regles", "prepare_par", "valide_par"), annee=annee)


def _formulaire(
    request: Requete, form: Any, *, titre: str, bouton: str, retour: str, fil: str, chapeau: str = ""
) -> HttpResponse:
    """La page d’un geste : un titre, une phrase, un formulaire, un bouton. 422 s’il est refusé."""
    contexte = {"form": form, "titre": titre, "bouton": bouton, "retour": retour, "fil": fil, "chapeau": chapeau}
    return render(request, "controles/plans/formulaire.html", contexte, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*LECTEURS)
def liste(request: Requete) -> HttpResponse:
    tous = PlanControle.objects.all()
    complets = tous.select_related("prepare_par", "valide_par").annotate(retenues=Count("lignes")).order_by("-annee")
    contexte = {
        "page": paginer(request, complets, total=tous),
        "prepare": bool(peut_preparer_le_plan(request.user)),
        "programme": bool(tranche(request.user)),
    }
    return render(request, "controles/plans/liste.html", contexte)


@lecture_ecriture
@reserve_a(*CONTROLEUR)
def creer(request: Requete) -> HttpResponse:
    exiger(peut_preparer_le_plan(request.user))
    cette_annee = timezone.localdate().year
    ouvert = PlanControle.objects.filter(annee=cette_annee).exists()
    form = OuvrirPlanForm(
        request.POST if request.method == "POST" else None, initial={"annee": cette_annee + ouvert}
    )  # fmt: skip
    neufs: list[PlanControle] = []
    if form.is_valid() and tenter(
        form, lambda: neufs.append(actions.ouvrir(par=request.user, **form.cleaned_data))
    ):  # fmt: skip
        messages.success(request, "Le plan est ouvert : retenez des structures, puis tirez les autres au sort.")
        return redirect(neufs[0])
    return _formulaire(
        request, form, titre="Ouvrir un plan de contrôle", bouton="Ouvrir le plan", retour=reverse("controles:plans"),
        fil="Plan", chapeau="Le plan prend les règles en vigueur, et les garde.",
    )  # fmt: skip


def _filtrer(request: Requete, places: list[classement.Place], form: FiltrePlanForm) -> list[classement.Place]:
    if not form.is_valid():
        return places
    choix = form.cleaned_data
    if choix["q"].strip():
        nommees = set(Structure.objects.filter(structure_nommee(choix["q"])).values_list("pk", flat=True))
        places = [p for p in places if p.structure.pk in nommees]
    if choix.get("voir"):
        places = [p for p in places if (p.ligne is not None) == (choix["voir"] == "retenues")]
    if choix["origine"]:
        places = [p for p in places if p.ligne is not None and p.ligne.origine == choix["origine"]]
    if choix["controleur"]:
        voulu = None if choix["controleur"] == "aucun" else int(choix["controleur"])
        places = [p for p in places if p.ligne is not None and p.ligne.controleur_id == voulu]
    return places


def _ligne_form(ligne: LignePlan, controleurs: list[Utilisateur], donnees: Any = None) -> LigneForm:
    return LigneForm(
        donnees, controleurs=controleurs, vide="contrôleur ?", auto_id=f"ligne-{ligne.pk}-%s",
        initial={"mode": ligne.mode, "trimestre": ligne.trimestre, "controleur": ligne.controleur_id},
    )  # fmt: skip


def contexte_du_plan(
    request: Requete, plan: PlanControle, *, fausses: dict[int, LigneForm] | None = None,
    premieres: PremieresForm | None = None, avis: tuple[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Tout ce que montre la page : le classement filtré, ce qui manque, la charge de chacun."""
    places = classement.classer(plan)
    lignes = [p.ligne for p in places if p.ligne is not None]
    controleurs = controleurs_du_jour()
    filtre = FiltrePlanForm(request.GET, controleurs=controleurs, classement=plan.etat != EtatPlan.VALIDE)
    page = paginer(request, _filtrer(request, places, filtre))
    modifiable = plan.etat == EtatPlan.EN_PREPARATION and bool(peut_preparer_le_plan(request.user))
    libres = {p.structure.pk for p in places if p.libre}
    au_sort = classement.a_tirer(plan, lignes, len(classement.restantes(plan, libres)))
    reste = max(0, plan.objectif - len(lignes) - au_sort)
    formes = {}
    if modifiable:
        formes = {p.ligne.pk: _ligne_form(p.ligne, controleurs) for p in page if p.ligne} | (fausses or {})
    en_route = plan.etat != EtatPlan.VALIDE
    verdict = peut_valider_le_plan(request.user, plan)
    return {
        "plan": plan,
        "page": page,
        "lignes_montrees": [(p, formes.get(p.ligne.pk) if p.ligne else None) for p in page],
        "filtre": filtre,
        "modifiable": modifiable,
        "retenues": len(lignes),
        "origines": _origines(lignes),
        "au_sort": au_sort,
        "part": tirage.part(plan.objectif, plan.regles.part_tirage),
        "reste": reste,
        "premieres": premieres or PremieresForm(initial={"combien": reste or 1}, auto_id="premieres-%s"),
        "charges": classement.charges(lignes, controleurs),
        "manques": classement.manques(plan, places, {c.pk for c in controleurs}) if en_route else [],
        "soumis": plan.etat == EtatPlan.A_VALIDER,
        "valide": plan.etat == EtatPlan.VALIDE,
        "validable": plan.etat == EtatPlan.A_VALIDER and bool(verdict),
        "arbitre": bool(tranche(request.user)),
        "raison": verdict.motif if plan.etat == EtatPlan.A_VALIDER else "",
        "avis": avis,
    }


def _origines(lignes: list[LignePlan]) -> str:
    """« 7 au score de risque, 2 tirées au sort »."""
    comptes = Counter(ligne.origine for ligne in lignes)
    dites = {
        Origine.RISQUE: "au score de risque", Origine.TIRAGE: "au tirage au sort",
        Origine.NATIONALE: "par instruction nationale", Origine.SIGNALEMENT: "sur signalement",
    }  # fmt: skip
    return ", ".join(f"{comptes[origine]} {dit}" for origine, dit in dites.items() if comptes[origine])


@lecture
@reserve_a(*LECTEURS)
def fiche(request: Requete, annee: int) -> HttpResponse:
    """Le classement, filtré par l’adresse ; un clic retient, trois listes disent comment, quand et par qui."""
    plan = plan_de(annee)
    gabarit = "controles/plans/plan.html#plan" if fragment(request) else "controles/plans/plan.html"
    return render(request, gabarit, contexte_du_plan(request, plan))


def retour_au_plan(request: Requete, annee: int, *, phrase: str = "", refus: str = "", **contexte: Any) -> HttpResponse:
    """Après un geste : le plan redessiné sur place, ou la page entière sans JavaScript ; les filtres restent."""
    plan = plan_de(annee)
    if fragment(request) or contexte:
        avis = ("warning", refus) if refus else ("success", phrase) if phrase else None
        gabarit = "controles/plans/plan.html#plan" if fragment(request) else "controles/plans/plan.html"
        rendu = contexte_du_plan(request, plan, avis=avis, **contexte)
        return render(request, gabarit, rendu, status=422 if refus or contexte else 200)
    if refus:
        messages.warning(request, refus)
    elif phrase:
        messages.success(request, phrase)
    filtres = request.GET.urlencode()
    return redirect(f"{plan.get_absolute_url()}?{filtres}" if filtres else plan.get_absolute_url())


def _geste(request: Requete, annee: int, geste: Any, phrase: str) -> HttpResponse:
    """Joue un geste du plan ; ``phrase`` peut lire ce qu’il rend."""
    plan = plan_de(annee)
    try:
        rendu = geste(plan)
    except Refus as refus:
        return retour_au_plan(request, annee, refus=str(refus))
    return retour_au_plan(request, annee, phrase=phrase.format(rendu))


@lecture_ecriture
@reserve_a(*CONTROLEUR)
def modifier(request: Requete, annee: int) -> HttpResponse:
    plan = plan_de(annee)
    exiger(peut_preparer_le_plan(request.user))
    initial = {"objectif": plan.objectif, "instructions": plan.instructions}
    form = ModifierPlanForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid() and tenter(form, lambda: actions.modifier(plan, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le plan est à jour.")
        return redirect(plan)
    return _formulaire(
        request, form, titre="Objectif et instructions", bouton="Enregistrer", retour=plan.get_absolute_url(),
        fil=f"Plan {annee}",
    )  # fmt: skip


@ecriture
@reserve_a(*CONTROLEUR)
def retenir(request: Requete, annee: int, structure_pk: int) -> HttpResponse:
    structure = get_object_or_404(Structure, pk=structure_pk)
    return _geste(
        request, annee, lambda plan: actions.retenir(plan, structure, par=request.user), f"{structure} est au plan."
    )


@ecriture
@reserve_a(*CONTROLEUR)
def retirer(request: Requete, annee: int, structure_pk: int) -> HttpResponse:
    structure = get_object_or_404(Structure, pk=structure_pk)
    return _geste(
        request, annee, lambda plan: actions.retirer(plan, structure.pk, par=request.user),
        f"{structure} n’est plus au plan.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(*CONTROLEUR)
def retenir_les_premieres(request: Requete, annee: int) -> HttpResponse:
    if request.method != "POST":
        return retour_au_plan(request, annee)
    form = PremieresForm(request.POST, auto_id="premieres-%s")
    if not form.is_valid():
        return retour_au_plan(request, annee, premieres=form)
    combien = form.cleaned_data["combien"]

    def geste(plan: PlanControle) -> str:
        nombre = len(actions.retenir_les_premieres(plan, combien, par=request.user))
        if not nombre:
            raise Refus("Aucune autre structure n’a de point de risque : ajoutez-en une, ou tirez au sort.")
        return accorde(nombre, "structure", "retenue")

    return _geste(request, annee, geste, "{} pour leur risque.")


@ecriture
@reserve_a(*CONTROLEUR)
def tirer(request: Requete, annee: int) -> HttpResponse:
    def geste(plan: PlanControle) -> str:
        return accorde(len(tirages.tirer(plan, par=request.user)), "structure", "tirée")

    return _geste(request, annee, geste, "{} au sort.")


@lecture
@reserve_a(*LECTEURS)
def rejouer(request: Requete, annee: int) -> HttpResponse:
    """Recalcule le tirage devant soi : l’ordre entier de la population, et si les structures tirées sont les mêmes."""
    plan = plan_de(annee)
    if plan.tire_le is None:
        raise Http404
    ordre, identique = tirages.rejouer(plan)
    tirees = set(plan.lignes.filter(origine=Origine.TIRAGE).values_list("structure", flat=True))
    page = paginer(request, ordre)
    structures = Structure.objects.select_related("commune").in_bulk(list(page))
    lignes = [
        (rang, tirage.rang(plan.graine, cle), structures[cle], cle in tirees)
        for rang, cle in enumerate(page, start=page.start_index())
    ]
    contexte = {"plan": plan, "page": page, "lignes": lignes, "identique": identique, "tirees": len(tirees)}
    return render(request, "controles/plans/tirage.html", contexte)


@lecture_ecriture
@reserve_a(*CONTROLEUR)
def ajouter(request: Requete, annee: int) -> HttpResponse:
    plan = plan_de(annee)
    exiger(peut_preparer_le_plan(request.user))
    form = AjouterForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: actions.ajouter(plan, par=request.user, **form.cleaned_data)):
        messages.success(request, f"{form.cleaned_data['structure']} est au plan.")
        return redirect(plan)
    return _formulaire(
        request, form, titre="Ajouter une structure au plan", bouton="Ajouter au plan", retour=plan.get_absolute_url(),
        fil=f"Plan {annee}", chapeau="Une instruction nationale ou un signalement la désigne, quel que soit son score.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(*CONTROLEUR)
def ligne(request: Requete, annee: int, ligne_pk: int) -> HttpResponse:
    """Règle une ligne ; ouverte sans rien envoyer (un lien suivi après une erreur), elle ramène au plan."""
    if request.method != "POST":
        return retour_au_plan(request, annee)
    plan = plan_de(annee)
    trouvee = plan.lignes.filter(pk=ligne_pk).first()
    if trouvee is None:
        return retour_au_plan(request, annee, refus="Un collègue vient de retirer cette structure du plan.")
    form = _ligne_form(trouvee, controleurs_du_jour(), request.POST)
    if form.is_valid():
        try:
            actions.regler_ligne(plan, trouvee.pk, par=request.user, **form.cleaned_data)
        except Refus as refus:
            return retour_au_plan(request, annee, refus=str(refus))
        except ValidationError as erreur:
            form.add_error(None, erreur.messages)
        else:
            return retour_au_plan(request, annee, phrase="" if fragment(request) else "La ligne est enregistrée.")
    return retour_au_plan(request, annee, fausses={trouvee.pk: form})


@ecriture
@reserve_a(*CONTROLEUR)
def repartir(request: Requete, annee: int) -> HttpResponse:
    def geste(plan: PlanControle) -> str:
        return accorde(actions.repartir(plan, par=request.user), "contrôle", "réparti")

    return _geste(request, annee, geste, "{} à parts égales ; ce qui était déjà choisi n’a pas bougé.")


@ecriture
@reserve_a(*CONTROLEUR)
def soumettre(request: Requete, annee: int) -> HttpResponse:
    plan = plan_de(annee)
    with refus_en_message(request):
        actions.soumettre(plan, par=request.user)
        messages.success(request, "Le plan est soumis au responsable : il le valide, ou vous le renvoie.")
    return redirect(plan)


@lecture_ecriture
@reserve_a(*RESPONSABLE)
def reprendre(request: Requete, annee: int) -> HttpResponse:
    plan = plan_de(annee)
    exiger(tranche(request.user))
    form = ReprendreForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: actions.reprendre(plan, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le plan est renvoyé aux contrôleurs, avec vos raisons.")
        return redirect(plan)
    return _formulaire(
        request, form, titre="Renvoyer le plan", bouton="Renvoyer aux contrôleurs", retour=plan.get_absolute_url(),
        fil=f"Plan {annee}",
    )  # fmt: skip


@ecriture
@reserve_a(*RESPONSABLE)
def valider(request: Requete, annee: int) -> HttpResponse:
    plan = plan_de(annee)
    exiger(peut_valider_le_plan(request.user, plan))
    with refus_en_message(request):
        actions.valider(plan, par=request.user)
        messages.success(request, "Le plan est validé : ses contrôles sont programmés, chaque contrôleur est prévenu.")
    return redirect(plan)


@lecture_ecriture
@reserve_a(*RESPONSABLE)
def programmer(request: Requete) -> HttpResponse:
    """Un contrôle que rien n’avait prévu : un signalement, un contrôleur, maintenant."""
    exiger(tranche(request.user))
    form = ProgrammerForm(
        request.POST if request.method == "POST" else None, controleurs=controleurs_du_jour(),
        initial={"structure": request.GET.get("structure", ""), "origine": Origine.SIGNALEMENT},
    )  # fmt: skip
    annee = timezone.localdate().year
    if form.is_valid() and tenter(
        form, lambda: actions.programmer(annee=annee, par=request.user, **form.cleaned_data)
    ):  # fmt: skip
        messages.success(request, "Le contrôle est programmé ; le contrôleur est prévenu, la structure ne l’est pas.")
        return redirect("controles:plans")
    return _formulaire(
        request, form, titre="Programmer un contrôle hors du plan", bouton="Programmer",
        retour=reverse("controles:plans"), fil="Plan", chapeau="La structure n’en sait rien avant la notification.",
    )  # fmt: skip
