"""The request path and the response path as a whole: requests of pieces that matter, answers of pieces that matter."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import request_path, response_path
from tests.fuzz.test_properties import ANSWERS, PATHS, VALUES, pieces

many = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIELDS = st.tuples(
    st.integers(0, len(request_path.NAMES) - 1),
    VALUES | pieces("https://app.example.com", "same-origin", "cross-site", "application/json", "chunked", "7", "gzip"),
)
BODIES = pieces('{"a":1}', "{", "}", "email=a@b", "&csrfToken=x", "\x00", "é", "x" * 600, size=4)
REQUESTS = {
    "a read": (b"\x00/api/items?a=b\xfe\x00", 200),
    "a change": (b'\x01/api/items\xfe\x00\xfe\x02same-origin\xff\xff{"a":1}', 200),
    "a raw body": (b"\x01/api/raw\xff\xffbytes", 200),
    "no session": (b"\x00/api/items", 401),
    "another site": (b"\x01/api/items\xfe\x00\xfe\x01https://evil.example\xff\xff{}", 403),
    "NUL in a header that travels": (b"\x01/api/raw\xfe\x1dt\x00x\xff\xffe", 400),
    "a length beside chunks": (b"\x11/api/raw\xfe\x0achunked\xfe\x094\xff\xffbody", 400),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_known_requests(name: str):
    """The reading of bytes is what it says: each of these is the request that it is meant to be."""
    data, code = REQUESTS[name]
    request_path.check_request(data)
    environ = request_path.environ_of(data)
    assert request_path.call(request_path.APP, environ, validate=False).code == code


@pytest.mark.parametrize("seed", request_path.SEEDS, ids=repr)
def test_seeds_of_requests(seed: bytes):
    """What the fuzzer begins with holds."""
    request_path.check_request(seed)


@given(
    st.integers(0, 255),
    PATHS,
    st.sampled_from(["items", "rest/", "raw", "public", "auth/session", "auth/callback/credentials", ""]),
    st.lists(FIELDS, max_size=6),
    BODIES,
)
@many
def test_no_request_gets_an_answer_that_is_not_documented(choice, path, row, fields, body):
    """Any request through the whole stack: a documented answer, and nothing leaves but what the table allows."""
    head = bytes([choice]) + f"/api/{row}{path}".encode("latin-1")
    for name, value in fields:
        head += b"\xfe" + bytes([name]) + value.encode("latin-1")
    request_path.check_request(head + b"\xff\xff" + body.encode("latin-1"))


@pytest.mark.parametrize("seed", response_path.SEEDS, ids=repr)
def test_seeds_of_answers(seed: bytes):
    """What the fuzzer begins with holds."""
    response_path.check_exchange(seed)


@given(st.integers(0, 31), st.booleans(), ANSWERS, ANSWERS | st.just(""))
@many
def test_no_answer_leaves_anything_for_the_next(choice, whole, text, late):
    """Any bytes of an upstream, before and after the end of an exchange: the next one gets its own answer (F107)."""
    start = "HTTP/1.1 200 OK\r\n" if whole else ""
    response_path.check_exchange(bytes([choice]) + f"{start}{text}\xfe\xfe{late}".encode("latin-1"))


@pytest.mark.parametrize("late", [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"\r\n", b"x"])
def test_the_check_of_exchanges_is_not_empty(late: bytes, monkeypatch: pytest.MonkeyPatch):
    """A pool that does not look whether a kept connection is stale is found out."""
    monkeypatch.setattr(response_path.connections.Connection, "is_stale", lambda self: False)
    seed = b"\x00HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\xfe\xfe" + late
    with pytest.raises(AssertionError):
        response_path.check_exchange(seed)
