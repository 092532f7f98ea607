"""What an exchange came to, written so that two servers can be compared: ids, times and request ids masked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.integration import servers

NOT_JSON = "<not JSON>"
NOTHING = "<nothing>"
_VARYING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<time>"),
    (re.compile(r"\bnew\d+@example\.com"), "<new email>"),
    (re.compile(r"(?<=[?&]token=)[\w.:-]+|(?<=[?&]signature=)[\w.:-]+|(?<=/storage/)[^\"]+"), "<signed>"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "<token>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<origin>"),
)
_NUMBERED = ("id", "membership", "position")


class Asked(NamedTuple):
    """What Django was asked. ``scheme`` is the word before the access token."""

    method: str
    target: str
    scheme: str
    document: Any


class Outcome(NamedTuple):
    """``document`` is the JSON that was read, ``NOTHING`` for an empty body, ``NOT_JSON`` for every other one.

    ``allow`` is looked at where methods are what the answer is about: at a 405 and after OPTIONS. ``redirects`` are those to
    the same path without a slash at its end, which a browser follows by itself.
    """

    status: int
    document: Any
    allow: frozenset[str]
    redirects: int
    asked: tuple[Asked, ...]


def outcome(answer: servers.Answer, redirects: int, asked: list[servers.Received]) -> Outcome:
    about_methods = answer.status == 405 or (answer.status == 204 and not asked)
    methods = (answer.header("allow") or "").replace(" ", "").split(",") if about_methods else ()
    allow = frozenset(filter(None, methods))
    document = _document(answer.body, answer.header("content-type") or "")
    return Outcome(answer.status, document, allow, redirects, tuple(map(_asked, asked)))


def _document(body: bytes, content_type: str) -> Any:
    if not body:
        return NOTHING
    if content_type.partition(";")[0] != "application/json":
        return NOT_JSON
    return masked(json.loads(body))


def _asked(request: servers.Received) -> Asked:
    try:
        document = masked(json.loads(request.body)) if request.body else NOTHING
    except ValueError:
        document = NOT_JSON
    scheme = request.headers.get("authorization", "").partition(" ")[0]
    if document is not NOTHING and request.headers.get("content-type") != "application/json":
        document = {"not sent as JSON": document}
    return Asked(request.method, _masked_text(request.target), scheme, document)


def masked(value: Any, name: str = "") -> Any:
    """The same document without what differs between two objects of one kind."""
    if isinstance(value, Mapping):
        return {key: masked(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    if name == "request_id" and isinstance(value, str):
        return "<request id>"
    if name in _NUMBERED and type(value) is int:
        return "<number>"
    return _masked_text(value) if isinstance(value, str) else value


def _masked_text(text: str) -> str:
    for pattern, mask in _VARYING:
        text = pattern.sub(mask, text)
    return text
