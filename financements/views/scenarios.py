"""Les scénarios budgétaires, côte à côte."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.http import Requete
from financements.actions import scenarios as actions
from financements.forms import ScenarioForm
from financements.models import Scenario
from financements.views.baremes import REGLEURS
from socle.erreurs import Refus
from socle.listes import PAR_PAGE
from socle.texte import annee


@lecture
@reserve_a(*REGLEURS)
def liste(request: Requete) -> HttpResponse:
    """Les scénarios d’un exercice comparés : total, écart, une barre chacun, et le tableau."""
    annees = list(Scenario.objects.values_list("exercice", flat=True).order_by("-exercice").distinct())
    defaut = annees[0] if annees else timezone.localdate().year
    exercice = annee(request.GET.get("exercice", "")) or defaut
    scenarios = list(Scenario.objects.filter(exercice=exercice).select_related("cree_par")[:20])
    plus_grand = max(
        [Decimal(v) for s in scenarios for v in (s.resultat["avant"], s.resultat["apres"])], default=Decimal(1)
    ) or Decimal(1)
    lignes = []
    for scenario in scenarios:
        avant, apres = Decimal(scenario.resultat["avant"]), Decimal(scenario.resultat["apres"])
        lignes.append((scenario, avant, apres, apres - avant, int(apres * 100 / plus_grand)))
    contexte = {"exercice": exercice, "annees": annees, "lignes": lignes}
    return render(request, "financements/scenarios.html", contexte)


@lecture_ecriture
@reserve_a(*REGLEURS)
def creer(request: Requete) -> HttpResponse:
    form = ScenarioForm(
        request.POST if request.method == "POST" else None, initial={"exercice": timezone.localdate().year}
    )
    if form.is_valid():
        try:
            scenario = actions.creer(form.save(commit=False), par=request.user)
        except Refus as refus:
            form.add_error(None, str(refus))
        except ValidationError as erreur:
            form.add_error(None, list(erreur.messages))
        else:
            messages.success(request, "Le scénario est calculé ; aucun droit n’a changé.")
            return redirect(scenario)
    return render(request, "financements/creer_scenario.html", {"form": form}, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*REGLEURS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    scenario = get_object_or_404(Scenario.objects.select_related("cree_par"), pk=pk)
    montants = [
        (ligne["nom"], Decimal(ligne["avant"]), Decimal(ligne["apres"])) for ligne in scenario.resultat["lignes"]
    ]
    lignes = [(nom, avant, apres, apres - avant) for nom, avant, apres in montants]
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    avant, apres = Decimal(scenario.resultat["avant"]), Decimal(scenario.resultat["apres"])
    contexte = {"scenario": scenario, "page": page, "avant": avant, "apres": apres, "ecart": apres - avant}
    return render(request, "financements/scenario.html", contexte)


@ecriture
@reserve_a(*REGLEURS)
def retenir(request: Requete, pk: int) -> HttpResponse:
    scenario = actions.retenir(get_object_or_404(Scenario, pk=pk), par=request.user)
    messages.success(request, f"« {scenario} » est retenu pour la séance.")
    return redirect("financements:scenarios")
