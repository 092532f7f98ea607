"""Where an upstream listens, and how a connection to it is made."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError

UNIX_SCHEME: Final = "http+unix"
ATTEMPT_SECONDS: Final = 0.25
"""How long one address of a name is alone before the next is tried beside it (RFC 8305, section 5)."""


class Address(NamedTuple):
    """An upstream: host and port, or the path of a Unix socket; and how to trust it.

    ``name`` is what the ``Host`` header says when a request brings none.
    """

    name: str
    host: str = ""
    port: int = 0
    tls: ssl.SSLContext | None = None
    unix_path: str | None = None

    def __str__(self) -> str:
        return self.unix_path or self.name


def unix_url(path: str) -> str:
    """``/run/django.sock`` -> ``http+unix://%2Frun%2Fdjango.sock``, the base of URLs that lead there."""
    return f"{UNIX_SCHEME}://{quote(path, safe='')}"


def host_header(url: str) -> str:
    """What ``Host`` says to the upstream of a URL; behind a Unix socket there is only one: ``localhost`` (F106)."""
    parts = urlsplit(url)
    return "localhost" if parts.scheme == UNIX_SCHEME else parts.netloc


def split_url(url: str) -> tuple[str, str]:
    """``http://host:8000/path?query`` -> ``("http://host:8000", "/path?query")``, nothing of it changed."""
    end = url.find("/", url.find("://") + 3)
    return (url[:end], url[end:]) if end > 0 else (url, "/")


def parse_origin(origin: str) -> tuple[str, Address]:
    """``https://host:8443`` -> ``("https", Address)``.

    :raises LocationParseError: when it is none that can be dialled; never does a mistake lead to plain text.
    """
    try:
        parts = urlsplit(origin)
        scheme, port = parts.scheme, parts.port
    except ValueError:
        raise LocationParseError(origin) from None
    if scheme == UNIX_SCHEME and parts.netloc:
        return scheme, Address("localhost", unix_path=unquote(parts.netloc))
    if scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "?" in origin or "#" in origin:
        raise LocationParseError(origin)
    return scheme, Address(parts.netloc, parts.hostname, port or {"http": 80, "https": 443}[scheme])


def dial(address: Address, seconds: float) -> socket.socket:
    """A connected socket, TLS included.

    :raises NewConnectionError: refused, unreachable, or TLS failed; :raises ConnectTimeoutError: too slow.
    """
    deadline = time.monotonic() + seconds
    candidates = _resolve(address)
    try:
        if address.unix_path is not None:
            return _connect_unix(address.unix_path, seconds)
        sock = _connect(candidates, deadline)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            return _secure(address, sock)
        except BaseException:
            sock.close()
            raise
    except TimeoutError as error:
        raise ConnectTimeoutError(f"No connection to {address} within {seconds:g} s") from error
    except (OSError, ValueError) as error:
        raise NewConnectionError(address, f"{type(error).__name__}: {error}") from error  # type: ignore[arg-type]


def _secure(address: Address, sock: socket.socket) -> socket.socket:
    """TLS where the upstream has it. An end without a farewell must be an error, or a cut would look whole (F108)."""
    if address.tls is None:
        return sock
    return address.tls.wrap_socket(sock, server_hostname=address.host, suppress_ragged_eofs=False)


def _resolve(address: Address) -> list[tuple[int, Any]]:
    """All addresses of the name (F110). The system's resolver has its own clock: ours cannot interrupt it."""
    if address.unix_path is not None:
        return []
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(address.host, address, reason) from error  # type: ignore[arg-type]
    return [(family, place) for family, _, _, _, place in found]


def _connect(candidates: list[tuple[int, Any]], deadline: float) -> socket.socket:
    """The first address that answers wins; one that is silent does not use up the clock of the others.

    :raises TimeoutError: none answered in time; :raises OSError: what the last one said.
    """
    poll, pending = select.poll(), dict[int, socket.socket]()
    failure = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    try:
        while candidates or pending:
            if candidates:
                try:
                    sock = _begin(*candidates.pop(0))
                except OSError as error:
                    failure = error
                    continue
                pending[sock.fileno()] = sock
                poll.register(sock, select.POLLOUT)
            for number, _ in _ready(poll, deadline, ATTEMPT_SECONDS if candidates else None):
                poll.unregister(number)
                sock = pending.pop(number)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    return sock
                sock.close()
                failure = OSError(code, os.strerror(code))
        raise failure
    finally:
        for sock in pending.values():
            sock.close()


def _begin(family: int, place: Any) -> socket.socket:
    """A socket whose connecting has begun; :raises OSError: when it failed at once."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    code = sock.connect_ex(place)
    if code not in (0, errno.EINPROGRESS):
        sock.close()
        raise OSError(code, os.strerror(code))
    return sock


def _ready(poll: select.poll, deadline: float, at_most: float | None) -> list[tuple[int, int]]:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("no address answered in time")
    return poll.poll((remaining if at_most is None else min(remaining, at_most)) * 1000 + 1)


def _connect_unix(path: str, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock
