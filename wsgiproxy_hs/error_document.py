"""The one documented shape of errors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Protocol

Header = tuple[str, str]


class Shown(Protocol):
    """What an error shows: every :class:`~wsgiproxy_hs.exceptions.ProxyError` does."""

    status: int
    code: str
    detail: str

    @property
    def fields(self) -> Mapping[str, object] | None: ...
    @property
    def headers(self) -> Iterable[Header]: ...


def reason_phrase(status: int) -> str:
    """``404`` -> ``"404 Not Found"``, as PEP 3333 wants the status; unknown codes get a neutral phrase."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def error_document(error: Shown, request_id: str | None = None) -> tuple[str, list[Header], bytes]:
    """What the browser gets for an error: ``(status, headers, body)``, ready for ``start_response``.

    The body is ``{"error": str, "code": str, "fields"?: {...}, "request_id"?: str}``; ``error`` is what the browser
    code written for the documented routes reads.
    """
    document: dict[str, object] = {"error": error.detail, "code": error.code}
    if error.fields:
        document["fields"] = error.fields
    if request_id is not None:
        document["request_id"] = request_id
    body = json.dumps(document).encode("ascii")
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        *error.headers,
    ]
    return reason_phrase(error.status), headers, body
