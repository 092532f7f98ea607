"""The head of an answer: status line and header fields, parsed by llhttp.

llhttp's edges, and how they are kept from mattering: it bounds neither number nor size of headers (we do), it cannot be
told that a request was HEAD, has no end-of-file call and goes on into a second answer behind the first. So it sees
exactly one head at a time, cut at the blank line, and afterwards only the chunks of a chunked body.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import httptools
from urllib3.exceptions import ProtocolError

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADERS: Final = 200
BODILESS_STATUSES: Final = frozenset({204, 304})


class AnswerHeaders:
    """Header fields as they came: order, case and repeated names kept, bytes as latin-1 (F085, F101)."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
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
    """What llhttp reports of one message. It never refers to its parser, or the two would be a cycle."""

    __slots__ = ("body", "is_complete", "is_done", "pairs", "reason", "restarted")

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.reason = ""
        self.is_done = False  # the head
        self.is_complete = False  # the whole message
        self.restarted = False  # a second message began
        self.body: list[bytes] = []

    def on_message_begin(self) -> None:
        self.restarted = self.is_complete

    def on_status(self, text: bytes) -> None:
        self.reason += text.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.is_done:  # trailers are dropped (RFC 9110, section 6.5.1)
            self.pairs.append((name.decode("latin-1"), value.decode("latin-1")))

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
    parser = httptools.HttpResponseParser(head)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise ProtocolError(f"The upstream's answer is not HTTP: {error}") from error
    if not head.is_done or parser.get_http_version() not in ("1.1", "1.0"):
        raise ProtocolError("The upstream's answer is not HTTP/1.1")
    if len(head.pairs) > MAX_HEADERS:
        raise ProtocolError(f"The upstream's answer has more than {MAX_HEADERS} headers")
    return head, parser


def body_length(pairs: list[tuple[str, str]], status: int, method: str, version: str) -> int | None:
    """How long the body is: a number of bytes, -1 for chunked, ``None`` until the end (RFC 9112, section 6.3).

    :raises ProtocolError: where two readers could see two ends: both framings, two lengths, an unknown coding.
    """
    lengths, codings, reads = [], [], False
    for name, value in pairs:
        size = len(name)
        if size == 14 and name.lower() == "content-length":
            lengths.append(value)
        elif size == 17 and name.lower() == "transfer-encoding":
            codings.append(value)
    reads = method != "HEAD" and status not in BODILESS_STATUSES
    if codings:
        if lengths or version != "1.1" or len(codings) > 1 or codings[0].strip().lower() != "chunked":
            raise ProtocolError("The upstream's answer has a framing that is not accepted")
        return -1 if reads else 0
    if lengths:
        if len(set(lengths)) > 1 or not (lengths[0].isascii() and lengths[0].isdecimal()) or len(lengths[0]) > 18:
            raise ProtocolError("The upstream's answer has no valid Content-Length")
        return int(lengths[0]) if reads else 0
    return None if reads else 0


def keeps_alive(pairs: list[tuple[str, str]], version: str) -> bool:
    """Whether the upstream keeps the connection open (RFC 9112, section 9.3)."""
    for name, value in pairs:
        if len(name) == 10 and name.lower() == "connection":
            options = {option.strip().lower() for option in value.split(",")}
            if "close" in options:
                return False
            if "keep-alive" in options:
                return True
    return version == "1.1"
