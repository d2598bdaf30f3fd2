"""La production : tout vient de l’environnement, et ce qui manque arrête le démarrage."""

from config.settings.base import *
from config.settings.base import env

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PORTAIL_ADRESSE = env.str("PORTAIL_ADRESSE")
SECOND_FACTEUR_AGENTS = env.bool("SECOND_FACTEUR_AGENTS", True)

ALLAUTH_TRUSTED_PROXY_COUNT = 1  # le mandataire remplace X-Forwarded-For
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^sante/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_HTTPONLY = True

_courriel = env.url("COURRIEL_URL")
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": _courriel.hostname,
            "port": _courriel.port or 587,
            "username": _courriel.username or "",
            "password": _courriel.password or "",
            "use_tls": _courriel.scheme == "smtp+tls",
            "timeout": 10,
        },
    }
}
if _dsn := env.str("SENTRY_DSN", ""):
    import sentry_sdk

    sentry_sdk.init(dsn=_dsn, send_default_pii=False, include_local_variables=False)
