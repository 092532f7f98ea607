"""Somebody sends a link to our sign-in, which then sends the victim on to a page of the attacker's (F103, F104, F149).

Through the whole stack, judged by the rules that browsers follow; redirects of the upstream are the other way out.
"""

from __future__ import annotations

import json
from urllib.parse import quote, unquote, urlencode

import pytest

from tests.auth.test_callback_urls import HOSTILE
from tests.fuzz import whatwg
from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request, session_cookie
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

SITE = whatwg.parse(PUBLIC_URL)
TEXTS = [text for text in HOSTILE if text.isascii() and len(text) < 200]


def stack(upstream):
    return create_app(Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]), transport=upstream)


def stays(url):
    parsed = whatwg.parse(url, SITE)
    return parsed is not None and parsed.origin == SITE.origin and not parsed.credentials


def check(result):
    """Every place to which an answer can lead is ours: Location, the remembered cookie, the URL in a document."""
    for location in result.all("Location"):
        assert stays(location), location
    for line in result.all("Set-Cookie"):
        name, _, rest = line.partition("=")
        if name.endswith("callback-url"):
            assert stays(unquote(rest.partition(";")[0])), line
    if (result.header("Content-Type") or "").startswith("application/json") and result.body:
        document = result.document
        url = document.get("url") if isinstance(document, dict) else None
        assert url is None or stays(url), url


@pytest.mark.parametrize("hostile", TEXTS)
def test_no_link_to_us_leads_away(hostile):
    """Pages and documents with a hostile ``callbackUrl``, in the query or remembered in the cookie, lead to us."""
    app = stack(FakeUpstream())
    cookie = "__Secure-authjs.callback-url=" + quote(hostile, safe="")
    for page in ("signin", "signout", "csrf", "error", "session"):
        check(call(app, request("GET", f"/api/auth/{page}", query=urlencode({"callbackUrl": hostile}))))
        check(call(app, request("GET", f"/api/auth/{page}", headers={"Cookie": cookie})))


@pytest.mark.parametrize("hostile", TEXTS)
@pytest.mark.parametrize("action", ["signout", "signin/credentials", "callback/credentials"])
def test_no_action_leads_away(hostile, action):
    """Signing in and out with a hostile ``callbackUrl`` in the form leads to us, by header and by document."""
    token = json.dumps({"access": "a.b.c", "refresh": "d.e.f"}).encode()
    app = stack(FakeUpstream(body=token))
    csrf = call(app, request("GET", "/api/auth/csrf"))
    cookies = "; ".join(line.partition(";")[0] for line in csrf.all("Set-Cookie"))
    form = urlencode(
        {"csrfToken": csrf.document["csrfToken"], "callbackUrl": hostile, "email": "a@b.c", "password": "p"}
    ).encode()
    for further in ({}, {"X-Auth-Return-Redirect": "1"}):
        headers = {"Cookie": cookies, "Origin": PUBLIC_URL, **further}
        keys = {"headers": headers, "body": form, "content_type": "application/x-www-form-urlencoded"}
        result = call(app, request("POST", f"/api/auth/{action}", **keys))
        assert result.code in (200, 302, 401)
        check(result)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_upstreams_redirect_is_neither_followed_nor_passed_on(status):
    """A redirect of the upstream is 502 where the row does not let it pass: no token goes after it."""
    upstream = FakeUpstream(status, headers=[("Location", "https://evil.example/steal")])
    result = call(stack(upstream), request("GET", "/api/workspaces", headers={"Cookie": session_cookie()}))
    assert (result.code, len(upstream.sent)) == (502, 1)
    assert result.all("Location") == []
    assert b"evil" not in result.body


@pytest.mark.parametrize(
    "target", ["//evil.example/api/workspaces", "/api/workspaces//evil.example", "/api/auth//evil.example"]
)
def test_no_path_becomes_a_redirect(target):
    """No answer of ours makes a slash-tidied URL of another host out of the path (F123)."""
    result = call(stack(FakeUpstream()), request("GET", target))
    check(result)
    assert result.code in (400, 404, 302)
