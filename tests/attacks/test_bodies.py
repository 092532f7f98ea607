"""Somebody writes a body so that our check reads it in one way and the upstream in another, or that costs us dearly.

Types that skip the check, JSON with two readings, lengths that are none, floods: through the whole stack, with a good
session (F058 to F081).
"""

from __future__ import annotations

import gzip
import io
import time

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, WORKSPACE_ID, FakeUpstream, call, request, session_cookie
from wsgiproxy_hs.exceptions import BodyTooLarge
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

SETTINGS = Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET])
PATH = f"/api/workspaces/{WORKSPACE_ID}/invitations"
HEADERS = {"Cookie": session_cookie(), "Origin": PUBLIC_URL}
GOOD = b'{"email": "a@example.com"}'


def send(body=GOOD, *, path=PATH, method="POST", headers=None, upstream=None, validate=True, **keys):
    upstream = FakeUpstream() if upstream is None else upstream
    environ = request(method, path, headers={**HEADERS, **(headers or {})}, body=body, **keys)
    return call(create_app(SETTINGS, transport=upstream), environ, validate=validate), upstream


def test_the_good_body_arrives():
    """The requests below differ from one that passes in the one thing they are about."""
    result, upstream = send()
    assert (result.code, upstream.sent[0].body) == (200, GOOD)


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "a@example.com", "email": "evil@example.com"}',
        b'{"email": "a@example.com", "\\u0065mail": "evil@example.com"}',
        b'\xef\xbb\xbf{"email": "a@example.com"}',
        '{"email": "a@example.com"}'.encode("utf-16"),
        b'{"email": "a@example.com", "x": NaN}',
        b'{"email": "a@example.com", "x": 1e999}',
        b'{"email": "a@example.com", "x": "\\udfff"}',
        b'{"email": "a@example.com", "x": "a\\u0000b"}',
        b'{"email": "a@example.com"} {"email": "evil@example.com"}',
        b'{"email": "a@example.com"}\x00',
        b"{'email': 'a@example.com'}",
        b'{"email": "a@example.com", /* */ "x": 1}',
        b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'[{"email": "a@example.com"}]',
        b"email=a@example.com",
        b"",
    ],
)
def test_json_with_two_readings_stays_here(body):
    """400 before two parsers can disagree (F060 to F066)."""
    result, upstream = send(body)
    assert result.code == 400
    assert result.document["code"] in ("body-invalid", "body-too-complex")
    assert upstream.sent == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-7",
        "application/json; charset=utf-16le",
        "text/plain; charset=latin-1",
        "application/jsön",
    ],
)
def test_no_content_type_skips_the_check(content_type):
    """415 for any type that the upstream would parse in its own way (F067)."""
    result, upstream = send(content_type=content_type.encode().decode("latin-1"))
    assert (result.code, upstream.sent) == (415, [])


def test_text_plain_is_checked_like_json():
    """What a form can send as text/plain is held against the model, and leaves as JSON (F067)."""
    result, upstream = send(b'{"email": 5}', content_type="text/plain")
    assert (result.code, upstream.sent) == (400, [])
    assert send(content_type="text/plain")[1].sent[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("body", [gzip.compress(GOOD), GOOD])
def test_a_compressed_body_is_refused(body):
    """A check that sees other bytes than the upstream is none (F081)."""
    result, upstream = send(body, headers={"Content-Encoding": "gzip"})
    assert (result.code, upstream.sent) == (415, [])


@pytest.mark.parametrize("length", ["-1", "+26", "26,26", "0x1a", "1_0", "٢٦", "9" * 40, "26\n", " 26"])
def test_a_length_that_two_readers_read_in_two_ways_is_refused(length):
    """400, so that no byte of a body becomes the next request (F078)."""
    result, upstream = send(CONTENT_LENGTH=length, validate=False)
    assert (result.code, upstream.sent) == (400, [])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_body_cannot_hide_behind_a_method_without_one(method):
    """A smuggled request in the body of a GET goes nowhere (F079)."""
    smuggled = b"GET /admin/ HTTP/1.1\r\nHost: upstream\r\n\r\n"
    path = f"/api/workspaces/{WORKSPACE_ID}/teams/7"
    result, upstream = send(smuggled, method=method, path=path)
    assert (result.code, upstream.sent) == (400, [])


def test_a_chunked_body_leaves_with_a_length():
    """No body travels without its length, so none is parsed as the next request (F074, F075)."""
    environ_keys = {"wsgi__input": io.BytesIO(GOOD), "wsgi__input_terminated": True, "CONTENT_LENGTH": ""}
    result, upstream = send(None, headers={"Transfer-Encoding": "chunked"}, **environ_keys)
    assert result.code == 200
    (sent,) = upstream.sent
    assert (sent.body, sent.headers["Content-Length"]) == (GOOD, str(len(GOOD)))
    assert "Transfer-Encoding" not in sent.headers


def test_half_an_upload_is_none():
    """A client that stops early leaves nothing behind at the upstream (F076)."""
    result, upstream = send(b"x" * 10, path="/api/transcribe-audio", CONTENT_LENGTH="20", content_type="audio/webm")
    assert (result.code, result.document["code"]) == (400, "body-incomplete")
    assert upstream.sent == []


@pytest.mark.parametrize(
    ("path", "limit"), [(PATH, 1_048_576), ("/api/transcribe-audio", 25 * 1_048_576), ("/api/auth/signin", 65_536)]
)
def test_a_flood_is_cut_at_the_rows_limit(path, limit):
    """413, announced or not; what is read away so that the client hears the answer is bounded too (F072, F084)."""
    upstream = FakeUpstream()
    assert (
        send(None, path=path, CONTENT_LENGTH=str(limit + 1), wsgi__input=io.BytesIO(b""), upstream=upstream)[0].code
        == 413
    )

    class Endless(io.RawIOBase):
        given = 0

        def readable(self):
            return True

        def read(self, size=-1):
            assert size >= 0
            self.given += size
            return b" " * size

    stream = Endless()
    keys = {"wsgi__input": stream, "wsgi__input_terminated": True, "CONTENT_LENGTH": ""}
    assert send(None, path=path, headers={"Transfer-Encoding": "chunked"}, upstream=upstream, **keys)[0].code == 413
    assert stream.given <= limit + 65_536 + BodyTooLarge.drain_bytes
    assert upstream.sent == []


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 40_000 + b"[" * 65,
        b"{" + b",".join(b'"%d":1' % i for i in range(90_000)) + b',"89999":2}',
        b'{"email": "a@example.com", "x": [' + b"1" * 900 + b"," + b"[],{}," * 100_000 + b"0]}",
        b"{" * 1_000_000,
        b'{"email": "' + b"a" * 1_000_000 + b'"}',
        b'{"email": "' + b"@" * 1_000_000 + b'"}',
    ],
    ids=["quotes", "keys", "small things", "braces", "a long text", "a long address"],
)
def test_much_malice_costs_a_blink(body):
    """Nobody stops the server with one body: no check takes longer than the size of the body lets it."""
    started = time.process_time()
    result, _ = send(body)
    assert time.process_time() - started < 3
    assert result.code in (200, 400)
    assert len(result.body) < 10_000


def test_a_number_that_no_double_holds_is_no_500():
    """A number of hundreds of digits where a bound is checked is refused like any other wrong number (F062)."""
    result, upstream = send(b'{"temperature": 1' + b"0" * 400 + b"}", path=f"/api/workspaces/{WORKSPACE_ID}/chats")
    assert (result.code, upstream.sent) == (400, [])
    assert result.document["fields"] == {"temperature": ["A valid number is required."]}
