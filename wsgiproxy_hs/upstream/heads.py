"""The head of an answer: status line and header fields, parsed by llhttp.

llhttp's edges, and how they are kept from mattering: it bounds neither number nor size of headers (we do), it cannot be
told that a request was HEAD, has no end-of-file call and goes on into a second answer behind the first. So it sees
exactly one head at a time, cut at the blank line, and afterwards only the chunks of a chunked body. What else is not
HTTP/1 it refuses itself: folded lines, bare line ends, NUL, a space before the colon, two framings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import httptools
from urllib3.exceptions import ProtocolError

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADERS: Final = 200
BODILESS_STATUSES: Final = frozenset({204, 304})
MAX_KEEP_ALIVE_SECONDS: Final = 60.0

_FRAMING: Final = frozenset({"connection", "content-length", "content-type", "keep-alive", "transfer-encoding"})
_names: dict[bytes, tuple[str, str]] = {}  # names repeat; bounded against an upstream that invents them

Pairs = list[tuple[str, str]]
Fields = Mapping[str, list[str]]


class AnswerHeaders:
    """Header fields as they came: order, case and repeated names kept, bytes as latin-1 (F085, F101)."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def iteritems(self) -> Iterator[tuple[str, str]]:
        """Every field, repeated ones too; the name that urllib3's headers have for this."""
        return iter(self.pairs)

    items = iteritems

    def getlist(self, name: str) -> list[str]:
        """All values of a field, in order."""
        wanted = name.lower()
        return [value for key, value in self.pairs if key.lower() == wanted]

    def get(self, name: str, default: str | None = None) -> str | None:
        """The values of a field joined by a comma, as RFC 9110 section 5.3 allows, or the default."""
        values = self.getlist(name)
        return ", ".join(values) if values else default


class Head:
    """What llhttp reports of one message. It never refers to its parser, or the two would be a cycle.

    ``pairs`` are all fields as they came, ``fields`` those few that say where the answer ends and what becomes of its
    connection, by name in lower case.
    """

    __slots__ = ("body", "fields", "is_complete", "is_done", "is_http11", "pairs", "reason", "restarted")

    def __init__(self) -> None:
        self.pairs: Pairs = []
        self.fields: dict[str, list[str]] = {}
        self.reason = ""
        self.is_http11 = True
        self.is_done = False  # the head
        self.is_complete = False  # the whole message
        self.restarted = False  # a second message began
        self.body: list[bytes] = []

    def on_message_begin(self) -> None:
        self.restarted = self.is_complete

    def on_status(self, text: bytes) -> None:
        self.reason += text.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.is_done:  # trailers are dropped (RFC 9110, section 6.5.1)
            return
        text, key = _names.get(name) or _learned(name)
        content = value.decode("latin-1")
        self.pairs.append((text, content))
        if key:
            self.fields.setdefault(key, []).append(content)

    def on_headers_complete(self) -> None:
        self.is_done = True

    def on_body(self, data: bytes) -> None:
        if not self.is_complete:
            self.body.append(data)

    def on_message_complete(self) -> None:
        self.is_complete = True


def parse_head(data: bytes) -> tuple[Head, httptools.HttpResponseParser]:
    """One head, which ends at the blank line; the parser goes on with the chunks of its body.

    :raises ProtocolError: for anything that is not the head of an HTTP/1.0 or 1.1 answer.
    """
    head = Head()
    head.is_http11 = data.startswith(b"HTTP/1.1")
    parser = httptools.HttpResponseParser(head)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise ProtocolError(f"The upstream's answer is not HTTP: {error}") from error
    if not head.is_done or not 100 <= parser.get_status_code() <= 599:
        raise ProtocolError("The upstream's answer is not HTTP/1.1")
    if len(head.pairs) > MAX_HEADERS:
        raise ProtocolError(f"The upstream's answer has more than {MAX_HEADERS} headers")
    if not head.reason.isprintable():
        head.reason = ""
    return head, parser


def body_length(fields: Fields, status: int, method: str, *, is_http11: bool) -> int | None:
    """How long the body is: a number of bytes, -1 for chunked, ``None`` until the end (RFC 9112, section 6.3).

    :raises ProtocolError: where two readers could see two ends: both framings, two lengths, an unknown coding.
    """
    length: int | None = None
    codings, lengths = fields.get("transfer-encoding"), fields.get("content-length")
    if codings:
        if lengths or not is_http11 or [coding.strip(" \t").lower() for coding in codings] != ["chunked"]:
            raise ProtocolError("The upstream's answer has a framing that is not accepted")
        length = -1
    elif lengths:
        length = _number(lengths)
    return 0 if method == "HEAD" or status in BODILESS_STATUSES else length


def _number(lengths: list[str]) -> int:
    """One length, written once and in digits."""
    length = lengths[0].strip(" \t")
    if len(lengths) > 1 or not (length.isascii() and length.isdecimal()) or len(length) > 18:
        raise ProtocolError("The upstream's answer has no valid Content-Length")
    return int(length)


def keeps_alive(fields: Fields, *, is_http11: bool) -> bool:
    """Whether the upstream keeps the connection open (RFC 9112, section 9.3)."""
    values = fields.get("connection")
    if values is None:
        return is_http11
    options = {option.strip(" \t") for option in ",".join(values).lower().split(",")}
    return "close" not in options and (is_http11 or "keep-alive" in options)


def keep_alive_seconds(fields: Fields) -> float | None:
    """How long the upstream says that it keeps an unused connection, less a second for the way; or ``None``."""
    for option in ",".join(fields.get("keep-alive", ())).split(","):
        name, _, value = option.strip(" \t").partition("=")
        if name.lower() == "timeout" and value.isascii() and value.isdecimal():
            return min(float(value[:9]) - 1.0, MAX_KEEP_ALIVE_SECONDS)
    return None


def is_event_stream(fields: Fields) -> bool:
    """Whether the answer is one that may go on for hours."""
    types = fields.get("content-type")
    return types is not None and types[0].lower().startswith("text/event-stream")


def _learned(name: bytes) -> tuple[str, str]:
    """A name as text, and in lower case when it is one of those that matter here."""
    text = name.decode("latin-1")
    found = text, text.lower() if text.lower() in _FRAMING else ""
    if len(_names) < 1024:
        _names[name] = found
    return found
