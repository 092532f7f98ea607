"""An upstream's error becomes the documented shape.

Django REST framework answers errors in many shapes, Django in HTML; the browser gets one (F124 to F127).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from wsgiproxy_hs.exceptions import Header, UpstreamStatus
from wsgiproxy_hs.redaction import redact
from wsgiproxy_hs.upstream.headers import ERROR_HEADERS_KEPT
from wsgiproxy_hs.upstream.passing import read_within

NON_FIELD: Final = "non_field_errors"
MAX_ERROR_BYTES: Final = 262_144
MAX_FIELD_DEPTH: Final = 8
TOO_DEEP: Final = "What is wrong here is nested too deep to be shown."
_NOT_FIELDS: Final = frozenset({"detail", "code", "messages"})


def upstream_status(status: int, pairs: Iterable[Header], body: bytes) -> UpstreamStatus:
    """The error to raise for an upstream's answer of 400 and above.

    :param body: as received; one that is compressed is unpacked within bounds.
    """
    headers = list(pairs)
    kept = [header for header in headers if header[0].lower() in ERROR_HEADERS_KEPT and not _prompts(*header)]
    coding = next((value for name, value in headers if name.lower() == "content-encoding"), "")
    document = _document(body, coding.strip().lower())
    fields = _fields(document) if status < 500 else None  # of its own faults the upstream may tell too much (F153)
    error = UpstreamStatus(status, _detail(document), fields=fields, headers=kept)
    code = document.get("code") if isinstance(document, dict) else None
    error.upstream_code = code if isinstance(code, str) else None
    return error


def _prompts(name: str, value: str) -> bool:
    """Whether a header makes browsers ask for a password that nobody here has a use for (RFC 9110, section 11.6.1)."""
    schemes = ("basic", "digest", "negotiate", "ntlm")
    return name.lower() == "www-authenticate" and value.lower().lstrip().startswith(schemes)


def read_error_body(pieces: Iterator[bytes]) -> bytes:
    """The body of an error, or nothing when it is over 256 KiB: then it is no message for a person."""
    read, is_all = read_within(pieces, MAX_ERROR_BYTES)
    return b"".join(read) if is_all else b""


def _document(body: bytes, coding: str) -> Any:
    """The JSON document of an error body, or ``None`` for HTML, broken JSON and nothing at all."""
    try:
        if coding in ("gzip", "deflate"):
            body = zlib.decompressobj(wbits=47).decompress(body, MAX_ERROR_BYTES)
        return json.loads(body)
    except (ValueError, RecursionError, zlib.error):
        return None


def _detail(document: Any) -> str | None:
    detail = document.get("detail") if isinstance(document, dict) else None
    return redact(detail) if isinstance(detail, str) and detail else None


def _fields(document: Any) -> dict[str, Any] | None:
    """The field map: as the upstream wrote it, lists of messages at its leaves."""
    if isinstance(document, list):
        document = _indexed(document) if any(isinstance(item, dict) for item in document) else {NON_FIELD: document}
    if not isinstance(document, dict):
        return None
    own_words = _detail(document) is not None
    fields = {
        str(name): _messages(value, 1)
        for name, value in document.items()
        if not (own_words and name in _NOT_FIELDS) and value not in ({}, [], None)
    }
    return fields or None


def _indexed(items: list[Any]) -> dict[str, Any]:
    """``[{}, {"x": [...]}]`` of ``many=True`` -> ``{"1": {"x": [...]}}``, as newer releases write it themselves."""
    return {str(index): item for index, item in enumerate(items) if item not in ({}, [], None)}


def _messages(value: Any, depth: int) -> Any:
    """Lists of texts at the leaves, maps above them; what is nested too deep is a sentence that says so."""
    if depth >= MAX_FIELD_DEPTH:
        return [value if isinstance(value, str) else TOO_DEEP]
    if isinstance(value, dict):
        return {str(name): _messages(item, depth + 1) for name, item in value.items() if item not in ({}, [], None)}
    if isinstance(value, list):
        if any(isinstance(item, (dict, list)) for item in value):
            return _messages(_indexed(value), depth)
        return [_text(item) for item in value]
    return [_text(value)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
