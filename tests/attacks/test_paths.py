"""Somebody writes a path so that our check reads it in one way and the upstream in another.

Encoded slashes and dots, double encoding, ``;`` parameters, other hosts: through the whole stack, with a good session,
so that the path alone decides (F040 to F050).
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request, session_cookie
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

SETTINGS = Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET])
COOKIE = session_cookie()

CROOKED = [
    "/api/workspaces/..%2f..%2fadmin/chats",
    "/api/workspaces/%2e%2e/chats",
    "/api/workspaces/%2e%2e%2fadmin%2f/chats",
    "/api/workspaces/.%2e/chats",
    "/api/workspaces/../../admin/chats",
    "/api/workspaces/./chats",
    "/api/workspaces/%252e%252e/chats",
    "/api/workspaces/%25252e%25252e/chats",
    "/api/workspaces/a%252fb/chats",
    "/api/workspaces/a%2Fb/chats",
    "/api/workspaces/a%5cb/chats",
    "/api/workspaces/a\\b/chats",
    "/api/workspaces/a%255cb/chats",
    "/api/workspaces/a;x=y/chats",
    "/api/workspaces/..;/chats",
    "/api/workspaces/a%3bb/chats",
    "/api/workspaces/a%23b/chats",
    "/api/workspaces/a#b/chats",
    "/api/workspaces/a%00/chats",
    "/api/workspaces/a%2500/chats",
    "/api/workspaces/a%0d%0aHost:%20evil.example/chats",
    "/api/workspaces/a%0a/chats",
    "/api/workspaces/a/chats%0a",
    "/api/workspaces/%ff/chats",
    "/api/workspaces/%c0%ae%c0%ae/chats",
    "/api/workspaces/%ed%a0%80/chats",
    "/api/workspaces//chats",
    "/api//workspaces/a/chats",
    "/api/workspaces/a//chats",
    "/api/workspaces/%/chats",
    "/api/workspaces/%zz/chats",
    "/api/workspaces/" + "%" + "25" * 3000 + "2e/chats",
    "http://evil.example/api/workspaces/a/chats",
    "http://upstream.test:8000/api/workspaces/a/chats",
    "http://app.example.com@evil.example/api/workspaces/a/chats",
]


def ask(target, *, raw, method="GET", upstream):
    """As a server that decodes the target once, with or without giving it raw."""
    path = target
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    decoded = unquote_to_bytes(path.split("#", 1)[0] if raw else path).decode("latin-1")
    environ = request(
        method,
        decoded,
        headers={"Cookie": COOKIE, "Host": "app.example.com"},
        raw_target=target if raw else None,
    )
    return call(create_app(SETTINGS, transport=upstream), environ)


@pytest.mark.parametrize("target", CROOKED)
def test_a_crooked_target_is_refused_where_the_server_gives_it(target):
    """400, and the upstream hears nothing."""
    upstream = FakeUpstream()
    result = ask(target, raw=True, upstream=upstream)
    assert (result.code, result.document["code"]) == (400, "path-refused")
    assert upstream.sent == []


@pytest.mark.parametrize("target", [target for target in CROOKED if "://" not in target])
def test_without_the_raw_target_nothing_is_sent_that_was_not_checked(target):
    """What the server decoded away cannot be seen then; what is sent is still one of our paths, canonically encoded."""
    upstream = FakeUpstream()
    result = ask(target, raw=False, upstream=upstream)
    for sent in upstream.sent:
        assert sent.url.startswith(f"{UPSTREAM_URL}/api/workspaces/")
        segments = sent.url.removeprefix(UPSTREAM_URL).split("/")
        assert not {"", ".", ".."} & set(segments[1:-1])
        assert not any(c in sent.url for c in "\\;#\r\n\0")
    assert upstream.sent or result.code in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/api/workspaces",
        "/api/workspaces@evil.example",
        "/api/workspaces:80",
        "/@evil.example",
        "/api.evil.example/workspaces",
    ],
)
def test_no_path_changes_the_host(path):
    """The upstream's address is a setting; a path that looks like an address is not found (F044)."""
    upstream = FakeUpstream()
    assert call(create_app(SETTINGS, transport=upstream), request("GET", path, headers={"Cookie": COOKIE})).code == 404
    assert upstream.sent == []


@pytest.mark.parametrize("value", ["a@b", "evil.example:80", "a&b=c", "a b", "a?x=y", "a%d", "~a", "é", "$(id)", "'--"])
def test_an_odd_identifier_stays_one_segment(value):
    """Whatever is in an identifier, the upstream sees it as the one segment that it is."""
    upstream = FakeUpstream()
    path = f"/api/workspaces/{value}/chats".encode().decode("latin-1")
    call(create_app(SETTINGS, transport=upstream), request("GET", path, headers={"Cookie": COOKIE}))
    (sent,) = upstream.sent
    before, after = f"{UPSTREAM_URL}/api/workspaces/", "/chats/"
    segment = sent.url.removeprefix(before).removesuffix(after)
    assert unquote_to_bytes(segment).decode() == value
    assert not any(c in segment for c in "/?# ")


@pytest.mark.parametrize(
    "header",
    [
        "X-Original-Url",
        "X-Rewrite-Url",
        "X-Forwarded-Uri",
        "X-Forwarded-Prefix",
        "X-Http-Method-Override",
        "X-Method-Override",
        "X-Middleware-Subrequest",
    ],
)
def test_no_header_moves_a_request(header):
    """Only the request line says what is asked for (F052, F053, F055)."""
    upstream = FakeUpstream()
    headers = {"Cookie": COOKIE, header: "/admin/"}
    call(create_app(SETTINGS, transport=upstream), request("GET", "/api/workspaces", headers=headers))
    (sent,) = upstream.sent
    assert (sent.method, sent.url) == ("GET", f"{UPSTREAM_URL}/api/workspaces/")
    assert header not in sent.headers
    assert (
        call(
            create_app(SETTINGS, transport=FakeUpstream()), request("GET", "/api/workspaces", headers={header: "x"})
        ).code
        == 401
    )
