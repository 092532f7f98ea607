"""An upstream that costs little: sends and takes bodies of any size, and opens event streams.

``python -m bench.apps.upstream PORT``

* ``GET /download/?BYTES`` answers so many bytes;
* ``POST /upload/`` takes a body, and says how many of its blocks were wrong;
* ``GET /events/`` sends one event, and then nothing until the client leaves.
"""

from __future__ import annotations

import socket
import sys
import threading

from bench.apps.wire import Head, bounded, read_head, receive_blocks, send_blocks

EVENT = b"data: open\n\n"


def main() -> None:
    """Serve until killed: a thread a connection, with a small stack."""
    threading.stack_size(262_144)
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as listener:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=serve, args=(bounded(sock, seconds=300),), daemon=True).start()


def serve(sock: socket.socket) -> None:
    """Every request of a connection."""
    with sock:
        try:
            while True:
                line, fields = read_head(sock)
                answer(sock, line.split()[1], fields)
        except (EOFError, OSError):
            return


def answer(sock: socket.socket, target: str, fields: Head) -> None:
    """One request."""
    path, _, query = target.partition("?")
    if path == "/download/":
        sock.sendall(head("application/octet-stream", f"Content-Length: {query}"))
        send_blocks(sock, int(query))
    elif path == "/upload/":
        body = b'{"wrong": %d}' % receive_blocks(sock, int(fields["content-length"]))
        sock.sendall(head("application/json", f"Content-Length: {len(body)}") + body)
    elif path == "/events/":
        sock.sendall(head("text/event-stream", "Connection: close") + EVENT)
        sock.recv(1)  # comes back when the client is gone
        raise EOFError
    else:
        sock.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def head(content_type: str, more: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{more}\r\n\r\n".encode()


if __name__ == "__main__":
    main()
