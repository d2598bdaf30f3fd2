"""Écrire les articles du site public, dans le portail."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from comptes.acces import lecture, lecture_ecriture, reserve_a
from comptes.http import Requete
from partenaires.actions import AUTEURS, ecrire_realisation
from partenaires.forms import RealisationForm
from partenaires.models import Realisation
from socle.listes import paginer


@lecture
@reserve_a(*AUTEURS)
def liste(request: Requete) -> HttpResponse:
    articles = Realisation.objects.select_related("auteur", "structure").order_by("-pk")
    return render(request, "accueil/articles.html", {"page": paginer(request, articles)})


@lecture_ecriture
@reserve_a(*AUTEURS)
def ecrire(request: Requete, pk: int = 0) -> HttpResponse:
    article = get_object_or_404(Realisation, pk=pk) if pk else None
    form = RealisationForm(
        request.POST if request.method == "POST" else None,
        instance=article,
        initial={"publier": bool(article and article.publiee_le)},
    )
    if form.is_valid():
        ecrire_realisation(par=request.user, realisation=article, **form.cleaned_data)
        messages.success(request, "L’article est enregistré.")
        return redirect("accueil:articles")
    statut = 422 if form.is_bound else 200
    return render(request, "accueil/ecrire_article.html", {"form": form, "article": article}, status=statut)
