"""An upstream's error in the documented shape."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.error_document import error_document
from wsgiproxy_hs.upstream.reshape import MAX_ERROR_BYTES, read_error_body, upstream_status

JSON = [("Content-Type", "application/json")]
TOKEN_ERROR = {
    "detail": "Given token not valid for any token type",
    "code": "token_not_valid",
    "messages": [{"token_class": "AccessToken", "token_type": "access", "message": "Token is expired"}],
}

SHAPES = [
    # Appendix B of the failure catalogue: what Django REST framework really answers.
    (400, {"name": ["a", "b"]}, "Request failed", {"name": ["a", "b"]}),
    (
        400,
        {"tags": {"0": ["x"]}, "items": {"0": {"a": ["y"]}}},
        "Request failed",
        {"tags": {"0": ["x"]}, "items": {"0": {"a": ["y"]}}},
    ),
    (400, {"non_field_errors": ["x"]}, "Request failed", {"non_field_errors": ["x"]}),
    (400, ["a", "b"], "Request failed", {"non_field_errors": ["a", "b"]}),
    (400, {"1": {"x": ["y"]}}, "Request failed", {"1": {"x": ["y"]}}),
    (400, [{}, {"x": ["y"]}], "Request failed", {"1": {"x": ["y"]}}),
    (404, {"detail": "Not found."}, "Not found.", None),
    (401, TOKEN_ERROR, "Given token not valid for any token type", None),
    (403, TOKEN_ERROR, "Given token not valid for any token type", None),
    (429, {"detail": "Request was throttled."}, "Request was throttled.", None),
    # And around it.
    (400, {"detail": "No.", "email": ["x"]}, "No.", {"email": ["x"]}),
    (400, {"detail": ["a list"]}, "Request failed", {"detail": ["a list"]}),
    (400, {"detail": {"email": ["x"]}}, "Request failed", {"detail": {"email": ["x"]}}),
    (400, {"detail": ""}, "Request failed", {"detail": [""]}),
    (400, {"detail": None}, "Request failed", None),
    (400, {"code": ["Wrong code."]}, "Request failed", {"code": ["Wrong code."]}),
    (400, {"email": "a text"}, "Request failed", {"email": ["a text"]}),
    (400, {"email": [1, None, True, 1.5]}, "Request failed", {"email": ["1", "null", "true", "1.5"]}),
    (400, {"count": 5, "flag": False}, "Request failed", {"count": ["5"], "flag": ["false"]}),
    (400, {"a": [], "b": {}, "c": None}, "Request failed", None),
    (400, {"items": [{}, {"a": ["x"]}, {}]}, "Request failed", {"items": {"1": {"a": ["x"]}}}),
    (400, {"items": [["x"], []]}, "Request failed", {"items": {"0": ["x"]}}),
    (400, {}, "Request failed", None),
    (400, [], "Request failed", None),
    (400, "a text", "Request failed", None),
    (400, None, "Request failed", None),
    (400, 5, "Request failed", None),
]


@pytest.mark.parametrize(("status", "document", "detail", "fields"), SHAPES)
def test_every_shape_of_the_framework_becomes_the_one_shape(status, document, detail, fields):
    """The status stays, ``detail`` is said when it is a text, and the field map keeps its form (F125, F126)."""
    error = upstream_status(status, JSON, json.dumps(document).encode())
    assert (error.status, error.detail, error.fields) == (status, detail, fields)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Server Error (500)</title>",
        b"Traceback (most recent call last):",
        b'{"detail": ',
        b"\xff\xfe",
        b"\x00",
        b"[" * 100_000,
        b'{"a":' * 3000,
    ],
)
def test_html_broken_json_and_nothing_are_a_failed_request(body):
    """No markup, traceback or half document reaches the browser (F124, F153)."""
    error = upstream_status(500, [("Content-Type", "text/html")], body)
    assert (error.status, error.detail, error.fields) == (500, "Request failed", None)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", " gzip ", "deflate"])
def test_a_compressed_error_is_unpacked(coding):
    """The browser's ``Accept-Encoding`` travels, so errors come compressed too (F097)."""
    body = json.dumps({"detail": "No."}).encode()
    packed = gzip.compress(body) if "gzip" in coding.lower() else zlib.compress(body)
    assert upstream_status(400, [*JSON, ("Content-Encoding", coding)], packed).detail == "No."


@pytest.mark.parametrize("body", [b"not gzip", b"", gzip.compress(b'{"detail": "No."}')[:-12]])
def test_a_broken_packing_is_a_failed_request(body):
    """What cannot be unpacked is not guessed at."""
    assert upstream_status(400, [("Content-Encoding", "gzip")], body).detail == "Request failed"


def test_a_bomb_is_not_unpacked_beyond_the_bound():
    """A small body that unpacks to a gigabyte costs a bounded piece of it."""
    bomb = gzip.compress(b'{"detail": "' + b"x" * 50_000_000 + b'"}')
    assert upstream_status(400, [("Content-Encoding", "gzip")], bomb).detail == "Request failed"


def test_an_endless_error_is_not_read():
    """Beyond 256 KiB a body is no message for a person."""
    read = []

    def pieces():
        for _ in range(100):
            read.append(1)
            yield b"x" * 65_536

    assert read_error_body(pieces()) == b""
    assert len(read) <= MAX_ERROR_BYTES // 65_536 + 1
    assert read_error_body(iter([b"a", b"", b"b"])) == b"ab"


def test_the_headers_that_tell_what_to_do_survive_and_no_others():
    """``Retry-After``, ``Allow`` and ``WWW-Authenticate`` come back; cookies and banners do not (F086, F127)."""
    pairs = [
        ("Retry-After", "7"),
        ("allow", "GET"),
        ("WWW-Authenticate", 'JWT realm="api"'),
        ("Set-Cookie", "a=b"),
        ("Server", "x"),
        ("Content-Encoding", "gzip"),
        ("Content-Length", "9"),
    ]
    assert upstream_status(429, pairs, b"").headers == pairs[:3]


def test_nesting_is_bounded():
    """A field map nested without end becomes a short text at some depth (F125)."""
    document: object = ["x" * 1000]
    for _ in range(50):
        document = {"a": document}
    text = json.dumps(upstream_status(400, JSON, json.dumps(document).encode()).fields)
    assert text.count("{") < 10
    assert len(text) < 1000


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_no_depth_breaks_the_shape(opening, closing):
    """A document that the parser can just read is not one that we cannot: the status stays the upstream's."""
    for depth in range(800, 1100):
        assert upstream_status(418, JSON, opening * depth + b"1" + closing * depth).status == 418


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_no_document_breaks_the_shape(document):
    """For any JSON at all the leaves of ``fields`` are lists of texts, and the answer can be written."""

    def check(node):
        if isinstance(node, dict):
            for below in node.values():
                check(below)
        else:
            assert isinstance(node, list)
            assert all(isinstance(message, str) for message in node)

    error = upstream_status(400, JSON, json.dumps(document).encode())
    if error.fields is not None:
        check(error.fields)
    assert isinstance(json.loads(error_document(error)[2])["error"], str)
