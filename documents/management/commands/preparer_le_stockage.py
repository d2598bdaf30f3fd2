from __future__ import annotations

from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Crée le seau du stockage S3 s’il manque, puis y écrit, relit et efface un fichier. Rejouable."

    def handle(self, *args: Any, **options: Any) -> None:
        stockage: Any = default_storage
        if hasattr(stockage, "bucket_name"):
            self._creer_le_seau(stockage)
        contenu = uuid4().bytes
        nom = stockage.save(f"essai/{uuid4().hex}", ContentFile(contenu))
        try:
            with stockage.open(nom) as fichier:
                if fichier.read() != contenu:
                    raise CommandError("Le stockage ne rend pas ce qu’on lui a confié.")
        finally:
            stockage.delete(nom)
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
