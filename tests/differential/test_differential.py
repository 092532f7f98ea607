"""Hostile requests through four servers: nothing reaches the upstream, or one request that the table allows."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.differential import page, plain, rule
from tests.differential.corpus import CASES, TECHNIQUES, chunked, get
from tests.differential.outcomes import Outcome, filled, judge, run
from tests.differential.servers import COMMANDS

TOLD = rule.Told("127.0.0.1:1", "127.0.0.1:2", "JWT token")
GOOD = (
    b"POST /v1/items/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\nVia: 1.1 wsgiproxy_hs\r\nX-Forwarded-For: 127.0.0.1\r\n"
    b'Forwarded: for=127.0.0.1;host="127.0.0.1:2";proto=http\r\nX-Forwarded-Proto: http\r\n'
    b"X-Forwarded-Host: 127.0.0.1:2\r\nX-Request-ID: case-0001\r\nAuthorization: JWT token\r\nContent-Length: 2\r\n\r\n{}"
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Of one run of all cases through all servers."""
    return run(tmp_path_factory.mktemp("servers"))


def test_there_are_enough_cases():
    """Two hundred requests and forty techniques at least, five requests a technique at most, none of them twice."""
    assert len(CASES) >= 200
    assert len(TECHNIQUES) >= 40
    assert all(1 <= len(technique.requests) <= 5 and technique.reason for technique in TECHNIQUES)
    assert len({technique.name for technique in TECHNIQUES}) == len(TECHNIQUES)
    assert len({case.raw for case in CASES}) == len(CASES)


def test_most_of_them_bite():
    """Sent straight to a trusting upstream, seven of ten requests do harm, and a plain one does none."""
    harmful = [case for case in CASES if plain.harm(filled(case, 80, "authjs.session-token=sealed"))]
    assert len(harmful) >= 0.7 * len(CASES)
    assert plain.harm(get(b"/api/items")) == set()


@pytest.mark.integration
@pytest.mark.parametrize("server", COMMANDS)
def test_the_rule_holds(outcomes: dict[str, Outcome], server: str):
    """Whatever the server makes of a request: nothing arrives, or exactly one request that the table allows."""
    assert outcomes[server].faults == []


@pytest.mark.integration
@pytest.mark.parametrize("server", COMMANDS)
def test_good_requests_pass(outcomes: dict[str, Outcome], server: str):
    """The servers were there: requests that are only odd reach the upstream, and nearly every client got an answer."""
    outcome = outcomes[server]
    assert 50 <= len(outcome.passed) <= 0.6 * len(CASES)
    answered = [name for name, data in outcome.answers.items() if data.startswith(b"HTTP/1.")]
    assert len(answered) > 0.85 * len(CASES)


CUT = chunked(b'8\r\n{"a": 1}\r\n')


@pytest.mark.integration
@pytest.mark.parametrize("server", COMMANDS)
def test_half_a_chunked_body_is_none(outcomes: dict[str, Outcome], server: str):
    """A client that leaves before the last chunk leaves nothing behind at the upstream (F076)."""
    (case,) = [case for case in CASES if case.raw == CUT]
    assert outcomes[server].passed[case.name] == 0


@pytest.mark.integration
def test_the_page_is_current(outcomes: dict[str, Outcome]):
    """The page says what happened, when it was made with the servers that are installed."""
    text = page.PAGE.read_text()
    if page.is_of_these_versions(text):
        assert text == page.page(outcomes)
    else:
        pytest.skip("the page was made with other versions of the servers")


def broken(old: bytes, new: bytes) -> list[bytes]:
    assert old in GOOD
    return [GOOD.replace(old, new, 1)]


@pytest.mark.parametrize(
    "received",
    [
        [GOOD, GOOD],
        [GOOD + GOOD],
        [GOOD + b"x"],
        [GOOD[:-1]],
        broken(b"\r\n", b"\n"),
        broken(b"case-0001", b"case-9999"),
        broken(b"X-Request-ID: case-0001\r\n", b""),
        broken(b"Via: 1.1 wsgiproxy_hs", b"Via: 1.1 other"),
        broken(b"Via", b"Cookie: a=1\r\nVia"),
        broken(b"Via", b"X-User: root\r\nVia"),
        broken(b"Via", b"X_User: root\r\nVia"),
        broken(b"Via", b"Transfer-Encoding: chunked\r\nVia"),
        broken(b"Via", b"Host: evil.example\r\nVia"),
        broken(b"Host: 127.0.0.1:1", b"Host: evil.example"),
        broken(b"Forwarded-For: 127.0.0.1", b"Forwarded-For: 10.0.0.1"),
        broken(b"for=127.0.0.1", b"for=10.0.0.1"),
        broken(b"JWT token", b"JWT forged"),
        broken(b"Authorization: JWT token\r\n", b""),
        broken(b"Content-Length: 2", b"Content-Length: 3"),
        broken(b"Content-Length: 2", b"Content-Length: 100000"),
        [GOOD.replace(b"/v1/items/", b"/v1/rest/").replace(b"Length: 2", b"Length: 100000")],
        broken(b"Content-Length: 2", b"Content-Length: 02"),
        broken(b"Content-Length: 2", b"Content-Length: +2"),
        broken(b"POST", b"DELETE"),
        broken(b"POST", b"post"),
        broken(b"/v1/items/", b"/v1/items"),
        broken(b"/v1/items/", b"/admin/"),
        broken(b"/v1/items/", b"//v1/items/"),
        broken(b"/v1/items/", b"http://evil.example/v1/items/"),
        broken(b"/v1/items/", b"/v1/rest/a/../b"),
        broken(b"/v1/items/", b"/v1/rest/%2E%2E/b"),
        broken(b"/v1/items/", b"/v1/rest/a%252Fb"),
        broken(b"/v1/items/", b"/v1/items/ /"),
        broken(b"/v1/items/", b"/v1/public/"),
        [b"\r\n" + GOOD],
    ],
)
def test_the_rule_can_be_broken(received: list[bytes]):
    """The checker sees every kind of fault that it is there for, and none in a good request."""
    assert judge([GOOD], TOLD) == (Counter({"case-0001": 1}), [])
    assert judge(received, TOLD)[1]
