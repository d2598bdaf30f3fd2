from importlib import import_module

from django.apps import AppConfig


class ControlesConfig(AppConfig):
    name = "controles"
    verbose_name = "contrôles"

    def ready(self) -> None:
        import_module("controles.abonnements")
