"""L’application du contrôleur : une coquille sans donnée, que l’appareil garde pour ouvrir ses visites sans réseau."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse

from comptes.acces import lecture, publique, reserve_a
from comptes.choix import Role
from comptes.http import Requete

COQUILLE = "controles/appareil/coquille.html"
# Ce que la page nomme (adresse empreinte), puis les modules qui s’importent entre eux (adresse nue).
NOMMES = (
    "favicon.svg",
    "appareil/icone-192.png",
    "appareil/icone-512.png",
    "vendor/bootstrap/bootstrap.min.css",
    "css/portail.css",
    "css/visite.css",
    "polices/portail-sans-400.woff2",
    "polices/portail-sans-400-italique.woff2",
    "polices/portail-sans-600.woff2",
    "polices/portail-sans-700.woff2",
    "js/visite/demarrage.js",
)
MODULES = ("js/activite.js", "vendor/idb/index.js")
# Le micro ne sert qu’à dicter ; la photo passe par le choix de fichier, qui n’a besoin d’aucune permission.
PERMISSIONS = "camera=(), geolocation=(), microphone=(self), payment=(), usb=(), interest-cohort=()"


@lecture
@reserve_a(Role.CONTROLEUR)
def appareil(request: Requete) -> HttpResponse:
    """La coquille : elle se garde sur l’appareil, donc ne montre ni nom, ni jeton, ni visite."""
    return HttpResponse(_coquille(), headers={"Permissions-Policy": PERMISSIONS})


def _coquille() -> str:
    return render_to_string(COQUILLE, {"portail": settings.PORTAIL_NOM})


def _source(nom: str) -> Path:
    """Lève FileNotFoundError : la coquille nomme un fichier qui n’existe pas."""
    trouve = finders.find(nom)
    if trouve is None:
        raise FileNotFoundError(nom)
    return Path(trouve)


def _modules() -> list[str]:
    dossier = _source("js/visite/demarrage.js").parent
    siens = sorted(f"js/visite/{f.name}" for f in dossier.glob("*.js"))
    return [*MODULES, *(nom for nom in siens if nom not in ("js/visite/demarrage.js", "js/visite/service_worker.js"))]


@cache
def script_de_garde() -> str:
    """Le script, précédé de ce qu’il garde ; sa version change dès qu’un seul de ces fichiers change."""
    modules = _modules()
    corps = _source("js/visite/service_worker.js").read_text(encoding="utf-8")
    empreinte = sha256((_coquille() + corps).encode())
    for nom in (*NOMMES, *modules):
        empreinte.update(_source(nom).read_bytes())
    coquille = reverse("controles:appareil")
    racine = settings.STATIC_URL
    adresses = [coquille, *(static(nom) for nom in NOMMES), *(f"{racine}{nom}" for nom in modules)]
    entete = {"VERSION": empreinte.hexdigest()[:16], "COQUILLE": coquille, "ADRESSES": adresses}
    return "".join(f"const {nom} = {json.dumps(valeur)};\n" for nom, valeur in entete.items()) + corps


@publique
@lecture
def service_worker(request: Requete) -> HttpResponse:
    """Public : une session finie n’empêche pas l’appareil de vérifier sa coquille, qui ne dit rien de personne."""
    return HttpResponse(
        script_de_garde(),
        content_type="text/javascript; charset=utf-8",
        headers={"Service-Worker-Allowed": "/controles/", "Cache-Control": "no-cache"},
    )


@publique
@lecture
def manifeste(request: Requete) -> JsonResponse:
    """Ce que l’appareil lit pour installer l’application. Public : il se demande sans session."""
    depart = reverse("controles:appareil")

    def icone(nom: str, cote: int, usage: str) -> dict[str, str]:
        return {"src": static(f"appareil/{nom}"), "sizes": f"{cote}x{cote}", "type": "image/png", "purpose": usage}

    return JsonResponse(
        {
            "id": depart,
            "name": f"Visites de contrôle, {settings.PORTAIL_NOM}",
            "short_name": "Visites",
            "description": "Mener une visite de contrôle sans réseau.",
            "lang": "fr",
            "dir": "ltr",
            "start_url": depart,
            "scope": depart,
            "display": "standalone",
            "background_color": "#faf8f4",
            "theme_color": "#14284b",
            "icons": [
                icone("icone-192.png", 192, "any"),
                icone("icone-512.png", 512, "any"),
                icone("icone-masque-512.png", 512, "maskable"),
            ],
        },
        content_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},
    )
