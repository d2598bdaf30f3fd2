from django.urls import path

from courriers import views

app_name = "courriers"

urlpatterns = [
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/tout-lire/", views.tout_lire, name="tout_lire"),
    path("notifications/<int:pk>/", views.lire, name="lire"),
]
