"""Le site public : ce qu’est un centre social, créer, gérer, trouver, lire, écrire."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone

from comptes.acces import Vue, lecture, lecture_ecriture, publique
from partenaires.actions import recevoir_contact
from partenaires.forms import ContactPublicForm
from partenaires.models import Commune, Realisation, Structure
from socle.listes import paginer

MESSAGES_PAR_HEURE = 5


@lecture
@publique
def accueil(request: HttpRequest) -> HttpResponse:
    publiees = Realisation.objects.filter(publiee_le__lte=timezone.localdate())
    contexte = {
        "realisations": publiees[:3],
        "centres": Structure.objects.ouvertes().filter(type="centre_social").count(),
        "espaces": Structure.objects.ouvertes().filter(type="evs").count(),
    }
    return render(request, "accueil/accueil.html", contexte)


def _page(gabarit: str) -> Vue:
    @lecture
    @publique
    def vue(request: HttpRequest) -> HttpResponse:
        return render(request, gabarit)

    return vue


creer = _page("accueil/creer.html")
gerer = _page("accueil/gerer.html")
questions = _page("accueil/questions.html")
accessibilite = _page("accueil/accessibilite.html")
mentions = _page("accueil/mentions.html")


@lecture
@publique
def carte(request: HttpRequest) -> HttpResponse:
    """La carte et, à côté, le tableau qui dit la même chose."""
    structures = Structure.objects.ouvertes().select_related("commune", "gestionnaire")
    points = [
        {
            "nom": s.nom,
            "commune": s.commune.nom,
            "lat": s.lat or s.commune.lat,
            "lon": s.lon or s.commune.lon,
            "type": s.type,
        }
        for s in structures
    ]
    return render(request, "accueil/carte.html", {"structures": structures, "points": points})


@lecture
@publique
def realisations(request: HttpRequest) -> HttpResponse:
    publiees = Realisation.objects.filter(publiee_le__lte=timezone.localdate()).select_related("structure")
    return render(request, "accueil/realisations.html", {"page": paginer(request, publiees)})


@lecture
@publique
def realisation(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(
        Realisation.objects.filter(publiee_le__lte=timezone.localdate()).select_related("structure__commune"), slug=slug
    )
    return render(request, "accueil/realisation.html", {"article": article})


@lecture_ecriture
@publique
def contact(request: HttpRequest) -> HttpResponse:
    """Un message au chargé de conseil de la commune choisie ; cinq par heure et par adresse au plus."""
    choisie = Commune.objects.filter(pk=request.GET.get("commune", "")).first()
    form = ContactPublicForm(
        request.POST if request.method == "POST" else None,
        initial={"commune": choisie.pk if choisie else None, "objet": request.GET.get("objet", "creer")},
    )
    if form.is_valid():
        cle = f"contact:{request.META.get('REMOTE_ADDR', '')}"
        cache.add(cle, 0, timeout=3600)
        if cache.incr(cle) > MESSAGES_PAR_HEURE:
            form.add_error(None, "Vous avez envoyé plusieurs messages : attendez une heure, ou téléphonez à la Caf.")
        else:
            champs = {nom: form.cleaned_data[nom] for nom in ("commune", "nom", "courriel", "message")}
            recevoir_contact(objet=dict(form.OBJETS)[form.cleaned_data["objet"]], **champs)
            return redirect("accueil:merci")
    return render(request, "accueil/contact.html", {"form": form}, status=422 if form.is_bound else 200)


merci = _page("accueil/merci.html")


@lecture
@publique
def icone(request: HttpRequest) -> HttpResponse:
    """Devant un PDF ou du JSON, un navigateur ne lit aucune balise : il demande cette adresse-ci."""
    return redirect(static("favicon.svg"), permanent=True)


@lecture
@publique
def securite(request: HttpRequest) -> HttpResponse:
    """RFC 9116 : où signaler une faille."""
    expire = (timezone.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    racine = settings.PORTAIL_ADRESSE.rstrip("/")
    lignes = (
        f"Contact: {racine}/contact/",
        f"Expires: {expire}",
        "Preferred-Languages: fr",
        f"Canonical: {racine}/.well-known/security.txt",
    )
    return HttpResponse("\n".join(lignes) + "\n", content_type="text/plain; charset=utf-8")
