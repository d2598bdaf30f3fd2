"""Les tests : vrai PostgreSQL, vrai Redis ; seuls les tests du worker lancent un worker."""

import tempfile
from pathlib import Path

from config.settings.base import *
from config.settings.base import MIDDLEWARE, env

SECRET_KEY = "cle-de-test-sans-valeur-hors-des-tests"  # noqa: S105
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
SECOND_FACTEUR_AGENTS = False
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
MEDIA_ROOT = Path(env.str("MEDIA_ROOT_TEST", tempfile.gettempdir()))  # chaque test range ses fichiers dans le sien
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Les tests servent les fichiers statiques depuis leurs sources : whitenoise cherche ceux que collectstatic range.
MIDDLEWARE = [etage for etage in MIDDLEWARE if "whitenoise" not in etage]
PORTAIL_IBAN_PAYEUR = "FR7630006000011234567890189"
PORTAIL_BIC_PAYEUR = "AGRIFRPP"
PORTAIL_ICS = "FR72ZZZ123456"
