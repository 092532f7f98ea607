"""A client that says whether an answer was whole, and an upstream at a server's door."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from typing import NamedTuple

from tests.faults.upstream import Script, ScriptedUpstream, Step
from tests.harness import session_cookie
from tests.integration.servers import SECRET
from tests.servers.running import Served
from wsgiproxy_hs.sessions import Sessions

SECONDS = 30.0
COOKIE = session_cookie(token="access", sessions=Sessions(secrets=[SECRET], secure=False))
SIGNED_IN = [("Cookie", COOKIE), ("X-CSRF", "1")]


class Answer(NamedTuple):
    """What a client got. ``is_cut``: the connection ended before the answer did; status 0: before it began."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_cut: bool = False

    def all(self, name: str) -> list[str]:
        """All values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def client(server: Served) -> closing[HTTPConnection]:
    """A connection to a server, made when it is first used, and made anew when the server ended it."""
    return closing(HTTPConnection("127.0.0.1", server.port, timeout=SECONDS))


def raw_client(server: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)


def ask(
    connection: HTTPConnection,
    method: str = "GET",
    target: str = "/api/open/thing",
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> Answer:
    """One request with headers that may repeat, its answer read to whatever end it has."""
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    try:
        answer = read_answer(connection.getresponse())
    except ConnectionError:
        answer = Answer(0, [], b"", is_cut=True)
    if answer.is_cut:
        connection.close()
    return answer


def read_answer(response: HTTPResponse) -> Answer:
    """The rest of an answer."""
    pieces = []
    try:
        while piece := response.read1():
            pieces.append(piece)
        is_cut = bool(response.length)
    except (IncompleteRead, ConnectionError):
        is_cut = True
    finally:
        response.close()
    return Answer(response.status, response.getheaders(), b"".join(pieces), is_cut)


def ask_once(server: Served, method: str = "GET", target: str = "/api/open/thing", **rest: object) -> Answer:
    """The same on a connection of its own."""
    with client(server) as connection:
        return ask(connection, method, target, **rest)  # type: ignore[arg-type]


def upstream(server: Served, *script: Step, scripts: Sequence[Script] | None = None) -> ScriptedUpstream:
    """An upstream where the server looks for it."""
    return ScriptedUpstream(*script, scripts=scripts, port=server.upstream_port)


def parts(request: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """The request line, the header fields and the body of a request that an upstream received."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    return line, [(name, value.strip()) for name, _, value in (field.partition(":") for field in fields)], body


def read_until(sock: socket.socket, end: bytes, already: bytes = b"") -> bytes:
    """What arrives up to and including a mark, and whatever came with it; less when the other side leaves."""
    received = already
    while end not in received and (data := sock.recv(65_536)):
        received += data
    return received


def read_all(sock: socket.socket) -> bytes:
    """What arrives until the other side closes or breaks the connection."""
    pieces = []
    try:
        while data := sock.recv(65_536):
            pieces.append(data)
    except ConnectionError:
        pass
    return b"".join(pieces)
