"""Ask a server over a bare socket, and read its answer as the bytes say it: no client's opinion in between."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

Headers = tuple[tuple[str, str], ...]


class Question(NamedTuple):
    """A request. With ``Transfer-Encoding: chunked`` among its headers the body goes in chunks of 1000 bytes."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes | None = None

    def all(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def without(self, *names: str) -> Question:
        """The same without some headers."""
        dropped = {name.lower() for name in names}
        return self._replace(headers=tuple(pair for pair in self.headers if pair[0].lower() not in dropped))

    def plus(self, name: str, value: str) -> Question:
        """The same with one more header."""
        return self._replace(headers=(*self.headers, (name, value)))


class Unfinished(ValueError):
    """There is more to come."""


class Answer(NamedTuple):
    """An answer: header names as they were written, in order; the body without its chunks."""

    status: int
    reason: str
    headers: Headers
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def ask(url: str, question: Question) -> Answer:
    """One request on a connection of its own, which the server may keep open."""
    with connect(url) as sock:
        return exchange(sock, url, question)


def exchange(sock: socket.socket, url: str, question: Question) -> Answer:
    """One request on a connection, and its whole answer.

    :raises ValueError: when it is not whole, or when something stands behind it.
    """
    sock.sendall(request_bytes(url, question))
    data = b""
    while piece := sock.recv(65_536):
        data += piece
        with contextlib.suppress(Unfinished):
            return parsed(data, question.method)
    return parsed(data, question.method, is_closed=True)


def connect(url: str) -> socket.socket:
    """A connection to a server."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30)


def request_bytes(url: str, question: Question) -> bytes:
    """A request as it leaves; ``Host`` and ``Content-Length`` are added where the question has none."""
    headers, body = list(question.headers), question.body
    if not question.all("Host"):
        headers.insert(0, ("Host", urlsplit(url).netloc))
    if body is not None and question.all("Transfer-Encoding"):
        body = in_chunks(body[start : start + 1000] for start in range(0, len(body), 1000))
    elif body is not None:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{question.method} {question.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def in_chunks(pieces: Iterable[bytes]) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def parsed(data: bytes, method: str, *, is_closed: bool = False) -> Answer:
    """The final answer that was received.

    :param is_closed: whether nothing more can come, so that even an interim answer is the last.
    :raises Unfinished: when it is not whole. :raises ValueError: when something stands behind it.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        raise Unfinished(f"an answer without an end of its head: {data[:200]!r}")
    first, *lines = head.decode("latin-1").split("\r\n")
    _, status, reason = first.split(" ", 2)
    headers = tuple((name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines))
    answer = Answer(int(status), reason, headers, b"")
    if answer.status < 200 and (rest or not is_closed):
        return parsed(rest, method, is_closed=is_closed)
    body, rest = _body(answer, rest, method)
    if rest:
        raise ValueError(f"something stands behind the answer: {rest[:200]!r}")
    return answer._replace(body=body)


def _body(answer: Answer, data: bytes, method: str) -> tuple[bytes, bytes]:
    """The body, and what stands behind it."""
    if method == "HEAD" or answer.status < 200 or answer.status in (204, 304):
        return b"", data
    if answer.all("Transfer-Encoding"):
        return _joined(data)
    (length,) = map(int, answer.all("Content-Length"))
    if len(data) < length:
        raise Unfinished(f"{length} bytes were announced and {len(data)} came")
    return data[:length], data[length:]


def _joined(data: bytes) -> tuple[bytes, bytes]:
    pieces: list[bytes] = []
    while True:
        size, end, data = data.partition(b"\r\n")
        length = int(size, 16) if end else 0
        piece, after, data = data[:length], data[length : length + 2], data[length + 2 :]
        if after != b"\r\n":
            raise Unfinished("a chunk is not whole")
        if not length:
            return b"".join(pieces), data
        pieces.append(piece)
