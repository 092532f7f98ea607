"""What arrives is what was sent, in both directions, through each server."""

from __future__ import annotations

import pytest

from tests.faults.upstream import Script, answer, chunked, close, forever, pause, read, send
from tests.servers.asking import SIGNED_IN, ask, ask_once, client, parts, raw_client, read_all, upstream
from tests.servers.running import Served

pytestmark = pytest.mark.integration

OK = b"HTTP/1.1 200 OK\r\n"
EVERY_BYTE = bytes(range(256))
JOINS_BY = {"gthread": ",", "gevent": ",", "granian": ",", "waitress": ", "}
"""How each server joins header lines of one name: CGI knows each name once."""
DROPS_BEYOND_ASCII = {"granian": "a header value with a byte above 127 arrives empty"}
WRITES_UTF8 = {"granian": "it takes header values for text, where WSGI means bytes, and writes them in UTF-8"}


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ("/api/open/a/b%20c/caf%C3%A9", "/open/a/b%20c/caf%C3%A9"),
        ("/api/open/@me/a:b/x=1,2", "/open/@me/a:b/x=1,2"),
        ("/api/open/%41b/%E2%82%AC", "/open/Ab/%E2%82%AC"),
        ("/api/open/thing?", "/open/thing"),
        ("/api/open/thing?a=1&a=2&b=%2F%20+&c&=d&e==%zz", "/open/thing?a=1&a=2&b=%2F%20+&c&=d&e==%zz"),
        ("/api/open/thing?next=/a//b/../c?d", "/open/thing?next=/a//b/../c?d"),
    ],
)
def test_targets(server: Served, sent: str, received: str) -> None:
    """Path parameters arrive with one encoding, the query byte for byte."""
    with upstream(server, read(), send(answer())) as asked:
        assert ask_once(server, target=sent).status == 200
    assert parts(asked.requests[0])[0] == f"GET {received} HTTP/1.1"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "body", [b"", EVERY_BYTE, b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"], ids=["none", "bytes", "requests"]
)
def test_bodies(server: Served, method: str, body: bytes) -> None:
    """A body arrives byte for byte, with its type and its length."""
    with upstream(server, read(), send(answer())) as asked:
        assert ask_once(server, method, body=body, headers=[("Content-Type", "a/b; c=d")]).status == 200
    line, fields, received = parts(asked.requests[0])
    assert (line, received) == (f"{method} /open/thing HTTP/1.1", body)
    assert [value for name, value in fields if name == "Content-Length"] == [str(len(body))]
    assert [value for name, value in fields if name == "Content-Type"] == ["a/b; c=d"]


def test_request_headers(server: Served, name: str) -> None:
    """Headers that travel arrive, repeated ones joined, with the access token in place of the cookie."""
    sent = [
        *SIGNED_IN,
        ("Accept", "a/b"),
        ("Accept", "c/d"),
        ("X-Shown", "caf\xe9"),
        ("X-Hidden", "1"),
        ("Range", "bytes=0-"),
    ]
    with upstream(server, read(), send(answer())) as asked:
        assert ask_once(server, target="/api/own/me", headers=sent).status == 200
    line, fields, _ = parts(asked.requests[0])
    found = dict(fields)
    assert line == "GET /own/me/ HTTP/1.1"
    assert found["Accept"] == JOINS_BY[name].join(["a/b", "c/d"])
    assert (found["Range"], found["Authorization"]) == ("bytes=0-", "JWT access")
    assert found["X-Shown"] == ("" if name in DROPS_BEYOND_ASCII else "caf\xe9")
    assert {"Cookie", "X-Hidden", "X-CSRF"}.isdisjoint(found)


def test_answer_headers(server: Served, name: str) -> None:
    """Repeated headers of an answer come back one by one and in order, with bytes beyond ASCII as they were."""
    sent = [("Link", "<1>"), ("X-A", "\xe9"), ("Link", "<2>, <3>"), ("Vary", "A"), ("Vary", "B"), ("ETag", 'W/"1"')]
    with upstream(server, read(), send(answer(headers=sent))):
        got = ask_once(server)
    assert [got.all(header) for header in ("Link", "X-A", "Vary", "ETag")] == [
        ["<1>", "<2>, <3>"], ["\xc3\xa9" if name in WRITES_UTF8 else "\xe9"], ["A", "B"], ['W/"1"'],
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["/api/open/thing", "/api/own/thing"], ids=["open", "signed in"])
@pytest.mark.parametrize(
    ("script", "body"),
    [
        ((send(answer(EVERY_BYTE)),), EVERY_BYTE),
        ((send(answer(b"")),), b""),
        ((send(answer(EVERY_BYTE * 4_000)),), EVERY_BYTE * 4_000),
        ((send(answer(b"", length=6), b"abc"), pause(0.05), send(b"def")), b"abcdef"),
        ((send(chunked(EVERY_BYTE, b"0\r\n\r\n")),), EVERY_BYTE + b"0\r\n\r\n"),
        ((send(chunked(b"ab", end=b"")[:-2]), pause(0.05), send(b"2\r\ncd\r\n0\r\n\r\n")), b"abcd"),
        ((send(chunked(*[EVERY_BYTE * 400] * 10)),), EVERY_BYTE * 4_000),
        ((send(chunked()),), b""),
        ((send(OK + b"\r\n" + EVERY_BYTE), close()), EVERY_BYTE),
        ((send(OK + b"\r\nab"), pause(0.05), send(b"cd"), close()), b"abcd"),
        ((send(OK + b"\r\n"), close()), b""),
    ],
    ids=[
        "length", "length 0", "length 1 MB", "length in pieces", "chunks", "chunks in pieces", "chunks of 1 MB",
        "no chunk", "until closed", "until closed, in pieces", "nothing until closed",
    ],
)  # fmt: skip
def test_answers(server: Served, target: str, script: Script, body: bytes) -> None:
    """An answer's body is the same bytes, whatever says where it ends, and the connection serves another request."""
    headers = SIGNED_IN if "own" in target else []
    with upstream(server, scripts=[(read(), *script), (read(), send(answer(b"second")))]), client(server) as connection:
        first = ask(connection, target=target, headers=headers)
        second = ask(connection)
    assert (first.status, first.body, first.is_cut) == (200, body, False)
    assert second.body in (b"second", body)


BODILESS = {
    "204": ("GET", b'HTTP/1.1 204 No Content\r\nETag: "1"\r\n\r\n', 204),
    "304": ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nVary: A\r\n\r\n', 304),
    "HEAD": ("HEAD", OK + b'ETag: "1"\r\nContent-Length: 1234\r\n\r\n', 200),
    "HEAD without length": ("HEAD", OK + b'ETag: "1"\r\n\r\n', 200),
    "HEAD in chunks": ("HEAD", OK + b'ETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n', 200),
}
WRITES_AN_END = {
    ("waitress", "HEAD without length"): "it ends the chunks of a body that it does not send, and then the connection",
    ("waitress", "HEAD in chunks"): "as above",
}


@pytest.mark.parametrize("kind", BODILESS)
def test_bodiless_answers(server: Served, name: str, kind: str) -> None:
    """204, 304 and answers to HEAD have their headers and not a byte behind them."""
    method, script, status = BODILESS[kind]
    with upstream(server, read(), send(script), pause()), raw_client(server) as sock:
        sock.sendall(f"{method} /api/open/thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        head, _, body = read_all(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b'etag: "1"' in head.lower()
    assert (b"content-length: 1234" in head.lower()) is (kind == "HEAD")
    assert body == (b"0\r\n\r\n" if (name, kind) in WRITES_AN_END else b"")


def test_interim_answers(server: Served) -> None:
    """Interim answers of the upstream stay with us: the client sees one head, the final one."""
    interim = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    )
    with upstream(server, read(), send(interim), pause(0.02), send(answer(b"final"))), raw_client(server) as sock:
        sock.sendall(b"GET /api/open/thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = read_all(sock)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\nfinal")
    assert (received.count(b"HTTP/1.1"), b"</x>" in received) == (1, False)


def test_conditional_requests(server: Served) -> None:
    """A condition reaches the upstream, and its 304 the client, with its validators."""
    not_modified = b'HTTP/1.1 304 Not Modified\r\nETag: "2"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n'
    conditions = [("If-None-Match", '"1", "2"'), ("If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT")]
    with upstream(server, read(), send(not_modified)) as asked:
        got = ask_once(server, headers=conditions)
    assert set(conditions) <= set(parts(asked.requests[0])[1])
    assert (got.status, got.body, got.all("ETag")) == (304, b"", ['"2"'])
    assert got.all("Last-Modified") == ["Mon, 01 Jan 2024 00:00:00 GMT"]


def test_ranges(server: Served) -> None:
    """A range reaches the upstream, and the part the client, as a part."""
    part = [("Content-Range", "bytes 2-5/10"), ("Accept-Ranges", "bytes")]
    with upstream(server, read(), send(answer(b"2345", "206 Partial Content", part))) as asked:
        got = ask_once(server, headers=[("Range", "bytes=2-5"), ("If-Range", '"1"')])
    assert {("Range", "bytes=2-5"), ("If-Range", '"1"')} <= set(parts(asked.requests[0])[1])
    assert (got.status, got.body, got.all("Content-Length")) == (206, b"2345", ["4"])
    assert [got.all(header) for header, _ in part] == [[value] for _, value in part]


def test_head_then_get(server: Served) -> None:
    """After HEAD, whose length is that of a body which is not there, the same connection serves GET."""
    head, get = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", answer(b"whole")
    with upstream(server, forever(read(), send(head), read(), send(get))) as asked, client(server) as connection:
        for _ in range(3):
            first = ask(connection, "HEAD")
            sock = connection.sock
            second = ask(connection)
            assert (first.status, first.body, first.all("Content-Length")) == (200, b"", ["999"])
            assert (second.body, connection.sock) == (b"whole", sock)
    assert len(asked.peers) == 1
