"""Settings of the reference backend.

Everything a deployment may want to change comes from the environment; README.md lists the variables.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from config import environment

BASE_DIR = Path(__file__).resolve().parent.parent

# Everything written at run time (database, mail, stored objects) lives below this one folder. It has to exist
# before SQLite opens its file there.
DATA_DIR = Path(environment.text("BACKEND_DATA_DIR", str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

# --- Core -----------------------------------------------------------------------------------------

# DEMO ONLY: whoever knows this key can forge every token. Set BACKEND_SECRET_KEY anywhere else.
SECRET_KEY = environment.text(
    "BACKEND_SECRET_KEY", "demo-only-key-which-everyone-can-read-in-the-source-code"
)
DEBUG = environment.flag("BACKEND_DEBUG")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *environment.words("BACKEND_ALLOWED_HOSTS")]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "tests.runner.IsolatedRunner"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_simplejwt.token_blacklist",
    "djoser",
    "accounts",
    "workspaces",
    "teams",
    "invitations",
    "storage",
    "documents",
    "knowledge_bases",
    "chats",
    "subscriptions",
    "transcription",
    "demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

# Only djoser's mails are templates here; the API itself renders none.
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# Failures of the server go to stderr, where the process manager collects them. Django's own logging would
# only mail them to administrators. Refused requests are the clients' business.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "ERROR"}},
}

# --- Database -------------------------------------------------------------------------------------

# Several server threads share one SQLite file. WAL lets readers and the writer work side by side, IMMEDIATE
# takes the write lock when a request begins instead of failing half-way, and the timeout waits for that lock.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": environment.text("BACKEND_DATABASE", str(DATA_DIR / "db.sqlite3")),
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

# --- Accounts and tokens --------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Scrypt first: as strong as Django's default PBKDF2 and several times faster, which matters to test suites.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.negotiation.AlwaysJSON",
}

SIMPLE_JWT = {
    "AUTH_HEADER_TYPES": ("JWT",),
    "ACCESS_TOKEN_LIFETIME": environment.seconds("BACKEND_ACCESS_TOKEN_SECONDS", timedelta(hours=100)),
    "REFRESH_TOKEN_LIFETIME": environment.seconds("BACKEND_REFRESH_TOKEN_SECONDS", timedelta(days=14)),
    "ROTATE_REFRESH_TOKENS": environment.flag("BACKEND_ROTATE_REFRESH_TOKENS"),
    "BLACKLIST_AFTER_ROTATION": True,
}

FRONT_END_BASE_URL = environment.text("FRONT_END_BASE_URL", "http://localhost:3000").rstrip("/")

DJOSER = {
    "SEND_ACTIVATION_EMAIL": True,
    "SEND_CONFIRMATION_EMAIL": True,
    "USER_CREATE_PASSWORD_RETYPE": True,
    "PASSWORD_RESET_CONFIRM_RETYPE": True,
    "ACTIVATION_URL": environment.text("BACKEND_ACTIVATION_URL", "user-activation/{uid}/{token}"),
    "PASSWORD_RESET_CONFIRM_URL": environment.text(
        "BACKEND_PASSWORD_RESET_URL", "confirm-password-reset/{uid}/{token}"
    ),
    "EMAIL_FRONTEND_PROTOCOL": urlsplit(FRONT_END_BASE_URL).scheme,
    "EMAIL_FRONTEND_DOMAIN": urlsplit(FRONT_END_BASE_URL).netloc,
    "EMAIL_FRONTEND_SITE_NAME": "Reference backend",
}

# --- Mail -----------------------------------------------------------------------------------------

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = "backend@example.com"

# --- Documents and their bytes --------------------------------------------------------------------

DOCUMENT_MAX_UPLOAD_SIZE = int(environment.number("DOCUMENT_MAX_UPLOAD_SIZE", 50 * 1024 * 1024))
DOCUMENT_ALLOWED_EXTENSIONS = environment.words(
    "DOCUMENT_ALLOWED_EXTENSIONS", "pdf,docx,txt,csv,md,pptx,xlsx"
)
STORAGE_DIR = DATA_DIR / "objects"
STORAGE_URL_SECONDS = environment.number("BACKEND_STORAGE_URL_SECONDS", 900)
# Where browsers reach the object store, when that differs from the host name the API was called by.
STORAGE_PUBLIC_URL = environment.text("BACKEND_PUBLIC_URL").rstrip("/")
# A presigned URL carries its own permission and no cookie, so any origin may use it by default.
STORAGE_ALLOWED_ORIGIN = environment.text("BACKEND_STORAGE_ALLOWED_ORIGIN", "*")

# --- Chats ----------------------------------------------------------------------------------------

AGENT_ASYNC_ENABLED = environment.flag("AGENT_ASYNC_ENABLED")
AGENT_TASK_SECONDS = environment.number("BACKEND_AGENT_TASK_SECONDS", 0.5)
CHAT_STREAM_DELAY_SECONDS = environment.number("BACKEND_CHAT_STREAM_DELAY_SECONDS", 0.05)

# --- Subscriptions and transcription --------------------------------------------------------------

STRIPE_WEBHOOK_SECRET = environment.text("STRIPE_WEBHOOK_SECRET")
TRANSCRIBE_MAX_UPLOAD_SIZE = int(environment.number("TRANSCRIBE_MAX_UPLOAD_SIZE", 25 * 1024 * 1024))

# --- Fault routes, for testing clients ------------------------------------------------------------

FAULT_ROUTES = environment.flag("BACKEND_FAULT_ROUTES")
