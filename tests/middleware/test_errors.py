"""The errors layer alone."""

from __future__ import annotations

import io
import logging
import re

import pytest

from tests.harness import Inner, call, request
from wsgiproxy_hs.environ import REQUEST_ID
from wsgiproxy_hs.exceptions import (
    BodyTooLarge,
    ProxyError,
    RouteNotFound,
    Unauthorized,
    UpstreamStatus,
    UpstreamUnreachable,
)
from wsgiproxy_hs.middleware.errors import ErrorMiddleware, request_id
from wsgiproxy_hs.routes.draining import drain


def raising(error):
    def app(environ, start_response):
        raise error

    return ErrorMiddleware(app)


def test_a_refusal_is_rendered_in_the_documented_shape():
    """A ``ProxyError`` gives its status, its sentence, its code and the request's id."""
    result = call(raising(RouteNotFound()), request(headers={"X-Request-ID": "abcd-1234"}))
    assert result.status == "404 Not Found"
    assert result.document == {"error": "Not found", "code": "route-not-found", "request_id": "abcd-1234"}
    assert result.header("Content-Type") == "application/json"
    assert result.header("Cache-Control") == "no-store"


def test_fields_and_headers_of_a_refusal_survive():
    """The field map and headers such as ``Retry-After`` reach the browser (F127)."""
    error = UpstreamStatus(429, "Slow down", fields={"email": ["taken"]}, headers=[("Retry-After", "7")])
    result = call(raising(error), request())
    assert (result.code, result.document["fields"]) == (429, {"email": ["taken"]})
    assert result.header("Retry-After") == "7"


def test_cookies_on_an_error_stay_separate_lines():
    """Two cookies that a layer added to an error are two header fields (F021)."""
    error = Unauthorized()
    error.headers += [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    assert call(raising(error), request()).all("Set-Cookie") == ["a=1", "b=2"]


def test_a_bug_is_a_bare_500_and_its_story_is_in_the_log_alone(caplog):
    """An exception that is no refusal tells the browser nothing, and the log everything (F153)."""
    with caplog.at_level(logging.ERROR, "wsgiproxy_hs"):
        result = call(raising(ZeroDivisionError("the pass-phrase is xyzzy")), request())
    assert result.code == 500
    assert result.document["error"] == "Internal server error"
    assert result.document["code"] == "internal-error"
    assert b"xyzzy" not in result.body
    assert b"ZeroDivision" not in result.body
    (record,) = caplog.records
    assert result.document["request_id"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_the_cause_of_a_gateway_error_is_logged_and_not_told(caplog):
    """The private story behind a 502 goes to the log and not to the browser (F137)."""
    error = UpstreamUnreachable()
    error.__cause__ = OSError("10.0.0.7 refused")
    with caplog.at_level(logging.WARNING, "wsgiproxy_hs"):
        result = call(raising(error), request())
    assert b"10.0.0.7" not in result.body
    assert "10.0.0.7" in caplog.text


def test_a_clients_mistake_makes_no_noise_in_the_log(caplog):
    """Refusals below 500 are no warnings: otherwise anybody could fill the log."""
    error = RouteNotFound()
    error.__cause__ = ValueError("whatever")
    with caplog.at_level(logging.INFO, "wsgiproxy_hs"):
        call(raising(error), request())
    assert not caplog.records


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_process_is_not_answered(error):
    """Exceptions that are not ``Exception`` belong to the server."""
    with pytest.raises(error):
        call(raising(error()), request())


def test_an_answer_passes_untouched():
    """Status, headers and body of an app that does not fail are its own, and the same iterable comes back."""
    body = [b"one", b"two"]

    def app(environ, start_response):
        start_response("299 Odd", [("Content-Type", "text/x-odd"), ("X-A", "1"), ("X-A", "2")])
        return body

    assert ErrorMiddleware(app)(request(), lambda *_: None) is body
    result = call(ErrorMiddleware(app), request())
    assert (result.status, result.all("X-A"), result.body) == ("299 Odd", ["1", "2"], b"onetwo")


def test_the_inner_app_sees_the_request_id():
    """The id is in the environ, where the endpoint and the host's log find it."""
    inner = Inner()
    call(ErrorMiddleware(inner.app), request(headers={"X-Request-ID": "from.client_1"}))
    assert inner.environ[REQUEST_ID] == "from.client_1"


@pytest.mark.parametrize("good", ["a" * 8, "a" * 128, "0f8fad5b-d9cb-469f-a165-70867728950e", "A.b_c-d.1"])
def test_a_safe_request_id_of_the_client_is_kept(good):
    """8 to 128 of letters, digits, dot, underscore and hyphen are kept (F156)."""
    assert request_id(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "short",
        "a" * 7,
        "a" * 129,
        "with blank",
        "line\nend-of-it",
        "abcdefgh\n",
        "a\x00bcdefgh",
        "ünïcödeid",
        "<script>1234",
        "٠١٢٣٤٥٦٧",
    ],
)
def test_any_other_request_id_is_replaced(bad):
    """What could forge a log line is replaced by an id of our own, another one each time (F152, F156)."""
    first, second = request_id(bad), request_id(bad)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


def test_head_gets_the_headers_of_the_error_and_no_body():
    """A refused HEAD has the length that GET would have, and nothing behind it."""
    get = call(raising(RouteNotFound()), request("GET", headers={"X-Request-ID": "abcd-1234"}))
    head = call(raising(RouteNotFound()), request("HEAD", headers={"X-Request-ID": "abcd-1234"}))
    assert head.body == b""
    assert head.header("Content-Length") == get.header("Content-Length") == str(len(get.body))


def test_the_body_of_a_refused_request_is_read_away():
    """So that the client gets the answer and not a reset (F084)."""
    stream = io.BytesIO(b"x" * 100_000)
    call(raising(RouteNotFound()), request("POST", CONTENT_LENGTH="100000", wsgi__input=stream))
    assert stream.tell() == 100_000


def test_a_body_that_was_promised_is_read_up_to_a_bound():
    """No stranger makes us read a gigabyte to be refused (F084)."""
    stream = io.BytesIO(b"x" * 100_000)
    drain(request("POST", CONTENT_LENGTH="100000", wsgi__input=stream), 10_000)
    assert stream.tell() == 10_000


def test_an_error_can_ask_for_more_to_be_read_away():
    """Whoever uploads too much should be told so, and browsers listen only once they have sent all (F072, F084)."""
    for error, read in ((BodyTooLarge(10), 1_000_000), (RouteNotFound(), 262_144)):
        stream = io.BytesIO(b"x" * 1_000_000)
        call(raising(error), request("POST", CONTENT_LENGTH="1000000", wsgi__input=stream))
        assert stream.tell() == read


def test_nothing_is_read_when_no_body_was_announced():
    """A request without a body would block here for ever if its stream were read."""
    stream = io.BytesIO(b"the next request on this connection")
    for environ in (request(wsgi__input=stream), request(wsgi__input=stream, CONTENT_LENGTH="0")):
        drain(environ, 10_000)
    assert stream.tell() == 0


def test_no_byte_behind_the_body_is_read():
    """What stands behind the announced length is the next request's."""
    stream = io.BytesIO(b"12345GET / HTTP/1.1")
    drain(request("POST", CONTENT_LENGTH="5", wsgi__input=stream), 10_000)
    assert stream.tell() == 5


def test_a_chunked_body_is_read_away_where_the_server_ends_it():
    """A body without length is drained when the server says that its stream ends (F074, F084)."""
    stream = io.BytesIO(b"x" * 1000)
    environ = request("POST", headers={"Transfer-Encoding": "chunked"}, wsgi__input=stream, wsgi__input_terminated=True)
    drain(environ, 10_000)
    assert stream.tell() == 1000


def test_a_client_that_breaks_off_while_being_drained_still_has_its_answer():
    """A failing stream does not turn the refusal into another error."""

    class Broken(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, _):
            raise ConnectionResetError

    result = call(raising(RouteNotFound()), request("POST", CONTENT_LENGTH="5", wsgi__input=Broken()))
    assert result.code == 404


@pytest.mark.parametrize("length", ["-1", "5,5", "many", "9" * 30])
def test_a_length_that_is_none_does_not_break_the_answer(length):
    """The refusal of a crooked length is itself not broken by it (F078)."""
    app = raising(ProxyError())
    result = call(app, request("POST", CONTENT_LENGTH=length, wsgi__input=io.BytesIO(b"hello")), validate=False)
    assert result.code == 500


def test_an_app_that_fails_after_start_response_is_overruled():
    """Headers that were not sent yet are replaced, with ``exc_info`` as PEP 3333 wants it."""

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Half", "done")])
        raise ZeroDivisionError

    result = call(ErrorMiddleware(app), request())
    assert result.code == 500
    assert result.header("X-Half") is None


def test_when_the_answer_is_already_under_way_the_server_cuts_it():
    """After headers were sent ``start_response`` raises again, so a half answer looks cut and not whole (F117)."""

    def app(environ, start_response):
        start_response("200 OK", [])
        raise ZeroDivisionError("inner")

    def server_start_response(status, headers, exc_info=None):
        if exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        return lambda _: None

    with pytest.raises(ZeroDivisionError, match="inner"):
        ErrorMiddleware(app)(request(), server_start_response)


def test_close_reaches_the_inner_iterable():
    """The inner app learns that its answer is over (F164)."""
    closed = []

    class Iterable(list):
        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Iterable([b"x"])

    assert call(ErrorMiddleware(app), request()).body == b"x"
    assert closed == [True]


def test_the_answer_comes_before_the_rest_of_the_body_is_read():
    """A client that sends nothing of what it announced has its answer at once; it is heard out afterwards (F083)."""
    stream = io.BytesIO(b"x" * 10)
    environ = request("POST", CONTENT_LENGTH="10", wsgi__input=stream)

    def refuse(environ, start_response):
        raise RouteNotFound

    answer = ErrorMiddleware(refuse)(environ, lambda *_: None)
    assert b"".join(answer)
    assert stream.tell() == 0
    answer.close()
    assert stream.tell() == 10


# Who may read an error

FRIEND = "https://admin.example.com"


def refused(method="GET", origin=FRIEND, further=(FRIEND,), error=RouteNotFound):
    """The headers about reading of an error, for a request of an origin."""

    def refuse(environ, start_response):
        raise error

    headers = {"Origin": origin} if origin is not None else {}
    result = call(ErrorMiddleware(refuse, further_origins=further), request(method, headers=headers))
    return {name: value for name, value in result.headers if name == "Vary" or name.startswith("Access-Control")}


@pytest.mark.parametrize("error", [RouteNotFound, Unauthorized, ZeroDivisionError])
def test_a_page_of_a_further_origin_reads_every_error(error):
    """A refusal, and the 500 of a bug, are readable: else its script sees a network error and nobody knows why."""
    found = refused("POST", error=error)
    assert found["Access-Control-Allow-Origin"] == FRIEND
    assert found["Access-Control-Allow-Credentials"] == "true"
    assert found["Vary"] == "Origin"
    assert "Retry-After" in found["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin", [None, "null", "*", "", FRIEND + ".evil.example", FRIEND.upper(), "https://evil.example"]
)
def test_errors_tell_everybody_else_only_that_they_vary(origin):
    """Who is not named to the letter reads nothing."""
    assert refused(origin=origin) == {"Vary": "Origin"}


def test_a_refused_preflight_lets_nobody_go_on():
    """No page ever reads it, and so nothing in it may look like leave."""
    assert refused("OPTIONS") == {"Vary": "Origin"}


def test_without_further_origins_errors_say_nothing_of_origins():
    """One site alone: no header more."""
    assert refused(further=()) == {}
