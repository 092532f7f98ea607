"""The upstream takes all the time in the world, and every thread of ours with it (F135 to F139).

Through the whole stack with the real transport: each slow exchange ends by its clock, what waits for a place waits a
bounded time, and afterwards everything is as before.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.upstream import ScriptedUpstream, answer, drip, forever, pause, read, send, silent_port
from tests.harness import PUBLIC_URL, SECRET, call, request, session_cookie
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.upstream import Transport

COOKIE = session_cookie()
OK = answer(b"{}", headers=[("Content-Type", "application/json")])
CLOCKS = {
    "connect_timeout_seconds": 0.3,
    "first_byte_timeout_seconds": 0.3,
    "idle_timeout_seconds": 0.3,
    "total_timeout_seconds": 1.0,
}


def stack(url, **options):
    settings = Settings(backend_url=url, public_url=PUBLIC_URL, secrets=[SECRET], **CLOCKS)
    return create_app(settings, transport=Transport(**options) if options else None)


def get(app, path="/api/workspaces"):
    return call(app, request("GET", path, headers={"Cookie": COOKIE}))


SLOW = {
    "says nothing": [read(), pause()],
    "reads nothing": [pause()],
    "half a head": [read(), send(b"HTTP/1.1 200 OK\r\nContent-"), pause()],
    "a head byte by byte": [read(), drip(OK, 0.1)],
    "interim answers": [read(), forever(drip(b"HTTP/1.1 102 Processing\r\n\r\n", 0.01))],
    "an error without its body": [read(), send(b"HTTP/1.1 404 N\r\nContent-Length: 9\r\n\r\n{"), pause()],
}


@pytest.mark.parametrize("kind", SLOW)
def test_no_slowness_lasts(kind):
    """An upstream that is slow in any way is 504 (or 502) within its clock, and the next request is served."""
    with ScriptedUpstream(scripts=[SLOW[kind], [forever(read(), send(OK))]]) as upstream:
        app = stack(upstream.url)
        started = time.monotonic()
        assert get(app).code in (502, 504)
        assert time.monotonic() - started < 2.5
        assert get(app).code == 200


def test_no_connection_lasts():
    """An upstream that takes no connection is 504 within the clock."""
    with silent_port() as port:
        started = time.monotonic()
        assert get(stack(f"http://127.0.0.1:{port}")).code in (502, 504)
        assert time.monotonic() - started < 2.5


def test_a_slow_body_is_cut_and_looks_cut():
    """A body that stalls breaks the answer off; it does not end as if it were whole (F108)."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"
    with ScriptedUpstream(read(), send(head + b"x" * 10), pause()) as upstream:
        app = stack(upstream.url)
        started = time.monotonic()
        body = app(request("GET", "/api/workspaces", headers={"Cookie": COOKIE}), lambda *_: None)
        with pytest.raises(Exception, match="stalled"):
            list(body)
        body.close()
        assert time.monotonic() - started < 2.5


def test_a_crowd_before_a_slow_upstream_is_turned_away():
    """Thirty requests for two places: two wait for the upstream, the rest hear 503 in time, and no thread stays."""
    with ScriptedUpstream(read(), pause()) as upstream:
        app = stack(upstream.url, max_connections=2, wait_seconds=0.2)
        before = threading.active_count()
        started = time.monotonic()
        with ThreadPoolExecutor(30) as pool:
            codes = [result.code for result in pool.map(lambda _: get(app), range(30))]
        assert time.monotonic() - started < 10
        assert set(codes) <= {503, 504}
        assert codes.count(503) >= 20
        assert len(upstream.peers) <= 8
        assert threading.active_count() <= before + len(upstream.peers)


def test_what_asks_nothing_of_the_upstream_is_served_meanwhile():
    """While every place is taken, sign-in pages, refusals and unknown paths are answered at once."""
    with ScriptedUpstream(read(), pause()) as upstream:
        app = stack(upstream.url, max_connections=1, wait_seconds=0.2)
        slow = threading.Thread(target=get, args=(app,))
        slow.start()
        upstream.peer()
        started = time.monotonic()
        assert [get(app, path).code for path in ("/api/auth/csrf", "/nowhere", "/api/workspaces/..;/chats")] == [
            200,
            404,
            400,
        ]
        assert time.monotonic() - started < 0.25
        slow.join(5)
