"""Another site makes the browser of somebody who is signed in send a request that it did not mean to send.

A form, a script or an image of that site: the browser adds our cookie, and the session would do the rest. Through the
whole stack, for every row of the table (RFC 10017, section 6.1; F146, F147, F158).
"""

from __future__ import annotations

import re

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request, session_cookie
from wsgiproxy_hs.routes import SAFE_METHODS, CrossSite
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.table import ROUTES

SETTINGS = Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET])
COOKIE = session_cookie()
FORMS = {
    "a form of another site": {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
    },
    "a form in a sandbox": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "an old browser's form": {"Origin": "https://evil.example"},
    "a form that hides its origin": {"Origin": "null"},
    "a neighbour's form": {"Origin": "https://other.example.com", "Sec-Fetch-Site": "same-site"},
    "the same host without TLS": {"Origin": "http://app.example.com", "Sec-Fetch-Site": "cross-site"},
    "the same host on another port": {"Origin": "https://app.example.com:8443", "Sec-Fetch-Site": "same-site"},
    "a host that begins alike": {"Origin": "https://app.example.com.evil.example"},
    "a script with our header": {"Origin": "https://evil.example", "X-Requested-With": "fetch", "X-CSRF": "1"},
}
UNSAFE = [
    (method, route)
    for route in ROUTES
    for method in route.method_names
    if method not in SAFE_METHODS and route.cross_site is not CrossSite.EXEMPT
]


def path_of(route):
    return "/api/" + re.sub(r"\{\w+(\.\.\.)?\}", "7", route.path)


@pytest.mark.parametrize(("method", "route"), UNSAFE, ids=lambda value: getattr(value, "path", value))
@pytest.mark.parametrize("form", FORMS)
def test_no_row_acts_for_another_site(method, route, form):
    """Every unsafe request of every row, but for the signed webhook, is 403 and reaches nothing."""
    upstream = FakeUpstream()
    headers = {**FORMS[form], "Cookie": COOKIE}
    environ = request(method, path_of(route), headers=headers, content_type="text/plain")
    result = call(create_app(SETTINGS, transport=upstream), environ)
    assert (result.code, result.document["code"]) == (403, "cross-site-refused")
    assert upstream.sent == []


@pytest.mark.parametrize(
    ("method", "route"),
    [row for row in UNSAFE if row[1].cross_site is CrossSite.CHECKED],
    ids=lambda value: getattr(value, "path", value),
)
def test_a_cookie_alone_is_not_enough(method, route):
    """A client that says nothing about itself must send the header that no form can (F146)."""
    upstream = FakeUpstream()
    result = call(create_app(SETTINGS, transport=upstream), request(method, path_of(route), headers={"Cookie": COOKIE}))
    assert (result.code, result.document["code"]) == (403, "cross-site-header-missing")
    assert "X-Requested-With" in result.document["error"]
    assert upstream.sent == []


@pytest.mark.parametrize(
    "evidence",
    [{"Origin": PUBLIC_URL}, {"Sec-Fetch-Site": "same-origin"}, {"X-CSRF": "1"}, {"X-Requested-With": "fetch"}],
)
def test_our_own_page_is_served(evidence):
    """What the browser says of our own page, or our header, is enough."""
    upstream = FakeUpstream()
    environ = request("POST", "/api/workspaces", headers={"Cookie": COOKIE, **evidence}, body=b"{}")
    assert call(create_app(SETTINGS, transport=upstream), environ).code == 200


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_another_sites_script_reads_nothing(method):
    """No answer allows another origin to read it, nor a preflight to go on (F158)."""
    headers = {"Cookie": COOKIE, "Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    upstream = FakeUpstream(headers=[("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")])
    result = call(create_app(SETTINGS, transport=upstream), request(method, "/api/workspaces", headers=headers))
    assert not [name for name, _ in result.headers if name.lower().startswith("access-control")]


def test_a_forged_request_costs_nothing():
    """It is refused before the cookie is unsealed and the body read."""

    class Untouchable:
        def __getattr__(self, name):
            raise AssertionError(name)

    from wsgiproxy_hs.routes import Route

    app = create_app(SETTINGS, transport=FakeUpstream(), sessions=Untouchable(), routes=[Route("POST", "x", "/x/")])
    assert (
        call(app, request("POST", "/api/x", headers={"Cookie": COOKIE, "Origin": "https://evil.example"})).code == 403
    )


# What only reads, and further origins

READING = [("GET", route) for route in ROUTES if "GET" in route.method_names]
LOADS = {
    "an image": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a script": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
    "a frame": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a neighbour's image": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a script that asks": {"Origin": "https://evil.example"},
}
FRIEND = "https://admin.example.com"
OPEN = SETTINGS.model_copy(update={"allowed_origins": (FRIEND,)})


@pytest.mark.parametrize(("method", "route"), READING, ids=lambda value: getattr(value, "path", value))
@pytest.mark.parametrize("load", LOADS)
def test_no_row_lets_another_site_load_its_answer(method, route, load):
    """With somebody's cookie, every row that can be read is 403 to another origin, and reaches nothing."""
    upstream = FakeUpstream()
    environ = request(method, path_of(route), headers={**LOADS[load], "Cookie": COOKIE})
    assert call(create_app(SETTINGS, transport=upstream), environ).code == 403
    assert upstream.sent == []


def test_a_link_on_another_site_leads_to_the_page():
    """A person who follows a link sees what is theirs; the other site does not."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    environ = request("GET", "/api/workspaces", headers={**headers, "Cookie": COOKIE})
    assert call(create_app(SETTINGS, transport=FakeUpstream()), environ).code == 200


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", FRIEND + ".evil.example", PUBLIC_URL, "*"])
def test_no_row_answers_a_preflight_of_a_stranger(route, origin):
    """For every row and method, with further origins set: 403 and not a word that lets the browser go on (F158)."""
    for method in route.method_names:
        headers = {"Origin": origin, "Access-Control-Request-Method": method}
        result = call(create_app(OPEN, transport=FakeUpstream()), request("OPTIONS", path_of(route), headers=headers))
        assert result.code == 403
        assert not [name for name, _ in result.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_a_further_origin_gets_what_the_row_allows_and_never_a_wildcard(route):
    """Every row and method: granted to the exact origin, but for sign-in and the webhook, which stay refused."""
    for method in route.method_names:
        headers = {"Origin": FRIEND, "Access-Control-Request-Method": method}
        result = call(create_app(OPEN, transport=FakeUpstream()), request("OPTIONS", path_of(route), headers=headers))
        is_own = route.cross_site is CrossSite.EXEMPT or (
            route.cross_site is CrossSite.OWN_TOKEN and method not in SAFE_METHODS
        )
        assert result.code == (403 if is_own else 204)
        assert result.header("Access-Control-Allow-Origin") == (None if is_own else FRIEND)
        assert not [name for name, value in result.headers if value == "*"]


def test_a_further_origin_uses_the_api_and_reads_its_errors():
    """Its request goes through with the cookie, and the answer, or the refusal, is for its eyes."""
    app = create_app(OPEN, transport=FakeUpstream())
    headers = {"Origin": FRIEND, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}
    for cookie, code in (({"Cookie": COOKIE}, 200), ({}, 401)):
        result = call(app, request("POST", "/api/workspaces", headers={**headers, **cookie}, body=b"{}"))
        assert (result.code, result.header("Access-Control-Allow-Origin")) == (code, FRIEND)
        assert "Origin" in result.all("Vary")


EARLY = {
    400: {"path": "/api/workspaces/%2e%2e/x", "raw_target": "/api/workspaces/%2e%2e/x"},
    404: {"path": "/api/nothing"},
    405: {"method": "POST", "path": "/api/subscriptions/pricing", "body": b""},
    414: {"path": "/api/workspaces", "query": "x" * 9_000},
    431: {"path": "/api/workspaces", "headers": {"X-Large": "x" * 70_000}},
}


@pytest.mark.parametrize("origin", [FRIEND, "https://evil.example"])
@pytest.mark.parametrize("code", EARLY)
def test_errors_of_the_first_layers_are_read_by_further_origins_alone(code, origin):
    """What is refused before anybody asks where it came from can be read by those who may read, and nobody else."""
    case = dict(EARLY[code])
    headers = {"Origin": origin, "Cookie": COOKIE, **case.pop("headers", {})}
    result = call(create_app(OPEN, transport=FakeUpstream()), request(headers=headers, **case))
    assert result.code == code
    assert result.header("Access-Control-Allow-Origin") == (origin if origin == FRIEND else None)
    assert result.header("Vary") == "Origin"
