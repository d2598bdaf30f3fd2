"""La page où n’importe qui vérifie qu’un document vient bien de la Caf. Aucune donnée personnelle."""

from __future__ import annotations

import structlog
from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from redis.exceptions import RedisError

from comptes.acces import lecture, lecture_ecriture, publique
from documents.forms import VerifierForm, code_lu
from documents.models import ALPHABET, LONGUEUR_CODE, Acte
from documents.reception import empreinte_de

journal = structlog.get_logger(__name__)

ESSAIS_PAR_MINUTE = 30


def _trop_d_essais(request: HttpRequest) -> bool:
    """Compte par adresse et par minute. Cache mort : on laisse passer, le code (59 bits) ne se devine pas."""
    cle = f"verifier:{get_adapter().get_client_ip(request)}"
    try:
        cache.add(cle, 0, timeout=60)
        return cache.incr(cle) > ESSAIS_PAR_MINUTE
    except (RedisError, ValueError) as erreur:  # ValueError : la minute a fini entre les deux gestes
        journal.warning("debit_non_compte", erreur=str(erreur))
        return False


def _patienter(request: HttpRequest) -> HttpResponse:
    reponse = render(request, "documents/verifier.html", {"form": VerifierForm(), "trop": True}, status=429)
    reponse.headers["Retry-After"] = "60"
    return reponse


@lecture_ecriture
@publique
def verifier(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "documents/verifier.html", {"form": VerifierForm()})
    if _trop_d_essais(request):
        return _patienter(request)
    form = VerifierForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "documents/verifier.html", {"form": form}, status=422)
    fichier = form.cleaned_data["fichier"]
    if fichier is None:
        return redirect("documents:verifier_code", form.cleaned_data["code"])
    return _resultat(request, form.cleaned_data["code"], empreinte_de(fichier))


@lecture
@publique
def verifier_code(request: HttpRequest, code: str) -> HttpResponse:
    if _trop_d_essais(request):
        return _patienter(request)
    return _resultat(request, code_lu(code))


def _resultat(request: HttpRequest, code: str, empreinte: str = "") -> HttpResponse:
    bien_forme = len(code) == LONGUEUR_CODE and not set(code) - set(ALPHABET)
    produits = Acte.objects.produits().select_related("remplace_par")
    acte = produits.filter(code=code).first() if bien_forme else None
    contexte = {"acte": acte, "form": VerifierForm(initial={"code": code if acte is None else ""}), "cherche": True}
    if acte and empreinte:
        contexte["identique"] = empreinte == acte.empreinte
    return render(request, "documents/verifier.html", contexte, status=200 if acte else 404)
