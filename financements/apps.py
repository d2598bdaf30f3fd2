from importlib import import_module

from django.apps import AppConfig


class FinancementsConfig(AppConfig):
    name = "financements"
    verbose_name = "financements"

    def ready(self) -> None:
        import_module("financements.abonnements")
