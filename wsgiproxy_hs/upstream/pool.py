"""The connections to one upstream: bounded, waited for with a bound, never shared across a fork."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from urllib3.exceptions import ConnectTimeoutError, EmptyPoolError, MaxRetryError, ProtocolError, ReadTimeoutError

from wsgiproxy_hs.upstream.answers import Answer
from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.connections import Connection, Dead, Endpoint

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Pool:
    """Serves exchanges with one upstream, under the names that ``HTTPAdapter.send`` calls.

    Threads share it. It belongs to the process that made it: after a fork the transport makes a new one (F140).

    :param max_connections: most connections at once.
    :param wait_seconds: longest wait for one of them, then 503 (F138).
    :param idle_seconds: how long an unused connection is kept; shorter than the upstream's own keep-alive (F134).
    """

    def __init__(
        self, endpoint: Endpoint, *, max_connections: int = 64, wait_seconds: float = 5.0, idle_seconds: float = 1.5
    ) -> None:
        self.endpoint = endpoint
        self._idle_seconds = idle_seconds
        self._wait_seconds = wait_seconds
        self._slots = threading.BoundedSemaphore(max_connections)
        self._idle: list[Connection] = []

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
            answer.
        """
        if chunked:
            raise ProtocolError("A request leaves with a Content-Length, so its body's length must be known")
        clocks = Clocks.of(timeout)
        head = request_head(method, url, headers, str(self.endpoint))
        if not self._slots.acquire(timeout=self._wait_seconds):
            raise MaxRetryError(self, None, EmptyPoolError(self, "all connections are in use"))  # type: ignore[arg-type]
        try:
            return self._exchange(method, head, body, clocks, replayable="Idempotency-Key" in headers)
        except BaseException as error:
            self._slots.release()
            if isinstance(error, TimeoutError):
                raise ReadTimeoutError(self, "", "The upstream did not answer in time") from error  # type: ignore[arg-type]
            if isinstance(error, ConnectTimeoutError):
                raise MaxRetryError(self, None, error) from error  # type: ignore[arg-type]
            raise

    def close(self) -> None:
        """Close what is idle; what is in use closes when it comes back."""
        self._idle_seconds = 0.0
        while self._idle:
            self._idle.pop().close()

    def __repr__(self) -> str:
        return f"Pool({self.endpoint})"

    def _exchange(self, method: str, head: bytes, body: Any, clocks: Clocks, *, replayable: bool) -> Answer:
        """Send and read the head; a kept-alive connection that died is redialled where that is provably safe.

        Safe is what nobody can have acted on twice: no byte of the request was written, or not a byte of an answer
        came to a method without effects, or to a request whose key lets the upstream tell (F133, F134).
        """
        kept = self._idle_connection()
        if kept is not None:
            try:
                return self._try(kept, method, head, body, clocks)
            except Dead as dead:
                if not (dead.unsent or method in SAFE_METHODS or replayable) or not _rewind(body):
                    raise
        return self._try(Connection(self.endpoint, clocks.connect_seconds), method, head, body, clocks)

    def _try(self, connection: Connection, method: str, head: bytes, body: Any, clocks: Clocks) -> Answer:
        """One attempt; when it fails the connection is closed."""
        try:
            connection.send(head, body, clocks)
            deadline = time.monotonic() + clocks.total_seconds
            received = connection.read_head(clocks, deadline)
            return Answer(connection, method, received, clocks, deadline, self._release)
        except BaseException:
            connection.close()
            raise

    def _idle_connection(self) -> Connection | None:
        """The one used last that still stands; older ones age and are dropped on the way."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            age = time.monotonic() - connection.idle_since
            if age < (connection.keep_alive_seconds or self._idle_seconds) and not connection.is_stale():
                return connection
            connection.close()
        return None

    def _release(self, connection: Connection, reusable: bool) -> None:
        if reusable and self._idle_seconds > 0 and connection.keep_alive_seconds != 0.0:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()
        self._slots.release()


def _rewind(body: Any) -> bool:
    """Whether the body can be sent again from its beginning."""
    if body is None or isinstance(body, bytes):
        return True
    try:
        body.seek(0)
    except (AttributeError, OSError, ValueError):
        return False
    return True


def request_head(method: str, target: str, headers: Any, host: str) -> bytes:
    """The head of a request, exactly as it leaves: order, case and bytes of the headers kept.

    :raises ProtocolError: when a name, a value or the target holds a line end or NUL, or is not latin-1 (F102).
    """
    lines = [f"{method} {target} HTTP/1.1"]
    names = ""
    for name, value in headers.items():
        lines.append(f"{name}: {value}")
        names += name + ","
    if "host," not in names.lower():
        lines.insert(1, f"Host: {host}")
    text = "\r\n".join(lines)
    count = len(lines) - 1
    if text.count("\n") != count or text.count("\r") != count or "\0" in text or " " in target:
        raise ProtocolError("A request header holds a character that cannot be sent")
    try:
        return (text + "\r\n\r\n").encode("latin-1")
    except UnicodeEncodeError:
        raise ProtocolError("A request header holds a character that cannot be sent") from None
