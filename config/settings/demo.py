"""Le portail sur un poste : services embarqués, données de démonstration, aucun courriel ne part."""

import secrets

from config.settings.base import *
from config.settings.base import MEDIA_ROOT, env

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
PORTAIL_DEMONSTRATION = True
SECOND_FACTEUR_AGENTS = env.bool("SECOND_FACTEUR_AGENTS", False)

_cle = MEDIA_ROOT.parent / "cle-secrete"
if "SECRET_KEY" in env:
    SECRET_KEY = env.str("SECRET_KEY")
else:
    _cle.parent.mkdir(parents=True, exist_ok=True)
    if not _cle.exists():
        _cle.write_text(secrets.token_urlsafe(50))
        _cle.chmod(0o600)
    SECRET_KEY = _cle.read_text()

MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {"file_path": MEDIA_ROOT.parent / "courriels"},
    }
}
PORTAIL_IBAN_PAYEUR = "FR7630006000011234567890189"  # IBAN d’exemple public, n’appartient à personne
PORTAIL_BIC_PAYEUR = "AGRIFRPP"
PORTAIL_ICS = "FR72ZZZ123456"  # identifiant créancier d’exemple
