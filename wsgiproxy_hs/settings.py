"""Settings: typed, all faults reported at once, secrets that hide themselves.

``Settings.from_environ(os.environ)`` reads the environment variables that the fields name;
``Settings(backend_url=...)`` takes the same values from code. Either raises one
:class:`~wsgiproxy_hs.exceptions.ConfigurationError` that lists every fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.secret_strength import secret_fault

SECRET_VARIABLES: Final = ("AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1", "AUTH_SECRET", "NEXTAUTH_SECRET")
"""The first that is set seals; all that are set unseal (F025)."""

_URL_CHARACTERS: Final = re.compile(r"[!-\[\]-~]*")  # visible ASCII without the backslash


def _http_url(value: str) -> str:
    """An absolute http(s) URL without user, query or fragment, and without a slash at its end."""
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError("not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise ValueError("not an http:// or https:// URL with a host")
    if "@" in parts.netloc or parts.query or parts.fragment or not _URL_CHARACTERS.fullmatch(value):
        raise ValueError("a user, a query, a fragment or blanks do not belong into this URL")
    return value.rstrip("/")


def _secret(value: SecretStr) -> SecretStr:
    """Long enough, and not one that can be read in a tutorial (F036, F037)."""
    fault = secret_fault(value.get_secret_value())
    if fault is not None:
        raise ValueError(fault)
    return value


def _names(value: Any) -> Any:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def _path(value: str) -> str:
    if not value.startswith("/") or value.startswith("//") or not value.endswith("/"):
        raise ValueError("write the path with a slash at both ends")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(gt=0)]
SessionFormat = Literal["authjs", "next-auth", "signed", "flask"]
Formats = Annotated[tuple[SessionFormat, ...], BeforeValidator(_names), Field(min_length=1)]
Prefix = Annotated[
    str,
    BeforeValidator(lambda value: value.rstrip("/") if isinstance(value, str) else value),
    Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$"),
]
Path = Annotated[str, AfterValidator(_path)]
TokenName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]


def _variable(*names: str, default: Any = ..., doc: str) -> Any:
    """A setting read from the first of the variables that is set."""
    return Field(default=default, description=doc, json_schema_extra={"variables": list(names)})


class Settings(BaseModel):
    """Everything the stack needs to know. Immutable; secrets print as stars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend_url: HttpUrl = _variable("BACKEND_URL", doc="the Django backend; a path in it precedes every upstream path")
    public_url: HttpUrl = _variable(
        "AUTH_URL",
        "NEXTAUTH_URL",
        doc="where browsers find this server; its scheme decides cookie names and `Secure`, its path where sign-in is",
    )
    secrets: Annotated[tuple[Secret, ...], Field(min_length=1)] = _variable(
        *SECRET_VARIABLES, doc="secrets of the sessions, at least 32 characters each: the first seals, all unseal"
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
        "SESSION_FORMATS", default=("authjs", "next-auth", "signed"), doc="session formats read, in this order; `flask` is Flask's own, whose `SECRET_KEY` is then `AUTH_SECRET`"
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
            raise ConfigurationError(_faults(error, [])) from None

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
            raise ConfigurationError(_faults(error, [name for name in SECRET_VARIABLES if name in given])) from None
        return settings

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """The secrets in plain text, for the codecs; the first one seals."""
        return tuple(secret.get_secret_value() for secret in self.secrets)

    @property
    def clocks(self) -> dict[str, float]:
        """How long an exchange with the upstream may take, as ``Clocks`` takes it."""
        return {
            "connect": self.connect_timeout_seconds,
            "first_byte": self.first_byte_timeout_seconds,
            "idle": self.idle_timeout_seconds,
            "total": self.total_timeout_seconds,
        }

    @property
    def secure(self) -> bool:
        """Whether the public URL is https, and so cookies are ``Secure``."""
        return self.public_url.startswith("https:")

    @property
    def public_origin(self) -> str:
        """``https://app.example.com``: what browsers send as ``Origin`` from our own pages."""
        parts = urlsplit(self.public_url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        default_port = {"http": 80, "https": 443}[parts.scheme]
        port = "" if parts.port in (None, default_port) else f":{parts.port}"
        return f"{parts.scheme}://{host}{port}"

    @property
    def auth_path(self) -> str:
        """Where browsers find sign-in: the public URL's path, else ``auth`` below the prefix."""
        return urlsplit(self.public_url).path or f"{self.prefix}/auth"


def variables(info: FieldInfo) -> tuple[str, ...]:
    """The environment variables of a setting, in the order in which they are looked at."""
    extra = info.json_schema_extra
    return tuple(extra["variables"]) if isinstance(extra, dict) else ()  # type: ignore[arg-type]


def _faults(error: ValidationError, secret_variables: Sequence[str]) -> list[str]:
    """One sentence a fault, which begins with what has to be mended and never repeats a value.

    :param secret_variables: the variables that the secrets were read from, when they came from variables.
    """
    faults: dict[str, str] = {}
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"]) or "settings"
        if fault["type"] == "too_short" and any(seen.startswith(f"{name}.") for seen in faults):
            continue
        faults[name] = f"{_label(fault, secret_variables)} {_complaint(fault)}"
    return list(faults.values())


def _label(fault: ErrorDetails, secret_variables: Sequence[str]) -> str:
    """``AUTH_URL (public_url)``"""
    name, *place = fault["loc"] or ("settings",)
    info = Settings.model_fields.get(str(name))
    if info is None:
        return str(name)
    if name == "secrets":
        numbered = place and isinstance(place[0], int) and place[0] < len(secret_variables)
        return secret_variables[place[0]] if numbered else "AUTH_SECRET (secrets)"  # type: ignore[index]
    return f"{variables(info)[0]} ({name})"


def _complaint(fault: ErrorDetails) -> str:
    if fault["type"] == "missing":
        return f"is not set: {Settings.model_fields[str(fault['loc'][0])].description}"
    context = fault.get("ctx") or {}
    message = str(context.get("error", fault["msg"]))
    return message if fault["loc"][0] == "secrets" and "error" in context else f"is wrong: {message}"
