"""The forwarder alone, on a stock transport adapter of ``requests``."""

from __future__ import annotations

import gzip
import io
import json
import time

import pytest
import requests.exceptions as outer
import responses
import urllib3.exceptions as inner
from requests import Response
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict
from werkzeug.exceptions import NotFound

from tests.harness import UPSTREAM_URL, FakeUpstream, access_token, call, request, routed
from wsgiproxy_hs.endpoints.dispatch import Endpoints
from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.environ import ACCESS_TOKEN
from wsgiproxy_hs.exceptions import (
    Unauthorized,
    UpstreamAnswerInvalid,
    UpstreamBusy,
    UpstreamLoop,
    UpstreamRedirect,
    UpstreamStatus,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from wsgiproxy_hs.routes import ANY, EMPTY_OR_OBJECT, NONE, RAW, Route
from wsgiproxy_hs.safe_headers import SAFE_HEADERS
from wsgiproxy_hs.sessions import AccessToken
from wsgiproxy_hs.upstream import Clocks
from wsgiproxy_hs.upstream.headers import Forwarding

ROW = Route(ANY, "x/{x_id}", "/api/x/{x_id}/", NONE, EMPTY_OR_OBJECT)
BYTES = Route(ANY, "x/{x_id}", "/api/x/{x_id}/", NONE, RAW, request_headers=("Stripe-Signature",))
URL = f"{UPSTREAM_URL}/api/x/7/"


@pytest.fixture
def upstream():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def forwarder(transport=None, **options):
    return Forwarder(upstream_url=UPSTREAM_URL, transport=transport or HTTPAdapter(), **options)


def forward(environ=None, *, route=ROW, transport=None, validate=True, x_id="7", **options):
    environ = request("GET", "/api/x/7") if environ is None else environ
    return call(forwarder(transport, **options), routed(route, environ, x_id=x_id), validate=validate)


def sent(environ=None, **options):
    """What the upstream got."""
    double = FakeUpstream()
    forward(environ, transport=double, **options)
    (only,) = double.sent
    return only


# The request


def test_of_the_clients_headers_only_the_listed_ones_travel():
    """Cookies, credentials, identity, forwarding and hop-by-hop headers stay here, in every spelling (F080, F086 to F095)."""
    kept = {
        "Accept": "a/b",
        "Accept-Encoding": "gzip, br",
        "Accept-Language": "de",
        "If-None-Match": '"x"',
        "Range": "bytes=0-1",
        "User-Agent": "Test/1",
        "Idempotency-Key": "k",
        "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    held_back = {
        "Cookie": "session=secret",
        "Authorization": "JWT of-the-client",
        "Proxy-Authorization": "Basic x",
        "Host": "evil.example",
        "Origin": "https://a",
        "Referer": "https://a/b",
        "Connection": "keep-alive, X-Request-ID, X-Forwarded-For, Via, Host, Authorization",
        "TE": "trailers",
        "Upgrade": "websocket",
        "Expect": "100-continue",
        "Forwarded": "for=1.2.3.4",
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "ftp",
        "X-Real-Ip": "1.2.3.4",
        "X-User": "admin",
        "X_User": "admin",
        "Remote-User": "admin",
        "X-Http-Method-Override": "DELETE",
        "X-Requested-With": "fetch",
        "X-Csrf": "1",
        "X-Request-Id": "of-the-client",
        "Stripe-Signature": "s",
    }
    got = sent(request(headers={**kept, **held_back}))
    ours = {
        "Host": "upstream.test:8000",
        "Via": "1.1 wsgiproxy_hs",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Request-ID": "request-0001",
    }
    assert got.headers == {**kept, **ours}


def test_what_the_client_names_in_connection_was_meant_for_us_alone():
    """RFC 9110, section 7.6.1: it does not travel; what we write ourselves cannot be taken away so."""
    got = sent(request(headers={"Accept": "a/b", "Range": "bytes=0-1", "Connection": "close, ACCEPT ,x-forwarded-for"}))
    assert "Accept" not in got.headers
    assert got.headers["Range"] == "bytes=0-1"
    assert got.headers["X-Forwarded-For"] == "203.0.113.9"


def test_no_header_is_made_up_for_the_client():
    """A client without ``Accept-Encoding`` or ``User-Agent`` is not given one (F097)."""
    environ = request()
    environ.pop("HTTP_USER_AGENT", None)
    assert set(sent(environ).headers) == {"Host", "Via", "X-Forwarded-For", "Forwarded", "X-Request-ID"}


def test_a_row_can_let_a_further_header_travel():
    """The webhook's signature arrives (F069, F162)."""
    got = sent(request("POST", headers={"Stripe-Signature": "t=1,v1=abc"}, body=b"raw"), route=BYTES)
    assert got.headers["Stripe-Signature"] == "t=1,v1=abc"


def test_authorization_comes_from_the_handle_alone():
    """The client's own word is never sent; the session's token is, under the configured scheme (F088, F128)."""
    token = access_token()
    environ = request(headers={"Authorization": "JWT forged"}, **{ACCESS_TOKEN.replace(".", "__"): AccessToken(token)})
    assert sent(environ).headers["Authorization"] == f"JWT {token}"
    assert sent(environ, scheme="Bearer").headers["Authorization"] == f"Bearer {token}"
    assert "Authorization" not in sent(request(headers={"Authorization": "JWT forged"})).headers


def test_a_token_that_ended_since_is_401_and_nothing_is_sent():
    """The handle has the last word."""
    double = FakeUpstream()
    environ = request()
    environ[ACCESS_TOKEN] = AccessToken(access_token(expires_in=-3600))
    with pytest.raises(Unauthorized):
        forward(environ, transport=double)
    assert double.sent == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "a=b",
        "b=1&a=2&a=&c",
        "q=a+b%20c%2Fd",
        "x=%zz&y=%",
        "next=http://a/b?c",
        "a=caf%C3%A9&;&&",
        "a=..%2f",
        "a={}|^",
    ],
)
def test_the_query_is_sent_byte_for_byte(query):
    """Order, blanks, duplicates and odd escapes stay (F056)."""
    assert sent(request(query=query)).url == URL + ("?" + query if query else "")


@pytest.mark.parametrize(
    ("x_id", "encoded"),
    [("7", "7"), ("a b", "a%20b"), ("café", "caf%C3%A9"), ("50%", "50%25"), ("a?b", "a%3Fb"), ("a&b", "a&b")],
)
def test_the_path_is_rebuilt_from_the_row_and_its_parameters(x_id, encoded):
    """Whatever ``PATH_INFO`` says, what was checked is what is sent (F041, F042, F044)."""
    environ = request("GET", "//evil.example/../admin")
    assert sent(environ, x_id=x_id).url == f"{UPSTREAM_URL}/api/x/{encoded}/"


def test_a_path_of_the_upstream_url_precedes():
    """``http://upstream/django`` serves below its path."""
    double = FakeUpstream()
    app = Forwarder(upstream_url="http://upstream.test/django/", transport=double)
    call(app, routed(ROW, request(), x_id="7"))
    assert double.sent[0].url == "http://upstream.test/django/api/x/7/"
    assert double.sent[0].headers["Host"] == "upstream.test"


def test_the_public_address_is_told_when_it_is_known():
    """So the upstream makes https links and does not redirect to https for ever (F106, F131)."""
    headers = sent(forwarding=Forwarding("https://app.example.com:444/x")).headers
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-Host"]) == ("https", "app.example.com:444")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("body", [b"", b'{ "a" : 1 }', b"x" * 65_536, b"x" * 70_000])
def test_the_body_is_sent_byte_for_byte_with_its_length(method, body):
    """Small or large, with the type that the body layer left (F069, F075)."""
    got = sent(request(method, body=body, content_type="application/json"), validate=False)
    assert (got.body, got.headers["Content-Length"], got.headers["Content-Type"]) == (
        body,
        str(len(body)),
        "application/json",
    )
    assert "Transfer-Encoding" not in got.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_method_without_a_body_sends_none(method):
    """Neither body nor length nor type leaves with GET, HEAD and DELETE (F079)."""
    got = sent(request(method, body=b"{}", content_type="application/json"))
    assert (got.method, got.body) == (method, None)
    assert not {"Content-Length", "Content-Type"} & set(got.headers)


def test_a_loop_is_508_before_anything_is_sent():
    """A request that came through here is not sent round again (F109)."""
    double = FakeUpstream()
    with pytest.raises(UpstreamLoop):
        forward(request(headers={"Via": "1.1 wsgiproxy_hs"}), transport=double)
    assert double.sent == []


def test_the_rows_clock_is_used_for_the_first_byte():
    """A row may wait longer, or less, than the rest (F136)."""
    seen = []

    class Timed(FakeUpstream):
        def send(self, request, timeout=None, **_):
            seen.append(timeout)
            return super().send(request)

    clocks = Clocks(connect=1, first_byte=2, idle=3, total=4)
    forward(transport=Timed(), clocks=clocks)
    forward(transport=Timed(), clocks=clocks, route=Route("GET", "x/{x_id}", "/x/", NONE, timeout_seconds=300))
    assert [timeout.read_timeout for timeout in seen] == [2, 300]
    assert [timeout.connect_timeout for timeout in seen] == [1, 1]


# The answer


def test_an_answer_comes_back_byte_for_byte(upstream):
    """Status, body and unlisted headers are the upstream's own; repeated ones stay separate (F085, F096)."""
    headers = {"ETag": '"x"', "Content-Type": "application/json", "Content-Length": "9"}
    upstream.add(
        responses.Response("GET", URL, b'{"a": 1 }', status=207, headers=headers, auto_calculate_content_length=False)
    )
    result = forward()
    assert (result.code, result.body) == (207, b'{"a": 1 }')
    assert result.header("ETag") == '"x"'


def test_headers_that_do_not_come_back():
    """Hop-by-hop headers, what ``Connection`` names, cookies, banners and CORS stay inside (F086, F094, F158)."""
    held_back = [
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Set-Cookie", "sessionid=1"),
        ("Set-Cookie", "csrftoken=2"),
        ("Server", "gunicorn"),
        ("X-Powered-By", "Django"),
        ("Access-Control-Allow-Origin", "*"),
        ("Strict-Transport-Security", "max-age=1"),
    ]
    kept = [
        ("Content-Type", "application/json"),
        ("Link", "<a>"),
        ("Link", "<b>"),
        ("Vary", "Accept"),
        ("X-Odd", "caf\xe9"),
    ]
    result = forward(transport=FakeUpstream(headers=held_back + kept))
    assert sorted(result.headers) == sorted([*kept, *SAFE_HEADERS])


def test_a_compressed_answer_stays_compressed():
    """Bytes and ``Content-Encoding`` belong together (F096, F097)."""
    packed = gzip.compress(b'{"ok": true}')
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))]
    result = forward(request(headers={"Accept-Encoding": "gzip"}), transport=FakeUpstream(body=packed, headers=headers))
    assert result.body == packed
    assert (result.header("Content-Encoding"), result.header("Content-Length")) == ("gzip", str(len(packed)))


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_stays_without(status):
    """204 and 304 have no body, no invented length, and 304 is no redirect (F098)."""
    result = forward(transport=FakeUpstream(status, b"", [("ETag", '"x"')]))
    assert (result.code, result.body) == (status, b"")
    assert result.header("Content-Length") is None
    assert result.header("ETag") == '"x"'


def test_head_keeps_the_length_of_the_upstream():
    """``Content-Length`` of HEAD is what GET would have, and there is no body (F098, F099)."""
    headers = [("Content-Type", "text/plain"), ("Content-Length", "1234")]
    result = forward(request("HEAD"), transport=FakeUpstream(headers=headers))
    assert (result.header("Content-Length"), result.body) == ("1234", b"")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 399])
def test_a_redirect_is_502_unless_the_row_lets_it_pass(status):
    """It is neither followed nor shown: its ``Location`` may name what is inside (F103, F104, F122)."""
    headers = [("Location", "http://upstream.internal:8000/secret"), ("Content-Type", "text/html")]
    with pytest.raises(UpstreamRedirect) as caught:
        forward(transport=FakeUpstream(status, b"", headers))
    assert "internal" not in str(caught.value)
    assert "internal" in str(caught.value.__cause__), "the log says where it led"
    row = Route("GET", "x/{x_id}", "/api/x/{x_id}/", NONE, redirects=True)
    result = forward(transport=FakeUpstream(status, b"", headers), route=row)
    assert (result.code, result.header("Location")) == (status, "http://upstream.internal:8000/secret")


ERRORS = [
    (400, {"name": ["a", "b"]}, "Request failed", {"name": ["a", "b"]}),
    (400, {"items": {"0": {"a": ["x"]}}}, "Request failed", {"items": {"0": {"a": ["x"]}}}),
    (400, {"non_field_errors": ["x"]}, "Request failed", {"non_field_errors": ["x"]}),
    (400, ["a", "b"], "Request failed", {"non_field_errors": ["a", "b"]}),
    (400, [{}, {"x": ["y"]}], "Request failed", {"1": {"x": ["y"]}}),
    (403, {"detail": "No."}, "No.", None),
    (401, {"detail": "Bad token", "code": "token_not_valid", "messages": [{"message": "x"}]}, "Bad token", None),
    (404, {"detail": "Not found."}, "Not found.", None),
    (405, {"detail": 'Method "PUT" not allowed.'}, 'Method "PUT" not allowed.', None),
    (429, {"detail": "Slow down."}, "Slow down.", None),
    (503, {"detail": "Later."}, "Later.", None),
]


@pytest.mark.parametrize(("status", "document", "detail", "fields"), ERRORS)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_an_error_of_the_upstream_has_the_documented_shape(upstream, status, document, detail, fields, coding):
    """Its status, its ``detail`` or "Request failed", its field map, compressed or not (F125 to F127)."""
    body = json.dumps(document).encode()
    headers = {"Retry-After": "9", "Set-Cookie": "a=b", "Server": "x"}
    if coding == "gzip":
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    upstream.add(responses.Response("GET", URL, body, status=status, headers=headers, content_type="application/json"))
    with pytest.raises(UpstreamStatus) as caught:
        forward()
    assert (caught.value.status, caught.value.detail, caught.value.fields) == (status, detail, fields)
    assert caught.value.headers == [("Retry-After", "9")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Traceback: the-pass-phrase</html>",
        b'{"detail": "the-pass',
        b"\xff\x00",
        b"the-pass-phrase" * 50_000,
    ],
)
@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_an_error_without_a_json_document_tells_nothing(upstream, status, body):
    """HTML, tracebacks, half documents and floods are "Request failed" (F124, F153)."""
    upstream.add(responses.Response("GET", URL, body, status=status, content_type="text/html"))
    with pytest.raises(UpstreamStatus) as caught:
        forward()
    assert (caught.value.status, caught.value.detail, caught.value.fields) == (status, "Request failed", None)


def test_a_row_can_take_errors_as_they_are():
    """``reshape_errors=False`` passes status, headers and body through the same filter as an answer."""
    row = Route("GET", "x/{x_id}", "/x/", NONE, reshape_errors=False)
    result = forward(
        transport=FakeUpstream(418, b"teapot", [("Content-Type", "text/plain"), ("Server", "x")]), route=row
    )
    assert (result.code, result.body, result.header("Server")) == (418, b"teapot", None)


FAILURES = [
    (outer.ConnectionError(), UpstreamUnreachable, 502),
    (
        outer.ConnectionError(inner.MaxRetryError(None, "/", inner.NewConnectionError(None, "refused"))),
        UpstreamUnreachable,
        502,
    ),
    (outer.ConnectTimeout(), UpstreamTimeout, 504),
    (outer.ReadTimeout(), UpstreamTimeout, 504),
    (outer.ConnectionError(inner.ReadTimeoutError(None, "/", "x")), UpstreamTimeout, 504),
    (outer.ConnectionError(inner.ProtocolError("x")), UpstreamAnswerInvalid, 502),
    (outer.ConnectionError(inner.MaxRetryError(None, "/", inner.EmptyPoolError(None, "full"))), UpstreamBusy, 503),
    (outer.ChunkedEncodingError(), UpstreamAnswerInvalid, 502),
    (outer.SSLError(), UpstreamUnreachable, 502),
    (outer.InvalidURL(), UpstreamUnreachable, 502),
    (inner.ProtocolError(), UpstreamAnswerInvalid, 502),
    (inner.ReadTimeoutError(None, "/", "x"), UpstreamTimeout, 504),
    (TimeoutError(), UpstreamTimeout, 504),
    (ConnectionRefusedError("10.0.0.7"), UpstreamUnreachable, 502),
    (OSError("no route"), UpstreamUnreachable, 502),
]


@pytest.mark.parametrize(
    ("failure", "error", "status"), FAILURES, ids=lambda value: getattr(value, "__name__", None) or repr(value)
)
def test_a_failing_transport_is_502_503_or_504(failure, error, status):
    """Refused, cut, too slow or too busy: the cause goes to the log and not into the answer (F135, F137, F138)."""
    with pytest.raises(error) as caught:
        forward(transport=FakeUpstream(failure=failure))
    assert caught.value.status == status
    assert caught.value.__cause__ is failure
    assert "10.0.0.7" not in caught.value.detail


def test_a_bug_of_the_transport_is_not_called_the_upstreams_fault():
    """What is no failure of the network comes through as it is."""
    with pytest.raises(NotFound):
        forward(transport=FakeUpstream(failure=NotFound()))


class Stream:
    """A ``raw`` answer that hands on its pieces one by one."""

    def __init__(self, pieces, headers=()):
        self.headers = HTTPHeaderDict({"Content-Type": "text/plain", **dict(headers)})
        self.pieces, self.taken, self.is_closed = pieces, 0, False

    def stream(self, amt, decode_content):
        assert decode_content is False
        for piece in self.pieces:
            self.taken += 1
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self):
        self.is_closed = True


class Streaming(BaseAdapter):
    def __init__(self, raw, status=200):
        super().__init__()
        self.raw, self.status = raw, status

    def send(self, request, **_):
        response = Response()
        response.raw, response.status_code, response.reason = self.raw, self.status, "Fine"
        return response

    def close(self):
        pass


def start(raw, status=200):
    started = []
    body = forwarder(Streaming(raw, status))(routed(ROW, request(), x_id="7"), lambda *given: started.append(given))
    return body, started


def test_pieces_are_handed_on_as_they_arrive():
    """An event is in the browser before the next one is made (F111, F112)."""
    raw = Stream([b"one", b"two", b"three"])
    body, started = start(raw)
    assert started[0][0] == "200 Fine"
    pieces = iter(body)
    assert (next(pieces), raw.taken) == (b"one", 1)
    assert (next(pieces), raw.taken) == (b"two", 2)
    body.close()


def test_close_ends_the_exchange_with_the_upstream():
    """A browser that leaves takes the upstream's answer with it (F114)."""
    raw = Stream([b"one", b"two"])
    body, _ = start(raw)
    body.close()
    assert raw.is_closed


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (inner.ProtocolError("cut"), UpstreamAnswerInvalid),
        (inner.ReadTimeoutError(None, "/", "x"), UpstreamTimeout),
        (ConnectionResetError(), UpstreamUnreachable),
    ],
)
def test_an_answer_that_fails_before_its_first_byte_is_told_by_a_status(failure, error):
    """Until then nothing was sent, so it is a 502 or 504, and the exchange is over (F108, F139)."""
    raw = Stream([failure])
    with pytest.raises(error):
        start(raw)
    assert raw.is_closed


def test_an_answer_that_is_cut_later_looks_cut():
    """After the first byte the failure reaches the server, which aborts: never a clean end (F117)."""
    raw = Stream([b"half", inner.ProtocolError("cut")])
    body, _ = start(raw)
    with pytest.raises(inner.ProtocolError):
        list(body)


@pytest.mark.parametrize(("status", "error"), [(500, UpstreamStatus), (302, UpstreamRedirect)])
def test_an_answer_that_is_not_passed_on_is_closed(status, error):
    """The connection of an error or a redirect does not leak (F139)."""
    raw = Stream([b"{}"])
    with pytest.raises(error):
        start(raw, status)
    assert raw.is_closed


def test_an_error_whose_body_fails_is_the_transports_failure():
    """A 500 that is cut in its body is told as cut, and closed."""
    raw = Stream([b"{", inner.ProtocolError("cut")])
    with pytest.raises(UpstreamAnswerInvalid):
        start(raw, 500)
    assert raw.is_closed


def test_an_answer_without_a_reason_gets_one():
    """PEP 3333 wants a phrase."""
    assert forward(transport=FakeUpstream(201)).status == "201 Created"


def test_a_stock_session_adapter_serves_real_errors():
    """With nobody listening a stock adapter gives 502 in a moment."""
    app = Forwarder(upstream_url="http://127.0.0.1:9", transport=HTTPAdapter(), clocks=Clocks(connect=2))
    started = time.monotonic()
    with pytest.raises(UpstreamUnreachable):
        call(app, routed(ROW, request(), x_id="7"))
    assert time.monotonic() - started < 2


# The end of the list


def test_a_row_goes_to_the_endpoint_that_it_names():
    """Rows with an upstream path go to the forwarder, others to the app they name."""

    def app(name):
        def answer(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [name]

        return answer

    class Contact:
        pass

    endpoints = Endpoints(forwarder=app(b"forwarder"), apps={Contact: app(b"contact")})
    assert call(endpoints, routed(ROW, request())).body == b"forwarder"
    assert call(endpoints, routed(Route("POST", "c", Contact), request("POST"))).body == b"contact"


def test_the_file_of_a_large_body_is_handed_on_and_not_read_into_memory():
    """A spooled upload goes to the transport as the file that it is (F073)."""
    body = io.BytesIO(b"x" * 70_000)
    handed = []

    class Looking(FakeUpstream):
        def send(self, request, **_):
            handed.append(request.body)
            return super().send(request)

    environ = request("POST", CONTENT_LENGTH="70000", wsgi__input=body)
    forward(environ, transport=Looking(), route=BYTES, validate=False)
    assert handed == [body]
