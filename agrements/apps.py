from importlib import import_module

from django.apps import AppConfig


class AgrementsConfig(AppConfig):
    name = "agrements"
    verbose_name = "agréments"

    def ready(self) -> None:
        import_module("agrements.abonnements")
