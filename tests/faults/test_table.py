"""What an upstream can do wrong, one row a fault, and what the browser sees of it.

A row with a number is the row of that number in the failure catalogue.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from urllib3.exceptions import HTTPError

from tests.faults.asking import HASTY, PATIENT, Outcome, ask, make_app
from tests.faults.upstream import (
    Script,
    ScriptedUpstream,
    Step,
    answer,
    chunked,
    close,
    drip,
    half_close,
    pause,
    read,
    read_head,
    refusing_port,
    reset,
    send,
    silent_port,
)
from wsgiproxy_hs.upstream import Clocks, Transport

OK = b"HTTP/1.1 200 OK\r\n"
STAY = pause()
BIG = b"x" * 4_000_000


@dataclass(frozen=True)
class Case:
    """:param status: what the browser sees. :param is_cut: and then an end that no reader takes for one."""

    name: str
    script: Sequence[Step]
    status: int
    body: bytes | None = None
    is_cut: bool = False
    method: str = "GET"
    sent: bytes | None = None
    clocks: Clocks = PATIENT
    headers: dict[str, list[str]] = field(default_factory=dict)


def case(name: str, *script: Step, status: int, **rest: object) -> Case:
    return Case(name, script, status, **rest)  # type: ignore[arg-type]


def says(data: bytes) -> tuple[Step, ...]:
    """Reads a request, says this, and stays: whoever waits for more waits in vain."""
    return (read(), send(data), STAY)


def ends(data: bytes) -> tuple[Step, ...]:
    """Reads a request, says this, and closes."""
    return (read(), send(data), close())


def one(line: bytes) -> bytes:
    """An answer with this header line."""
    return OK + line + b"Content-Length: 2\r\n\r\nok"


BREAKS = [
    case("closes at once", close(), status=502),
    case("resets at once", reset(), status=502),
    case("resets after the head of the request", read_head(), reset(), status=502, method="POST", sent=b"x" * 9),
    case("F133 closes instead of answering", read(), close(), status=502),
    case("resets instead of answering", read(), reset(), status=502),
    case("half-closes instead of answering", read(), half_close(), STAY, status=502),
    case("closes within the status line", *ends(b"HTTP/1.1 20"), status=502),
    case("resets within the status line", read(), send(b"HTTP/1.1 20"), reset(), status=502),
    case("closes within the headers", *ends(OK + b"Content-Le"), status=502),
    case("F108 closes before the body", *ends(answer(b"", length=10)), status=502),
    case("F108 announces 10 bytes, sends 5", read(), send(answer(b"", length=10)), send(b"12345"), close(), status=200, is_cut=True),
    case("resets within the body", read(), send(answer(b"12345", length=9)), pause(0.2), reset(), status=200, is_cut=True),
    case("half-closes within the body", read(), send(answer(b"12345", length=9)), half_close(), STAY, status=200, is_cut=True),
    case("F117 closes between chunks", *ends(chunked(b"abc", end=b"")[:-2]), status=200, is_cut=True),
    case("closes within a chunk", *ends(chunked(b"abcdef")[:-10]), status=200, is_cut=True),
    case("closes before the last line end of the chunks", *ends(chunked(b"abc")[:-2]), status=200, is_cut=True),
    case("resets a body without length", read(), send(OK + b"\r\nabc"), pause(0.2), reset(), status=200, is_cut=True),
    case("a body without length, ended by closing", *ends(OK + b"\r\nabc"), status=200, body=b"abc"),
    case("HTTP/1.0, ended by closing", *ends(b"HTTP/1.0 200 OK\r\n\r\nabc"), status=200, body=b"abc"),
    case("an empty body, ended by closing", *ends(OK + b"\r\n"), status=200, body=b""),
]  # fmt: skip

SLOW = [
    case("F135 never answers", read(), STAY, status=504, clocks=HASTY),
    case("never reads, never answers", STAY, status=504, clocks=HASTY),
    case("F084 never reads a large body", STAY, status=504, clocks=HASTY, method="POST", sent=BIG),
    case("stops within the head", *says(OK + b"Content-"), status=504, clocks=HASTY),
    case("stops before the body", *says(answer(b"", length=5)), status=504, clocks=HASTY),
    case("stops within the body", *says(answer(b"1", length=5)), status=200, is_cut=True, clocks=HASTY),
    case("stops within a chunk", *says(chunked(b"abc")[:-8]), status=200, is_cut=True, clocks=HASTY),
    case("drips its head, and is fast enough", read(), drip(answer(b"ok"), 0.001), status=200, body=b"ok"),
    case("drips its head without end", read(), drip(OK + b"X: " + b"x" * 900, 0.02), status=504, clocks=HASTY),
    case("drips its body without end", read(), send(answer(b"", length=900)), drip(b"x" * 900, 0.02), status=200, is_cut=True, clocks=HASTY),
    case("drips chunks", read(), drip(chunked(b"ab", b"c"), 0.001), status=200, body=b"abc"),
    case("interim answers do not stop the clock", read(), send(b"HTTP/1.1 102 Processing\r\n\r\n"), STAY, status=504, clocks=HASTY),
]  # fmt: skip

HEADS = [
    case("garbage", *says(b"\x00\x01\x02\x03 garbage \xff\xfe"), status=502),
    case("HTML without a head", *says(b"<html><body>It works</body></html>"), status=502),
    case("HTTP/0.9", *ends(b"ok\n"), status=502),
    case("HTTP/0.9 with a status line", *says(b"HTTP/0.9 200 OK\r\n\r\n"), status=502),
    case("HTTP/1.2", *says(b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"), status=502),
    case("HTTP/2.0 in a status line", *says(b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), status=502),
    case("an HTTP/2 settings frame", *says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18), status=502),
    case("the HTTP/2 preface", *says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), status=502),
    case("a TLS alert", *says(b"\x15\x03\x01\x00\x02\x02\x46"), status=502),
    case("RTSP", *says(b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), status=502),
    case("lower case", *says(b"http/1.1 200 ok\r\nContent-Length: 0\r\n\r\n"), status=502),
    case("a line end before the head", *says(b"\r\n" + answer()), status=502),
    case("LF only", *says(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n"), status=502),
    case("one LF", *says(one(b"X: y\n")), status=502),
    case("CR only", *says(b"HTTP/1.1 200 OK\rContent-Length: 2\r\rok\r\n\r\n"), status=502),
    case("F102 a bare CR in a value", *says(one(b"X: a\rb\r\n")), status=502),
    case("F102 NUL in a value", *says(one(b"X: a\x00b\r\n")), status=502),
    case("a control character in a value", *says(one(b"X: a\x01b\r\n")), status=502),
    case("a folded line", *says(one(b"X: a\r\n b\r\n")), status=502),
    case("a folded first line", *says(one(b" X: a\r\n")), status=502),
    case("a space before the colon", *says(one(b"X : a\r\n")), status=502),
    case("a space before the colon of Content-Length", *says(OK + b"Content-Length : 2\r\n\r\nok"), status=502),
    case("a line without a colon", *says(one(b"X\r\n")), status=502),
    case("a header without a name", *says(one(b": a\r\n")), status=502),
    case("a name that is no token", *says(one(b'X"A: a\r\n')), status=502),
    case("a status of two digits", *says(b"HTTP/1.1 20 OK\r\n\r\n"), status=502),
    case("a status of four digits", *says(b"HTTP/1.1 2000 OK\r\n\r\n"), status=502),
    case("status 099", *says(b"HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n"), status=502),
    case("status 600", *says(b"HTTP/1.1 600 No\r\nContent-Length: 0\r\n\r\n"), status=502),
    case("no reason", *says(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"), status=200, body=b"ok"),
    case("a reason with control characters", *says(b"HTTP/1.1 200 O\x00\x1bK\r\nContent-Length: 2\r\n\r\nok"), status=200, body=b"ok"),
    case("a head over 64 KiB", *says(one(b"".join(b"X-%d: %b\r\n" % (n, b"x" * 4000) for n in range(40)))), status=502),
    case("one line without end", read(), send(OK + b"X: " + b"x" * 300_000), STAY, status=502),
    case("200 headers", *says(one(b"X: a\r\n" * 199)), status=200, body=b"ok"),
    case("201 headers", *says(one(b"X: a\r\n" * 200)), status=502),
    case("F101 bytes beyond ASCII", *says(one(b"X-Name: \xe9t\xe9 \xe2\x82\xac\r\n")), status=200, headers={"X-Name": ["\xe9t\xe9 \xe2\x82\xac"]}),
    case("F085 repeated headers", *says(one(b"Vary: a\r\nLink: <1>\r\nLink: <2>, <3>\r\nvary: b\r\n")), status=200, headers={"Link": ["<1>", "<2>, <3>"], "Vary": ["a", "b"]}),
    case("F086 the upstream's cookies", *says(one(b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n")), status=200, headers={"Set-Cookie": []}),
    case("F094 hop-by-hop headers", *says(one(b"Connection: X-Secret\r\nX-Secret: 1\r\nUpgrade: h2c\r\nKeep-Alive: timeout=5\r\n")), status=200, headers={"X-Secret": [], "Upgrade": [], "Connection": [], "Keep-Alive": []}),
]  # fmt: skip

FRAMES = [
    case("F077 two framings", *says(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), status=502),
    case("F077 two framings, the other way", *says(OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n"), status=502),
    case("two lengths", *says(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!"), status=502),
    case("one length twice", *says(OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"), status=502),
    case("a list of lengths", *says(OK + b"Content-Length: 2, 2\r\n\r\nok"), status=502),
    case("a signed length", *says(OK + b"Content-Length: +2\r\n\r\nok"), status=502),
    case("a negative length", *says(OK + b"Content-Length: -2\r\n\r\nok"), status=502),
    case("a hexadecimal length", *says(OK + b"Content-Length: 0x2\r\n\r\nok"), status=502),
    case("an empty length", *says(OK + b"Content-Length: \r\n\r\nok"), status=502),
    case("a length beyond all bounds", *says(OK + b"Content-Length: 99999999999999999999\r\n\r\nok"), status=502),
    case("blanks around the length", *says(OK + b"Content-Length: \t2 \t\r\n\r\nok"), status=200, body=b"ok"),
    case("gzip as transfer coding", *ends(OK + b"Transfer-Encoding: gzip\r\n\r\nok"), status=502),
    case("gzip, chunked", *says(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), status=502),
    case("chunked twice", *says(OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), status=502),
    case("something like chunked", *says(OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), status=502),
    case("identity as transfer coding", *says(OK + b"Transfer-Encoding: identity\r\n\r\nok"), status=502),
    case("chunks in HTTP/1.0", *says(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), status=502),
    case("Chunked, in capitals", *says(OK + b"Transfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n"), status=200, body=b"ok"),
    case("chunks", *says(chunked(b"ab", b"c" * 70_000)), status=200, body=b"ab" + b"c" * 70_000),
    case("chunks without content", *says(chunked()), status=200, body=b""),
    case("chunk extensions", *says(OK + b'Transfer-Encoding: chunked\r\n\r\n2;a=b;c="d;e"\r\nok\r\n0;x\r\n\r\n'), status=200, body=b"ok"),
    case("chunk extensions without end", read(), send(OK + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * 300_000), STAY, status=502),
    case("trailers are dropped", *says(chunked(b"ok", trailers=b"X-T: 1\r\nSet-Cookie: a=1\r\n")), status=200, body=b"ok", headers={"X-T": []}),
    case("trailers without end", read(), send(chunked(b"ok")[:-2] + b"X: " + b"x" * 300_000), STAY, status=200, is_cut=True),
    case("a broken trailer", read(), send(chunked(b"ok")[:-5] + b"0\r\nX 1\r\n\r\n"), STAY, status=502),
    case("a length in the trailers", *says(chunked(b"ok", trailers=b"Content-Length: 9\r\n")), status=502),
    case("a chunk size that is no number", *says(OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nok\r\n0\r\n\r\n"), status=502),
    case("a negative chunk size", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n"), status=502),
    case("a chunk size with 0x", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n"), status=502),
    case("a chunk size beyond all bounds", *says(OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nok"), status=502),
    case("a blank before the chunk size", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n 2\r\nok\r\n0\r\n\r\n"), status=502),
    case("a blank behind the chunk size", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n"), status=502),
    case("chunks ended by LF", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n"), status=502),
    case("a chunk longer than it says", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\noka\r\n0\r\n\r\n"), status=502),
    case("a chunk shorter than it says", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nok\r\n0\r\n\r\n"), status=502),
    case("a bad chunk behind a good one", read(), send(chunked(b"ok", end=b"")[:-2]), pause(0.2), send(b"zz\r\n"), STAY, status=200, is_cut=True),
    case("F096 gzip untouched", *says(answer(b"\x1f\x8b\x08not really", headers=[("Content-Encoding", "gzip")])), status=200, body=b"\x1f\x8b\x08not really", headers={"Content-Encoding": ["gzip"], "Content-Length": ["13"]}),
    case("more bytes than announced", *says(answer(b"okMORE", length=2)), status=200, body=b"ok"),
    case("a second answer behind the first", *says(answer() + answer(b"evil")), status=200, body=b"ok"),
    case("a second answer behind chunks", *says(chunked(b"ok") + answer(b"evil")), status=200, body=b"ok"),
    case("garbage behind chunks", *says(chunked(b"ok") + b"\r\n\r\ngarbage"), status=200, body=b"ok"),
]  # fmt: skip

BODILESS = [
    case("F098 204", *says(b"HTTP/1.1 204 No Content\r\n\r\n"), status=204, body=b"", headers={"Content-Length": []}),
    case("204 with a body", *says(b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil"), status=204, body=b""),
    case("204 with chunks", *says(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n"), status=204, body=b""),
    case("F100 304", *says(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 5\r\n\r\n'), status=304, body=b"", headers={"ETag": ['"1"'], "Content-Length": ["5"]}),
    case("304 with a body", *says(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"), status=304, body=b""),
    case("F099 HEAD", *says(OK + b"Content-Length: 1234\r\n\r\n"), status=200, body=b"", method="HEAD", headers={"Content-Length": ["1234"]}),
    case("HEAD with chunks announced", *says(OK + b"Transfer-Encoding: chunked\r\n\r\n"), status=200, body=b"", method="HEAD"),
    case("HEAD without a length", *says(OK + b"\r\n"), status=200, body=b"", method="HEAD"),
    case("HEAD answered with a body", *says(answer(b"evil")), status=200, body=b"", method="HEAD"),
    case("F107 103 before the answer", *says(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer()), status=200, body=b"ok", headers={"Link": []}),
    case("100 nobody asked for", read(), send(b"HTTP/1.1 100 Continue\r\n\r\n"), pause(0.02), send(answer()), STAY, status=200, body=b"ok"),
    case("seven interim answers", *says(b"HTTP/1.1 102 Processing\r\n\r\n" * 7 + answer()), status=200, body=b"ok"),
    case("interim answers without end", *says(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000), status=502),
    case("101 nobody asked for", *says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx"), status=502),
    case("200 with Upgrade", *says(one(b"Connection: upgrade\r\nUpgrade: h2c\r\n")), status=200, body=b"ok"),
    case("F103 a redirect is not followed", *says(answer(b"", "302 Found", [("Location", "http://127.0.0.1:1/")])), status=502),
]  # fmt: skip

EARLY = [
    case("F072 413 while the body is sent", read_head(), send(answer(b'{"detail": "Too large"}', "413 Too Large")), STAY, status=413, method="POST", sent=BIG),
    case("413, then closes", read_head(), send(answer(b'{"detail": "Too large"}', "413 Too Large")), half_close(), pause(0.2), status=413, method="POST", sent=BIG),
    case("401 in chunks while the body is sent", read_head(), send(chunked(b'{"detail": "No"}').replace(b"200 OK", b"401 No")), STAY, status=401, method="POST", sent=BIG),
    case("half-closes while the body is sent", read_head(), half_close(), STAY, status=502, method="POST", sent=BIG),
    case("resets while the body is sent", read_head(), reset(), status=502, method="POST", sent=BIG),
]  # fmt: skip

TABLE = BREAKS + SLOW + HEADS + FRAMES + BODILESS + EARLY


@pytest.fixture
def transport() -> Iterator[Transport]:
    """A transport that is closed and has nothing in use at the end."""
    made = Transport(breaker_failures=0)  # faults in a row are what is asked for here
    yield made
    assert [pool.places.in_use for pool in made._pools.values() if pool.places.in_use] == []
    made.close()


def check(case: Case, outcome: Outcome) -> None:
    assert outcome.status == case.status
    assert (outcome.cut is not None) is case.is_cut, outcome
    if case.is_cut:
        assert isinstance(outcome.cut, HTTPError)
    if case.body is not None:
        assert outcome.body == case.body
    for name, values in case.headers.items():
        assert outcome.all(name) == values


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_fault(case: Case, transport: Transport) -> None:
    """A faulty upstream is told by a documented status, or by a body that visibly breaks off, and nothing is leaked."""
    with ScriptedUpstream(*case.script) as upstream:
        app = make_app(upstream.url, transport=transport, clocks=case.clocks)
        check(case, ask(app, case.method, body=case.sent))
        assert len(upstream.peers) == 1, "asked once, whatever happened"


@pytest.mark.parametrize("case", [c for c in TABLE if c.status == 200 and not c.is_cut], ids=lambda case: case.name)
def test_nothing_of_an_answer_reaches_the_next_request(case: Case, transport: Transport) -> None:
    """What an upstream sends behind an answer retires the connection and is nobody's answer."""
    second: Script = (read(), send(answer(b"second")), STAY)
    first = [*case.script[:-1], *second] if case.script[-1] is STAY else case.script
    with ScriptedUpstream(scripts=[first, second]) as upstream:
        app = make_app(upstream.url, transport=transport, clocks=case.clocks)
        check(case, ask(app, case.method, body=case.sent))
        assert ask(app).body == b"second"


def test_refused(transport: Transport) -> None:
    """F137: an upstream that refuses connections is 502."""
    with refusing_port() as port:
        outcome = ask(make_app(f"http://127.0.0.1:{port}", transport=transport))
    assert (outcome.status, b"upstream-unreachable" in outcome.body) == (502, True)


def test_silent(transport: Transport) -> None:
    """F135: an upstream that does not take a connection is 504 when the connect clock has run down."""
    with silent_port() as port:
        outcome = ask(make_app(f"http://127.0.0.1:{port}", transport=transport, clocks=HASTY))
    assert (outcome.status, b"upstream-timeout" in outcome.body) == (504, True)


def test_no_such_name(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """F137: a name that does not resolve is 502."""

    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", fails)
    outcome = ask(make_app("http://no-such-host", transport=transport))
    assert (outcome.status, b"upstream-unreachable" in outcome.body) == (502, True)


def test_error_bodies_do_not_reach_the_browser(transport: Transport) -> None:
    """An answer that is refused tells nothing of what the upstream said."""
    with ScriptedUpstream(*says(b"HTTP/1.1 200 OK\r\nX-Secret : hunter2\r\n\r\nhunter2")) as upstream:
        outcome = ask(make_app(upstream.url, transport=transport))
    assert b"hunter2" not in outcome.body
    assert outcome.all("X-Secret") == []
