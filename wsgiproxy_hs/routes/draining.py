"""The rest of a refused request's body, read away so that the client gets its answer and not a reset (F084)."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from werkzeug.wsgi import get_input_stream

from wsgiproxy_hs.environ import REQUEST_ID

_PIECE_BYTES: Final = 65_536
_log = logging.getLogger("wsgiproxy_hs")


def announces_body(environ: dict[str, Any]) -> bool:
    """Whether the request says that a body follows."""
    return environ.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


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
