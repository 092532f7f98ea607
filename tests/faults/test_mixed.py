"""Many faults at once, by several threads: nothing is left behind and nobody gets another's answer (F139, F140).

``MIXED_FAULTS=10000`` makes the long run.
"""

from __future__ import annotations

import gc
import os
import random
import re
import threading
from collections import Counter
from collections.abc import Callable

from tests.faults.asking import ask, make_app
from tests.faults.upstream import Gone, Peer, ScriptedUpstream, answer, chunked, half_close, reset
from wsgiproxy_hs.upstream import Clocks, Transport

REQUESTS = int(os.environ.get("MIXED_FAULTS", "2000"))
THREADS = 8
CLOCKS = Clocks(connect=10, first_byte=10, idle=10, total=30)
_ID = re.compile(rb"id=([0-9]+)")

Fault = Callable[[Peer, bytes], None]


def _says(make: Callable[[bytes], bytes]) -> Fault:
    return lambda peer, body: peer.send(make(body))


def _says_and_leaves(make: Callable[[bytes], bytes], leave: Callable[[Peer], None] | None = None) -> Fault:
    def fault(peer: Peer, body: bytes) -> None:
        peer.send(make(body))
        if leave is not None:
            leave(peer)
        raise Gone

    return fault


def _leaves(leave: Callable[[Peer], None]) -> Fault:
    def fault(peer: Peer, body: bytes) -> None:
        leave(peer)
        raise Gone

    return fault


FAULTS: dict[str, tuple[int, Fault]] = {
    "good": (6, _says(answer)),
    "chunks": (3, _says(lambda body: chunked(body[:7], body[7:]))),
    "interim": (1, _says(lambda body: b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(body))),
    "until close": (1, _says_and_leaves(lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body)),
    "good, then leaves": (1, _says_and_leaves(answer)),
    "cut, then resets": (1, _says_and_leaves(lambda body: answer(body, length=99), reset())),
    "glued": (1, _says(lambda body: answer(body) + answer(b"id=999999999"))),
    "glued chunks": (1, _says(lambda body: chunked(body) + answer(b"id=999999999"))),
    "too long": (1, _says(lambda body: answer(body + b" id=999999999", length=len(body)))),
    "too short": (1, _says_and_leaves(lambda body: answer(body, length=len(body) + 9))),
    "chunks cut": (1, _says_and_leaves(lambda body: chunked(body)[:-4])),
    "bad chunks": (1, _says(lambda body: chunked(body)[:-5] + b"zz\r\n")),
    "garbage": (1, _says(lambda body: b"id=1 garbage\r\n\r\n")),
    "error": (1, _says(lambda body: answer(b'{"detail": "%b"}' % body, "400 Bad Request"))),
    "closes": (1, _leaves(lambda peer: None)),
    "resets": (1, _leaves(reset())),
    "half-closes": (1, _leaves(half_close())),
    "204": (1, _says(lambda body: b"HTTP/1.1 204 No Content\r\n\r\n")),
}  # fmt: skip


def _serve(peer: Peer) -> None:
    """Answers with the id that was asked for, in the way that the request names."""
    while True:
        request = peer.read_request()
        found = _ID.search(request)
        assert found is not None
        name = request.split(b"how=")[1].split(b" ")[0].decode().replace("+", " ")
        FAULTS[name][1](peer, b"id=" + found[1])


def _ask_many(url: str, transport: Transport, numbers: range, wrong: list[object], seen: Counter[str]) -> None:
    app = make_app(url, transport=transport, clocks=CLOCKS)
    chance = random.Random(numbers.start)
    names, weights = list(FAULTS), [weight for weight, _ in FAULTS.values()]
    for number in numbers:
        how = chance.choices(names, weights)[0]
        method = chance.choice(["GET", "GET", "POST", "HEAD"])
        body = b"x" * chance.choice([0, 10, 100_000]) if method == "POST" else None
        try:
            outcome = ask(app, method, query=f"id={number}&how={how.replace(' ', '+')}", body=body)
        except Exception as error:
            wrong.append((number, how, error))
            continue
        seen[f"{outcome.status}{' cut' if outcome.cut else ''}"] += 1
        ids = set(_ID.findall(outcome.body))
        whole = outcome.status == 200 and outcome.cut is None and method != "HEAD"
        if ids - {str(number).encode()} or (whole and not ids):
            wrong.append((number, how, outcome))


def _open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_mixed_faults_leave_nothing_behind() -> None:
    """Thousands of mixed faults leave no place taken, no thread and no file open, and mix up no answers."""
    files, threads = _open_files(), threading.active_count()
    wrong: list[object] = []
    seen: Counter[str] = Counter()
    transport = Transport(max_connections=5, wait_seconds=30, breaker_failures=0)
    with ScriptedUpstream(_serve) as upstream:
        share = REQUESTS // THREADS
        workers = [
            threading.Thread(
                target=_ask_many, args=(upstream.url, transport, range(n * share, (n + 1) * share), wrong, seen)
            )
            for n in range(THREADS)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        (pool,) = transport._pools.values()
        assert wrong == []
        assert pool.places.in_use == 0
        transport.close()
        assert all(peer.finished.wait(5) for peer in upstream.peers), "every connection is over"
    assert set(seen) == {"200", "200 cut", "204", "400", "502"}
    assert (_open_files(), threading.active_count()) == (files, threads)
