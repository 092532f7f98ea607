"""Where a request body ends, or that nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsgiproxy_hs.exceptions import ContentLengthInvalid, LengthRequired
from wsgiproxy_hs.servers import hides_cuts


def content_length(environ: Mapping[str, Any]) -> int | None:
    """The announced length in bytes; ``None`` when the body ends where the server says (F074).

    A length beside chunks is how one request becomes two (RFC 9112, section 6.3): some servers let both through.

    :raises ContentLengthInvalid: 400, :raises LengthRequired: 411 when nobody can tell where the body ends.
    """
    text, is_chunked = environ.get("CONTENT_LENGTH") or "", "HTTP_TRANSFER_ENCODING" in environ
    if text and is_chunked:
        raise ContentLengthInvalid("Content-Length and Transfer-Encoding do not go together")
    if text:
        return _digits(text)
    ends_itself = environ.get("wsgi.input_terminated")
    if is_chunked and (not ends_itself or hides_cuts(environ)):
        raise LengthRequired
    return None if ends_itself else 0


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise ContentLengthInvalid
    return int(text)
