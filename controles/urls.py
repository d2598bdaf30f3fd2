from django.urls import path

from controles.views import visite

app_name = "controles"

urlpatterns = [
    # l’appareil du contrôleur
    path("controles/appareil/donnees/", visite.donnees, name="donnees_visites"),
    # la visite
    path("controles/<int:pk>/visite/", visite.fiche_en_ligne, name="visite"),
    path("controles/<int:pk>/operations/", visite.operations, name="operations"),
    path("controles/<int:pk>/photos/", visite.recevoir_photo, name="recevoir_photo"),
    path("controles/<int:pk>/photos/<uuid:photo_pk>/", visite.photo, name="photo"),
    path("controles/<int:pk>/photos/<uuid:photo_pk>/retirer/", visite.retirer_photo, name="retirer_photo"),
]
