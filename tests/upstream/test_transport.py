"""The transport as a requests adapter: what leaves is what was given, what arrives is what was sent."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from tests.faults.asking import ask, make_app
from tests.faults.upstream import (
    ScriptedUpstream,
    answer,
    await_signal,
    chunked,
    forever,
    pause,
    read,
    read_head,
    send,
    signal,
    wait_for_end,
)
from wsgiproxy_hs.upstream import Clocks, Transport
from wsgiproxy_hs.upstream.addresses import host_header, unix_url

SERVES = forever(read(), send(answer()))
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    assert all(pool.places.in_use == 0 for pool in made._pools.values())
    made.close()


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream(SERVES) as running:
        yield running


def prepared(url: str, method: str = "GET", headers: dict[str, Any] | None = None, body: Any = None) -> PreparedRequest:
    request = PreparedRequest()
    request.method, request.url, request.body = method, url, body
    request.headers = CaseInsensitiveDict(headers or {})
    return request


def fetch(transport: Transport, request: PreparedRequest, **options: Any) -> requests.Response:
    options.setdefault("timeout", Clocks(connect=5, first_byte=10, idle=10, total=60))
    response = transport.send(request, stream=True, **options)
    assert response.content is not None
    return response


# What leaves


def test_head_byte_for_byte(upstream: ScriptedUpstream, transport: Transport) -> None:
    """Order, case and values of the headers leave as they were given, and nothing is added to them."""
    headers = {"x-b": "2", "Host": "api.example", "X-A": " 1,  2\t", "ACCEPT": "*/*", "accept-Encoding": ""}
    fetch(transport, prepared(upstream.url + "/a", headers=headers))
    assert upstream.requests == [
        b"GET /a HTTP/1.1\r\nx-b: 2\r\nHost: api.example\r\nX-A:  1,  2\t\r\nACCEPT: */*\r\naccept-Encoding: \r\n\r\n"
    ]


@pytest.mark.parametrize(
    "target",
    [
        "/", "//evil/x", "/a/../b", "/a%2fb", "/%2e%2e/%7E", "/%7e%zz", "/[a]|{b}", "/a;b=c", "/?", "/?a=1&&b=&c",
        "/?q=%C3%A9+%20", "/?next=http://h/?x=1", "/?a=\xc3\xa9", "/a?b=c/d?e", "/?a=`'\"<>^",
    ],
)  # fmt: skip
def test_target_byte_for_byte(upstream: ScriptedUpstream, transport: Transport, target: str) -> None:
    """F042: no path and no query is normalised, decoded or encoded."""
    fetch(transport, prepared(upstream.url + target))
    assert upstream.requests[0].startswith(b"GET " + target.encode("latin-1") + b" HTTP/1.1\r\n")


VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f")


@QUICK
@given(query=st.text(VISIBLE))
def test_any_query(upstream: ScriptedUpstream, transport: Transport, query: str) -> None:
    """Every query that HTTP can carry arrives byte for byte."""
    fetch(transport, prepared(f"{upstream.url}/thing/?{query}"))
    assert upstream.requests[-1].split(b" ")[1] == b"/thing/?" + query.encode("latin-1")


@QUICK
@given(body=st.binary(max_size=200_000), as_file=st.booleans())
def test_any_body(upstream: ScriptedUpstream, transport: Transport, body: bytes, as_file: bool) -> None:
    """Every body arrives byte for byte, from memory and from a file."""
    given_body: Any = io.BytesIO(body) if as_file else body
    fetch(transport, prepared(upstream.url + "/", "POST", {"Content-Length": str(len(body))}, given_body))
    assert upstream.requests[-1].partition(b"\r\n\r\n")[2] == body


@QUICK
@given(value=st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0")))
def test_any_value(upstream: ScriptedUpstream, transport: Transport, value: str) -> None:
    """Every header value without line ends and NUL leaves byte for byte."""
    fetch(transport, prepared(upstream.url + "/", headers={"X-V": value}))
    assert b"\r\nX-V: " + value.encode("latin-1") + b"\r\n" in upstream.requests[-1]


@QUICK
@given(body=st.binary(max_size=100_000), sizes=st.lists(st.integers(1, 40_000), max_size=5), coding=st.booleans())
def test_any_answer(transport: Transport, body: bytes, sizes: list[int], coding: bool) -> None:
    """Every answer arrives byte for byte, in one piece or many, with a length or in chunks."""
    pieces, rest = [], body
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    pieces = [piece for piece in [*pieces, rest] if piece]
    whole = chunked(*pieces) if coding else answer(body)
    cuts = sorted({min(size, len(whole)) for size in sizes})
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    with ScriptedUpstream(read(), send(*parts), wait_for_end()) as upstream:
        assert fetch(transport, prepared(upstream.url + "/")).content == body


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nEvil: 1"}, {"X": "a\nb"}, {"X": "a\rb"}, {"X": "a\0b"}, {"X": "\u20ac"}, {"X Y": "1"}, {"X:": "1"},
        {"": "1"}, {"X\n": "1"}, {"\xe9": "1"}, {"Transfer-Encoding": "chunked"}, {"Content-Length": "-1"},
        {"Content-Length": "+0"}, {"Content-Length": ""}, {"Content-Length": "\u0660"}, {"Content-Length": "5"},
    ],
)  # fmt: skip
def test_heads_that_are_refused(upstream: ScriptedUpstream, transport: Transport, headers: dict[str, str]) -> None:
    """F102: what could be read as a second header or a second request never leaves."""
    with pytest.raises(requests.exceptions.InvalidHeader):
        fetch(transport, prepared(upstream.url + "/", headers=headers))
    assert upstream.peers == []


@pytest.mark.parametrize("target", ["/a b", "/a\tb", "/a\r\nb", "/a\x7f", "/\u20ac", "/a\0"])
def test_targets_that_are_refused(upstream: ScriptedUpstream, transport: Transport, target: str) -> None:
    """A target that could end the request line early never leaves."""
    with pytest.raises(requests.exceptions.InvalidHeader):
        fetch(transport, prepared(upstream.url + target))
    assert upstream.peers == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_no_body_has_a_length(upstream: ScriptedUpstream, transport: Transport, method: str) -> None:
    """RFC 9110, section 8.6: a method that has a body says when it is empty."""
    fetch(transport, prepared(upstream.url + "/", method))
    assert b"\r\nContent-Length: 0\r\n" in upstream.requests[0]


def test_body_without_length(upstream: ScriptedUpstream, transport: Transport) -> None:
    """F075: a body of unknown length is refused, never sent unframed."""
    with pytest.raises(requests.exceptions.InvalidHeader):
        fetch(transport, prepared(upstream.url + "/", "POST", body=iter([b"x"])))
    assert upstream.peers == []


def test_file_longer_than_announced(upstream: ScriptedUpstream, transport: Transport) -> None:
    """F075: of a file, no byte beyond the announced length is read or sent."""
    file = io.BytesIO(b"12345GET /evil HTTP/1.1\r\n\r\n")
    fetch(transport, prepared(upstream.url + "/", "POST", {"Content-Length": "5"}, file))
    assert (upstream.requests[0][-5:], file.tell()) == (b"12345", 5)


def test_file_shorter_than_announced(upstream: ScriptedUpstream, transport: Transport) -> None:
    """F076: a body that ends early breaks the connection off; the upstream never takes it for whole."""
    with pytest.raises(requests.ConnectionError):
        fetch(transport, prepared(upstream.url + "/", "POST", {"Content-Length": "9"}, io.BytesIO(b"12345")))
    assert upstream.peer().ended.wait(5)
    assert upstream.requests == []


def test_text_and_byte_values(upstream: ScriptedUpstream, transport: Transport) -> None:
    """What ``requests`` itself may prepare is sent: a body of text, header values of bytes."""
    body = "\u20ac"
    fetch(transport, prepared(upstream.url + "/", "POST", {"X": b"\xe9", "Content-Length": "3"}, body))
    assert upstream.requests[0].endswith(b"X: \xe9\r\nContent-Length: 3\r\n\r\n\xe2\x82\xac")


def test_plain_mapping(upstream: ScriptedUpstream, transport: Transport) -> None:
    """Headers may be any mapping."""
    request = prepared(upstream.url + "/")
    request.headers = {"X-a": "1"}  # type: ignore[assignment]
    fetch(transport, request)
    assert b"\r\nX-a: 1\r\n" in upstream.requests[0]


def test_environment_is_not_read(
    upstream: ScriptedUpstream, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F105: neither proxy variables nor .netrc change what is sent, or where."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    fetch(transport, prepared(upstream.url + "/", headers={"Authorization": "JWT x"}))
    assert b"Authorization: JWT x\r\n" in upstream.requests[0]


# Where to


@pytest.mark.parametrize(
    "url", ["ftp://h/", "//h/", "/x", "http:///x", "http://user@h/", "http://h:x/", "http://h:99999/", "http://h?x/", "http://[::1/", "http+unix:///x", ""]
)  # fmt: skip
def test_urls_that_lead_nowhere(transport: Transport, url: str) -> None:
    """A URL that is not one of an upstream is told as such."""
    with pytest.raises(requests.exceptions.InvalidURL):
        fetch(transport, prepared(url))


def test_scheme_in_capitals_is_no_plain_text(transport: Transport, upstream: ScriptedUpstream) -> None:
    """``HTTPS://`` means TLS in every spelling."""
    with pytest.raises(requests.ConnectionError):
        fetch(transport, prepared(f"HTTPS://127.0.0.1:{upstream.port}/"), timeout=1)
    assert upstream.requests == []


def test_url_without_path(transport: Transport, upstream: ScriptedUpstream) -> None:
    """RFC 9110, section 7.7: an empty path is a slash."""
    fetch(transport, prepared(upstream.url))
    assert upstream.requests[0].startswith(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:")


def test_unix_socket(transport: Transport) -> None:
    """An upstream may listen on a Unix socket; its name is then ``localhost``."""
    with ScriptedUpstream(SERVES, unix=True) as upstream:
        assert upstream.unix_path is not None
        url = unix_url(upstream.unix_path)
        for _ in range(3):
            assert fetch(transport, prepared(url + "/a/?b")).content == b"ok"
        assert upstream.requests[0].startswith(b"GET /a/?b HTTP/1.1\r\nHost: localhost\r\n")
        assert ask(make_app(url, transport=transport)).body == b"ok"
        assert upstream.requests[-1].startswith(b"GET /thing/ HTTP/1.1\r\nHost: localhost\r\n")
        assert len(upstream.peers) == 1
    assert (host_header(url), host_header("http://api:8000")) == ("localhost", "api:8000")


def test_unix_socket_that_is_not_there(transport: Transport) -> None:
    """F137: no such socket is no connection."""
    with pytest.raises(requests.ConnectionError):
        fetch(transport, prepared(unix_url("/nonexistent.sock") + "/"))


# What comes back


def test_response_is_one_of_requests(transport: Transport) -> None:
    """What ``requests`` promises of a response holds, though it is made when asked for."""
    says = answer(b'{"a": "\xc3\xa9"}', "201 Made", [("Content-Type", "application/json; charset=utf-8"), ("X", "1"), ("x", "2"), ("Set-Cookie", "a=1")])  # fmt: skip
    with ScriptedUpstream(forever(read(), send(says))) as upstream:
        response = fetch(transport, prepared(upstream.url + "/"))
        assert (response.status_code, response.reason, response.ok) == (201, "Made", True)
        assert (response.json(), response.encoding, response.headers["x"]) == ({"a": "\xe9"}, "utf-8", "1, 2")
        assert (list(response.cookies), response.history, response.next) == ([], [], None)
        assert (response.elapsed.total_seconds(), response.url) == (0, upstream.url + "/")
        assert response.raw.headers.getlist("X") == ["1", "2"]
        assert response.raw.headers.get("missing") is None
        with pytest.raises(AttributeError):
            response.nothing  # noqa: B018


def test_in_a_session(upstream: ScriptedUpstream) -> None:
    """Mounted in a ``requests.Session`` it serves like any adapter."""
    with requests.Session() as session:
        session.mount("http://", Transport())
        assert session.get(upstream.url + "/x", timeout=5).text == "ok"
        assert session.post(upstream.url + "/x", json={"a": 1}, timeout=(5, 5)).text == "ok"
        with session.get(upstream.url + "/x", stream=True) as response:
            assert list(response.iter_content(1)) == [b"ok"]
    assert upstream.requests[1].endswith(b'{"a": 1}')


def test_responses_intercepts_it(transport: Transport) -> None:
    """``responses`` stands in for the upstream; repeated headers survive."""
    with responses.RequestsMock() as mock:
        mock.get("http://upstream/thing/", body=b"mocked", headers={"X-A": "1"})
        outcome = ask(make_app("http://upstream", transport=transport))
    assert (outcome.status, outcome.body, outcome.all("X-A")) == (200, b"mocked", ["1"])


def test_responses_intercepts_errors(transport: Transport) -> None:
    """``responses`` can play a fault, which is told like a real one."""
    with responses.RequestsMock() as mock:
        mock.get("http://upstream/thing/", body=requests.exceptions.ReadTimeout())
        assert ask(make_app("http://upstream", transport=transport)).status == 504


def test_iteration_ends_with_close(transport: Transport) -> None:
    """F114: closing an answer that is not read to its end closes the upstream's connection within a second."""
    with ScriptedUpstream(read(), send(answer(b"x" * 10, length=99)), wait_for_end()) as upstream:
        response = transport.send(prepared(upstream.url + "/"), stream=True, timeout=10)  # type: ignore[arg-type]
        assert next(response.raw) == b"x" * 10
        response.close()
        assert upstream.peer().ended.wait(1)
        assert list(response.raw) == []


def test_forgotten_answers(transport: Transport) -> None:
    """F139: whoever forgets to close an answer does not keep its place."""
    with ScriptedUpstream(read(), send(answer(b"x", length=99)), wait_for_end()) as upstream:
        response = transport.send(prepared(upstream.url + "/"), stream=True, timeout=10)  # type: ignore[arg-type]
        del response
        assert upstream.peer().ended.wait(1)


def test_answers_are_no_cycles(upstream: ScriptedUpstream, transport: Transport) -> None:
    """An exchange leaves nothing for the garbage collector: what it made is gone at once."""
    fetch(transport, prepared(upstream.url + "/"))
    gc.collect()
    gc.disable()
    try:
        fetch(transport, prepared(upstream.url + "/"))
        assert gc.collect() == 0
    finally:
        gc.enable()


# Streams and sizes


def test_first_event_is_not_held_back(transport: Transport) -> None:
    """F112: an event is handed on within 20 ms of being written, the first one too."""
    written: list[float] = []
    go = [threading.Event(), threading.Event()]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    def event(peer: Any) -> None:
        written.append(time.monotonic())
        peer.send(b"9\r\ndata: x\n\n\r\n")

    script = (read(), send(head), await_signal(go[0]), event, await_signal(go[1]), event, wait_for_end())
    with ScriptedUpstream(*script) as upstream:
        response = transport.send(prepared(upstream.url + "/"), stream=True, timeout=10)  # type: ignore[arg-type]
        for index in range(2):
            go[index].set()
            assert next(response.raw) == b"data: x\n\n"
            assert time.monotonic() - written[index] < 0.02
        closing = time.monotonic()
        response.close()
        assert upstream.peer().ended.wait(1)
        assert upstream.peer().ended_at - closing < 1


def test_streams_have_their_own_clock_and_places() -> None:
    """An event stream outlives the idle clock and the total, and takes none of the places of short exchanges."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
    clocks = Clocks(first_byte=5, idle=0.1, total=0.2, stream_idle=30)
    quiet = threading.Event()
    transport = Transport(max_connections=1, max_streams=1, wait_seconds=0.1)
    stream = (read(), send(head), await_signal(quiet), send(b"data: x\n\n"), wait_for_end())
    with ScriptedUpstream(scripts=[stream, (SERVES,), stream]) as upstream:
        response = transport.send(prepared(upstream.url + "/"), stream=True, timeout=clocks)  # type: ignore[arg-type]
        threading.Timer(0.4, quiet.set).start()
        assert fetch(transport, prepared(upstream.url + "/")).content == b"ok"
        (pool,) = transport._pools.values()
        assert (pool.places.in_use, pool.stream_places.in_use) == (0, 1)
        assert next(response.raw) == b"data: x\n\n"
        transport.close()
        with pytest.raises(requests.ConnectionError):
            transport.send(prepared(upstream.url + "/"), stream=True, timeout=clocks)  # type: ignore[arg-type]
        response.close()
        assert (pool.places.in_use, pool.stream_places.in_use) == (0, 0)


def _peak_growth_of(code: str, url: str) -> int:
    """By how many bytes the peak of a process's memory grows while it runs that code."""
    script = f"""
        import io, resource, sys
        from requests import PreparedRequest
        from requests.structures import CaseInsensitiveDict
        from wsgiproxy_hs.upstream import Transport, Clocks
        request, transport = PreparedRequest(), Transport()
        request.url = sys.argv[1]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{textwrap.indent(textwrap.dedent(code), " " * 8)}
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        transport.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), url], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout) * 1024


def test_large_download_in_constant_memory() -> None:
    """F073: an answer of 200 MB passes through a few megabytes of memory."""
    size, piece = 200_000_000, b"x" * 1_000_000

    def body(peer: Any) -> None:
        for _ in range(size // len(piece)):
            peer.send(piece)

    with ScriptedUpstream(read(), send(answer(b"", length=size)), body, wait_for_end()) as upstream:
        growth = _peak_growth_of(
            f"""
            request.method, request.headers = "GET", CaseInsensitiveDict()
            response = transport.send(request, stream=True, timeout=30)
            assert sum(map(len, response.raw)) == {size}
            """,
            upstream.url + "/",
        )
    assert growth < 8_000_000


def test_large_upload_in_constant_memory() -> None:
    """F073: a body of 200 MB passes through a few megabytes of memory."""
    size = 200_000_000

    def swallow(peer: Any) -> None:
        left = size - len(peer._pending)
        while left > 0:
            left -= len(peer.sock.recv(1_000_000))

    with ScriptedUpstream(read_head(), swallow, send(answer()), wait_for_end()) as upstream:
        growth = _peak_growth_of(
            f"""
            class Zeros(io.RawIOBase):
                def read(self, size): return bytes(size)
            request.method, request.body = "POST", Zeros()
            request.headers = CaseInsensitiveDict({{"Content-Length": "{size}"}})
            assert transport.send(request, stream=True, timeout=30).content == b"ok"
            """,
            upstream.url + "/",
        )
    assert growth < 8_000_000


# Processes


def test_nothing_is_opened_at_import() -> None:
    """F141: importing and making a transport opens no socket, starts no thread and takes no lock."""
    code = """
        import os, socket, ssl, threading
        def forbidden(*a, **k): raise AssertionError
        before = os.listdir("/proc/self/fd")
        from wsgiproxy_hs.upstream import Transport
        socket.socket.__init__ = ssl.create_default_context = forbidden
        Transport()
        assert len(os.listdir("/proc/self/fd")) == len(before)
        assert threading.active_count() == 1
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=30)


def test_fork(upstream: ScriptedUpstream) -> None:
    """F140: after a fork parent and child use connections of their own, and the parent's stay open."""
    code = """
        import os, sys
        from requests import PreparedRequest
        from requests.structures import CaseInsensitiveDict
        from wsgiproxy_hs.upstream import Transport
        transport = Transport(idle_seconds=30)
        def ask():
            request = PreparedRequest()
            request.method, request.url, request.headers = "GET", sys.argv[1], CaseInsensitiveDict()
            return transport.send(request, stream=True, timeout=10).content
        assert ask() == b"ok"
        child = os.fork()
        if child == 0:
            ok = ask() == b"ok" and ask() == b"ok" and len(transport._pools) == 1
            transport.close()
            os._exit(0 if ok else 1)
        _, status = os.waitpid(child, 0)
        assert status == 0
        assert ask() == b"ok"
        transport.close()
    """
    subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), upstream.url + "/"], check=True, timeout=30
    )
    assert [len(peer.requests) for peer in upstream.peers] == [2, 2]


def test_gevent() -> None:
    """F141: under gevent a hundred greenlets wait for their answers side by side, and for places of the pool."""
    pytest.importorskip("gevent")
    code = """
        import gevent.monkey
        gevent.monkey.patch_all()
        import gevent, sys, time
        from requests import PreparedRequest
        from requests.structures import CaseInsensitiveDict
        from wsgiproxy_hs.upstream import Transport, Clocks
        transport = Transport(max_connections=50, wait_seconds=20)
        def ask(n):
            request = PreparedRequest()
            request.method, request.url, request.headers = "POST", sys.argv[1], CaseInsensitiveDict({"Content-Length": "9"})
            request.body = b"%09d" % n
            return transport.send(request, stream=True, timeout=Clocks()).content
        began = time.monotonic()
        jobs = [gevent.spawn(ask, n) for n in range(100)]
        gevent.joinall(jobs, timeout=20, raise_error=True)
        assert [job.value for job in jobs] == [b"ok"] * 100
        assert time.monotonic() - began < 5, time.monotonic() - began
        transport.close()
    """
    with ScriptedUpstream(forever(read(), pause(0.2), send(answer()))) as upstream:
        subprocess.run([sys.executable, "-c", textwrap.dedent(code), upstream.url + "/"], check=True, timeout=60)
        assert len(upstream.requests) == 100
        assert 2 <= len(upstream.peers) <= 50


def test_signal_step_is_used() -> None:
    """The upstream's steps can tell a test how far they are."""
    reached = threading.Event()
    transport = Transport()
    with ScriptedUpstream(read(), signal(reached), send(answer())) as upstream:
        fetch(transport, prepared(upstream.url + "/"))
    assert reached.is_set()
    transport.close()
