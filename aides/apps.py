from django.apps import AppConfig


class AidesConfig(AppConfig):
    name = "aides"
    verbose_name = "aides locales"

    def ready(self) -> None:
        from aides import abonnements  # noqa: F401, PLC0415 — les abonnements se branchent une fois les apps prêtes
