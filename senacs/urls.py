from django.urls import path

from senacs import views

app_name = "senacs"

urlpatterns = [
    path("senacs/", views.accueil, name="accueil"),
    path("senacs/suivi/", views.suivi, name="suivi"),
    path("senacs/suivi/relancer/", views.relancer, name="relancer"),
    path("senacs/suivi/dates/", views.regler, name="regler"),
    path("senacs/<int:pk>/", views.fiche, name="releve"),
    path("senacs/<int:pk>/contribuer/", views.contribuer, name="contribuer"),
    path("senacs/<int:pk>/rouvrir/", views.rouvrir, name="rouvrir"),
    path("senacs/<int:pk>/preuve/", views.preuve, name="preuve"),
    path("senacs/<int:pk>/export.<slug:forme>", views.exporter, name="exporter"),
]
