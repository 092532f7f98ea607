"""Whatever a transport raises becomes one of our errors."""

from __future__ import annotations

import socket

import pytest
import requests.exceptions as outer
import urllib3.exceptions as inner

from wsgiproxy_hs.exceptions import (
    UpstreamAnswerInvalid,
    UpstreamBusy,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from wsgiproxy_hs.upstream.faults import upstream_fault

POOL = object()


def retried(reason: Exception) -> inner.MaxRetryError:
    return inner.MaxRetryError(POOL, "/", reason)  # type: ignore[arg-type]


RAISED: list[tuple[BaseException, type[UpstreamError]]] = [
    (outer.ConnectTimeout(), UpstreamTimeout),
    (outer.ReadTimeout(), UpstreamTimeout),
    (outer.Timeout(), UpstreamTimeout),
    (outer.ConnectTimeout(retried(inner.ConnectTimeoutError("x"))), UpstreamTimeout),
    (outer.ConnectionError(inner.ReadTimeoutError(POOL, "", "x")), UpstreamTimeout),  # type: ignore[arg-type]
    (outer.ConnectionError(retried(inner.EmptyPoolError(POOL, "x"))), UpstreamBusy),  # type: ignore[arg-type]
    (outer.ConnectionError(retried(inner.NewConnectionError(POOL, "x"))), UpstreamUnreachable),  # type: ignore[arg-type]
    (outer.ConnectionError(retried(inner.NameResolutionError("h", POOL, socket.gaierror()))), UpstreamUnreachable),  # type: ignore[arg-type]
    (outer.SSLError(retried(inner.SSLError("x"))), UpstreamUnreachable),
    (outer.ConnectionError(inner.ProtocolError("x", ConnectionResetError())), UpstreamAnswerInvalid),
    (outer.ChunkedEncodingError(), UpstreamAnswerInvalid),
    (outer.ContentDecodingError(), UpstreamAnswerInvalid),
    (outer.ConnectionError(), UpstreamUnreachable),
    (outer.InvalidURL(), UpstreamUnreachable),
    (inner.ReadTimeoutError(POOL, "", "x"), UpstreamTimeout),  # type: ignore[arg-type]
    (inner.ProtocolError("x"), UpstreamAnswerInvalid),
    (inner.DecodeError("x"), UpstreamAnswerInvalid),
    (inner.IncompleteRead(1, 2), UpstreamAnswerInvalid),
    (TimeoutError(), UpstreamTimeout),
    (ConnectionRefusedError(), UpstreamUnreachable),
    (OSError(), UpstreamUnreachable),
]


@pytest.mark.parametrize(("raised", "expected"), RAISED, ids=lambda value: type(value).__name__)
def test_fault(raised: BaseException, expected: type[UpstreamError]) -> None:
    """Timeouts are 504, a full pool 503, broken answers and unreachable upstreams 502, however deep they are wrapped."""
    assert type(upstream_fault(raised)) is expected


def test_circles() -> None:
    """An exception that holds itself does not hold us."""
    error = OSError()
    error.args = (error, error)
    assert type(upstream_fault(error)) is UpstreamUnreachable
