"""Around a host app, the stack is not there for what is not in its table."""

from __future__ import annotations

import io
from collections.abc import Iterator

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, request
from wsgiproxy_hs.exceptions import ProxyError
from wsgiproxy_hs.routes import RouteTable
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.table import ROUTES

TABLE = RouteTable(ROUTES, prefix="/api")
UPSTREAM = FakeUpstream()
TEXT = st.text(st.characters(max_codepoint=255), max_size=12)
PATHS = st.lists(
    st.sampled_from(["/", "api", "auth", "workspaces", "static", "..", ";", "é", "%2e", "\n"]) | TEXT, max_size=6
).map("".join)


class Answer:
    """An answer's iterable that would notice being read or closed."""

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("read by somebody on the way")

    def close(self) -> None:
        raise AssertionError("closed by somebody on the way")


class Host:
    """Remembers what it was given, and answers."""

    def __call__(self, environ, start_response):
        self.given = environ, start_response, dict(environ)
        self.answer = Answer()
        return self.answer


HOST = Host()
APP = create_app(
    Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]), transport=UPSTREAM, otherwise=HOST
)


def is_ours(path: str) -> bool:
    try:
        return TABLE.find(path) is not None
    except ProxyError:
        return True


@given(
    method=st.sampled_from(["GET", "POST", "OPTIONS", "TRACE", "PROPFIND", "get", ""]) | TEXT,
    path=PATHS,
    query=TEXT,
    headers=st.dictionaries(TEXT.map("HTTP_".__add__), TEXT, max_size=6),
    body=st.none() | st.binary(max_size=40),
)
@settings(max_examples=400, deadline=None)
def test_what_is_not_in_the_table_is_the_hosts(method, path, query, headers, body):
    """Environ, body, ``start_response`` and answer of the host are the very same objects, and nothing in them changed."""
    assume(not is_ours(path))
    environ = request("GET", path, query=query)
    environ.update(headers, REQUEST_METHOD=method)
    if body is not None:
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    before = dict(environ)

    def start_response(status, headers, exc_info=None):
        raise AssertionError("the host has not called it")

    answer = APP(environ, start_response)
    given_environ, given_start, seen = HOST.given
    assert answer is HOST.answer
    assert given_environ is environ
    assert given_start is start_response
    assert seen == before == environ
    assert all(seen[key] is before[key] for key in before)
    assert environ["wsgi.input"].tell() == 0
    assert UPSTREAM.sent == []


def test_the_hosts_exceptions_are_its_own():
    """What the host raises comes through as it is."""
    error = ZeroDivisionError()

    def host(environ, start_response):
        raise error

    app = create_app(
        Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]), transport=UPSTREAM, otherwise=host
    )
    try:
        app(request("GET", "/elsewhere"), lambda *_: None)
    except ZeroDivisionError as raised:
        caught = raised
    assert caught is error
