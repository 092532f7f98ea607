"""The body layer alone."""

from __future__ import annotations

import io
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness import Inner, call, request, routed
from wsgiproxy_hs.environ import JSON_BODY, ROUTE
from wsgiproxy_hs.exceptions import (
    BodyIncomplete,
    BodyInvalid,
    BodyNotExpected,
    BodyTooComplex,
    BodyTooLarge,
    ContentLengthInvalid,
    LengthRequired,
    UnsupportedMediaType,
    UploadTooSlow,
)
from wsgiproxy_hs.middleware.body import BodyMiddleware
from wsgiproxy_hs.routes import ANY, EMPTY_OR_OBJECT, RAW, Route
from wsgiproxy_hs.routes.bodies import Registration
from wsgiproxy_hs.routes.framing import content_length
from wsgiproxy_hs.routes.spool import MEMORY_BYTES, Pace, Streamed
from wsgiproxy_hs.routes.strict_json import JsonLimits

OBJECT = Route(ANY, "x", "/x/", body=EMPTY_OR_OBJECT)
MODEL = Route(ANY, "x", "/x/", body=Registration)
BYTES = Route(ANY, "x", "/x/", body=RAW)
STREAMED = Route(ANY, "x", "/x/", body=RAW, stream_body=True)
NOTHING = Route(ANY, "x", "/x/")
GOOD = b'{"email": "a@b", "password": "p", "re_password": "p"}'


class Stream(io.BytesIO):
    """A client's stream that counts what is read from it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.largest_read = 0

    def read(self, size=-1):
        assert size is not None
        assert size >= 0, "a body is read with a bound (PEP 3333)"
        self.largest_read = max(self.largest_read, size)
        return super().read(size)


def run(route, body=None, *, method="POST", validate=True, options=None, **keys):
    inner = Inner()
    environ = routed(route, request(method, "/api/x", body=body, **keys))
    call(BodyMiddleware(inner.app, **(options or {})), environ, validate=validate)
    return inner


def refused(error, route, body=None, **keys):
    """The error of the layer; the inner app saw nothing."""
    inner = Inner()
    method, validate = keys.pop("method", "POST"), keys.pop("validate", True)
    options = keys.pop("options", {})
    environ = routed(route, request(method, "/api/x", body=body, **keys))
    with pytest.raises(error) as caught:
        call(BodyMiddleware(inner.app, **options), environ, validate=validate)
    assert not inner.was_called
    assert JSON_BODY not in environ
    return caught.value


# Length


@pytest.mark.parametrize(
    "length", ["-1", "+5", "5,5", "5;5", "five", "0x10", "5 ", " 5", "5.0", "٥", "²", "9" * 19, "1_0", "\n5"]
)
@pytest.mark.parametrize("route", [OBJECT, BYTES, NOTHING])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_length_that_is_none_is_400(length, route, method):
    """Whatever is not a plain decimal number is refused, whatever the row (F078)."""
    refused(
        ContentLengthInvalid,
        route,
        method=method,
        validate=False,
        CONTENT_LENGTH=length,
        wsgi__input=io.BytesIO(b"{}   "),
    )


def test_an_empty_length_is_no_length():
    """``CONTENT_LENGTH: ""`` is how some servers say that there is none."""
    assert run(OBJECT, CONTENT_LENGTH="").body == b""


def test_a_chunked_body_without_an_end_is_411():
    """Where the server does not say that its stream ends, nobody can tell where the body does (F074)."""
    refused(LengthRequired, OBJECT, headers={"Transfer-Encoding": "chunked"}, wsgi__input=io.BytesIO(b"{}"))


@pytest.mark.parametrize("body", [b"", b'{"a": 1}', b'{"a": "' + b"x" * 200_000 + b'"}'])
def test_a_chunked_body_that_the_server_ends_gets_a_length(body):
    """It is spooled and leaves with ``Content-Length`` and without ``Transfer-Encoding`` (F074, F075)."""
    inner = run(
        OBJECT,
        headers={"Transfer-Encoding": "chunked"},
        wsgi__input=io.BytesIO(body),
        wsgi__input_terminated=True,
    )
    assert inner.environ["CONTENT_LENGTH"] == str(len(body))
    assert "HTTP_TRANSFER_ENCODING" not in inner.environ
    assert inner.body == body


@pytest.mark.parametrize("sent", [b"", b"{", b'{"a": 1'])
@pytest.mark.parametrize("route", [OBJECT, BYTES])
def test_a_body_that_ends_early_is_400(sent, route):
    """Half an upload is never passed on as a whole one (F076)."""
    refused(BodyIncomplete, route, CONTENT_LENGTH="8", wsgi__input=io.BytesIO(sent))


def test_an_announced_size_beyond_the_limit_is_413_before_a_byte_is_read():
    """A body that says it is too large is not read (F072)."""
    stream = Stream(b"x" * 11)
    error = refused(BodyTooLarge, BYTES, CONTENT_LENGTH="11", wsgi__input=stream, options={"max_bytes": 10})
    assert stream.tell() == 0
    assert "10 bytes" in error.detail


def test_a_body_without_length_beyond_the_limit_is_413_as_soon_as_it_shows():
    """A chunked body is cut off at the limit and not gathered first (F072)."""
    stream = Stream(b"x" * 10_000_000)
    refused(
        BodyTooLarge,
        BYTES,
        headers={"Transfer-Encoding": "chunked"},
        wsgi__input=stream,
        wsgi__input_terminated=True,
        options={"max_bytes": 100_000},
    )
    assert stream.tell() <= 100_000 + MEMORY_BYTES


@pytest.mark.parametrize("with_length", [True, False])
def test_a_body_of_exactly_the_limit_passes(with_length):
    """The limit is the largest body that is taken, not the first that is not."""
    body = b"x" * 10
    keys = (
        {} if with_length else {"wsgi__input_terminated": True, "CONTENT_LENGTH": "", "wsgi__input": io.BytesIO(body)}
    )
    assert run(BYTES, body, options={"max_bytes": 10}, **keys).body == body


def test_the_rows_own_limit_counts():
    """``max_bytes`` of a row replaces the layer's, upwards and downwards."""
    assert run(Route("POST", "x", "/x/", body=RAW, max_bytes=20), b"x" * 20, options={"max_bytes": 10}).body
    refused(BodyTooLarge, Route("POST", "x", "/x/", body=RAW, max_bytes=5), b"x" * 6, options={"max_bytes": 10})


def test_a_long_raw_body_is_handed_on_while_it_arrives():
    """Nothing of it is read before the endpoint asks, and never a byte more than announced (F073)."""
    body = bytes(range(256)) * 2000
    stream = Stream(body + b"the next request")

    def endpoint(environ, start_response):
        assert stream.largest_read == 0
        assert environ["CONTENT_LENGTH"] == str(len(body))
        upload = environ["wsgi.input"]
        pieces = list(iter(lambda: upload.read(1000), b""))
        assert (b"".join(pieces), max(map(len, pieces)), upload.is_whole) == (body, 1000, True)
        start_response("204 No Content", [])
        return []

    environ = request("POST", "/x", CONTENT_LENGTH=str(len(body)), wsgi__input=stream)
    environ[ROUTE] = STREAMED
    assert call(BodyMiddleware(endpoint), environ, validate=False).code == 204


def test_a_long_raw_body_that_ends_early_is_never_whole():
    """Whoever sends it on is told in the middle (F076), and one that is too long is refused before it begins."""
    upload = Streamed(io.BytesIO(b"x" * 100_000), 100_001)
    with pytest.raises(BodyIncomplete):
        upload.read()
    assert not upload.is_whole
    refused(BodyTooLarge, STREAMED, b"x" * 100_000, options={"max_bytes": 99_999})


def test_a_large_body_is_read_in_pieces_and_lies_on_disk():
    """Memory stays bounded whatever the upload (F073), and every byte is there (F068)."""
    body = bytes(range(256)) * 2000
    stream = Stream(body)
    inner = run(BYTES, CONTENT_LENGTH=str(len(body)), wsgi__input=stream)
    assert stream.largest_read <= MEMORY_BYTES
    assert inner.stream._rolled, "the spool went to a file"
    assert inner.body == body


@pytest.mark.parametrize("size", [2, MEMORY_BYTES, MEMORY_BYTES + 1, 300_000])
def test_the_answer_is_the_same_at_every_size(size):
    """A body is judged alike in memory and on disk (F068)."""
    body = b'{"a": "' + b"x" * size + b'"}'
    inner = run(OBJECT, body)
    assert inner.environ[JSON_BODY] == {"a": "x" * size}
    refused(BodyInvalid, OBJECT, body[:-1])


def test_the_body_can_be_read_again():
    """An endpoint can send the body a second time after a renewal (F013)."""
    for body in (GOOD, GOOD[:-1] + b" " * 100_000 + b"}"):
        inner = run(MODEL, body)
        inner.stream.seek(0)
        assert inner.stream.read() == body
        inner.stream.seek(0)
        assert inner.stream.read(5) == body[:5]


def test_no_byte_behind_the_body_is_read():
    """What stands behind the announced length is the next request's."""
    stream = io.BytesIO(b"{}GET / HTTP/1.1")
    run(OBJECT, CONTENT_LENGTH="2", wsgi__input=stream)
    assert stream.tell() == 2


# Where no body belongs


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("route", [OBJECT, MODEL, BYTES, NOTHING])
def test_a_body_on_a_method_that_has_none_is_400(method, route):
    """It would be dropped here and read as the next request there (F079)."""
    refused(BodyNotExpected, route, b"{}", method=method)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_body_on_a_row_that_takes_none_is_400(method):
    """A row without a body takes none, with whatever framing (F079)."""
    refused(BodyNotExpected, NOTHING, b"x", method=method)
    refused(
        BodyNotExpected,
        NOTHING,
        method=method,
        headers={"Transfer-Encoding": "chunked"},
        wsgi__input_terminated=True,
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_no_body_where_none_belongs_passes(method):
    """``Content-Length: 0`` and no length at all are no body, also where the server always ends its stream."""
    assert run(NOTHING, method=method, CONTENT_LENGTH="0").was_called
    assert run(NOTHING, method=method, wsgi__input_terminated=True).was_called
    assert run(NOTHING, method=method).was_called


def test_delete_takes_a_body_where_the_row_says_so():
    """``delete_body`` opens DELETE and nothing else (F079)."""
    route = Route("GET, DELETE", "x", "/x/", body=EMPTY_OR_OBJECT, delete_body=True)
    assert run(route, b'{"a": 1}', method="DELETE").body == b'{"a": 1}'
    refused(BodyNotExpected, route, b"{}", method="GET")


# Type and coding


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/html",
        "application/jsonp",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "text/plain; charset=iso-8859-1",
        "application/json, text/html",
        "garbage",
    ],
)
def test_a_type_that_is_not_json_is_415(content_type):
    """No other type slips past the check and is parsed by the upstream all the same (F065, F067)."""
    refused(UnsupportedMediaType, OBJECT, b"{}", content_type=content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "text/plain;charset=UTF-8",
        "text/plain",
    ],
)
def test_json_and_what_browsers_say_when_nobody_told_them(content_type):
    """``fetch`` without a type sends text/plain; the upstream is told JSON."""
    inner = run(OBJECT, b'{"a": 1}', content_type=content_type)
    assert inner.environ["CONTENT_TYPE"] == "application/json"
    assert inner.environ[JSON_BODY] == {"a": 1}


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "GZIP", "identity, gzip", "x"])
def test_a_compressed_json_body_is_415(coding):
    """What the check cannot read is not passed on (F081)."""
    refused(UnsupportedMediaType, OBJECT, b"{}", headers={"Content-Encoding": coding})


def test_identity_is_no_compression():
    """The one coding that changes nothing passes."""
    assert run(OBJECT, b"{}", headers={"Content-Encoding": "Identity"}).body == b"{}"


def test_an_empty_body_of_any_type_is_empty():
    """A POST without a body may say any type; none is passed on (F058)."""
    inner = run(OBJECT, content_type="application/x-www-form-urlencoded", CONTENT_LENGTH="0")
    assert "CONTENT_TYPE" not in inner.environ
    assert JSON_BODY not in inner.environ
    assert inner.environ["CONTENT_LENGTH"] == "0"


# JSON


def test_an_empty_body_is_400_where_a_model_expects_one():
    """A missing body has a sentence of its own and is no 500 (F058)."""
    assert "needs a JSON body" in refused(BodyInvalid, MODEL).detail


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"true", b"[{}]"])
@pytest.mark.parametrize("route", [OBJECT, MODEL])
def test_what_is_not_an_object_is_400(body, route):
    """The documented bodies are objects."""
    assert refused(BodyInvalid, route, body).fields == {"non_field_errors": ["Expected an object."]}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}}",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"\x00",
        b" ",
        b"\xef\xbb\xbf{}",
        '{"ä": 1}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"a":1,"a":2}',
        b'{"a": NaN}',
        b'{"a": 1e400}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"a":' * 65 + b"1" + b"}" * 65,
    ],
)
@pytest.mark.parametrize("route", [OBJECT, MODEL])
def test_what_parsers_read_in_two_ways_is_400(body, route):
    """Broken JSON, byte order marks, other encodings, duplicate keys, NaN, surrogates, depth (F059 to F066)."""
    error = refused((BodyInvalid, BodyTooComplex), route, body)
    assert error.detail != type(error).detail, "it says what is wrong"


def test_the_depth_limit_is_an_option():
    """``max_depth`` counts objects and arrays, ``max_keys`` the keys of all objects, ``max_digits`` characters."""
    limits = {"json_limits": JsonLimits(max_depth=2, max_keys=2, max_digits=3)}
    assert run(OBJECT, b'{"a": [123], "b:c": "::::"}', options=limits).was_called
    for body in (b'{"a": [[1]]}', b'{"a": {"b": 1, "c": 2}}', b'{"a": 1234}', b'{"a": 1e-5}'):
        refused(BodyTooComplex, OBJECT, body, options=limits)


@pytest.mark.parametrize(
    ("pace", "pieces", "is_slow"),
    [
        (Pace(max_seconds=10, min_bytes_per_second=0, grace_seconds=0), 9, False),
        (Pace(max_seconds=10, min_bytes_per_second=0, grace_seconds=0), 12, True),
        (Pace(max_seconds=99, min_bytes_per_second=1, grace_seconds=0), 30, False),
        (Pace(max_seconds=99, min_bytes_per_second=2, grace_seconds=40), 30, False),
        (Pace(max_seconds=99, min_bytes_per_second=2, grace_seconds=20), 30, True),
    ],
)
@pytest.mark.parametrize("route", [OBJECT, BYTES])
def test_a_body_that_arrives_too_slowly_is_not_waited_for(route, pace, pieces, is_slow):
    """Past the longest time, or below the slowest rate once the grace is over, it is 408 (F083)."""

    class Dripping(Stream):
        def read(self, size=-1):
            return super().read(min(size, 1))

    body = b'{"a":"' + b"x" * (pieces - 8) + b'"}'
    stream = Dripping(body)
    options = {"pace": pace._replace(clock=itertools.count().__next__)}
    keys = {"wsgi__input": stream, "CONTENT_LENGTH": str(len(body)), "options": options}
    if not is_slow:
        assert run(route, **keys).body == body
        return
    error = refused(UploadTooSlow, route, **keys)
    assert stream.tell() < len(body)
    assert error.drain_bytes is None, "the rest would come as slowly"


def test_the_servers_own_patience_is_the_same_refusal():
    """A server that gives up waiting raises ``TimeoutError``: 408 and no 500."""

    class Silent(io.BytesIO):
        def read(self, size=-1):
            raise TimeoutError

    refused(UploadTooSlow, OBJECT, wsgi__input=Silent(), CONTENT_LENGTH="5")


def test_long_pieces_are_for_quick_clients():
    """A server gives a piece back when it is whole, so a client that was slow is asked for little."""
    sizes = []

    class Watching(Stream):
        def read(self, size=-1):
            sizes.append(size)
            return super().read(size)

    body = b"x" * 200_000
    for step, expected in ((0, {4096, 65_536}), (1, {4096})):
        sizes.clear()
        options = {"pace": Pace(clock=itertools.count(step=step).__next__)}
        run(BYTES, options=options, wsgi__input=Watching(body), CONTENT_LENGTH=str(len(body)))
        assert set(sizes[:3]) == expected


def test_field_errors_have_the_form_of_django_rest_framework():
    """A form reads one shape, whether we refused or the upstream (F126)."""
    error = refused(BodyInvalid, MODEL, b'{"email": "nobody", "password": 5}')
    assert error.fields == {
        "email": ["Enter a valid email address."],
        "password": ["Not a valid string."],
        "re_password": ["This field is required."],
    }


def test_the_bytes_of_a_checked_body_are_not_written_anew():
    """Order, blanks, escapes and numbers stay as they were (F062, F069)."""
    body = (
        b'\n{ "re_password":"\\u0070",\t"password" : "p", "email": "a@b", "big": 18446744073709551617, "f": 1.10 }\r\n'
    )
    inner = run(MODEL, body)
    assert inner.body == body
    assert inner.environ["CONTENT_LENGTH"] == str(len(body))


BLANKS = st.text(alphabet=" \t\r\n", max_size=3)
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10)
DOCUMENTS = st.dictionaries(
    TEXTS,
    st.recursive(
        SCALARS | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@st.composite
def json_texts(draw):
    """A JSON object as somebody's serialiser might write it: odd blanks, escapes or none, any number form."""
    document = draw(DOCUMENTS)
    text = json.dumps(
        document,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 0, 1, "\t"])),
        separators=draw(st.sampled_from([(",", ":"), (" , ", " : "), (",\n", ":\t")])),
    )
    return document, draw(BLANKS) + text + draw(BLANKS)


@given(json_texts(), st.booleans())
def test_whatever_json_comes_in_goes_out_byte_for_byte(case, chunked):
    """For any JSON object the inner app reads exactly the bytes that were received (F069)."""
    document, text = case
    body = text.encode()
    keys = {"wsgi__input": io.BytesIO(body), "wsgi__input_terminated": True, "CONTENT_LENGTH": ""} if chunked else {}
    inner = run(OBJECT, body, **keys)
    assert inner.body == body
    assert inner.environ["CONTENT_LENGTH"] == str(len(body))
    assert inner.environ[JSON_BODY] == document


@given(st.binary(max_size=200))
def test_no_bytes_make_the_layer_fail(body):
    """Any bytes at all are taken or refused, never a 500 (F059)."""
    try:
        inner = run(OBJECT, body)
    except BodyInvalid:
        return
    assert inner.body == body


# RAW


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x00\xff not json", "audio/webm"),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b'{"a":1,"a":2}', "application/json"),
        (b"", "text/plain"),
    ],
)
def test_raw_bytes_are_not_looked_at(body, content_type):
    """A RAW row passes bytes and type as they are: signatures and boundaries stay good (F069, F071)."""
    inner = run(BYTES, body, content_type=content_type, headers={"Content-Encoding": "gzip"})
    assert inner.body == body
    assert inner.environ["CONTENT_TYPE"] == content_type
    assert inner.environ["HTTP_CONTENT_ENCODING"] == "gzip"
    assert JSON_BODY not in inner.environ


def test_a_chunked_body_is_not_believed_where_a_cut_looks_whole():
    """Granian ends a cut chunked body as if it were whole, so there a length is needed (F076)."""
    environ = request(
        "POST", "/", body=b"{}", CONTENT_LENGTH="", wsgi__input_terminated=True, SERVER_SOFTWARE="Granian"
    )
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    with pytest.raises(LengthRequired):
        content_length(environ)


@pytest.mark.parametrize("length", ["2", "0"])
@pytest.mark.parametrize("is_terminated", [False, True])
@pytest.mark.parametrize("route", [OBJECT, BYTES, NOTHING])
def test_a_length_beside_chunks_is_refused_before_a_byte_is_read(length, is_terminated, route):
    """Two framings are two readings: 400, whatever the server made of them and whether the row takes a body (F074)."""
    stream = io.BytesIO(b"{}")
    environ = request("POST", "/", CONTENT_LENGTH=length, wsgi__input=stream, wsgi__input_terminated=is_terminated)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    inner = Inner()
    with pytest.raises(ContentLengthInvalid):
        call(BodyMiddleware(inner.app), routed(route, environ), validate=False)
    assert stream.tell() == 0
    assert not inner.was_called
