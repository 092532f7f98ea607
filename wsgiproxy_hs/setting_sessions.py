"""How sessions are read, written and renewed, and the pages of sign-in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from wsgiproxy_hs.setting_faults import variable as _variable
from wsgiproxy_hs.setting_types import Count, Formats, Path, Seconds, TokenName


class SessionSettings(BaseModel):
    """How sessions are read, written and renewed, and the pages of sign-in."""

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
    session_store: Literal["cookie", "redis"] = _variable(
        "SESSION_STORE",
        default="cookie",
        doc="where sessions are kept: sealed into the `cookie`, or in `redis`, where they can be revoked",
    )
    sign_out_path: Path | None = _variable(
        "SIGN_OUT_PATH", default=None, doc="upstream path that revokes a refresh token, such as `/auth/jwt/blacklist/`"
    )
    page_sign_in: str | None = _variable("AUTH_PAGE_SIGN_IN", default=None, doc="your own sign-in page")
    page_sign_out: str | None = _variable("AUTH_PAGE_SIGN_OUT", default=None, doc="your own sign-out page")
    page_error: str | None = _variable("AUTH_PAGE_ERROR", default=None, doc="your own page for sign-in errors")
    page_verify_request: str | None = _variable("AUTH_PAGE_VERIFY_REQUEST", default=None, doc="your own page")

    @field_validator("session_store")
    @classmethod
    def _has_redis(cls, value: str, info: ValidationInfo) -> str:
        if value == "redis" and info.data.get("redis_url") is None:
            raise ValueError("sessions in redis need REDIS_URL (redis_url)")
        return value
