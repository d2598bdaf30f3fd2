from django.urls import path

app_name = "controles"

urlpatterns: list = []
