"""La page où n’importe qui vérifie qu’un document vient bien de la Caf. Aucune donnée personnelle."""

from __future__ import annotations

from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from comptes.acces import lecture, lecture_ecriture, publique
from documents.forms import VerifierForm, code_lu
from documents.models import ALPHABET, LONGUEUR_CODE, Acte

ESSAIS_PAR_MINUTE = 30


def _trop_d_essais(request: HttpRequest) -> bool:
    cle = f"verifier:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(cle, 0, timeout=60)
    return cache.incr(cle) > ESSAIS_PAR_MINUTE


@lecture_ecriture
@publique
def verifier(request: HttpRequest) -> HttpResponse:
    envoye = request.method == "POST"
    form = VerifierForm(request.POST if envoye else None, request.FILES if envoye else None)
    if request.method == "POST" and form.is_valid():
        if _trop_d_essais(request):
            return render(request, "documents/verifier.html", {"form": form, "trop": True}, status=429)
        fichier = form.cleaned_data["fichier"]
        if not fichier:
            return redirect("documents:verifier_code", form.cleaned_data["code"])
        empreinte = sha256(b"".join(fichier.chunks())).hexdigest()
        return _resultat(request, form.cleaned_data["code"], empreinte)
    return render(request, "documents/verifier.html", {"form": form}, status=422 if form.is_bound else 200)


@lecture
@publique
def verifier_code(request: HttpRequest, code: str) -> HttpResponse:
    if _trop_d_essais(request):
        return render(request, "documents/verifier.html", {"form": VerifierForm(), "trop": True}, status=429)
    return _resultat(request, code_lu(code))


def _resultat(request: HttpRequest, code: str, empreinte: str = "") -> HttpResponse:
    bien_forme = len(code) == LONGUEUR_CODE and not set(code) - set(ALPHABET)
    produits = Acte.objects.filter(produit_le__isnull=False).select_related("remplace_par")
    acte = produits.filter(code=code).first() if bien_forme else None
    contexte = {"acte": acte, "form": VerifierForm(initial={"code": code}), "cherche": True}
    if acte and empreinte:
        contexte["identique"] = empreinte == acte.empreinte
    return render(request, "documents/verifier.html", contexte, status=200 if acte else 404)
