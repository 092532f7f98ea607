"""The circuit breaker: opened by failures in a row, closed by one request that tries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from tests.faults.upstream import ScriptedUpstream, answer, close, forever, read, refusing_port, send
from wsgiproxy_hs.exceptions import UpstreamError, UpstreamUnavailable, UpstreamUnreachable
from wsgiproxy_hs.upstream import Clocks, Transport
from wsgiproxy_hs.upstream.breaker import Breaker, Resting
from wsgiproxy_hs.upstream.faults import upstream_fault, was_never_sent

CLOCKS = Clocks(connect=2, first_byte=2, idle=2, total=5)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("upstream", failures=3, seconds=5.0, clock=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed(is_trial=breaker.admit())


def test_so_many_failures_in_a_row_open_it(breaker):
    """One failure less lets the next request through."""
    fail(breaker, 2)
    assert breaker.admit() is False
    fail(breaker, 1)
    with pytest.raises(Resting) as caught:
        breaker.admit()
    assert caught.value.seconds == 5.0


def test_a_sign_of_life_begins_the_count_anew(breaker):
    """A bad row among good ones never opens it."""
    for _ in range(10):
        fail(breaker, 2)
        breaker.succeeded()
    assert not breaker.is_open


def test_one_request_alone_tries(breaker, clock):
    """When the rest is over, of a hundred threads one gets through, and the others are told how long it may take."""
    fail(breaker, 3)
    clock.now += 5
    told: list[Any] = []
    barrier = threading.Barrier(20)

    def ask() -> None:
        barrier.wait()
        try:
            told.append(breaker.admit())
        except Resting as error:
            told.append(error.seconds)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told, key=str) == [5.0] * 19 + [True]


def test_a_trial_that_fails_opens_it_again(breaker, clock):
    """And one that succeeds closes it for everybody."""
    fail(breaker, 3)
    clock.now += 5
    breaker.failed(is_trial=breaker.admit())
    with pytest.raises(Resting):
        breaker.admit()
    clock.now += 5
    assert breaker.admit() is True
    breaker.succeeded()
    assert [breaker.admit() for _ in range(3)] == [False] * 3


def test_late_failures_do_not_keep_it_open(breaker, clock):
    """Requests that were sent before it opened fail when they will: the trial comes when it was promised."""
    fail(breaker, 3)
    clock.now += 4
    breaker.failed(is_trial=False)
    clock.now += 1
    assert breaker.admit() is True


def test_a_trial_that_never_comes_back_is_followed_by_another(breaker, clock):
    """A client that stops in the middle of its upload must not leave it open for ever."""
    fail(breaker, 3)
    clock.now += 5
    assert breaker.admit() is True
    clock.now += 5
    assert breaker.admit() is True


def test_zero_failures_mean_never(clock):
    """A team can turn it off."""
    breaker = Breaker("upstream", failures=0, clock=clock)
    fail(breaker, 100)
    assert not breaker.is_open


# What an upstream says -> whether it counts as a failure.
SAYS = {
    "nothing": ([read(), close()], True),
    "garbage": ([read(), send(b"SSH-2.0-OpenSSH\r\n\r\n")], True),
    "502": ([read(), send(answer(status="502 Bad Gateway"))], True),
    "503": ([read(), send(answer(status="503 Service Unavailable"))], True),
    "504": ([read(), send(answer(status="504 Gateway Timeout"))], True),
    "500": ([read(), send(answer(status="500 Internal Server Error"))], False),
    "400": ([read(), send(answer(status="400 Bad Request"))], False),
    "401": ([read(), send(answer(status="401 Unauthorized"))], False),
    "429": ([read(), send(answer(status="429 Too Many Requests"))], False),
    "200": ([read(), send(answer())], False),
}


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(breaker_failures=3, breaker_seconds=60)
    yield made
    made.close()


def outcome(transport: Transport, url: str) -> int | type[UpstreamError]:
    """The status that came, or the class of our error."""
    request = PreparedRequest()
    request.method, request.url, request.headers = "GET", url + "/", CaseInsensitiveDict()
    try:
        with transport.send(request, stream=True, timeout=CLOCKS) as response:
            return response.status_code
    except Exception as error:
        return type(upstream_fault(error))


@pytest.mark.parametrize("what", SAYS)
def test_what_counts_as_a_failure(transport, what):
    """Broken answers, 502, 503 and 504; never a 4xx, which is the user's mistake, nor a 500, which shows life (F143)."""
    script, counts = SAYS[what]
    with ScriptedUpstream(forever(*script)) as upstream:
        last = [outcome(transport, upstream.url) for _ in range(4)][-1]
        heard = len(upstream.requests)
    assert (last is UpstreamUnavailable) is counts
    assert heard == (3 if counts else 4)


def test_an_upstream_that_is_not_there_is_not_dialled_without_end(transport):
    """Refused connections open it; another upstream is not concerned."""
    with refusing_port() as port:
        told = [outcome(transport, f"http://127.0.0.1:{port}") for _ in range(4)]
    assert told == [UpstreamUnreachable] * 3 + [UpstreamUnavailable]
    with ScriptedUpstream(forever(read(), send(answer()))) as upstream:
        assert outcome(transport, upstream.url) == 200


def test_the_browser_is_told_when_to_come_back():
    """503 with Retry-After in whole seconds, rounded up; and a token that was not sent counts as not sent."""
    error = upstream_fault(Resting("upstream", 3.2))
    assert isinstance(error, UpstreamUnavailable)
    assert error.headers == [("Retry-After", "4")]
    error.__cause__ = Resting("upstream", 3.2)
    assert was_never_sent(error)
