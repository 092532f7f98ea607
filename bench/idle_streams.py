"""A thousand idle event streams on one gunicorn worker with gevent: what each of them costs in memory."""

from __future__ import annotations

import pathlib
import resource
import time

from bench.apps.upstream import EVENT
from bench.client import Client
from bench.contenders import APP, Contender, bulk_upstream, gunicorn, serving
from bench.loads import BROWSER, Load, request_bytes, session_cookie
from bench.machine import growth_bytes
from bench.parts import Bar, Part
from wsgiproxy_hs.upstream.streams import HEARTBEAT

STREAMS = 1_000
FILES = 4_096
MOST_KIBIBYTES = 60
HEARTBEAT_SECONDS = 5
SETTINGS = (
    "What has to be set for so many: `--worker-class=gevent`; `--worker-connections` (1,000 by default) and"
    " `MAX_UPSTREAM_STREAMS` (256 by default) above their number; `ulimit -n` above twice their number. One person has"
    " at most `MAX_REQUESTS_AT_ONCE` of them (32 by default)."
)
CONTENDER = Contender(
    "wsgiproxy_hs, gunicorn with gevent",
    gunicorn(
        APP,
        "--worker-class=gevent",
        "--graceful-timeout=1",
        f"--worker-connections={STREAMS + 200}",
        WSGIPROXY_ROUTES="bench.apps.routes:ROUTES",
        MAX_UPSTREAM_STREAMS=str(STREAMS + 200),
        STREAM_HEARTBEAT_SECONDS=str(HEARTBEAT_SECONDS),
    ),
)


class Stream:
    """An open event stream of a person of its own."""

    def __init__(self, port: int, person: int) -> None:
        self._client = Client(port)
        headers = {**BROWSER, "Accept": "text/event-stream", "Cookie": session_cookie({"sub": str(person)})}
        status, _ = self._client.begin(request_bytes(Load("", "GET", "/api/events", headers)))
        self.is_open = status == 200 and self.hears(EVENT)

    def hears(self, expected: bytes) -> bool:
        """Whether this comes, and comes in time."""
        received = b""
        while expected not in received:
            try:
                piece = self._client.sock.recv(4_096)
            except BlockingIOError:
                return False
            if not piece:
                return False
            received = received[-64:] + piece
        return True

    def close(self) -> None:
        self._client.sock.close()


def measure(folder: pathlib.Path) -> Part:
    """The part."""
    allow_files()
    with bulk_upstream() as upstream, serving(CONTENDER, upstream, folder) as (port, process):
        streams = [Stream(port, -1)]
        try:
            before = process.memory("VmRSS")
            began = time.monotonic()
            streams += [Stream(port, person) for person in range(STREAMS)]
            seconds = time.monotonic() - began
            wrong = sum(not (stream.is_open and stream.hears(HEARTBEAT)) for stream in streams)
            growth = growth_bytes(before, process.memory("VmRSS"))
        finally:
            for stream in streams:
                stream.close()
    kibibytes = growth / 1024 / STREAMS
    bar = Bar(f"Memory of each of {STREAMS:,} idle event streams, gevent", MOST_KIBIBYTES, kibibytes, " KiB")
    return Part("Idle event streams", text(kibibytes, seconds, wrong), (bar,), wrong)


def allow_files() -> None:
    """Three processes have a socket or two for each stream; what is started from here inherits this."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(FILES, hard), hard))


def text(kibibytes: float, seconds: float, wrong: int) -> str:
    """What was done, and what has to be set for it."""
    return (
        f"{STREAMS:,} people, each with a session and a stream of their own, on one worker: **{kibibytes:.1f} KiB**"
        f" each, opened within {seconds:.1f} s; {wrong} did not get their event or their heartbeat. *Memory*: how much"
        " the worker's resident set grew, measured after every stream has had a heartbeat; buffers of the kernel are"
        f" not in it.\n\n{SETTINGS}\n"
    )
