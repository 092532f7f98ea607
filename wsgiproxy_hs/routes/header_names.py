"""Which request headers a row may let travel: none that says who the client is, or what the request really means."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9-]+")

FORBIDDEN: Final[dict[str, re.Pattern[str]]] = {
    "credentials and cookies stay here; the upstream gets the access token": re.compile(
        r"authorization|cookie2?|set-cookie|x-api-key|x-auth-token|x-csrf"
    ),
    "it belongs to one connection or to the framing of one message": re.compile(
        r"host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-length|content-type"
        r"|max-forwards|http2-settings|proxy|proxy-.*"
    ),
    "who the client is and how it got here is said by this server alone": re.compile(
        r"via|forwarded|x-forwarded.*|(x-)?(real|client|cluster-client|true-client|originating)-ip|x-originating-.*"
        r"|x-cluster-client-ip|true-client-ip|cf-.*|fastly-client-ip|x-envoy-.*|x-azure-.*|x-arr-.*|x-request-id"
    ),
    "who the user is is said by the access token alone": re.compile(
        r"(x-)?remote-.*|x-(auth|authenticated|webauth|user|userinfo|consumer|account|tenant|jwt|goog|ms-client)(-.*)?"
        r"|(x-)?ssl-.*|x-client-(cert|dn|verify).*|client-cert.*|x-amzn-.*|x-(logged|role|roles|groups?|scopes?|email)(-.*)?"
    ),
    "it would make another request of the one that was checked": re.compile(
        r"(x-)?http-method.*|x-method.*|x-original-.*|x-rewrite-.*|x-override-.*|x-host|x-url|destination"
    ),
    "it speaks to the inside of some server": re.compile(
        r"x-accel-.*|x-sendfile.*|x-middleware-.*|x-nextjs-.*|x-internal-.*|x-debug.*|(x-)?wsgi.*"
    ),
}
"""Names in lower case, by the reason why they do not travel (F052, F053, F055, F087 to F092)."""


def header_fault(name: str) -> str | None:
    """Why no row may let this request header travel; ``None`` when one may.

    A name of other characters than letters, digits and hyphens is refused: ``X_User`` and ``X-User`` are one key for
    WSGI, and the server behind this one may read ``X.User`` as the same (F090).
    """
    if not _NAME.fullmatch(name):
        return f"request_headers: {name!r} is not a name of letters, digits and hyphens"
    for reason, pattern in FORBIDDEN.items():
        if pattern.fullmatch(name.lower()):
            return f"request_headers: {name!r} never travels: {reason}"
    return None
