"""Everything that an upstream can do wrong, seen by a client of each server."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from tests.faults.asking import HASTY
from tests.faults.test_table import STAY, TABLE, Case
from tests.faults.upstream import Script, answer, chunked, forever, pause, read, reset, send
from tests.servers.asking import SIGNED_IN, Answer, ask, ask_once, client, upstream
from tests.servers.running import Served

pytestmark = [pytest.mark.integration, pytest.mark.long]

GOOD: Script = (forever(read(), send(answer(b"good"))),)
OF_THE_SERVER = {"Connection", "Keep-Alive"}
"""Headers that the server writes itself."""

HIDES_CUTS = {"granian": "it ends the chunks of an answer in good order when the app raises"}
"""Where an answer without a length cannot be made to look cut. So it is gathered, and a cut one is 502 or 504."""

LOSES_HEADS = {"granian": "what it has not yet sent of a cut answer, which may be all of it, goes with the connection"}

DIFFERS: dict[tuple[str, str], dict[str, list[str]]] = {
    # a server may leave out what it would have said of a body that is not there (RFC 9110, section 8.6)
    ("granian", "F100 304"): {"Content-Length": []},
    ("waitress", "F100 304"): {"Content-Length": []},
    # it takes header values for text and writes them in UTF-8, where WSGI means bytes
    ("granian", "F101 bytes beyond ASCII"): {"X-Name": ["\xe9t\xe9 \xe2\x82\xac".encode().decode("latin-1")]},
}
"""Headers that one server cannot hand on as they are, and what becomes of them there."""


@pytest.fixture(autouse=True)
def _patient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's client takes a hundred header lines, the upstream may send twice as many."""
    monkeypatch.setattr("http.client._MAXHEADERS", 300)


def check(case: Case, seen: Answer, name: str) -> None:
    if case.is_cut and not seen.is_cut and name in HIDES_CUTS:
        assert (seen.status, seen.all("Transfer-Encoding")) == (504 if case.clocks is HASTY else 502, [])
        return
    if case.is_cut and seen.status == 0 and name in LOSES_HEADS:
        return
    assert (seen.status, seen.is_cut) == (case.status, case.is_cut)
    if case.body is not None:
        assert seen.body == case.body
    for header, values in {**case.headers, **DIFFERS.get((name, case.name), {})}.items():
        if header not in OF_THE_SERVER:
            assert seen.all(header) == values


def first_script(case: Case) -> Script:
    """The script of the case; where the upstream stays, and could be asked again, it goes on with good answers."""
    stays = case.script[-1] is STAY and case.clocks is not HASTY
    return [*case.script[:-1], *GOOD] if stays else case.script


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_fault(case: Case, request: pytest.FixtureRequest, name: str) -> None:
    """A faulty upstream is a documented status or a visibly cut answer, and the next request gets its own answer."""
    server: Served = request.getfixturevalue("hasty" if case.clocks is HASTY else "server")
    with upstream(server, scripts=[first_script(case), GOOD]), client(server) as connection:
        check(case, ask(connection, case.method, body=case.sent), name)
        after = ask(connection)
    assert (after.status, after.body, after.is_cut) == (200, b"good", False)


@pytest.mark.parametrize("size", [1, 70_000, 250_000])
@pytest.mark.parametrize("frame", ["chunks", "until closed"])
@pytest.mark.parametrize("target", ["/api/open/thing", "/api/own/thing"], ids=["open", "signed in"])
def test_a_cut_answer_without_length(server: Served, name: str, size: int, frame: str, target: str) -> None:
    """An answer of at most 256 KiB that was cut looks cut, and is 502 where it cannot; nobody takes it for whole."""
    head = b"HTTP/1.1 200 OK\r\n\r\n" if frame == "until closed" else chunked(end=b"")[:-2]
    body = b"x" * size if frame == "until closed" else b"%x\r\n%b\r\n" % (size, b"x" * size)
    with upstream(server, read(), send(head, body), pause(0.1), reset()):
        seen = ask_once(server, target=target, headers=SIGNED_IN)
    assert (seen.status, seen.is_cut) == ((502, False) if name in HIDES_CUTS else (200, True))
    assert b"xx" not in seen.body or seen.is_cut


def test_no_connection(hasty: Served) -> None:
    """Where nobody listens the answer is 502, where nobody accepts it is 504, and the server goes on."""
    assert ask_once(hasty).status == 502
    with ExitStack() as full:
        full.enter_context(socket.create_server(("127.0.0.1", hasty.upstream_port), backlog=0))
        for _ in range(3):
            filler = full.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", hasty.upstream_port))
        assert ask_once(hasty).status == 504
    with upstream(hasty, *GOOD):
        assert ask_once(hasty).body == b"good"
