"""HTTP/1.1 on bare sockets, for the upstream and the client of the benchmark: heads, and numbered blocks as bodies.

Each block begins with its number, so that one that is lost, doubled or out of order is noticed without a checksum's
cost.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

BLOCK_BYTES: Final = 262_144
GIBIBYTE: Final = 1_073_741_824
Head = dict[str, str]


def bounded(sock: socket.socket, seconds: int = 60) -> socket.socket:
    """A blocking socket that gives up after a while: Python's own timeouts would make it a non-blocking one."""
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def read_head(sock: socket.socket) -> tuple[str, Head]:
    """The first line and the header fields, names in lower case; not a byte of the body is taken.

    :raises EOFError: when the connection ends first.
    """
    end = -1
    while end < 0:
        seen = sock.recv(65_536, socket.MSG_PEEK)
        if not seen:
            raise EOFError("the connection ended before a head")
        end = seen.find(b"\r\n\r\n")
    first, *lines = read_exactly(sock, end + 4).decode("latin-1").rstrip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, {name.lower(): value.strip() for name, _, value in pairs}


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """:raises EOFError: when there is less."""
    data = sock.recv(count, socket.MSG_WAITALL) if count else b""
    if len(data) < count:
        raise EOFError(f"{len(data)} bytes instead of {count}")
    return data


def send_blocks(sock: socket.socket, total: int) -> None:
    """A body of so many bytes."""
    block = bytearray(BLOCK_BYTES)
    for number in range(total // BLOCK_BYTES):
        block[:8] = number.to_bytes(8)
        sock.sendall(block)


def receive_blocks(sock: socket.socket, total: int) -> int:
    """Take a body of so many bytes; how many of its blocks were not what was sent."""
    block = bytearray(BLOCK_BYTES)
    count, wrong = total // BLOCK_BYTES, 0
    for number in range(count):
        if sock.recv_into(block, BLOCK_BYTES, socket.MSG_WAITALL) < BLOCK_BYTES:
            return wrong + count - number
        wrong += int.from_bytes(block[:8]) != number
    return wrong
