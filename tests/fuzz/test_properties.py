"""What holds for every input, tried on many: bounded here, without bound in the coverage-guided targets."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz import properties, whatwg
from tests.fuzz.mutations import mutated
from tests.harness import request
from wsgiproxy_hs.upstream.headers import REQUEST_HEADERS

many = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LATIN = st.characters(max_codepoint=255)


def pieces(*texts: str, size: int = 12) -> st.SearchStrategy[str]:
    """Texts put together from pieces that matter, with a few characters of any kind between them."""
    return st.lists(st.sampled_from(texts) | st.text(LATIN, max_size=2), max_size=size).map("".join)


COOKIES = pieces(
    "__Secure-authjs.session-token", "authjs.session-token", ".0", ".1", ".-1", ".99", "=", ";", ",", " ", '"', "%41",
    "%", "%ff", "a=1", "__Host-", '{"x":1}', "\\", "\t", "session=",
)  # fmt: skip


@given(COOKIES)
@many
def test_no_cookie_header_breaks_the_tokenizer(header: str):
    """Whatever a browser, an analytics script or an attacker puts into the header is read without failing."""
    properties.check_cookies(header)


@given(COOKIES, COOKIES)
@many
def test_a_session_survives_any_neighbour(before: str, after: str):
    """No cookie before or behind the session's hides it (F031)."""
    properties.check_neighbours(before, after)


@pytest.mark.parametrize("kind", properties.GOLDEN)
def test_no_mutated_token_is_accepted(kind: str):
    """Three thousand changes of a sealed token, small and large: each is refused, and the token itself is not."""
    properties.check_token(kind, properties.GOLDEN[kind])
    source = random.Random(kind)
    for _ in range(3_000):
        properties.check_token(kind, mutated(properties.GOLDEN[kind], source))


@given(st.sampled_from(sorted(properties.GOLDEN)), pieces(*properties.GOLDEN.values(), ".", "..", "eyJ", "=", "_", "-"))
@many
def test_no_text_is_a_token(kind: str, token: str):
    """Whatever stands in a session cookie is the sealed token, or no session and no error (F026 to F029)."""
    properties.check_token(kind, token)


JSON = pieces(
    "{", "}", "[", "]", '"', ":", ",", '"a"', '"\\u0061"', "1", "-0", "1e5", "1e999", "NaN", "Infinity", "true",
    "null", "\\ud800", "\\udc00", "\\u0000", "\\", " ", "\t", "/*", '{"a":1}', '{"a":1,"a":2}', "0x1", "9" * 1_001,
    "[" * 70, "\x00", size=16,
)  # fmt: skip
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON.map(lambda text: text.encode("utf-8")) | st.binary(max_size=60))
@example(b'{"a":1,"\\u0061":2}')
@example(b'"\\\\u0000"')
@many
def test_accepted_json_has_one_reading(body: bytes):
    """A body is refused with 400, or the standard library reads the same document from it."""
    properties.check_json(body)


@given(DOCUMENTS, st.booleans())
@many
def test_written_json_has_one_reading(document: object, escapes: bool):
    """What a JSON library writes, valid or nearly so, is no exception."""
    import json

    properties.check_json(json.dumps(document, ensure_ascii=escapes).encode("utf-8", "surrogatepass"))


PATHS = pieces(
    "/", "//", ".", "..", "%2e", "%2f", "%25", "%00", "%5c", "\\", ";", "#", "?", "api", "items", "rest", "raw",
    "public", "7", "é", "\xc3\xa9", "\xff", "\xed\xa0\x80", "\r\n", "\x00", "\x7f", "@", ":", "%", "%zz", "~",
)  # fmt: skip


@given(st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get"]), PATHS, st.booleans())
@settings(many, max_examples=1_000)
def test_no_path_leads_outside_the_table(method: str, path: str, below: bool):
    """A path is refused, or leads to where the table says, in one reading."""
    properties.check_path(method, "/api/" + path if below else path)


NAMES = st.sampled_from(
    [f"HTTP_{name.upper().replace('-', '_')}" for name in REQUEST_HEADERS]
    + [
        "HTTP_X_USER", "HTTP_X.USER", "HTTP_VIA", "HTTP_CONNECTION", "HTTP_TRANSFER_ENCODING", "HTTP_TE", "HTTP_EXPECT",
        "HTTP_UPGRADE", "HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REQUEST_ID", "HTTP_HOST", "HTTP_ORIGIN",
        "HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_CONTENT_LENGTH", "HTTP_PROXY_AUTHORIZATION", "HTTP_STRIPE_SIGNATURE",
        "HTTP_SEC_FETCH_SITE", "QUERY_STRING", "CONTENT_TYPE", "REMOTE_ADDR", "HTTP_",
    ]
)  # fmt: skip
VALUES = pieces(
    "\r\n", "X-User: root", "\x00", "\r", "\n", ",", "close", "1.1 wsgiproxy_hs", "\xff", " ", "chunked", size=5
)


@given(st.dictionaries(NAMES, VALUES, max_size=8))
@settings(many, max_examples=400)
def test_no_header_travels_that_may_not(fields: dict[str, str]):
    """Through the whole stack: nothing leaves, or one request with the headers that travel and no others."""
    properties.check_headers(request("GET", "/api/items"), fields)


URLS = pieces(
    "/", "\\", "//", "https:", "https://", "app.example.com", "evil.example", "@", ":", "443", "?", "#", "%2f", "%5c",
    "%2e", ".", "..", "\t", "\n", " ", "javascript:", "%09", "%25", "é", "\u2028", "|", "[", size=10,
)  # fmt: skip


@given(URLS | st.text(max_size=20), st.sampled_from(["", "/", "//", properties.ORIGIN, properties.ORIGIN + "/"]))
@settings(many, max_examples=1_500)
def test_no_callback_url_leaves_the_site(text: str, start: str):
    """By the rules that browsers follow, the result is a page of this site (F149)."""
    properties.check_callback(start + text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://evil.example/", "evil.example"),
        ("//evil.example", "evil.example"),
        ("/\\evil.example", "evil.example"),
        ("\t//evil.example", "evil.example"),
        ("/\t/evil.example", "evil.example"),
        ("https:evil.example", "app.example.com"),
        ("https:/\\evil.example", "evil.example"),
        ("http:evil.example", "evil.example"),
        ("https://app.example.com@evil.example", "evil.example"),
        ("https://app%2eexample.com/", "app.example.com"),
        ("/x", "app.example.com"),
        ("x/..//evil", "app.example.com"),
        ("?//evil", "app.example.com"),
        ("javascript:alert(1)", None),
    ],
)
def test_the_checker_reads_urls_as_browsers_do(text: str, host: str | None):
    """Known examples of the standard, so that a checker that sees nothing cannot pass."""
    url = whatwg.parse(text, properties.SITE)
    assert url is not None
    assert url.host == host


ANSWERS = pieces(
    "HTTP/1.1 200 OK\r\n", "HTTP/1.0 204 x\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 101 Up\r\n",
    "HTTP/1.1 304 N\r\n", "HTTP/1.1 ", "999", "\r\n", "\r\n\r\n", "\n", "\r", "Content-Length: ", "0", "5", "hello",
    "-1", "Transfer-Encoding: chunked", "5\r\nhello\r\n", "0\r\n\r\n", "Connection: close", "Keep-Alive: timeout=5",
    "A: b\r\n", ": ", " ", "\t", "\x00", "Content-Type: text/event-stream\r\n", ";ext", size=14,
)  # fmt: skip


@given(st.booleans(), ANSWERS, st.sampled_from(["GET", "HEAD", "POST"]))
@example(True, "Content-Length: 5\r\n\r\nhello", "GET")
@example(True, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "GET")
@settings(many, max_examples=1_000)
def test_an_upstreams_bytes_have_one_reading(whole: bool, text: str, method: str):
    """Bytes of an upstream are an answer whose end is certain, or refused."""
    start = "HTTP/1.1 200 OK\r\n" if whole else ""
    properties.check_answer((start + text).encode("latin-1"), method)


def test_answers_are_read():
    """The property above is not empty: good answers come through it."""
    answer, body, is_reusable = properties.read_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    assert (answer.status, body, is_reusable) == (200, b"hello", True)
