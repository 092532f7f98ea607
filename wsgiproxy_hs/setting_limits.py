"""How much one request may be, and how many may come."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.setting_faults import variable as _variable
from wsgiproxy_hs.setting_types import Count, Seconds, Throttling


class LimitSettings(BaseModel):
    """How much one request may be, and how many may come."""

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
    throttle_activate: Throttling = _variable(
        "THROTTLE_ACTIVATE", default=Rate(20, 3_600), doc="activations of accounts from one address"
    )
    throttle_reset_confirm: Throttling = _variable(
        "THROTTLE_RESET_CONFIRM", default=Rate(20, 3_600), doc="new passwords by a reset mail from one address"
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

    @property
    def head_limits(self) -> dict[str, int]:
        """How large the head of a request may be, as ``LimitsMiddleware`` takes it."""
        return {name: getattr(self, name) for name in ("max_url_bytes", "max_header_bytes", "max_cookie_bytes")}

    @property
    def throttles(self) -> dict[str, Rate | None]:
        """All rates, by the names of their settings."""
        return {name: getattr(self, name) for name in type(self).model_fields if name.startswith("throttle_")}
