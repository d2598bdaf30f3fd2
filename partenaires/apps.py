from importlib import import_module

from django.apps import AppConfig


class PartenairesConfig(AppConfig):
    name = "partenaires"
    verbose_name = "partenaires"

    def ready(self) -> None:
        import_module("partenaires.abonnements")
