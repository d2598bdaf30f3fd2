from django.urls import path

from accueil.views import espace, public, realisations, sante

app_name = "accueil"

urlpatterns = [
    path("", public.accueil, name="accueil"),
    path("espace/", espace.espace, name="espace"),
    path("espace/contacts/<int:pk>/traite/", espace.contact_traite, name="contact_traite"),
    path("creer/", public.creer, name="creer"),
    path("gerer/", public.gerer, name="gerer"),
    path("carte/", public.carte, name="carte"),
    path("realisations/", public.realisations, name="realisations"),
    path("realisations/<slug:slug>/", public.realisation, name="realisation"),
    path("articles/", realisations.liste, name="articles"),
    path("articles/nouveau/", realisations.ecrire, name="nouvel_article"),
    path("articles/<int:pk>/", realisations.ecrire, name="ecrire_article"),
    path("questions/", public.questions, name="questions"),
    path("contact/", public.contact, name="contact"),
    path("contact/merci/", public.merci, name="merci"),
    path("accessibilite/", public.accessibilite, name="accessibilite"),
    path("mentions-legales/", public.mentions, name="mentions"),
    path("favicon.ico", public.icone, name="icone"),
    path(".well-known/security.txt", public.securite, name="securite"),
    path("sante/", sante.sante, name="sante"),
    path("sante/vivant", sante.vivant, name="vivant"),
]
