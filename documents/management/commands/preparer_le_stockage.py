from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from documents.stockage import eprouver


class Command(BaseCommand):
    help = "Crée le seau du stockage S3 s’il manque, puis y écrit, relit et efface un fichier. Rejouable."

    def handle(self, *args: Any, **options: Any) -> None:
        stockage: Any = default_storage
        if hasattr(stockage, "bucket_name"):
            self._creer_le_seau(stockage)
        eprouver()
        self.stdout.write("Le stockage est prêt.")

    def _creer_le_seau(self, stockage: Any) -> None:
        client = stockage.connection.meta.client
        try:
            client.head_bucket(Bucket=stockage.bucket_name)
        except ClientError as erreur:
            if erreur.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
                raise CommandError(f"Le stockage refuse l’accès au seau {stockage.bucket_name} : {erreur}") from erreur
            client.create_bucket(Bucket=stockage.bucket_name)
            self.stdout.write(f"Seau {stockage.bucket_name} créé.")
