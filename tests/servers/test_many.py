"""Many requests at once through each server: each gets its own answer, and nothing is left behind."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.test_mixed import FAULTS
from tests.faults.upstream import Peer, Step, answer, read, send
from tests.servers.asking import SIGNED_IN, ask, ask_once, client, raw_client, read_all, upstream
from tests.servers.running import Served

pytestmark = pytest.mark.integration

REQUESTS = 200
OUTCOMES = {"200", "200 cut", "204", "400", "502"}
FURTHER_OUTCOMES = {"granian": {"0 cut"}}
"""Granian may lose the head of an answer that was cut, together with the connection."""
_ID = re.compile(rb"id=([0-9]+)")
_HOW = re.compile(rb"how=([^ &]+)")


def serve(peer: Peer) -> None:
    """Answers with the id that was asked for, in the way that the request names."""
    while True:
        request = peer.read_request()
        number, how = _ID.search(request), _HOW.search(request)
        assert number is not None
        FAULTS[how[1].decode().replace("+", " ") if how else "good"][1](peer, b"id=" + number[1])


def ask_one(server: Served, number: int) -> tuple[str, object]:
    """One request of the mix: what came of it, and what is wrong with that."""
    chance = random.Random(number)
    how = chance.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])[0]
    method = chance.choice(["GET", "GET", "POST", "HEAD"])
    body = b"x" * chance.choice([0, 10, 100_000]) if method == "POST" else None
    seen = ask_once(server, method, f"/api/open/mix?id={number}&how={how.replace(' ', '+')}", body=body)
    ids = set(_ID.findall(seen.body))
    is_whole = seen.status == 200 and not seen.is_cut and method != "HEAD"
    is_wrong = ids - {str(number).encode()} or (is_whole and not ids)
    return f"{seen.status}{' cut' if seen.is_cut else ''}", (number, how, method, seen) if is_wrong else None


def run_mix(server: Served, first: int) -> Counter[str]:
    """The mix, all at once; nobody got the answer of another."""
    with ThreadPoolExecutor(REQUESTS) as threads:
        outcomes = list(threads.map(lambda number: ask_one(server, number), range(first, first + REQUESTS)))
    assert [wrong for _, wrong in outcomes if wrong] == []
    return Counter(outcome for outcome, _ in outcomes)


def at_rest(server: Served) -> int:
    """How many sockets the server holds when nobody asks; a request has it look at the connections that it kept."""
    with upstream(server, serve):
        assert ask_once(server, target="/api/open/mix?id=1").body == b"id=1"
    return min(held_for_a_while(server))


def held_for_a_while(server: Served, seconds: float = 1.0) -> Iterator[int]:
    """How many sockets it holds, looked at again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield server.open_sockets()
        time.sleep(0.02)


def test_mixed_requests(server: Served, name: str) -> None:
    """Two hundred requests at once, good and bad: each gets its own answer, and no connection is left behind."""
    before = at_rest(server)
    with upstream(server, serve) as asked:
        seen = run_mix(server, before)
    assert OUTCOMES <= set(seen) <= OUTCOMES | FURTHER_OUTCOMES.get(name, set())
    assert all(peer.finished.wait(5) for peer in asked.peers)
    after = at_rest(server)
    assert after <= before


def meet(everybody: threading.Barrier) -> Step:
    """Go on when all connections are here."""

    def step(peer: Peer) -> None:
        everybody.wait()

    return step


def test_requests_overlap(server: Served) -> None:
    """Forty requests that wait for each other at the upstream are all answered, by one process."""
    everybody = threading.Barrier(40, timeout=20)
    with upstream(server, read(), meet(everybody), send(answer(b"together"))) as asked:
        with ThreadPoolExecutor(40) as threads:
            bodies = list(threads.map(lambda _: ask_once(server).body, range(40)))
    assert bodies == [b"together"] * 40
    assert len(asked.peers) == 40


def test_slow_requests_of_one_person_overlap(server: Served) -> None:
    """The same with a session, whose requests are counted until their answers are closed: none is left counted."""
    for _ in range(3):
        everybody = threading.Barrier(20, timeout=20)
        with upstream(server, read(), meet(everybody), send(answer(b"together"))):
            with ThreadPoolExecutor(20) as threads:
                asked = [threads.submit(ask_once, server, target="/api/own/me", headers=SIGNED_IN) for _ in range(20)]
                assert [future.result().body for future in asked] == [b"together"] * 20


def test_pipelined_requests(server: Served) -> None:
    """Requests sent without waiting are answered in their order, each with its own answer."""
    target = b"GET /api/open/mix?id=%d%b HTTP/1.1\r\nHost: a\r\n%b\r\n"
    sent = [target % (number, b"&how=chunks" if number % 3 else b"", b"") for number in range(100, 109)]
    with upstream(server, serve), raw_client(server) as sock:
        sock.sendall(b"".join(sent) + target % (109, b"", b"Connection: close\r\n"))
        received = read_all(sock)
    assert [int(number) for number in _ID.findall(received.replace(b"\r\n3\r\n", b""))] == list(range(100, 110))
    assert received.count(b"HTTP/1.1 200 ") == 10


def test_one_connection_after_another_fault(server: Served) -> None:
    """A client's connection goes on after answers that failed, and none of them reaches the next request."""
    with upstream(server, serve), client(server) as connection:
        for number, how in enumerate([*FAULTS, *reversed(FAULTS)], start=500):
            seen = ask(connection, target=f"/api/open/mix?id={number}&how={how.replace(' ', '+')}")
            assert set(_ID.findall(seen.body)) <= {str(number).encode()}, how
            assert ask(connection, target=f"/api/open/mix?id={number}0").body == b"id=%d0" % number
