"""The rest of a refused request's body, read away so that the client gets its answer and not a reset (F084)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from werkzeug.wsgi import get_input_stream

from wsgiproxy_hs.environ import REQUEST_ID

_PIECE_BYTES: Final = 65_536
_log = logging.getLogger("wsgiproxy_hs")


def announces_body(environ: dict[str, Any]) -> bool:
    """Whether the request says that a body follows."""
    return environ.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def is_read(body: Any, stream: Any) -> bool:
    """Whether a request's body was read to its end: it was put in the place of the server's stream, and is whole."""
    return body is not stream and getattr(body, "is_whole", True)


class Drained:
    """An answer after which the rest of the request's body is read away: first the client is told, then heard out."""

    def __init__(self, pieces: Iterable[bytes], environ: dict[str, Any], max_bytes: int) -> None:
        self._pieces = pieces
        self._environ = environ
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        try:
            getattr(self._pieces, "close", lambda: None)()
        finally:
            drain(self._environ, self._max_bytes)


def drain(environ: dict[str, Any], max_bytes: int, *, seconds: float = 2.0) -> None:
    """Read what the client is still sending, up to a bound; its failing is its own affair.

    :param seconds: about the longest time, where the server shows its socket (gunicorn does); others have patience of
        their own, and no server is as patient as one that buffers requests in front.
    """
    if not announces_body(environ):
        return
    deadline = time.monotonic() + seconds
    sock = environ.get("gunicorn.socket")
    before = sock.gettimeout() if sock is not None else None
    try:
        stream = get_input_stream(environ)
        while max_bytes > 0 and (remaining := deadline - time.monotonic()) > 0:
            if sock is not None:
                sock.settimeout(remaining)
            chunk = stream.read(min(_PIECE_BYTES, max_bytes))
            if not chunk:
                return
            max_bytes -= len(chunk)
    except Exception:
        _log.debug("request %s: the rest of its body could not be read", environ.get(REQUEST_ID))
    finally:
        if sock is not None:
            sock.settimeout(before)
