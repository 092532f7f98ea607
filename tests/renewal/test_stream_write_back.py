"""The cookies of a renewal are on the head of the answer, whatever the answer is and however long it lasts."""

from __future__ import annotations

import json
import pathlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.harness import PUBLIC_URL, SECRET, make_sessions, request
from tests.renewal.token_server import TokenServer
from wsgiproxy_hs import Settings, create_app
from wsgiproxy_hs.sessions import Redeemed

SECONDS = 30


class Upstream(ThreadingHTTPServer):
    """A real one: a token endpoint, and an answer that begins and lasts until the test says ``over``."""

    daemon_threads = True

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.tokens = TokenServer(clock=time.time, access_seconds=3600)
        self.over = threading.Event()
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = self.server.tokens.redeem(body["refresh"])
        assert isinstance(found, Redeemed)
        answer = json.dumps({"access": found.access, "refresh": found.refresh}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        is_stream = self.server.status == 200
        self.send_header("Content-Type", "text/event-stream" if is_stream else "text/html")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._send(b"data: first\n\n")
        assert not is_stream or self.server.over.wait(SECONDS)
        self._send(b"data: last\n\n")
        self._send(b"")

    def _send(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))


@pytest.fixture(name="upstream")
def _upstream(request: pytest.FixtureRequest) -> Iterator[Upstream]:
    server = Upstream(getattr(request, "param", 200))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Exchange:
    """A request with a session whose token has so many seconds left, and the answer while it goes on."""

    def __init__(self, upstream: Upstream, folder: pathlib.Path, seconds: float) -> None:
        self.sessions = make_sessions()
        self.old = upstream.tokens.sign_in(3600 - seconds)
        claims = {"sub": "7", "accessToken": self.old.access, "refreshToken": self.old.refresh}
        (line,) = self.sessions.write(claims, "")
        settings = Settings(
            backend_url=f"http://127.0.0.1:{upstream.server_port}",
            public_url=PUBLIC_URL,
            secrets=[SECRET],
            renewal_directory=str(folder / "private"),
        )
        app = create_app(settings, sessions=self.sessions)
        headers = {"Cookie": line.partition(";")[0], "Origin": PUBLIC_URL}
        self.status, self.headers = "", []
        self.iterable: Any = app(request("GET", "/api/workspaces", headers=headers), self._start)
        self.chunks = iter(self.iterable)

    def _start(self, status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        self.status, self.headers = status, headers

    def close(self) -> None:
        if hasattr(self.iterable, "close"):
            self.iterable.close()

    def cookies(self) -> list[str]:
        return [value for name, value in self.headers if name == "Set-Cookie"]


@pytest.mark.parametrize("seconds", [30, -30])
def test_the_head_of_an_event_stream_carries_the_cookies(
    upstream: Upstream, tmp_path: pathlib.Path, seconds: float
) -> None:
    """Due or over: the head comes with the new pair before the first event, while the stream goes on; the cookies are
    not for anybody to keep.
    """
    exchange = Exchange(upstream, tmp_path, seconds)
    try:
        assert next(exchange.chunks) == b"data: first\n\n"
        assert not upstream.over.is_set()
        (line,) = exchange.cookies()
        session = exchange.sessions.read(line.partition(";")[0])
        assert session is not None
        assert session.claims["accessToken"] not in ("", exchange.old.access)
        assert upstream.asked == [f"JWT {session.claims['accessToken']}"]
        assert dict(exchange.headers)["Cache-Control"] == "private, no-store"
        upstream.over.set()
        assert b"data: last\n\n" in b"".join(exchange.chunks)
    finally:
        exchange.close()
    assert sum(upstream.tokens.redemptions.values()) == 1


@pytest.mark.parametrize("upstream", [400, 404, 500, 503], indirect=True)
def test_an_error_of_the_upstream_carries_the_cookies(upstream: Upstream, tmp_path: pathlib.Path) -> None:
    """The reshaped error has the upstream's status and the new pair."""
    exchange = Exchange(upstream, tmp_path, 30)
    try:
        assert json.loads(b"".join(exchange.chunks))["code"] == "upstream-status"
    finally:
        exchange.close()
    assert int(exchange.status[:3]) == upstream.status
    (line,) = exchange.cookies()
    session = exchange.sessions.read(line.partition(";")[0])
    assert session is not None
    assert session.claims["accessToken"] != exchange.old.access


def test_a_fresh_token_sets_no_cookie_on_a_stream(upstream: Upstream, tmp_path: pathlib.Path) -> None:
    """Nothing was renewed, so nothing is written."""
    exchange = Exchange(upstream, tmp_path, 3000)
    try:
        assert next(exchange.chunks) == b"data: first\n\n"
        assert exchange.cookies() == []
    finally:
        upstream.over.set()
        exchange.close()
