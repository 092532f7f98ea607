"""Event streams on their way: comments while they are quiet, a last event when they break."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Final

from urllib3.exceptions import HTTPError

from wsgiproxy_hs.exceptions import UpstreamTimeout
from wsgiproxy_hs.upstream.answers import Answer
from wsgiproxy_hs.upstream.faults import upstream_fault

HEARTBEAT: Final = b": keep-alive\n\n"
_EVENT_ENDS: Final = (b"\n\n", b"\r\r", b"\r\n\r\n")
_log = logging.getLogger("wsgiproxy_hs")


class EventStream:
    """The body of a ``text/event-stream`` answer, passed on as it arrives.

    While the upstream is quiet a comment goes out now and then, which keeps intermediaries from cutting the stream and
    is how a client that has left is noticed (F115, F116); only between events, where it can do no harm (F121). A stream
    that breaks ends in an ``error`` event: half a stream must not look whole (F117).

    :param heartbeat_seconds: longest silence towards the client.
    """

    def __init__(self, answer: Answer, *, heartbeat_seconds: float) -> None:
        self._answer = answer
        self._heartbeat_seconds = heartbeat_seconds
        self._heard_at = time.monotonic()
        self._tail = b"\n\n"  # the beginning is between events, too
        self._is_over = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._is_over:
            raise StopIteration
        try:
            while not self._answer.wait(self._heartbeat_seconds):
                if time.monotonic() - self._heard_at > self._answer.idle_seconds:
                    raise TimeoutError("The event stream was quiet for too long")
                if self.is_between_events:
                    return HEARTBEAT
            piece = next(self._answer)
        except (HTTPError, OSError) as error:
            return self._last_event(error)
        self._heard_at = time.monotonic()
        self._tail = (self._tail + piece[-4:])[-4:]
        return piece

    @property
    def is_between_events(self) -> bool:
        """Whether the last byte passed on ended an event."""
        return self._tail.endswith(_EVENT_ENDS)

    def close(self) -> None:
        """End the exchange with the upstream (F114)."""
        self._is_over = True
        self._answer.close()

    def _last_event(self, error: BaseException) -> bytes:
        """Say that the stream broke; in the middle of an event ours takes it over, so that no half one is believed."""
        fault = UpstreamTimeout() if isinstance(error, TimeoutError) else upstream_fault(error)
        _log.warning("an event stream broke: %s: %r", fault.code, error)
        self.close()
        data = json.dumps({"error": fault.detail, "code": fault.code})
        return f"{'' if self.is_between_events else chr(10)}event: error\ndata: {data}\n\n".encode("ascii")
