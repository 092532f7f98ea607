"""A request as it leaves: the bytes of its head, its body, and whether it may leave twice.

Order, case and bytes are the caller's. What could be read as two requests is refused before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from urllib3.exceptions import InvalidHeader

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGET: Final = re.compile(r"[\x00-\x20\x7f]")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_names: set[str] = set()  # header names found to be tokens; bounded, for they repeat


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
    for name, key, value in _fields(headers):
        if name not in _names:
            _check_name(name)
        if key in _SPECIAL:
            special[key] = value
        lines.append(f"{name}: {value}")
    if "host" not in special:
        lines.insert(1, f"Host: {host}")
    if method in BODY_METHODS and "content-length" not in special:
        lines.append("Content-Length: 0")
    length = special.get("content-length", "0")
    if "transfer-encoding" in special or not _LENGTH.fullmatch(length):
        raise InvalidHeader("A request leaves with a Content-Length and no other framing")
    return _joined(lines, method, target), int(length), "idempotency-key" in special


_SPECIAL: Final = frozenset({"host", "content-length", "transfer-encoding", "idempotency-key"})


def _fields(headers: Any) -> Iterator[tuple[str, str, str]]:
    """Name, name in lower case, value.

    The public way through ``requests``' mapping that looks nothing up twice: 2 us instead of 8 for eight headers.
    """
    if hasattr(headers, "lower_items"):
        for name, (key, value) in zip(headers, headers.lower_items(), strict=True):
            yield name, key, value if isinstance(value, str) else value.decode("latin-1")
    else:
        for name, value in (headers or {}).items():
            yield name, name.lower(), value if isinstance(value, str) else value.decode("latin-1")


def _joined(lines: list[str], method: str, target: str) -> bytes:
    text = "\r\n".join(lines)
    count = len(lines) - 1
    if text.count("\n") != count or text.count("\r") != count or "\0" in text:
        raise InvalidHeader("A request header holds a line end or NUL")
    if not target.startswith("/") or _NOT_IN_TARGET.search(target) or not _TOKEN.fullmatch(method):
        raise InvalidHeader("The request line cannot be sent as it is")
    try:
        return (text + "\r\n\r\n").encode("latin-1")
    except UnicodeEncodeError:
        raise InvalidHeader("A request header holds a character that cannot be sent") from None


def _check_name(name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise InvalidHeader("A request header has a name that cannot be sent")
    if len(_names) < 1024:
        _names.add(name)


def _position(file: Any) -> int | None:
    """Where a file stands, or ``None`` when it cannot go back."""
    try:
        return int(file.tell())
    except (AttributeError, OSError, ValueError):
        return None
