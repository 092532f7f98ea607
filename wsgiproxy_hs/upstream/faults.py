"""From the exceptions of the transport to ours, as a table: the most specific row wins.

``requests`` wraps what ``urllib3`` raises, and an adapter of somebody else may let either through.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException
from typing import Final

import requests.exceptions as outer
import urllib3.exceptions as inner

from wsgiproxy_hs.exceptions import (
    UpstreamAnswerInvalid,
    UpstreamBusy,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from wsgiproxy_hs.upstream.breaker import Resting

_FAULTS: Final[tuple[tuple[type[BaseException], type[UpstreamError]], ...]] = (
    (outer.Timeout, UpstreamTimeout),
    (inner.EmptyPoolError, UpstreamBusy),
    (inner.NewConnectionError, UpstreamUnreachable),
    (inner.TimeoutError, UpstreamTimeout),
    (TimeoutError, UpstreamTimeout),
    (inner.ProtocolError, UpstreamAnswerInvalid),
    (HTTPException, UpstreamAnswerInvalid),
    (inner.DecodeError, UpstreamAnswerInvalid),
    (outer.ChunkedEncodingError, UpstreamAnswerInvalid),
    (outer.ContentDecodingError, UpstreamAnswerInvalid),
)


def upstream_fault(error: BaseException) -> UpstreamError:
    """Our error for a transport's: 502, 503 or 504. The caller raises it ``from`` the original."""
    chain = list(_chain(error))
    resting = next((link for link in chain if isinstance(link, Resting)), None)
    if resting is not None:
        return UpstreamUnavailable(retry_after_seconds=resting.seconds)
    for foreign, ours in _FAULTS:
        if any(isinstance(link, foreign) for link in chain):
            return ours()
    return UpstreamUnreachable()


def was_never_sent(error: UpstreamError) -> bool:
    """Whether a failed call surely did not reach the upstream: there was no connection to send it over."""
    cause = error.__cause__
    unsent = (inner.NewConnectionError, inner.ConnectTimeoutError, inner.EmptyPoolError)
    return cause is not None and any(isinstance(link, unsent) for link in _chain(cause))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what ``requests`` and ``urllib3`` hide in ``args`` and ``reason``."""
    pending: list[object] = [error]
    seen = 0
    while pending and seen < 16:
        link = pending.pop()
        seen += 1
        if isinstance(link, BaseException):
            yield link
            pending += [*link.args, getattr(link, "reason", None)]
