"""Somebody sends little that becomes much: in memory, on disk, in the parser; or the upstream does (F028, F063, F072, F073).

Through the whole stack; memory is measured while it happens.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
import tracemalloc
import zlib
from contextlib import contextmanager

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request, session_cookie
from wsgiproxy_hs.exceptions import BodyTooLarge
from wsgiproxy_hs.sessions.signed import seal_signed
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

COOKIE = session_cookie()
MiB = 1_048_576


@contextmanager
def within(mebibytes, seconds=10.0):
    """Python's own memory and time stay within these bounds."""
    tracemalloc.start()
    started = time.process_time()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mebibytes * MiB
    assert time.process_time() - started < seconds


def stack(upstream=None, url=UPSTREAM_URL):
    return create_app(Settings(backend_url=url, public_url=PUBLIC_URL, secrets=[SECRET]), transport=upstream)


def post(app, body, path="/api/workspaces", **keys):
    headers = {"Cookie": COOKIE, "X-Requested-With": "fetch", **keys.pop("headers", {})}
    return call(app, request("POST", path, headers=headers, body=body, **keys))


class Zeros(io.RawIOBase):
    """A body as long as one likes that costs its sender nothing."""

    def __init__(self, size):
        self.left = self.size = size

    def readable(self):
        return True

    def read(self, size=-1):
        size = min(self.left, size if size >= 0 else self.left)
        self.left -= size
        return bytes(size)


def test_an_upload_is_not_held_in_memory():
    """Twenty-four MiB go through with less than four of them in memory (F073)."""
    size = 24 * MiB

    class Counting(FakeUpstream):
        got = 0

        def send(self, request, **options):
            while piece := request.body.read(65_536):
                self.got += len(piece)
            request.body = b""
            return super().send(request, **options)

    counting = Counting()
    app = stack(counting)
    keys = {"CONTENT_LENGTH": str(size), "wsgi__input": Zeros(size), "content_type": "audio/webm"}
    with within(4):
        assert post(app, None, "/api/transcribe-audio", **keys).code == 200
    assert counting.got == size


@pytest.mark.parametrize("kind", ["announced", "not announced"])
def test_a_terabyte_is_cut_at_once(kind):
    """An endless upload, announced or not, is 413 long before it fills a disk."""
    upstream, body = FakeUpstream(), Zeros(10**12)
    keys = {"wsgi__input": body, "content_type": "audio/webm", "CONTENT_LENGTH": str(body.size)}
    if kind == "not announced":
        keys |= {"CONTENT_LENGTH": "", "wsgi__input_terminated": True, "headers": {"Transfer-Encoding": "chunked"}}
    with within(4):
        assert post(stack(upstream), None, "/api/transcribe-audio", **keys).code == 413
    assert upstream.sent == []
    assert body.size - body.left <= 26 * MiB + BodyTooLarge.drain_bytes


def test_a_compressed_body_is_never_unpacked():
    """A gzip bomb with a JSON type is refused as it is."""
    upstream = FakeUpstream()
    bomb = gzip.compress(bytes(200 * MiB), 9)
    with within(4):
        assert post(stack(upstream), bomb, headers={"Content-Encoding": "gzip"}).code == 415
    assert upstream.sent == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": ' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b'{"a": ' + b'{"b": ' * 140_000 + b"1" + b"}" * 140_000 + b"}",
        b"{" + b",".join(b'"%d": 1' % number for number in range(80_000)) + b"}",
        b'{"a": ' + b"9" * 1_000_000 + b"}",
        b'{"a": 1e' + b"9" * 1_000_000 + b"}",
        b'{"a": "' + b"\\u0061" * 170_000 + b'\\ud800"}',
        b'{"a": "' + b"\\\\" * 500_000,
    ],
    ids=["arrays", "objects", "keys", "digits", "exponent", "escapes", "backslashes"],
)
def test_a_document_does_not_grow_in_the_parser(body):
    """JSON made to be dear to parse is refused within bounds of memory and time."""
    upstream = FakeUpstream()
    with within(40, seconds=5):
        assert post(stack(upstream), body).code == 400
    assert upstream.sent == []


def test_a_cookie_does_not_grow():
    """A signed cookie that inflates to a lot, signed by nobody or even by us, is no session and costs little."""
    bomb = zlib.compress(json.dumps({"a": "0" * 4_000_000, "exp": 9e9, "iat": 1}).encode(), 9)
    payload = "." + base64.urlsafe_b64encode(bomb).rstrip(b"=").decode()
    signed = seal_signed({"a": "0" * 900_000}, secrets=[SECRET], now=time.time(), max_age=60)
    for token in (f"{payload}.{signed.split('.', 2)[-1]}", signed):
        app = stack(FakeUpstream())
        with within(24):
            cookie = f"__Secure-wsgiproxy.session={token}"
            assert call(app, request("GET", "/api/workspaces", headers={"Cookie": cookie})).code == 401


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_upstreams_error_does_not_grow(coding):
    """An error that unpacks to two hundred MiB is told in one sentence."""
    bomb = gzip.compress(bytes(200 * MiB), 9) if coding == "gzip" else zlib.compress(bytes(200 * MiB), 9)
    upstream = FakeUpstream(400, bomb, [("Content-Type", "application/json"), ("Content-Encoding", coding)])
    app = stack(upstream)
    with within(8):
        result = call(app, request("GET", "/api/workspaces", headers={"Cookie": COOKIE}))
    assert (result.code, len(result.body) < 1_000) == (400, True)


def test_an_upstreams_answer_is_not_collected():
    """An answer of any size is passed on in pieces, and one that nobody reads is not read."""

    class Endless(FakeUpstream):
        def send(self, request, **options):
            response = super().send(request, **options)
            response.raw._fp = Zeros(10**12)
            return response

    app = stack(Endless())
    with within(4):
        environ = request("GET", "/api/workspaces", headers={"Cookie": COOKIE})
        body = app(environ, lambda status, headers, exc_info=None: None)
        assert sum(len(piece) for _, piece in zip(range(100), body, strict=False)) > 1_000_000
        body.close()
