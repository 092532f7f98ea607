"""Settings: typed, all faults reported at once, secrets that hide themselves.

``Settings.from_environ(os.environ)`` reads the environment variables that the fields name;
``Settings(backend_url=...)`` takes the same values from code. Either raises one
:class:`~wsgiproxy_hs.exceptions.ConfigurationError` that lists every fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.setting_faults import setting_faults
from wsgiproxy_hs.setting_faults import variable as _variable
from wsgiproxy_hs.setting_faults import variables as variables
from wsgiproxy_hs.setting_types import (
    Count,
    Formats,
    HttpUrl,
    Origins,
    Path,
    Prefix,
    Seconds,
    Secret,
    Throttling,
    TokenName,
    Trusted,
    UpstreamUrl,
    origin_of,
)
from wsgiproxy_hs.trusted_proxies import TrustedProxies

SECRET_VARIABLES: Final = ("AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1", "AUTH_SECRET", "NEXTAUTH_SECRET")
"""The first that is set seals; all that are set unseal (F025)."""


class Settings(BaseModel):
    """Everything the stack needs to know. Immutable; secrets print as stars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend_url: UpstreamUrl = _variable(
        "BACKEND_URL",
        doc="the Django backend: `http://...`, `https://...` or `unix:/run/django.sock`; a path in it comes first",
    )
    public_url: HttpUrl = _variable(
        "AUTH_URL",
        "NEXTAUTH_URL",
        doc="where browsers find this server; its scheme decides cookie names and `Secure`, its path where sign-in is",
    )
    secrets: Annotated[tuple[Secret, ...], Field(min_length=1)] = _variable(
        *SECRET_VARIABLES, doc="secrets of the sessions, at least 32 characters each: the first seals, all unseal"
    )
    trusted_proxies: Trusted = _variable(
        "TRUSTED_PROXIES",
        default=TrustedProxies(),
        doc="proxies in front that may say who the client is: networks (`10.0.0.0/8, unix`), or how many; else nobody",
    )
    allowed_origins: Origins = _variable(
        "ALLOWED_ORIGINS",
        default=(),
        doc="further origins whose pages may use the API with the session, such as `https://admin.example.com`",
    )
    via_pseudonym: TokenName = _variable(
        "VIA_PSEUDONYM", default="wsgiproxy_hs", doc="our name in `Via`, by which loops are found: one for each server"
    )
    prefix: Prefix = _variable(
        "WSGIPROXY_PREFIX", default="/api", doc="what precedes every public path; `/` when the host takes it away"
    )
    routes: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] = _variable(
        "WSGIPROXY_ROUTES", default="wsgiproxy_hs.table:ROUTES", doc="the route table, as `package.module:NAME`"
    )
    authorization_scheme: TokenName = _variable(
        "AUTHORIZATION_SCHEME", default="JWT", doc="the word before the access token in `Authorization`"
    )
    session_cookie_name: TokenName = _variable(
        "SESSION_COOKIE_NAME", default="authjs.session-token", doc="name of the session cookie, without its prefix"
    )
    session_formats: Formats = _variable(
        "SESSION_FORMATS",
        default=("authjs", "next-auth", "signed"),
        doc="session formats read, in this order; `flask` is Flask's own, whose `SECRET_KEY` is then `AUTH_SECRET`",
    )
    session_format: Literal["authjs", "signed"] = _variable(
        "SESSION_FORMAT", default="authjs", doc="session format written"
    )
    session_max_age_seconds: Count = _variable(
        "SESSION_MAX_AGE_SECONDS", default=30 * 86_400, doc="how long a session lives without being used"
    )
    access_token_claim: str = _variable(
        "ACCESS_TOKEN_CLAIM", default="accessToken", doc="the claim of the session that holds the access token"
    )
    refresh_token_claim: str = _variable(
        "REFRESH_TOKEN_CLAIM", default="refreshToken", doc="the claim of the session that holds the refresh token"
    )
    refresh_path: Path = _variable(
        "REFRESH_PATH", default="/auth/jwt/refresh/", doc="upstream path that redeems a refresh token"
    )
    renewal_margin_seconds: Seconds = _variable(
        "RENEWAL_MARGIN_SECONDS", default=60.0, doc="how long before its end an access token is renewed"
    )
    renewal_timeout_seconds: Seconds = _variable(
        "RENEWAL_TIMEOUT_SECONDS", default=30.0, doc="longest wait for the backend to redeem a refresh token"
    )
    renewal_wait_seconds: Seconds = _variable(
        "RENEWAL_WAIT_SECONDS", default=30.0, doc="longest wait of a request for a new access token; then it is 503"
    )
    renewal_grace_seconds: Annotated[float, Field(gt=0, le=31 * 86_400)] = _variable(
        "RENEWAL_GRACE_SECONDS", default=86_400.0, doc="how long an old cookie still leads to the renewed session"
    )
    renewal_directory: str | None = _variable(
        "RENEWAL_DIRECTORY",
        default=None,
        doc="private folder through which processes agree on renewals; else one of this user's in `/tmp`",
    )
    redis_url: SecretStr | None = _variable(
        "REDIS_URL", default=None, doc="Redis through which hosts agree on renewals, `redis://host:6379/0`"
    )
    sign_out_path: Path | None = _variable(
        "SIGN_OUT_PATH", default=None, doc="upstream path that revokes a refresh token, such as `/auth/jwt/blacklist/`"
    )
    page_sign_in: str | None = _variable("AUTH_PAGE_SIGN_IN", default=None, doc="your own sign-in page")
    page_sign_out: str | None = _variable("AUTH_PAGE_SIGN_OUT", default=None, doc="your own sign-out page")
    page_error: str | None = _variable("AUTH_PAGE_ERROR", default=None, doc="your own page for sign-in errors")
    page_verify_request: str | None = _variable("AUTH_PAGE_VERIFY_REQUEST", default=None, doc="your own page")
    connect_timeout_seconds: Seconds = _variable(
        "CONNECT_TIMEOUT_SECONDS", default=5.0, doc="longest wait for a connection to the backend"
    )
    first_byte_timeout_seconds: Seconds = _variable(
        "FIRST_BYTE_TIMEOUT_SECONDS", default=60.0, doc="longest wait for the backend to begin its answer"
    )
    idle_timeout_seconds: Seconds = _variable(
        "IDLE_TIMEOUT_SECONDS", default=60.0, doc="longest pause within the backend's answer"
    )
    total_timeout_seconds: Seconds = _variable(
        "TOTAL_TIMEOUT_SECONDS", default=600.0, doc="longest time for a whole answer of the backend"
    )
    stream_idle_timeout_seconds: Seconds = _variable(
        "STREAM_IDLE_TIMEOUT_SECONDS", default=3600.0, doc="longest pause of an event stream, which has no total"
    )
    heartbeat_seconds: Seconds = _variable(
        "STREAM_HEARTBEAT_SECONDS", default=15.0, doc="longest silence of an event stream towards the browser"
    )
    max_connections: Count = _variable(
        "MAX_UPSTREAM_CONNECTIONS", default=64, doc="most connections to the backend at once, for each process"
    )
    ca_bundle: str | None = _variable(
        "UPSTREAM_CA_BUNDLE", default=None, doc="file of the authorities that may vouch for the backend"
    )
    client_certificate: str | None = _variable(
        "UPSTREAM_CLIENT_CERTIFICATE", default=None, doc="file with our certificate and key for the backend"
    )
    max_body_bytes: Count = _variable(
        "MAX_BODY_BYTES", default=1_048_576, doc="largest request body where the row sets no limit of its own"
    )
    max_json_depth: Annotated[int, Field(gt=0, le=500)] = _variable(
        "MAX_JSON_DEPTH", default=64, doc="deepest nesting of a JSON body"
    )
    max_json_keys: Count = _variable("MAX_JSON_KEYS", default=10_000, doc="most keys in a JSON body")
    max_json_digits: Annotated[int, Field(gt=0, le=4_000)] = _variable(
        "MAX_JSON_DIGITS", default=1_000, doc="longest number in a JSON body"
    )
    max_upload_seconds: Seconds = _variable(
        "MAX_UPLOAD_SECONDS", default=300.0, doc="longest time for a request body to arrive"
    )
    min_upload_bytes_per_second: Annotated[int, Field(ge=0)] = _variable(
        "MIN_UPLOAD_BYTES_PER_SECOND", default=500, doc="slowest that a body may arrive, after 20 seconds; 0 for any"
    )
    max_url_bytes: Count = _variable("MAX_URL_BYTES", default=8_192, doc="longest path and query of a request")
    max_header_bytes: Count = _variable("MAX_HEADER_BYTES", default=65_536, doc="most bytes of all header fields")
    max_cookie_bytes: Count = _variable("MAX_COOKIE_BYTES", default=32_768, doc="longest `Cookie` header")
    max_requests_at_once: Count = _variable(
        "MAX_REQUESTS_AT_ONCE", default=32, doc="most requests of one signed-in person under way, for each process"
    )
    throttle_sign_in_address: Throttling = _variable(
        "THROTTLE_SIGN_IN_ADDRESS", default=Rate(60, 900), doc="attempts to sign in from one address, or `off`"
    )
    throttle_sign_in_account: Throttling = _variable(
        "THROTTLE_SIGN_IN_ACCOUNT", default=Rate(10, 900), doc="attempts in a row to sign in to one account"
    )
    throttle_register: Throttling = _variable(
        "THROTTLE_REGISTER", default=Rate(10, 3_600), doc="registrations from one address"
    )
    throttle_resend: Throttling = _variable(
        "THROTTLE_RESEND", default=Rate(5, 3_600), doc="activation mails asked for from one address"
    )
    throttle_reset: Throttling = _variable(
        "THROTTLE_RESET", default=Rate(5, 3_600), doc="password resets asked for from one address"
    )
    throttle_contact: Throttling = _variable(
        "THROTTLE_CONTACT", default=Rate(5, 3_600), doc="mails of the contact form from one address"
    )
    throttle_translate: Throttling = _variable(
        "THROTTLE_TRANSLATE", default=Rate(60, 60), doc="translations of one person"
    )
    throttle_transcribe: Throttling = _variable(
        "THROTTLE_TRANSCRIBE", default=Rate(20, 60), doc="transcriptions of one person"
    )
    transcribe_path: Path | None = _variable(
        "TRANSCRIBE_PATH", default=None, doc="upstream path of `transcribe-audio`; else `/api/transcribe-audio/`"
    )
    contact_email_from: str | None = _variable(
        "CONTACT_EMAIL_FROM", default=None, doc="sender of the contact form's mails"
    )
    contact_email_to: str | None = _variable(
        "CONTACT_EMAIL_TO", default=None, doc="the one recipient of the contact form's mails"
    )
    sendgrid_api_key: SecretStr | None = _variable(
        "SENDGRID_API_KEY", default=None, doc="key of SendGrid, which sends the contact form's mails"
    )
    sendgrid_url: HttpUrl = _variable("SENDGRID_URL", default="https://api.sendgrid.com", doc="where SendGrid is")
    smtp_url: SecretStr | None = _variable(
        "CONTACT_SMTP_URL", default=None, doc="instead of SendGrid: `smtp://user:password@host:587` or `smtps://...`"
    )
    mail_folder: str | None = _variable(
        "CONTACT_MAIL_FOLDER", default=None, doc="instead of both: a folder for the mails, for demos"
    )
    openai_api_key: SecretStr | None = _variable("OPENAI_API_KEY", default=None, doc="key for translations")
    openai_base_url: HttpUrl = _variable(
        "OPENAI_BASE_URL", default="https://api.openai.com/v1", doc="any OpenAI-compatible service, for translations"
    )
    translate_model: str = _variable("TRANSLATE_MODEL", default="gpt-4o-mini", doc="the model that translates")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(setting_faults(error, self.__class__.model_fields, [])) from None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Settings from environment variables; a variable that is set to nothing counts as not set.

        :raises ConfigurationError: naming each variable that is missing or wrong, and how to mend it.
        """
        given = {name: environ[name].strip() for name in environ if environ[name].strip()}
        values: dict[str, Any] = {}
        for name, info in cls.model_fields.items():
            found = [given[variable] for variable in variables(info) if variable in given]
            if found:
                values[name] = found if name == "secrets" else found[0]
        settings = cls.__new__(cls)
        try:
            BaseModel.__init__(settings, **values)
        except ValidationError as error:
            secret_names = [name for name in SECRET_VARIABLES if name in given]
            raise ConfigurationError(setting_faults(error, cls.model_fields, secret_names)) from None
        return settings

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """The secrets in plain text, for the codecs; the first one seals."""
        return tuple(secret.get_secret_value() for secret in self.secrets)

    @property
    def head_limits(self) -> dict[str, int]:
        """How large the head of a request may be, as ``LimitsMiddleware`` takes it."""
        return {name: getattr(self, name) for name in ("max_url_bytes", "max_header_bytes", "max_cookie_bytes")}

    @property
    def throttles(self) -> dict[str, Rate | None]:
        """All rates, by the names of their settings."""
        return {name: getattr(self, name) for name in type(self).model_fields if name.startswith("throttle_")}

    @property
    def clocks(self) -> dict[str, float]:
        """How long an exchange with the upstream may take, as ``Clocks`` takes it."""
        return {
            "connect": self.connect_timeout_seconds,
            "first_byte": self.first_byte_timeout_seconds,
            "idle": self.idle_timeout_seconds,
            "total": self.total_timeout_seconds,
            "stream_idle": self.stream_idle_timeout_seconds,
        }

    @property
    def forwarding(self) -> dict[str, Any]:
        """What the upstream is told in every request, as ``Forwarding`` takes it."""
        return {"public_url": self.public_url, "trusted": self.trusted_proxies, "pseudonym": self.via_pseudonym}

    @property
    def secure(self) -> bool:
        """Whether the public URL is https, and so cookies are ``Secure``."""
        return self.public_url.startswith("https:")

    @property
    def public_origin(self) -> str:
        """``https://app.example.com``: what browsers send as ``Origin`` from our own pages."""
        return origin_of(self.public_url)

    @property
    def auth_path(self) -> str:
        """Where browsers find sign-in: the public URL's path, else ``auth`` below the prefix."""
        return urlsplit(self.public_url).path or f"{self.prefix}/auth"
