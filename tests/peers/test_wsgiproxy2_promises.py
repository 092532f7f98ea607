"""What WSGIProxy2 promises by its own tests and its README, one test a promise, held against ours.

Where ours differs on purpose, the test states the difference. WSGIProxy2 runs its tests over each of its clients; ours
run over the own transport and over the stock adapter of ``requests``.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter

from tests.faults.upstream import ScriptedUpstream, answer, forever, read, send
from tests.harness import PUBLIC_URL, SECRET, FakeUpstream, Result, call, request
from wsgiproxy_hs import NONE, RAW, Route, Settings, Transport, create_app
from wsgiproxy_hs.routes.route import ANY

FORM = b'<form action="/" method="post"><input name="name"></form>'
TABLE = [
    Route(ANY, "follows/{path...}", "/{path...}", NONE, RAW, redirects=True),
    Route(ANY, "{path...}", "/{path...}", NONE, RAW),
]


@pytest.fixture(params=[Transport, HTTPAdapter])
def transport(request: pytest.FixtureRequest) -> Iterator[BaseAdapter]:
    """Each of the transports, as WSGIProxy2 runs over each of its clients."""
    made = request.param()
    yield made
    made.close()


def page(body: bytes = b"ok", status: str = "200 OK", *headers: tuple[str, str]) -> bytes:
    """The bytes of an answer that is a page."""
    return answer(body, status, [("Content-Type", "text/html"), *headers])


def make_app(url: str, transport: BaseAdapter) -> WSGIApplication:
    """The whole stack before one upstream."""
    settings = Settings(backend_url=url, public_url=PUBLIC_URL, secrets=[SECRET], prefix="/")
    return create_app(settings, routes=TABLE, transport=transport)


def asked(
    transport: BaseAdapter, environ: WSGIEnvironment, says: bytes = page(), *, validate: bool = True
) -> tuple[Result, list[bytes]]:
    """The answer to one request, and what an upstream received that always says the same."""
    with ScriptedUpstream(forever(read(), send(says))) as upstream:
        result = call(make_app(upstream.url, transport), environ, validate=validate)
        return result, upstream.requests


# The proxy over each of its clients


def test_form(transport: BaseAdapter) -> None:
    """A page with a form comes through, and what is filled in arrives as it was filled in."""
    shown, _ = asked(transport, request("GET", "/form.html"), page(FORM))
    assert (shown.code, shown.body, shown.header("Content-Type")) == (200, FORM, "text/html")
    kind = "application/x-www-form-urlencoded"
    _, received = asked(transport, request("POST", "/", body=b"name=gawel&a=+%C3%A9", content_type=kind))
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert (body, f"\r\nContent-Type: {kind}".encode() in head) == (b"name=gawel&a=+%C3%A9", True)


def test_head(transport: BaseAdapter) -> None:
    """HEAD is asked as HEAD, and its answer has no body; ours keeps the length that GET would have."""
    head = page(b"x" * 57).removesuffix(b"x" * 57)
    result, received = asked(transport, request("HEAD", "/form.html"), head)
    assert received[0].startswith(b"HEAD /form.html HTTP/1.1\r\n")
    assert (result.code, result.body, result.header("Content-Length")) == (200, b"", "57")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_webob_error(transport: BaseAdapter, method: str) -> None:
    """A Content-Length of -1 is never sent on. Theirs calls it 500; ours 400, since the request is what is wrong."""
    result, received = asked(transport, request(method, "/", CONTENT_LENGTH="-1"), validate=False)
    assert (result.code, result.document["code"]) == (400, "content-length-invalid")
    assert received == []


def test_status(transport: BaseAdapter) -> None:
    """The upstream's 404 is a 404. Theirs shows its page; ours the documented error, unless the row says otherwise."""
    result, _ = asked(transport, request("GET", "/x"), page(b"<h1>Secrets</h1>", "404 Not Found"))
    assert (result.code, result.document["error"]) == (404, "Request failed")


LOCATIONS = [
    ("{url}/form.html", "/script_name/follows/form.html"),
    ("/foo", "/script_name/follows/foo"),
    ("foo?a=b#c", "/script_name/follows/foo?a=b#c"),
    ("http://foo.com", "http://foo.com"),
    ("//foo.com/%zz", "//foo.com/%zz"),
]


@pytest.mark.parametrize(("location", "shown"), LOCATIONS)
def test_redirect(transport: BaseAdapter, location: str, shown: str) -> None:
    """A redirect is not followed. One to elsewhere comes back as it is; one to the upstream itself theirs completes with
    the upstream's address, and ours leads back by the table to the public path, below where the app is mounted."""
    with ScriptedUpstream(forever(read(), send(b""))) as upstream:
        told = location.format(url=upstream.url)
        upstream.scripts = [[read(), send(page(b"", "301 Redirect", ("Location", told)))]]
        result = call(make_app(upstream.url, transport), request("GET", "/follows/x", SCRIPT_NAME="/script_name"))
    assert (result.status, result.header("Location"), len(upstream.requests)) == ("301 Redirect", shown, 1)


def test_redirect_of_other_rows(transport: BaseAdapter) -> None:
    """Theirs lets every redirect through; ours only where the row says so, since it may name what is inside."""
    result, _ = asked(transport, request("GET", "/x"), page(b"", "301 Redirect", ("Location", "http://10.0.0.7/")))
    assert (result.code, result.document["code"], result.header("Location")) == (502, "upstream-redirect", None)


def test_chunked(transport: BaseAdapter) -> None:
    """``Transfer-Encoding`` is never sent on; a body that came in chunks leaves with its length."""
    environ = request("POST", "/", headers={"Transfer-Encoding": "chunked"}, wsgi__input_terminated=True)
    environ["wsgi.input"] = io.BytesIO(b"in chunks")
    _, received = asked(transport, environ, validate=False)
    assert b"chunked" not in received[0].partition(b"\r\n\r\n")[0]
    assert b"\r\nContent-Length: 9\r\n" in received[0]
    assert received[0].endswith(b"\r\n\r\nin chunks")


@pytest.mark.parametrize(("is_terminated", "status"), [(True, 400), (False, 411)])
def test_chunked_where_there_is_no_body(transport: BaseAdapter, is_terminated: bool, status: int) -> None:
    """Theirs drops the header from a GET and asks; ours refuses a GET that announces a body, or one without an end."""
    environ = request("GET", "/", headers={"Transfer-Encoding": "chunked"}, wsgi__input_terminated=is_terminated)
    result, received = asked(transport, environ)
    assert (result.code, received) == (status, [])


def test_quoted_utf8_url(transport: BaseAdapter) -> None:
    """A path in percent-encoded UTF-8 arrives as the same bytes."""
    _, received = asked(transport, request("GET", "/targets/NR2F1\xc3\x82-human/"))
    assert received[0].startswith(b"GET /targets/NR2F1%C3%82-human/ HTTP/1.1\r\n")


# Where a request goes

FOREIGN = [
    {"SERVER_NAME": "evil.example", "SERVER_PORT": "8080"},
    {"HTTP_HOST": "evil.example:8080"},
    {"HTTP_HOST": "evil.example", "wsgi.url_scheme": "https", "SERVER_PORT": "443"},
    {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "https"},
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
def test_proxy_and_transparent_proxy(foreign: dict[str, str]) -> None:
    """Theirs has proxies that go where the request's server name, port, scheme or Host point; with ours no request has
    a say in that: it goes to the upstream of the settings, under the upstream's own name."""
    double = FakeUpstream()
    call(make_app("http://upstream.test:8000", double), {**request("GET", "/x"), **foreign})
    (sent,) = double.sent
    assert (sent.url, sent.headers["Host"]) == ("http://upstream.test:8000/x", "upstream.test:8000")


def test_a_whole_url_of_another_host() -> None:
    """An open proxy would go where the request line points; ours refuses a target that is not at its own host."""
    double = FakeUpstream()
    environ = request("GET", "/x", raw_target="http://evil.example/x")
    result = call(make_app("http://upstream.test", double), environ)
    assert (result.code, double.sent) == (400, [])


@pytest.mark.parametrize(("port", "host"), [("", "foo"), (":80", "foo:80"), (":8080", "foo:8080")])
def test_the_port(port: str, host: str) -> None:
    """Theirs always writes a port, and finds one where none is given; ours is asked for by Host as the settings say."""
    double = FakeUpstream()
    call(make_app(f"http://foo{port}", double), request("GET", "/x"))
    assert double.sent[0].headers["Host"] == host


# What goes wrong

FAILURES = [
    (socket.gaierror(-2, "Name or service not known"), 502, "upstream-unreachable"),
    (TimeoutError("timed out"), 504, "upstream-timeout"),
    (ValueError("a bug"), 500, "internal-error"),
]


@pytest.mark.parametrize(
    ("failure", "status", "code"), FAILURES, ids=["socket_gaierror", "socket_timeout", "exception"]
)
def test_failures(failure: Exception, status: int, code: str) -> None:
    """A name that does not resolve is 502, an upstream that takes too long 504, a bug 500; none shows its story."""
    result = call(make_app("http://upstream.test", FakeUpstream(failure=failure)), request("GET", "/x"))
    assert (result.code, result.document["code"]) == (status, code)
    assert str(failure).encode() not in result.body


# Rewriting

PREFIXED = [
    ("", "/foo", "/follows/foo"),
    ("/path", "/foo", "/path/follows/foo"),
    ("/path", "http://localhost:80/foo", "/path/follows/foo"),
]


@pytest.mark.parametrize(("mounted", "location", "shown"), PREFIXED)
def test_rewrite_location(mounted: str, location: str, shown: str) -> None:
    """The mount point is put before a Location at the upstream; theirs names the upstream's host with it, ours no host."""
    double = FakeUpstream(302, b"", [("Location", location), ("Content-Type", "text/html")])
    environ = request("GET", "/follows/foo", SCRIPT_NAME=mounted)
    assert call(make_app("http://localhost:80", double), environ).header("Location") == shown


# The README


def test_readme(transport: BaseAdapter) -> None:
    """A proxy is made of the upstream's address, and is a WSGI application like any other."""
    result, _ = asked(transport, request("GET", "/form.html"), page(b"<html>...</html>"))
    assert (result.status, result.body) == ("200 OK", b"<html>...</html>")


def test_own_client() -> None:
    """Anybody's own client can ask. Theirs is a function of four arguments; ours any transport adapter of requests."""

    class Own(BaseAdapter):
        def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
            response = FakeUpstream(200, b"", [("Content-Length", "0"), ("Content-Type", "text/html")]).send(request)
            response.reason = "Ok"
            return response

        def close(self) -> None:
            pass

    result = call(make_app("http://upstream.test", Own()), request("GET", "/form.html"))
    assert (result.status, result.body, result.header("Content-Length")) == ("200 Ok", b"", "0")


ANSWERED_BY = {
    "test_form": test_form,
    "test_head": test_head,
    "test_webob_error": test_webob_error,
    "test_status": test_status,
    "test_redirect": test_redirect,
    "test_chunked": test_chunked,
    "test_quoted_utf8_url": test_quoted_utf8_url,
    "test_proxy": test_proxy_and_transparent_proxy,
    "test_transparent_proxy": test_a_whole_url_of_another_host,
    "test_socket_gaierror": test_failures,
    "test_socket_timeout": test_failures,
    "test_exception": test_failures,
    "test_rewrite_location": test_rewrite_location,
    "README.rst": test_readme,
    "docs/clients.rst": test_own_client,
}
"""Each test of WSGIProxy2 0.5 and each example of its documentation, by the test here that answers it."""
