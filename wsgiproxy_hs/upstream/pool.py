"""The connections to one upstream: bounded, waited for with a bound, never shared across a fork."""

from __future__ import annotations

import queue
import time
from collections import deque
from typing import Any, Final

from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    ReadTimeoutError,
)

from wsgiproxy_hs.upstream.addresses import Address
from wsgiproxy_hs.upstream.answers import Answer
from wsgiproxy_hs.upstream.breaker import FAILING_STATUSES, Breaker, Resting
from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.connections import Connection, Dead
from wsgiproxy_hs.upstream.outgoing import Outgoing

_UPSTREAM_FAILS: Final = (TimeoutError, HTTPError)
"""What an exchange fails with when it is the upstream's doing, and not that of the client whose body is sent."""


class Places:
    """So many may be in use at once. A queue of tokens in C: a third of a semaphore's cost, and safe in ``__del__``."""

    __slots__ = ("_tokens", "total")

    def __init__(self, total: int) -> None:
        self.total = total
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(total):
            self._tokens.put(None)

    def take(self, wait_seconds: float) -> bool:
        """Whether there was one in time."""
        try:
            self._tokens.get(timeout=wait_seconds)
        except queue.Empty:
            return False
        return True

    def give_back(self) -> None:
        self._tokens.put(None)

    @property
    def in_use(self) -> int:
        return self.total - self._tokens.qsize()


class Pool:
    """Serves exchanges with one upstream, under the names that ``HTTPAdapter.send`` calls.

    Threads share it. It belongs to the process that made it: after a fork the transport makes a new one (F140).

    :param max_connections: most connections at once, event streams not counted.
    :param max_streams: most event streams at once.
    :param wait_seconds: longest wait for a connection, then 503 (F138).
    :param breaker: leaves an upstream alone that fails again and again; ``None`` for never.
    :param idle_seconds: how long an unused connection is kept where the upstream does not say how long it waits;
        shorter than the two seconds of gunicorn (F134).
    """

    def __init__(
        self,
        address: Address,
        *,
        max_connections: int = 64,
        max_streams: int = 256,
        wait_seconds: float = 5.0,
        idle_seconds: float = 1.5,
        breaker: Breaker | None = None,
    ) -> None:
        self.address = address
        self.breaker = breaker or Breaker(address, failures=0)
        self.places = Places(max_connections)
        self.stream_places = Places(max_streams)
        self._idle_seconds = idle_seconds
        self._wait_seconds = wait_seconds
        self._idle: deque[Connection] = deque()
        self._is_closed = False

    def urlopen(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        timeout: Any = None,
        chunked: bool = False,
        **_: object,
    ) -> Answer:
        """One exchange: the answer's head is there when this returns, its body follows.

        The remaining arguments of urllib3's method (redirects, retries, decoding) are things that never happen here.

        :raises MaxRetryError: no connection; :raises ReadTimeoutError: no answer in time; :raises ProtocolError: not an
            answer; :raises InvalidHeader: not a request.
        """
        if chunked:
            raise InvalidHeader("A request leaves with a Content-Length, so its body's length must be known")
        request = Outgoing(method, url, headers, body, self.address.name)
        is_trial = self._admit()
        if not self.places.take(self._wait_seconds):
            raise self._busy()
        try:
            answer = self._exchange(request, Clocks.of(timeout))
        except BaseException as error:
            self.places.give_back()
            if isinstance(error, _UPSTREAM_FAILS):
                self.breaker.failed(is_trial=is_trial)
            if isinstance(error, TimeoutError):
                raise ReadTimeoutError(self, "", "The upstream did not answer in time") from error  # type: ignore[arg-type]
            if isinstance(error, ConnectTimeoutError):
                raise MaxRetryError(self, None, error) from error  # type: ignore[arg-type]
            raise
        if answer.status in FAILING_STATUSES:
            self.breaker.failed(is_trial=is_trial)
        else:
            self.breaker.succeeded()
        if answer.is_stream:
            self._move_to_streams(answer)
        return answer

    def close(self) -> None:
        """Close what is idle; what is in use closes when it comes back."""
        self._is_closed = True
        self._drop(float("inf"))

    __del__ = close  # a transport that is dropped leaves no open socket

    def __repr__(self) -> str:
        return f"Pool({self.address})"

    def _admit(self) -> bool:
        """Whether this request is the one that tries an upstream which was left alone."""
        try:
            return self.breaker.admit()
        except Resting as error:
            raise MaxRetryError(self, None, error) from error  # type: ignore[arg-type]

    def _exchange(self, request: Outgoing, clocks: Clocks) -> Answer:
        """Send and read the head; a kept-alive connection that died is redialled where that is provably safe.

        Safe is what nobody can have acted on twice: no byte of the request was written, or not a byte of an answer
        came to a method without effects, or to a request whose key lets the upstream tell (F133, F134).
        """
        kept = self._idle_connection()
        if kept is not None:
            try:
                return self._try(kept, request, clocks)
            except Dead as dead:
                if not dead.unsent and not (request.is_repeatable and request.rewind()):
                    raise
        return self._try(Connection(self.address, clocks.connect_seconds), request, clocks)

    def _try(self, connection: Connection, request: Outgoing, clocks: Clocks) -> Answer:
        """One attempt; when it fails the connection is closed."""
        deadline = time.monotonic() + clocks.total_seconds
        try:
            connection.send(request, clocks, deadline)
            received = connection.read_head(clocks, deadline)
            return Answer(connection, request.method, received, clocks, deadline, self._release)
        except BaseException:
            connection.close()
            raise

    def _move_to_streams(self, answer: Answer) -> None:
        """An event stream may last for hours: it must not use up the places of short exchanges."""
        if answer.is_complete:
            return
        if not self.stream_places.take(0):
            answer.close()
            raise self._busy()
        answer.hand_over(self._release_stream)
        self.places.give_back()

    def _idle_connection(self) -> Connection | None:
        """The one used last that still stands; what is found broken on the way is closed."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.expires_at > time.monotonic() and not connection.is_stale():
                return connection
            connection.close()

    def _release(self, connection: Connection, reusable: bool) -> None:
        self._keep_or_close(connection, reusable)
        self.places.give_back()

    def _release_stream(self, connection: Connection, reusable: bool) -> None:
        connection.close()
        self.stream_places.give_back()

    def _keep_or_close(self, connection: Connection, reusable: bool) -> None:
        seconds = connection.keep_alive_seconds
        if seconds is None:
            seconds = self._idle_seconds
        if not reusable or not connection.is_reusable or seconds <= 0 or self._is_closed:
            connection.close()
            return
        now = time.monotonic()
        connection.expires_at = now + seconds
        self._idle.append(connection)
        if len(self._idle) > 1:
            self._drop(now)

    def _drop(self, now: float) -> None:
        """Close those at the old end whose time is over: the busy end never comes to them."""
        while True:
            try:
                oldest = self._idle.popleft()
            except IndexError:
                return
            if oldest.expires_at > now:
                self._idle.appendleft(oldest)
                return
            oldest.close()

    def _busy(self) -> MaxRetryError:
        return MaxRetryError(self, None, EmptyPoolError(self, "all connections are in use"))  # type: ignore[arg-type]
