"""The stock adapter of ``requests`` in place of our own transport: what it keeps of the promises, and what it loses.

The faults are those of ``tests/faults``. ``LOST`` names those that come out otherwise, each with what comes out instead;
whatever it does not name is kept. What is lost beyond faults is shown at the end, one test a loss.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from wsgiref.types import WSGIApplication

import pytest
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from tests.faults import test_table
from tests.faults.asking import HASTY, PATIENT, Outcome, ask, make_app
from tests.faults.certificates import Authority
from tests.faults.test_table import TABLE, Case, check
from tests.faults.upstream import (
    ScriptedUpstream,
    Step,
    answer,
    await_signal,
    chunked,
    close,
    drip,
    forever,
    pause,
    read,
    send,
    wait_for_end,
)
from tests.harness import PUBLIC_URL, SECRET, call, request
from wsgiproxy_hs import NONE, Route, Settings, create_app
from wsgiproxy_hs.upstream import Clocks, Transport


class Lost(NamedTuple):
    """Faults that come out otherwise.

    :param status: what the browser sees instead. :param is_cut: whether it is cut then.
    """

    reason: str
    status: int
    names: tuple[str, ...]
    is_cut: bool = False


LOST = [
    Lost("a head that breaks off passes for a whole one", 200, ("closes within the headers",)),
    Lost("the end of chunks is not looked at", 200, (
        "closes before the last line end of the chunks", "a broken trailer", "a length in the trailers")),
    Lost("nothing is handed on until a block is full, so a cut is told by a status that could have been an answer", 502, (
        "resets within the body", "closes within a chunk", "resets a body without length")),
    Lost("as above, with a pause in place of the cut", 504, ("stops within the body", "stops within a chunk")),
    Lost("of the interim answers it knows 100 alone", 102, (
        "interim answers do not stop the clock", "seven interim answers", "interim answers without end")),
    Lost("as above", 103, ("F107 103 before the answer",)),
    Lost("as above", 101, ("101 nobody asked for",)),
    Lost("what is no HTTP is waited for to become some", 504, (
        "garbage", "HTML without a head", "an HTTP/2 settings frame", "a TLS alert")),
    Lost("a line that is no header ends the head, and the rest is a body without an end", 504, (
        "HTTP/0.9 with a status line", "CR only", "F102 a bare CR in a value", "a space before the colon",
        "a space before the colon of Content-Length", "a line without a colon")),
    Lost("heads are read as mail is", 200, (
        "HTTP/1.2", "LF only", "one LF", "F102 NUL in a value", "a control character in a value", "a folded line",
        "a folded first line", "a header without a name", "a name that is no token")),
    Lost("a head has lines of 64 KiB, and 100 of them", 200, ("a head over 64 KiB",)),
    Lost("as above", 502, ("200 headers",)),
    Lost("any number of three digits is a status", 600, ("status 600",)),
    Lost("of two framings one is chosen", 200, (
        "F077 two framings", "F077 two framings, the other way", "one length twice", "a signed length",
        "gzip as transfer coding", "gzip, chunked", "chunked twice", "chunks in HTTP/1.0")),
    Lost("a length that is none leaves the end open", 504, (
        "a list of lengths", "a negative length", "a hexadecimal length", "an empty length",
        "a length beyond all bounds", "something like chunked", "identity as transfer coding")),
    Lost("chunk sizes are read as Python reads numbers", 200, (
        "a chunk size with 0x", "a blank before the chunk size", "a blank behind the chunk size")),
    Lost("as above", 504, ("a chunk size beyond all bounds",)),
    Lost("as above, which is a bug to us", 500, ("a negative chunk size",)),
    Lost("what stands behind a chunk is not looked at", 200, (
        "chunks ended by LF", "a chunk longer than it says", "a chunk shorter than it says"), is_cut=True),
    Lost("204 may have a body", 204, ("204 with chunks",)),
    Lost("an answer that comes while the body is sent is not heard", 504, (
        "F072 413 while the body is sent", "401 in chunks while the body is sent", "half-closes while the body is sent")),
]  # fmt: skip
ENDLESS = ("drips its head without end", "drips its body without end")
"""Lost with the total clock; shown below, with a shorter drip."""
SOON = Clocks(connect=0.1, first_byte=0.1, idle=0.1, total=0.1)

CASES = {case.name: case for case in TABLE}
KEPT = [case for case in TABLE if case.name not in {*ENDLESS, *(name for lost in LOST for name in lost.names)}]
WHOLE = [case for case in KEPT if case.status == 200 and not case.is_cut and case.script[-1] is test_table.STAY]


@pytest.fixture
def stock() -> Iterator[Any]:
    """The stock adapter, where our own transport is asked for."""
    made = HTTPAdapter()
    yield made
    made.close()


@pytest.mark.parametrize("case", KEPT, ids=lambda case: case.name)
def test_kept(case: Case, stock: Any) -> None:
    """Over the stock adapter the fault comes out as over ours, and the upstream is asked once."""
    test_table.test_fault(case, stock)


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.name)
def test_kept_for_the_next_request(case: Case, stock: Any) -> None:
    """Over the stock adapter, too, what stands behind an answer is nobody's answer."""
    test_table.test_nothing_of_an_answer_reaches_the_next_request(case, stock)


@pytest.mark.parametrize(("lost", "name"), [pytest.param(lost, name, id=name) for lost in LOST for name in lost.names])
def test_lost(lost: Lost, name: str, stock: Any) -> None:
    """The fault comes out as the table says, and not as over our transport."""
    case = CASES[name]
    clocks = SOON if lost.status == 504 else PATIENT
    with ScriptedUpstream(*case.script) as upstream:
        outcome = ask(make_app(upstream.url, transport=stock, clocks=clocks), case.method, body=case.sent)
    assert (outcome.status, outcome.cut is not None) == (lost.status, lost.is_cut)
    with pytest.raises(AssertionError):
        check(case, outcome)


@pytest.mark.parametrize("check_kept", [test_table.test_refused, test_table.test_silent])
def test_kept_of_connecting(check_kept: Callable[[Any], None], stock: Any) -> None:
    """An upstream that refuses connections is 502, one that does not take them 504."""
    check_kept(stock)


def test_kept_of_names(stock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is 502."""
    test_table.test_no_such_name(stock, monkeypatch)


@pytest.mark.parametrize(("kind", "status"), [(Transport, 200), (HTTPAdapter, 502)])
def test_a_kept_connection_that_dies_is_not_dialled_again(kind: Callable[[], Any], status: int) -> None:
    """Lost: where the upstream closes a kept connection just as a GET is on its way, ours asks once more (F133)."""
    transport = kind()
    with ScriptedUpstream(scripts=[[read(), send(answer()), read(), close()], [read(), send(answer())]]) as upstream:
        app = make_app(upstream.url, transport=transport)
        assert [ask(app).status, ask(app).status] == [200, status]
        transport.close()


# What leaves

QUERIES = [
    ("a=1&a=2&b=", "a=1&a=2&b="),
    ("q=a+b%20c", "q=a+b%20c"),
    ("next=http://h/?x=1", "next=http://h/?x=1"),
    ("q=%c3%a9", "q=%C3%A9"),
    ("x=%zz&y=%", "x=%25zz&y=%25"),
    ('a={}|^"<>', "a=%7B%7D%7C%5E%22%3C%3E"),
]


@pytest.mark.parametrize(("given", "arrives"), QUERIES)
def test_queries_are_rewritten(given: str, arrives: str, stock: Any) -> None:
    """Lost: a query with odd escapes does not arrive byte for byte; a usual one does."""
    with ScriptedUpstream(read(), send(answer())) as upstream:
        ask(make_app(upstream.url, transport=stock), query=given)
    assert upstream.requests[0].startswith(f"GET /thing/?{arrives} HTTP/1.1\r\n".encode())


def test_headers_are_made_up(stock: Any) -> None:
    """Lost: a client without ``User-Agent`` and ``Accept-Encoding`` is given them (F097)."""
    with ScriptedUpstream(read(), send(answer())) as upstream:
        ask(make_app(upstream.url, transport=stock))
    assert b"\r\nAccept-Encoding: identity\r\n" in upstream.requests[0]
    assert b"\r\nUser-Agent: python-urllib3/" in upstream.requests[0]


def test_the_environment_has_no_say(stock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept: variables for proxies are not looked at, since no ``Session`` is asked (F105)."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with ScriptedUpstream(read(), send(answer())) as upstream:
        assert ask(make_app(upstream.url, transport=stock)).status == 200


# What comes back


def drips(stock: Any, *steps: Step) -> Outcome:
    with ScriptedUpstream(read(), *steps) as upstream:
        return ask(make_app(upstream.url, transport=stock, clocks=HASTY))


@pytest.mark.parametrize("steps", [
    (send(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"), drip(b"x" * 60, 0.02)),
    (drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40, 0.02), send(b"\r\nContent-Length: 60\r\n\r\n" + b"x" * 60)),
], ids=ENDLESS)  # fmt: skip
def test_there_is_no_total_clock(steps: tuple[Step, ...], stock: Any) -> None:
    """Lost: an upstream that drips may take as long as it likes; its clock begins anew with every byte."""
    began = time.monotonic()
    assert drips(stock, *steps)[2:] == (b"x" * 60, None)
    assert time.monotonic() - began > HASTY.total_seconds


@contextmanager
def begun(stock: Any, *steps: Step, clocks: Clocks = PATIENT) -> Iterator[tuple[Any, ScriptedUpstream]]:
    """The body of an answer that is on its way."""
    environ = request("GET", "/api/thing")
    with ScriptedUpstream(read(), *steps) as upstream:
        body = make_app(upstream.url, transport=stock, clocks=clocks)(environ, lambda *_: lambda _: None)
        try:
            yield body, upstream
        finally:
            body.close()  # type: ignore[attr-defined]


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def test_chunks_are_passed_on_at_once(stock: Any) -> None:
    """Kept: an event in a chunk of its own is here before the next one is made (F112)."""
    first = (
        EVENTS + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"data: 1\n\n", end=b"").split(b"\r\n\r\n", 1)[1][:-2]
    )
    with begun(stock, send(first), wait_for_end()) as (body, _):
        assert next(iter(body)) == b"data: 1\n\n"


def test_what_is_not_in_chunks_is_held_back(stock: Any) -> None:
    """Lost: without chunks nothing comes before 64 KiB or the end are here, so an event waits (F112)."""
    told = threading.Event()
    app: list[Any] = []
    with ScriptedUpstream(
        read(), send(EVENTS + b"\r\ndata: 1\n\n"), await_signal(told), send(b"data: 2\n\n")
    ) as upstream:
        asking = threading.Thread(target=lambda: app.append(ask(make_app(upstream.url, transport=stock))))
        asking.start()
        asking.join(0.3)
        is_waiting = asking.is_alive()
        told.set()
        asking.join(5)
    assert (is_waiting, app[0].body) == (True, b"data: 1\n\ndata: 2\n\n")


def test_event_streams_are_answers_like_others(stock: Any) -> None:
    """Lost: no clock of their own, no heartbeat, no last event that says why; a quiet stream is cut (F115 to F117)."""
    piece = EVENTS + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
    outcome = drips(stock, send(piece), pause())
    assert (outcome.body, isinstance(outcome.cut, HTTPError)) == (b"data: 1\n\n", True)
    assert outcome.all("X-Accel-Buffering") == []


def test_closing_ends_the_exchange(stock: Any) -> None:
    """Kept: a browser that leaves takes the upstream's connection with it (F114)."""
    piece = EVENTS + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
    with begun(stock, send(piece), wait_for_end()) as (body, upstream):
        next(iter(body))
        body.close()
        assert upstream.peer().ended.wait(2)


def app_of(stock: Any, url: str, **settings: Any) -> WSGIApplication:
    given = Settings(backend_url=url, public_url=PUBLIC_URL, secrets=[SECRET], **settings)
    return create_app(given, routes=[Route("GET", "thing", "/thing/", NONE)], transport=stock)


def test_connections_are_not_bounded(stock: Any) -> None:
    """Lost: MAX_UPSTREAM_CONNECTIONS is our transport's; the stock adapter opens as many as are asked for at once."""
    told = threading.Event()
    page = answer(headers=[("Content-Type", "text/plain")])
    with ScriptedUpstream(read(), await_signal(told), send(page)) as upstream:
        app = app_of(stock, upstream.url, max_connections=1)
        askers = [threading.Thread(target=call, args=(app, request("GET", "/api/thing"))) for _ in range(3)]
        for asker in askers:
            asker.start()
        assert upstream.peer(2), "the third connection is there while the first is in use"
        told.set()
        for asker in askers:
            asker.join(5)


def test_unix_sockets_are_not_known(stock: Any) -> None:
    """Lost: an upstream at a Unix socket is 502, and nothing arrives there."""
    with ScriptedUpstream(forever(read(), send(answer())), unix=True) as upstream:
        result = call(app_of(stock, f"unix:{upstream.unix_path}"), request("GET", "/api/thing"))
        assert (result.code, upstream.requests) == (502, [])


def test_certificates_are_verified_by_its_own_list(tmp_path: Any, stock: Any) -> None:
    """Kept: TLS is verified. Lost: UPSTREAM_CA_BUNDLE is our transport's, so an authority of your own is not trusted."""
    authority = Authority(tmp_path)
    with ScriptedUpstream(forever(read(), send(answer())), tls=authority.server()) as upstream:
        result = call(app_of(stock, upstream.url, ca_bundle=authority.bundle), request("GET", "/api/thing"))
        assert (result.code, upstream.requests) == (502, [])
