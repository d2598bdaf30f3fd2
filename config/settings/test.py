"""Les tests : vrai PostgreSQL, vrai Redis ; seuls les tests du worker lancent un worker."""

import tempfile
from pathlib import Path

from config.settings.base import *
from config.settings.base import BASE_DIR

SECRET_KEY = "cle-de-test-sans-valeur-hors-des-tests"  # noqa: S105
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
SECOND_FACTEUR_AGENTS = False
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
STATIC_ROOT = BASE_DIR / "tests" / "vendor"  # whitenoise veut un dossier ; rien n’y est écrit
MEDIA_ROOT = Path(tempfile.gettempdir())  # chaque test range ses fichiers dans le sien
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
