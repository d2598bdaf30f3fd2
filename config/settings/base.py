"""Ce qui vaut partout. Les valeurs propres à un lieu viennent de l’environnement (voir ``prod``)."""

from pathlib import Path
from typing import Any

import environ
import structlog
from django.utils.csp import CSP

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

# --- Lieu -----------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False  # les montants passent par ``socle`` : un seul rendu, un seul analyseur
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "comptes.Utilisateur"

PORTAIL_NOM = "Portail AVS"
PORTAIL_CAF = "Caf de Maine-et-Loire"
PORTAIL_DEMONSTRATION = False
PORTAIL_IBAN_PAYEUR = env.str("PORTAIL_IBAN_PAYEUR", "")  # le compte d’où partent les virements
PORTAIL_BIC_PAYEUR = env.str("PORTAIL_BIC_PAYEUR", "")
PORTAIL_ICS = env.str("PORTAIL_ICS", "")  # l’identifiant créancier SEPA, pour prélever les échéances des prêts
PORTAIL_ADRESSE = env.str("PORTAIL_ADRESSE", "http://127.0.0.1:8000")  # racine des liens des courriels et des QR
SECOND_FACTEUR_AGENTS = True  # TOTP exigé des agents de la Caf
CLAMD_ADRESSE = env.str("CLAMD_ADRESSE", "")  # vide : aucun antivirus, les fichiers restent « non analysés »

# --- Applications ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accueil",
    "controles",
    "financements",
    "senacs",
    "aides",
    "agrements",
    "partenaires",
    "courriers",
    "documents",
    "comptes",
    "socle",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "pgtrigger",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "socle.middleware.EntetesMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "comptes.middleware.ConnexionExigeeMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "comptes.middleware.ProlongationMiddleware",
    "comptes.middleware.SecondFacteurMiddleware",
    "partenaires.middleware.StructureCouranteMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accueil.contexte.habillage",
            ],
            "builtins": ["socle.templatetags.presentation"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Base, cache, tâches --------------------------------------------------------------------------------------------
BORNES_SQL = "-c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000"


def base_de_donnees(url: str) -> dict[str, Any]:
    """PostgreSQL et rien d’autre ; les bornes empêchent une page de rester pendue.

    django-environ range l’hôte d’une adresse ``?host=/dossier`` (socket) dans OPTIONS : on le remet à sa place.
    """
    base = environ.Env.db_url_config(url)
    options = base.pop("OPTIONS", {})
    base["HOST"] = options.pop("host", base["HOST"])
    return {
        **base,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 0,  # imposé par la réserve de connexions
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "tcp_user_timeout": 3000,
            **options,
            "options": BORNES_SQL,
            "pool": {"min_size": 1, "max_size": 8, "timeout": 10},
        },
    }


DATABASES = {"default": base_de_donnees(env.str("DATABASE_URL", "postgres://portail@localhost/portail"))}
REDIS_URL = env.str("REDIS_URL", "redis://localhost:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", REDIS_URL)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
# Le pouls a sa file : cinq cents lettres à produire ne l’étouffent pas.
CELERY_TASK_ROUTES = {"accueil.horloge.battre": {"queue": "pouls"}}
CELERY_BEAT_SCHEDULE = {
    "vider-la-boite-d-envoi": {"task": "courriers.horloge.vider_la_boite_d_envoi", "schedule": 60.0},
    "produire-les-actes-en-attente": {"task": "documents.horloge.produire_les_actes_en_attente", "schedule": 60.0},
    "analyser-les-fichiers": {"task": "documents.horloge.analyser_les_fichiers", "schedule": 3600.0},
    "reprendre-les-recalculs": {"task": "financements.horloge.reprendre_les_recalculs", "schedule": 60.0},
    "ouvrir-les-recalculs": {"task": "financements.horloge.ouvrir_les_recalculs", "schedule": 3600.0},
    "relancer-les-campagnes": {"task": "financements.horloge.relancer", "schedule": 3600.0},
    "faire-vivre-les-agrements": {"task": "agrements.horloge.faire_vivre_les_agrements", "schedule": 3600.0},
    "rappeler-les-pieces-qui-expirent": {
        "task": "agrements.horloge.rappeler_les_pieces_qui_expirent",
        "schedule": 6 * 3600.0,
    },
    "suivre-les-aides": {"task": "aides.horloge.suivre_les_aides", "schedule": 3600.0},
    "suivre-les-controles": {"task": "controles.horloge.suivre_les_controles", "schedule": 3600.0},
    "relancer-senacs": {"task": "senacs.horloge.relancer", "schedule": 3600.0},
    "pouls": {"task": "accueil.horloge.battre", "schedule": 20.0},
}

# --- Comptes et sessions --------------------------------------------------------------------------------------------
LOGIN_URL = "/connexion/"
LOGIN_REDIRECT_URL = "/espace/"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("courriel", "prenom", "nom")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "comptes.allauth.AdaptateurComptes"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "courriel"
ACCOUNT_EMAIL_VERIFICATION = "none"  # l’adresse est prouvée par l’invitation
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True  # un changement d’identifiant se dit par courriel
MFA_ADAPTER = "comptes.mfa.AdaptateurSecondFacteur"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = PORTAIL_NOM

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 60 * 60  # une heure sans rien faire ; l’écran prévient cinq minutes avant
SESSION_PREAVIS = 5 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "accueil.views.erreurs.csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Sécurité du navigateur -----------------------------------------------------------------------------------------
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# --- Fichiers -------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "static_root")))
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / ".local" / "fichiers")))  # hors de toute adresse publique
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if _s3 := env.str("STOCKAGE_S3", ""):  # sans lui, MEDIA_ROOT
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "endpoint_url": _s3,
            "bucket_name": env.str("STOCKAGE_S3_SEAU", "portail-avs"),
            "access_key": env.str("STOCKAGE_S3_CLE"),
            "secret_key": env.str("STOCKAGE_S3_SECRET"),
            "region_name": env.str("STOCKAGE_S3_REGION", "us-east-1"),
            "addressing_style": "path",
            "signature_version": "s3v4",
            "default_acl": None,  # rien de public : un fichier ne sort que par une vue
            "file_overwrite": False,
            "max_memory_size": 1024 * 1024,  # au-delà, un fichier lu passe par le disque
        },
    }
DEPOT_TAILLE_MAX = 20 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_PERMISSIONS = 0o600

# --- Courriel -------------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.str("COURRIEL_EXPEDITEUR", "Portail AVS <ne-pas-repondre@portail.invalid>")
MAILERS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}

# --- Journal technique ----------------------------------------------------------------------------------------------
# Une ligne JSON par événement, d’où qu’il vienne (portail, Django, bibliothèque). Une trace dit où, jamais avec quelles
# valeurs : ``format_exc_info`` n’écrit pas les variables locales, qui portent des noms, des adresses, des jetons.
_COMMUNS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            "foreign_pre_chain": _COMMUNS,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("JOURNAL_NIVEAU", "WARNING")},
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_COMMUNS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
