"""Une ligne par application ; les adresses de chacune sont dans la sienne."""

from django.urls import include, path

handler403 = "accueil.views.erreurs.interdit"
handler404 = "accueil.views.erreurs.introuvable"
handler500 = "accueil.views.erreurs.panne"

urlpatterns = [
    path("", include("accueil.urls")),
    path("", include("comptes.urls")),
    path("", include("documents.urls")),
    path("", include("courriers.urls")),
    path("", include("partenaires.urls")),
    path("", include("agrements.urls")),
    path("", include("financements.urls")),
    path("", include("senacs.urls")),
    path("", include("aides.urls")),
    path("", include("controles.urls")),
]
