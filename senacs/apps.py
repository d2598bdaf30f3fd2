from django.apps import AppConfig


class SenacsConfig(AppConfig):
    name = "senacs"
    verbose_name = "Senacs"

    def ready(self) -> None:
        from senacs import abonnements  # noqa: F401, PLC0415 — les abonnements se branchent une fois les apps prêtes
