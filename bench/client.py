"""A client that costs little and believes little: one connection, answers of a known length."""

from __future__ import annotations

import socket

from bench.apps.wire import Head, bounded, read_exactly, read_head


class Client:
    """A kept-alive connection to a server of this machine."""

    def __init__(self, port: int) -> None:
        self.sock = bounded(socket.create_connection(("127.0.0.1", port)))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def begin(self, request: bytes) -> tuple[int, Head]:
        """Send a request; status and header fields of its answer."""
        self.sock.sendall(request)
        return self.head()

    def head(self) -> tuple[int, Head]:
        """Status and header fields of the answer to what was sent."""
        line, fields = read_head(self.sock)
        return int(line.split()[1]), fields

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; status and body of its answer."""
        status, fields = self.begin(request)
        return status, read_exactly(self.sock, int(fields["content-length"]))
