"""The limits layer alone."""

from __future__ import annotations

import pytest

from tests.harness import Inner, call, request
from wsgiproxy_hs.exceptions import HeadersInvalid, HeadersTooLarge, UrlTooLong
from wsgiproxy_hs.middleware.limits import LimitsMiddleware


def run(environ, **limits):
    inner = Inner()
    call(LimitsMiddleware(inner.app, **limits), environ)
    return inner


def refused(error, environ, **limits):
    """The error of the layer; the inner app saw nothing."""
    inner = Inner()
    with pytest.raises(error) as caught:
        call(LimitsMiddleware(inner.app, **limits), environ)
    assert not inner.was_called
    return caught.value


@pytest.mark.parametrize(
    "make",
    [
        lambda size: request("GET", "/" + "x" * (size - 2)),
        lambda size: request("GET", "/", query="x" * (size - 2)),
        lambda size: request("GET", "/", raw_target="/" + "%41" * ((size - 1) // 3) + "x" * ((size - 1) % 3)),
        lambda size: request("GET", "/", REQUEST_URI="/" + "x" * (size - 1)),
    ],
    ids=["path", "query", "RAW_URI", "REQUEST_URI"],
)
def test_a_long_url_is_414(make):
    """As it was sent, path and query together, whichever way the server gives it (ASVS 4.2.5)."""
    refused(UrlTooLong, make(101), max_url_bytes=100)
    assert run(make(100), max_url_bytes=100).was_called


def test_a_large_cookie_is_431_and_says_what_helps():
    """Nobody gets rid of cookies by trying again, so the answer names them (RFC 6585, section 5)."""
    error = refused(HeadersTooLarge, request(headers={"Cookie": "a=" + "b" * 99}), max_cookie_bytes=100)
    assert "Cookie" in error.detail
    assert run(request(headers={"Cookie": "a=" + "b" * 98}), max_cookie_bytes=100).was_called


@pytest.mark.parametrize(
    "headers", [{"X-One": "x" * 500}, {f"X-{number}": "x" for number in range(60)}], ids=["one", "many"]
)
def test_large_header_fields_are_431(headers):
    """Names count too: many small fields are as large as a long one."""
    refused(HeadersTooLarge, request(headers=headers), max_header_bytes=300)
    assert run(request(headers=headers), max_header_bytes=1_000).was_called


def test_the_usual_request_is_far_below_the_defaults():
    """A session in three cookies and a long list of identifiers in the query pass."""
    environ = request(headers={"Cookie": "; ".join(["x" * 4_000] * 4)}, query="&".join(["id=" + "7" * 36] * 100))
    assert run(environ).was_called


@pytest.mark.parametrize("end", ["\r", "\n", "\0", "\r\nX-User: root"])
@pytest.mark.parametrize("key", ["HTTP_ACCEPT", "HTTP_COOKIE", "HTTP_X_UNKNOWN", "CONTENT_TYPE"])
def test_a_field_that_ends_its_line_is_400(key, end):
    """No layer further in, and no upstream, ever has to make something of such a value (RFC 9110, section 5.5)."""
    inner = Inner()
    with pytest.raises(HeadersInvalid):
        call(LimitsMiddleware(inner.app), {**request(), key: f"a{end}b"}, validate=False)
    assert not inner.was_called
    assert run({**request(), key: "a\tb \xe9"}).was_called
