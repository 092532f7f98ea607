"""A request as it leaves: the bytes of its head, its body, and whether it may leave twice.

Order, case and bytes are the caller's. What could be read as two requests is refused before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final

from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import InvalidHeader

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
_METHODS: Final = SAFE_METHODS | BODY_METHODS | {"DELETE"}
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGET: Final = re.compile(r"[\x00-\x20\x7f]")
_SPECIAL: Final = frozenset({"host", "content-length", "transfer-encoding", "idempotency-key"})
_names: dict[str, str] = {}  # header names found to be tokens: they repeat; bounded
_second: Final = itemgetter(1)


class Outgoing:
    """One request.

    ``data`` is the head, with the body behind it when that is bytes; ``file`` is a body of ``length`` bytes that is
    read while it is sent. A body that is not as long as announced never leaves whole (F075, F076).

    :raises InvalidHeader: when the head cannot be sent as it is, or the body is not as long as it says.
    """

    __slots__ = ("_start", "data", "file", "is_repeatable", "length", "method")

    def __init__(self, method: str, target: str, headers: Any, body: Any, host: str) -> None:
        head, length, has_key = request_head(method, target, headers, host)
        if isinstance(body, str):
            body = body.encode("utf-8")
        is_file = hasattr(body, "read")
        if not is_file and len(body or b"") != length:
            raise InvalidHeader("The body of a request is not as long as its Content-Length")
        self.method = method
        self.data: bytes = head if is_file or not body else head + body
        self.file = body if is_file else None
        self.length = length
        self.is_repeatable = has_key or method in SAFE_METHODS
        self._start = _position(body) if is_file else 0

    def rewind(self) -> bool:
        """Whether the body can be sent again, from where it began."""
        if self.file is None:
            return True
        if self._start is None:
            return False
        try:
            self.file.seek(self._start)
        except (OSError, ValueError):
            return False
        return True


def request_head(method: str, target: str, headers: Any, host: str) -> tuple[bytes, int, bool]:
    """The head of a request, the announced length of its body, and whether it has an ``Idempotency-Key``.

    :param headers: a ``requests`` header mapping, or any other whose names have one spelling each.
    :param host: for a request that does not say it itself.
    :raises InvalidHeader: for a line end, NUL or any character that cannot be sent (F102), and for a second framing.
    """
    lines = [f"{method} {target} HTTP/1.1"]
    special: dict[str, str] = {}
    for name, value in _fields(headers):
        if not isinstance(value, str):
            value = value.decode("latin-1")
        key = _names.get(name)
        if key is None:
            key = _learned(name)
        if key:
            special[key] = value
        lines.append(f"{name}: {value}")
    if "host" not in special:
        lines.insert(1, f"Host: {host}")
    if method in BODY_METHODS and "content-length" not in special:
        lines.append("Content-Length: 0")
    if "transfer-encoding" in special:
        raise InvalidHeader("A request leaves with a Content-Length and no other framing")
    _check_request_line(method, target)
    return _joined(lines), _length(special.get("content-length")), "idempotency-key" in special


def _fields(headers: Any) -> Iterable[tuple[str, Any]]:
    """Names and values; the public way through ``requests``' mapping that looks nothing up twice."""
    if isinstance(headers, CaseInsensitiveDict):
        return zip(headers, map(_second, headers.lower_items()), strict=True)
    return (headers or {}).items()


def _check_request_line(method: str, target: str) -> None:
    if method not in _METHODS and not _TOKEN.fullmatch(method):
        raise InvalidHeader("The method of a request cannot be sent")
    plain = target.isascii() and target.isprintable() and " " not in target
    if not target.startswith("/") or not (plain or _NOT_IN_TARGET.search(target) is None):
        raise InvalidHeader("The target of a request cannot be sent as it is")


def _joined(lines: list[str]) -> bytes:
    text = "\r\n".join(lines)
    count = len(lines) - 1
    if text.count("\n") != count or text.count("\r") != count or "\0" in text:
        raise InvalidHeader("A request header holds a line end or NUL")
    try:
        return (text + "\r\n\r\n").encode("latin-1")
    except UnicodeEncodeError:
        raise InvalidHeader("A request header holds a character that cannot be sent") from None


def _length(value: str | None) -> int:
    if value is None:
        return 0
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise InvalidHeader("The Content-Length of a request is not a length")
    return int(value)


def _learned(name: str) -> str:
    """The name in lower case when it is one of those that matter here; :raises InvalidHeader: when it is no name."""
    if not _TOKEN.fullmatch(name):
        raise InvalidHeader("A request header has a name that cannot be sent")
    key = name.lower() if name.lower() in _SPECIAL else ""
    if len(_names) < 1024:
        _names[name] = key
    return key


def _position(file: Any) -> int | None:
    """Where a file stands, or ``None`` when it cannot go back."""
    try:
        return int(file.tell())
    except (AttributeError, OSError, ValueError):
        return None
