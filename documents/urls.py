from django.urls import path

from documents.views import verification

app_name = "documents"

urlpatterns = [
    path("verifier/", verification.verifier, name="verifier"),
    path("verifier/<str:code>/", verification.verifier_code, name="verifier_code"),
]
