"""Sends every case through a server into the stack, and holds what reached the upstream against the rule."""

from __future__ import annotations

import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.differential.corpus import CASES, Case
from tests.differential.rule import Broken, Received, Told, check, requests_in
from tests.differential.servers import COMMANDS, front
from tests.faults.upstream import ScriptedUpstream, answer, forever, read, send
from tests.harness import access_token, session_cookie
from tests.integration.servers import SECRET
from wsgiproxy_hs.sessions import Sessions

CLIENTS = 6
PATIENCE = 1.5
"""Seconds that a client waits for more; a server that waits for the rest of a request is left then."""
SETTLE = 0.04


class Outcome(NamedTuple):
    """Of one server: how many requests reached the upstream by case, and what was wrong with any of them."""

    server: str
    passed: Counter[str]
    faults: list[str]
    answers: dict[str, bytes]


def run(folder: Path) -> dict[str, Outcome]:
    """All cases through all servers, at the same time."""
    with ThreadPoolExecutor(len(COMMANDS)) as pool:
        return {outcome.server: outcome for outcome in pool.map(lambda name: run_server(name, folder), COMMANDS)}


def run_server(name: str, folder: Path) -> Outcome:
    """All cases through one server."""
    token = access_token()
    cookie = session_cookie(token, sessions=Sessions(secrets=[SECRET], secure=False))
    with ScriptedUpstream(forever(read(), send(answer(b"{}")))) as upstream:
        with front(name, upstream.url, folder) as port, ThreadPoolExecutor(CLIENTS) as clients:
            answers = list(clients.map(lambda case: ask(port, filled(case, port, cookie)), CASES))
        told = Told(f"127.0.0.1:{upstream.port}", f"127.0.0.1:{port}", f"JWT {token}")
        received = [peer.received for peer in upstream.peers]
    passed, faults = judge(received, told)
    return Outcome(name, passed, faults, {case.name: data for case, data in zip(CASES, answers, strict=True)})


def filled(case: Case, port: int, cookie: str) -> bytes:
    """The bytes of a case for one address."""
    raw = case.raw.replace(b"@HOST@", b"127.0.0.1:%d" % port).replace(b"@ID@", case.name.encode())
    return raw.replace(b"@COOKIE@", cookie.encode())


def ask(port: int, raw: bytes) -> bytes:
    """Send bytes, and read until the server closes or has nothing more to say."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock, suppress(OSError):
        sock.settimeout(PATIENCE)
        sock.sendall(raw)
        until = time.monotonic() + 5
        while time.monotonic() < until and (data := sock.recv(65_536)):
            received += data
            if not received.startswith(b"HTTP/1.1 100"):
                sock.settimeout(SETTLE)
    return received


def judge(received: list[bytes], told: Told) -> tuple[Counter[str], list[str]]:
    """How many requests of each case arrived, and every fault: broken, not allowed, too many, from nowhere."""
    passed: Counter[str] = Counter()
    faults: list[str] = []
    requests: list[Received] = []
    for data in received:
        try:
            requests += requests_in(data)
        except Broken as fault:
            faults.append(str(fault))
    names = {case.name for case in CASES}
    for request in requests:
        name = request.fields.get("x-request-id", "")
        passed[name] += 1
        try:
            check(request, told)
        except Broken as fault:
            faults.append(f"{name}: {fault}")
        if name not in names:
            faults.append(f"{name}: no case has sent this: {request}")
    faults += [f"{name}: reached the upstream {count} times" for name, count in passed.items() if count > 1]
    return passed, faults
