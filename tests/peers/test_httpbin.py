"""The real httpbin, asked directly and through the proxy: what comes back is the same, byte for byte.

What our own rules change stands in ``DIFFERENCES``, one row a rule. A row changes either what httpbin is asked, so that
the direct question is what should have arrived, or what it answered. Nothing else may differ; and a row that changes
nothing any more, in the case that shows it, makes a test fail. What the proxy answers by itself stands in ``HERE``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import pytest

from tests.integration import servers
from tests.peers.cases import CASES, KEPT_BACK, Case, case
from tests.peers.httpbin import httpbin
from tests.peers.wire import Answer, Question, ask, connect, exchange

pytestmark = pytest.mark.integration

PUBLIC_URL = "https://app.example.com"
MOVING = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b", "UUID"),
    (r"\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b", "HEX"),  # request ids, nonces, tags of /cache
)
"""What httpbin and the proxy make up anew for every request."""


class Both(NamedTuple):
    """Two URLs of httpbin: its own, and that of the proxy before it."""

    direct: str
    proxy: str


@dataclass(frozen=True)
class Difference:
    """A rule of ours.

    :param shown_by: name of a case in which it makes a difference.
    :param sent: from what a client asks to what httpbin is asked.
    :param answer: from what httpbin answers to what a client gets.
    """

    name: str
    reason: str
    shown_by: str
    sent: Callable[[Question], Question] = lambda question: question
    answer: Callable[[Answer], Answer] = lambda answer: answer


def keeps(name: str, reason: str, shown_by: str) -> Difference:
    """A header of the request that does not arrive."""
    return Difference(f"request: no {name}", reason, shown_by, sent=lambda question: question.without(name))


def tells(name: str, value: str, reason: str, shown_by: str) -> Difference:
    """A header that arrives instead of the client's own."""
    return Difference(
        f"request: {name}", reason, shown_by, sent=lambda question: question.without(name).plus(name, value)
    )


def drops(name: str, reason: str, shown_by: str) -> Difference:
    """A header of the answer that does not come back."""

    def answer(given: Answer) -> Answer:
        return given._replace(headers=tuple(pair for pair in given.headers if pair[0].lower() != name.lower()))

    return Difference(f"answer: no {name}", reason, shown_by, answer=answer)


def says(name: str, value: str, reason: str, shown_by: str) -> Difference:
    """A header that every answer has, once and at its end; a stricter one of httpbin's counts."""

    def answer(given: Answer) -> Answer:
        others = tuple(pair for pair in given.headers if pair[0].lower() != name.lower())
        said = "no-referrer" if "no-referrer" in given.all(name) else value
        return given._replace(headers=(*others, (name, said)))

    return Difference(f"answer: {name}", reason, shown_by, answer=answer)


def _via(question: Question) -> Question:
    return question.without("Via").plus("Via", ", ".join([*question.all("Via"), "1.1 wsgiproxy_hs"]))


def _request_id(question: Question) -> Question:
    return question.without("X-Request-ID").plus("X-Request-ID", *(question.all("X-Request-ID") or ["0" * 32]))


def _length(question: Question) -> Question:
    """A body goes with its length; so does none, where the method could have one."""
    if question.body is None and question.method in ("POST", "PUT", "PATCH", "DELETE"):
        return question._replace(body=b"")
    return question.without("Transfer-Encoding")


def _no_type(question: Question) -> Question:
    return question.without("Content-Type") if question.method in ("GET", "HEAD") else question


def _banner(answer: Answer) -> Answer:
    banner = [(name, "gunicorn" if name == "Server" else value) for name, value in answer.headers]
    return answer._replace(headers=tuple(banner))


_OWN_PLACE = re.compile(r"(?:https?://127\.0\.0\.1:[0-9]+)?/?([^/:][^:]*)")


def _location(answer: Answer) -> Answer:
    """A reference to httpbin itself becomes the public one; every page of these cases that redirects is at the top."""
    own = [found for found in map(_OWN_PLACE.fullmatch, answer.all("Location")) if found]
    if not own:
        return answer
    others = tuple(pair for pair in answer.headers if pair[0].lower() != "location")
    return answer._replace(headers=(*others, ("Location", f"/api/bin/{own[0][1]}")))


ORDER = (
    "host", "accept", "accept-encoding", "accept-language", "content-encoding", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "range", "idempotency-key", "last-event-id", "user-agent",
    "traceparent", "via", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-forwarded-for", "x-request-id",
    "content-type",
)  # fmt: skip


def _ordered(question: Question) -> Question:
    places = {name: place for place, name in enumerate(ORDER)}
    headers = sorted(question.headers, key=lambda pair: places.get(pair[0].lower(), len(places)))
    return question._replace(headers=tuple(headers))


DIFFERENCES = [
    keeps("Authorization", "the browser's credentials are not the upstream's; the session's token is", "basic, right"),
    keeps("Cookie", "the session cookie stays here, and so do its neighbours", "cookies"),
    keeps("Host", "the upstream is asked by its own name; the public one is in X-Forwarded-Host", "another host"),
    keeps("Referer", "request headers travel by allow-list", "further headers"),
    keeps("DNT", "as above", "further headers"),
    keeps("X-Odd", "as above", "further headers"),
    keeps("Origin", "where a request comes from is judged here", "a page of ours"),
    keeps("Upgrade", "hop-by-hop", "upgrades"),
    keeps("TE", "hop-by-hop", "upgrades"),
    keeps("Connection", "hop-by-hop; connections to the upstream are kept", "keeps the connection"),
    keeps("Expect", "the body is here already when the upstream is asked", "waits for 100"),
    Difference("request: no type without a body", "GET has no body to be of a type", "a type without need", _no_type),
    Difference(
        "request: no broken Traceparent",
        "a trace that cannot be read is not begun with",
        "a trace that is none",
        lambda question: question.without("Traceparent") if question.all("Traceparent") == ["nonsense"] else question,
    ),
    Difference("request: Content-Length", "no other framing leaves; none says 0", "chunks sent", _length),
    Difference("request: Via", "every proxy adds its name, and so finds loops", "came by another proxy", _via),
    tells("X-Forwarded-Proto", "https", "the public address, so that links and redirects fit", "all that arrives"),
    tells("X-Forwarded-Host", "app.example.com", "as above; never the client's word", "says where it was"),
    tells("Forwarded", "for=127.0.0.1;host=app.example.com;proto=https", "RFC 7239, by us alone", "says what it is"),
    tells("X-Forwarded-For", "127.0.0.1", "the peer; a client's word counts through trusted proxies", "says who it is"),
    Difference("request: X-Request-ID", "one number for both logs", "all that arrives", _request_id),
    Difference("request: order", "headers leave in the order of our list", "in another order", _ordered),
    Difference("answer: Server", "a banner is of use to attackers only; the server in front has its own", "get", answer=_banner),
    drops("Set-Cookie", "the upstream's cookies stay inside", "cookies set"),
    drops("Access-Control-Allow-Origin", "who may read is decided here, not by the upstream", "get"),
    drops("Access-Control-Allow-Credentials", "as above", "get"),
    *(drops(name, "see docs/headers.md", f"kept back: {name}") for name in KEPT_BACK),
    Difference("answer: Location", "one to the upstream itself leads back by the table", "redirect", answer=_location),
    says("X-Content-Type-Options", "nosniff", "a text that looks like a script is none", "get"),
    says("Referrer-Policy", "same-origin", "our paths are told to no other site", "a policy less strict"),
]  # fmt: skip


class Here(NamedTuple):
    """What the proxy answers by itself: ``there`` is what httpbin would have answered."""

    case: Case
    status: int
    code: str
    there: int
    reason: str


NOT_A_STATUS = "a status that HTTP does not have, or that ends nothing, is no answer"
TWO_READINGS = "servers read such a path in two ways"
HERE = [
    *(Here(case(f"status {status}", f"GET /status/{status}"), 502, "upstream-answer-invalid", status, NOT_A_STATUS)
      for status in (100, 101, 103, 199, 600, 999)),
    *(Here(case(f"path {path}", f"GET /anything/{path}"), 400, "path-refused", 200, TWO_READINGS)
      for path in ("a%2Fb", "a%5Cb", "a%00b", "%0A", "a;b", "a%3Bb", "%2e%2e/x", "a/../b", "a/./b", "a%23b", "%FF", "a%252Fb")),
    Here(case("TRACE", "TRACE /anything"), 405, "method-not-allowed", 200, "not in the row"),
    Here(case("GET with a body", "GET /anything", body=b"x"), 400, "body-not-expected", 200, "GET has none"),
    Here(case("over 1 MiB", "POST /anything", body=b"x" * 1_048_577), 413, "body-too-large", 200, "the row's limit"),
    Here(case("a loop", "GET /get", ("Via", "1.1 wsgiproxy_hs")), 508, "upstream-loop", 200, "it has been here before"),
    Here(case("another site's POST", "POST /post", ("Origin", "https://evil.example")), 403, "cross-site-refused", 200,
         "what another site made is refused"),
    Here(case("a cookie and no word of where from", "POST /post", ("Cookie", "a=1")), 403, "cross-site-header-missing", 200,
         "a form of another site could have sent it"),
]  # fmt: skip


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """httpbin, and a proxy before it, each on a gunicorn of its own."""
    port = servers.free_port()
    with httpbin() as direct:
        more = {"WSGIPROXY_ROUTES": "tests.peers.table:ROUTES", "AUTH_URL": PUBLIC_URL, "BREAKER_FAILURES": "0"}
        environ = servers.proxy_environ(direct, port, **more)
        with servers.gunicorn("wsgiproxy_hs:app", environ, port=port) as proxy:
            yield Both(direct, proxy)


def through(question: Question) -> Question:
    """The question as the proxy is asked it."""
    return question._replace(target=f"/api/bin{question.target}" if question.target != "/" else "/api/bin")


def settled(answer: Answer) -> Answer:
    """The answer without what moves: the time, also that of /cache, whose tag is as new; and what is made up anew."""
    moving = {"Date", "Last-Modified"} if re.fullmatch("[0-9a-f]{32}", "".join(answer.all("ETag"))) else {"Date"}
    headers = tuple((name, "" if name in moving else _named(value)) for name, value in answer.headers)
    return answer._replace(headers=headers, body=_named(answer.body.decode("latin-1")).encode("latin-1"))


def _named(text: str) -> str:
    for pattern, name in MOVING:
        text = re.sub(pattern, name, text)
    return text


def expected(direct: str, question: Question, differences: list[Difference]) -> Answer:
    """What should come back: httpbin's own answer to what should arrive, less what should stay."""
    arriving = reduce(lambda asked, difference: difference.sent(asked), differences, question)
    return settled(reduce(lambda answer, difference: difference.answer(answer), differences, ask(direct, arriving)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_as_asked_directly(both: Both, case: Case) -> None:
    """Status, reason, headers with their order, case and repeats, and body are httpbin's own, less the differences."""
    assert settled(ask(both.proxy, through(case.question))) == expected(both.direct, case.question, DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_each_difference_makes_one(both: Both, difference: Difference) -> None:
    """Without a row of the table the case that shows it would not come out, so no row outlives its rule."""
    (case,) = (case for case in CASES if case.name == difference.shown_by)
    others = [other for other in DIFFERENCES if other is not difference]
    assert settled(ask(both.proxy, through(case.question))) != expected(both.direct, case.question, others)


@pytest.mark.parametrize("here", HERE, ids=lambda here: here.case.name)
def test_answered_here(both: Both, here: Here) -> None:
    """What httpbin would answer, and the proxy does not let through, gets the documented error."""
    answer = ask(both.proxy, through(here.case.question))
    assert (answer.status, json.loads(answer.body)["code"]) == (here.status, here.code)
    assert ask(both.direct, here.case.question).status == here.there


def test_options_are_answered_by_the_row(both: Both) -> None:
    """OPTIONS says which methods the row has, not which httpbin has, and nothing about other origins."""
    question = Question("OPTIONS", "/get")
    answer, direct = ask(both.proxy, through(question)), ask(both.direct, question)
    assert (answer.status, answer.all("Allow")) == (204, ["GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"])
    assert (direct.status, sorted(direct.all("Allow")[0].split(", "))) == (200, ["GET", "HEAD", "OPTIONS"])
    assert [name for name, _ in answer.headers if name.lower().startswith("access-control-")] == []


def test_one_connection_after_another_question(both: Both) -> None:
    """On one connection every answer is that of its question, above all the one behind a HEAD."""
    lines = [
        "HEAD /bytes/64?seed=1", "GET /bytes/64?seed=1", "HEAD /stream/2", "GET /status/304", "GET /get?a=1", "GET /status/204",
        "HEAD /status/500", "GET /stream-bytes/64?seed=1", "POST /status/201", "GET /drip?numbytes=3&duration=0", "GET /gzip",
    ]  # fmt: skip
    questions = [case(line, line).question for line in lines]
    with connect(both.proxy) as sock:
        answers = [settled(exchange(sock, both.proxy, through(question))) for question in questions]
    assert answers == [expected(both.direct, question, DIFFERENCES) for question in questions]


def test_there_are_many_cases() -> None:
    """At least 80 requests are compared, no two alike, and every case has a name of its own."""
    assert len({case.question for case in CASES}) == len({case.name for case in CASES}) == len(CASES) >= 80
