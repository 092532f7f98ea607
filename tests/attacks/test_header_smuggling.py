"""Somebody sends a header that the upstream would take for the word of a server that it trusts.

Who the user is, who the client is, which method or path is really meant, that a check was made already: through the
whole stack, in every spelling in which such a name can reach WSGI (F052, F053, F055, F087 to F092).
"""

from __future__ import annotations

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, access_token, call, request, session_cookie
from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.routes import ANY, NONE, RAW, Route
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

SETTINGS = Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET])
EVIL = "evil-value-0815"
NAMES = [
    "Authorization",
    "Proxy-Authorization",
    "Cookie2",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Access-Token",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Cluster-Client-IP",
    "X-Originating-IP",
    "Remote-User",
    "X-Remote-User",
    "Remote-Groups",
    "X-User",
    "X-User-Id",
    "X-Auth-Request-User",
    "X-Authenticated-User",
    "X-WebAuth-User",
    "X-SSL-Client-Cert",
    "SSL-Client-S-DN",
    "X-Client-Cert",
    "X-Tenant-Id",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Original-URL",
    "X-Original-Host",
    "X-Original-Method",
    "X-Rewrite-URL",
    "X-Host",
    "X-Accel-Redirect",
    "X-Sendfile",
    "X-Middleware-Subrequest",
    "X-Internal-Request",
    "X-WSGIProxy-HS-Session",
    "WSGIProxy-HS-Access-Token",
    "Proxy",
    "Connection",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Upgrade",
    "Max-Forwards",
]
SPELLINGS = {
    "as it is": lambda name: name,
    "in small letters": str.lower,
    "in capitals": str.upper,
    "with underscores": lambda name: name.replace("-", "_"),
    "with dots": lambda name: name.replace("-", "."),
    "with a mixture": lambda name: name.replace("-", "_", 1).replace("-", "."),
    "with a blank behind it": lambda name: name + " ",
}
every_name = pytest.mark.parametrize("name", NAMES)
every_spelling = pytest.mark.parametrize("spelling", SPELLINGS)


def keys_of(name):
    """The environ keys that servers make of a header name: hyphens are folded, the rest is left or folded."""
    upper = name.upper().replace("-", "_")
    return {
        f"HTTP_{upper}",
        f"HTTP_{upper.replace('.', '_').replace(' ', '_')}",
        f"HTTP_{name.upper()}",
        f"HTTP_{name}",
    }


def sent(**keys):
    """What the upstream got of a request with these environ keys."""
    upstream = FakeUpstream()
    environ = request("GET", "/api/workspaces", headers={"Cookie": session_cookie(access_token())})
    result = call(create_app(SETTINGS, transport=upstream), {**environ, **keys}, validate=False)
    assert result.code == 200
    (one,) = upstream.sent
    return one


@every_name
@every_spelling
def test_a_header_that_the_upstream_might_believe_never_leaves(name, spelling):
    """The client sets it, in any spelling: neither its value nor its name reaches the upstream."""
    one = sent(**dict.fromkeys(keys_of(SPELLINGS[spelling](name)), EVIL))
    assert EVIL not in repr(one)
    assert all(character.isalnum() or character == "-" for header in one.headers for character in header)


def test_the_browsers_cookie_and_authorization_never_leave():
    """The session's token goes out, the browser's does not (F087, F088)."""
    one = sent(HTTP_AUTHORIZATION=f"JWT {EVIL}", REMOTE_USER=EVIL, AUTH_TYPE=EVIL)
    assert one.headers["Authorization"].startswith("JWT ey")
    assert EVIL not in repr(one)
    assert "Cookie" not in one.headers


def test_a_request_without_a_session_has_no_authorization():
    """Where no token is needed, the browser's own is not sent in its stead (F088)."""
    upstream = FakeUpstream()
    environ = request("GET", "/api/subscriptions/pricing", headers={"Authorization": f"JWT {EVIL}"})
    call(create_app(SETTINGS, transport=upstream), environ)
    assert "Authorization" not in upstream.sent[0].headers


def test_connection_cannot_take_our_own_headers_away():
    """``Connection: authorization, x-forwarded-for`` names what a careless proxy would drop (F094)."""
    one = sent(HTTP_CONNECTION="close, Authorization, X-Forwarded-For, X-Request-ID, Forwarded")
    assert {"Authorization", "X-Forwarded-For", "X-Request-ID", "Forwarded"} <= set(one.headers)


@every_name
@every_spelling
def test_no_row_may_let_such_a_header_travel(name, spelling):
    """A row that names one is refused when it is built, and the refusal says why."""
    with pytest.raises(ConfigurationError, match="request_headers"):
        Route(ANY, "x", "/x/", NONE, RAW, request_headers=(SPELLINGS[spelling](name),))


@pytest.mark.parametrize(
    "name",
    [
        "Cookie",
        "Host",
        "Via",
        "Content-Length",
        "Content-Type",
        "Transfer-Encoding",
        "Expect",
        "X-Request-ID",
        "X-API-Key",
        "X_User",
        "X.User",
        "",
        "X User",
        "X-User\r\nX-Other",
        "X-Üser",
        "X-A:",
    ],
)
def test_no_row_may_let_what_we_write_ourselves_travel(name):
    """Nor a name that could be read as another one (F090)."""
    with pytest.raises(ConfigurationError, match="request_headers"):
        Route(ANY, "x", "/x/", NONE, RAW, request_headers=(name,))


@pytest.mark.parametrize(
    "name", ["Stripe-Signature", "X-Hub-Signature-256", "Svix-Id", "X-CSRFToken", "X-Feature", "Origin"]
)
def test_a_row_may_let_others_travel(name):
    """A signature, or what an application made up."""
    assert Route(ANY, "x", "/x/", NONE, RAW, request_headers=(name,)).request_headers == (name,)
