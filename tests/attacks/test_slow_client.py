"""Somebody opens connections and says next to nothing on them, until no thread is left for anybody else (F083).

Two hundred such connections on gunicorn as ``wsgiproxy-hs serve --threads=256`` starts it. gunicorn's thread worker
holds a thread for each of them: up to five seconds for one that says nothing, without end for half a head or half a
body. So threads must outnumber what one attacker is let open; beyond that number only a front helps that buffers whole
requests and bounds connections by address.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.upstream import ScriptedUpstream, answer, forever, read, send
from tests.harness import session_cookie
from tests.integration.servers import ROOT, SECRET, ask, free_port, proxy_environ, wait_for
from wsgiproxy_hs.commands.serve import add_to, arguments
from wsgiproxy_hs.sessions import Sessions

pytestmark = pytest.mark.integration

CONNECTIONS = 200
COOKIE = session_cookie(sessions=Sessions(secrets=[SECRET], secure=False))
HEAD = b"POST /api/transcribe-audio HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@contextlib.contextmanager
def served(threads: int = 256) -> Iterator[str]:
    """The command's own gunicorn with one worker, in front of an upstream that answers at once; its URL."""
    parser = argparse.ArgumentParser()
    add_to(parser.add_subparsers())
    port = free_port()
    options = parser.parse_args(["serve", f"--bind=127.0.0.1:{port}", "--workers=1", f"--threads={threads}"])
    with ScriptedUpstream(
        forever(read(), send(answer(b"{}", headers=[("Content-Type", "application/json")])))
    ) as upstream:
        environ = {**os.environ, **proxy_environ(upstream.url, port)}
        command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level=critical", *arguments(options)]
        process = subprocess.Popen(command, env=environ, cwd=ROOT)
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def connections(url: str, first: bytes, count: int = CONNECTIONS) -> Iterator[list[socket.socket]]:
    """So many connections on which so much was said."""
    port = int(url.rpartition(":")[2])
    with contextlib.ExitStack() as stack:
        socks = []
        for _ in range(count):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            sock.sendall(first)
            socks.append(sock)
        yield socks


def longest_wait(url: str, requests: int = 10) -> float:
    """How long a normal client waits at most; every answer is a good one."""
    longest = 0.0
    for _ in range(requests):
        started = time.monotonic()
        assert ask(url, "GET", "/api/workspaces", headers={"Cookie": COOKIE}).status == 200
        longest = max(longest, time.monotonic() - started)
    return longest


def test_silent_connections_stop_nobody():
    """Two hundred connections that say nothing do not stop a normal client for longer than a moment."""
    with served() as url, connections(url, b""):
        assert longest_wait(url) < 5


def test_idle_connections_stop_nobody():
    """Two hundred connections that ask once and then stay open do not stop a normal client."""
    with served() as url, connections(url, b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
        assert longest_wait(url) < 5


@pytest.mark.parametrize("first", [HEAD, HEAD + b"Content-Length: 1000\r\n\r\nx"], ids=["half a head", "half a body"])
def test_slow_requests_stop_nobody(first):
    """Two hundred requests that never arrive whole do not stop a normal client for longer than a moment."""
    with served() as url, connections(url, first):
        assert longest_wait(url, 3) < 5
